"""Which tools the model may call here: a choice that the conversation keeps."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ...core.knowledge import SEARCH_TOOL
from ..state import language, remember, remembered, say
from ..texts import has
from . import actions
from .bridge import services
from .view import View


def draw_tools(view: View) -> None:
    """Draw the choice, one button for each tool."""
    chosen = chosen_tools(view)
    names = [name for name in services().toolkit.names if _is_of_use(name, view) or name in chosen]
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


def chosen_tools(view: View) -> Sequence[str]:
    """Give the names of the tools that may be called here."""
    chosen: Sequence[str] | None = remembered(actions.tools_key())
    if chosen is None and view.conversation is not None:
        chosen = view.conversation.options.get("tools")
    return services().settings.tools.on if chosen is None else chosen


def _is_of_use(name: str, view: View) -> bool:
    return name != SEARCH_TOOL or bool(view.collections)


def title_of(name: str) -> str:
    """Give what a person calls a tool."""
    return say(f"tool_{name}") if has(f"tool_{name}") else name


def _choose(key: str) -> None:
    remember(actions.tools_key(), list(st.session_state[key]))
