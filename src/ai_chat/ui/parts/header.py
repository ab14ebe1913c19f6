"""The head of the page: which model answers."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ..state import language, remember, remembered, say
from . import actions
from .trouble import plain
from .view import View

LOCAL = "local"


def draw_header(view: View) -> None:
    """Draw the conversation's title, and the choice of the model."""
    models, chosen = list(view.models), chosen_model(view)
    if chosen not in models:
        models.insert(0, chosen)
    key = f"picked-{language()}-{actions.model_key()}"  # what is picked goes over the wire by its label
    with st.container(key="header", horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        title = view.conversation.title if view.conversation is not None else ""
        st.markdown(plain(title or say("new_chat")), wrap=False)
        st.selectbox(
            say("model"),
            models,
            index=models.index(chosen),
            key=key,
            format_func=partial(_label, here=say("local_name")),
            label_visibility="collapsed",
            width=210,
            on_change=_choose,
            args=(key,),
        )


def chosen_model(view: View) -> str:
    """Give the model that is asked next."""
    kept = view.conversation.model if view.conversation is not None else None
    chosen: str = remembered(actions.model_key()) or kept or view.default_model
    return chosen


def is_local(model: str) -> bool:
    """Whether a model runs on this machine."""
    return model.partition("/")[0] == LOCAL


def _label(name: str, here: str) -> str:
    return here if name == LOCAL else name


def _choose(key: str) -> None:
    remember(actions.model_key(), st.session_state[key])
