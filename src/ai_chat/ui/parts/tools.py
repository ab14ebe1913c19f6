"""Which tools the model may call here: a choice that the conversation keeps."""

from __future__ import annotations

import streamlit as st

from ..state import language, remember, remembered, say
from ..texts import has
from . import actions
from .bridge import services
from .view import View


def draw_tools(view: View) -> None:
    """Draw the choice, one button for each tool."""
    names = services().toolkit.names
    kept = view.conversation.options.get("tools") if view.conversation is not None else None
    chosen = remembered(actions.tools_key())
    if chosen is None:
        chosen = kept if kept is not None else services().settings.tools.on
    key = f"allowed-{language()}-{actions.tools_key()}"  # what is picked goes over the wire by its label
    st.pills(
        say("tools"),
        names,
        selection_mode="multi",
        default=[name for name in names if name in chosen],
        key=key,
        format_func={name: title_of(name) for name in names}.__getitem__,
        on_change=_choose,
        args=(key,),
    )


def title_of(name: str) -> str:
    """Give what a person calls a tool."""
    return say(f"tool_{name}") if has(f"tool_{name}") else name


def _choose(key: str) -> None:
    remember(actions.tools_key(), list(st.session_state[key]))
