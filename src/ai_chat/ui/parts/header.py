"""The head of the page: which model answers."""

from __future__ import annotations

import streamlit as st

from ..state import remember, remembered, say
from . import actions
from .view import View

LOCAL = "local"


def draw_header(view: View) -> None:
    """Draw the choice of the model, with a word on the one that runs here."""
    models = list(view.models)
    kept = view.conversation.model if view.conversation is not None else None
    chosen = remembered(actions.model_key()) or kept or view.default_model
    if chosen not in models:
        models.insert(0, chosen)
    with st.container(key="header", horizontal=True, vertical_alignment="center", gap="small"):
        st.selectbox(
            say("model"),
            models,
            index=models.index(chosen),
            key=f"picked-{actions.model_key()}",
            format_func=_label,
            label_visibility="collapsed",
            width=220,
            on_change=_choose,
        )
        if chosen.partition("/")[0] == LOCAL:
            st.caption(say("local_model"))


def _label(name: str) -> str:
    return say("local_name") if name == LOCAL else name


def _choose() -> None:
    remember(actions.model_key(), st.session_state[f"picked-{actions.model_key()}"])
