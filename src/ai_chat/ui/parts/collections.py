"""Which documents the answers of a conversation come from: a choice that the conversation keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ..state import language, remember, remembered, say
from . import actions
from .forms import has_form
from .view import View

ALL = "*"
"""In place of a collection's name: all documents."""
FEW = 8
"""Collections up to which each is a button."""


def draw_collections(view: View) -> None:
    """Draw the choice, where there are documents to choose."""
    chosen = chosen_collections(view)
    if not view.collections and not chosen:
        return
    several = view.collections if len(view.collections) > 1 else ()  # one alone is all
    names = list(dict.fromkeys([ALL, *several, *chosen]))
    key = f"grounded-{language()}-{actions.collections_key()}"  # what is picked goes over the wire by its label
    form = has_form(view)
    options: dict[str, Any] = {
        "default": list(chosen),
        "key": key,
        "format_func": {name: _title(name) for name in names}.__getitem__,
        "on_change": _choose,
        "args": (key, chosen),
        "disabled": form,
        "help": say("no_form_documents") if form else None,
    }
    if len(names) <= FEW:
        st.pills(say("documents"), names, selection_mode="multi", **options)
    else:
        st.multiselect(say("documents"), names, placeholder="", **options)


def chosen_collections(view: View) -> Sequence[str]:
    """Give the names of the collections that answers come from here, `*` for all."""
    chosen: Sequence[str] | None = remembered(actions.collections_key())
    if chosen is None and view.conversation is not None:
        chosen = view.conversation.options.get("collections")
    return chosen or ()


def grounded_in(view: View) -> str | None:
    """Say what answers come from here; None if not from documents."""
    chosen = chosen_collections(view)
    return None if not chosen or has_form(view) else say("from_documents", names=" · ".join(map(_title, chosen)))


def _title(name: str) -> str:
    return say("all_documents") if name == ALL else name


def _choose(key: str, before: Sequence[str]) -> None:
    """Keep the choice: all documents, or some of them."""
    chosen = list(st.session_state[key])
    if ALL in chosen and len(chosen) > 1:
        chosen = [name for name in chosen if name != ALL] if ALL in before else [ALL]
        st.session_state[key] = chosen
    remember(actions.collections_key(), chosen)
