"""How freely the model answers here: a named temperature, which the conversation keeps."""

from __future__ import annotations

import streamlit as st

from ...core.presets import PRESETS
from ..state import language, remember, remembered, say
from . import actions
from .view import View

NONE = "default"


def draw_presets(view: View) -> None:
    """Draw the choice."""
    kept = view.conversation.options.get("preset") if view.conversation is not None else None
    chosen = remembered(actions.preset_key()) or kept or NONE
    names = [NONE, *PRESETS]
    key = f"preset-{language()}-{actions.preset_key()}"  # what is picked goes over the wire by its label
    with st.container(key="presets"):
        st.selectbox(
            say("preset"),
            names,
            index=names.index(chosen) if chosen in names else 0,
            key=key,
            format_func={name: say(f"preset_{name}") for name in names}.__getitem__,
            on_change=_choose,
            args=(key,),
        )


def _choose(key: str) -> None:
    remember(actions.preset_key(), st.session_state[key])
