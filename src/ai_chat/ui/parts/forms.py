"""The form that answers have here: free text, or JSON by a schema, which the conversation keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ...core.presets import FORMS
from ..state import language, remember, remembered, say
from . import actions
from .view import View

NONE = "none"


def draw_forms(view: View) -> None:
    """Draw the choice."""
    kept, chosen = _kept(view), chosen_form(view)
    names = [NONE, *FORMS, actions.OWN_FORM]
    key = f"form-{language()}-{actions.form_key()}"  # what is picked goes over the wire by its label
    with st.container(key="forms", gap="xsmall"):
        st.selectbox(
            say("form"),
            names,
            index=names.index(chosen),
            key=key,
            format_func={name: say(f"form_{name}") for name in names}.__getitem__,
            on_change=_choose,
            args=(key, actions.form_key()),
        )
        if chosen == actions.OWN_FORM:
            _draw_schema(kept)


def _draw_schema(kept: Mapping[str, Any] | None) -> None:
    shown = remembered(actions.schema_key())
    if shown is None:
        shown = json.dumps(kept or FORMS["review"], ensure_ascii=False, indent=2)
        remember(actions.schema_key(), shown)
    key = f"text-{actions.schema_key()}"
    st.text_area(say("form_schema"), shown, key=key, height=200, on_change=_choose, args=(key, actions.schema_key()))


def chosen_form(view: View) -> str:
    """Give the name of the form that answers have here; `none` is free text."""
    return remembered(actions.form_key()) or _name_of(_kept(view))


def has_form(view: View) -> bool:
    """Whether answers have a form here."""
    return chosen_form(view) != NONE


def _kept(view: View) -> Mapping[str, Any] | None:
    return view.conversation.options.get("schema") if view.conversation is not None else None


def _name_of(kept: Mapping[str, Any] | None) -> str:
    if not kept:
        return NONE
    return next((name for name, schema in FORMS.items() if schema == kept), actions.OWN_FORM)


def _choose(key: str, name: str) -> None:
    remember(name, st.session_state[key])
