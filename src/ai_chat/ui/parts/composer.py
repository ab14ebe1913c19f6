"""Where a person writes, and stops what is being written."""

from __future__ import annotations

import streamlit as st

from ..state import say
from . import actions
from .bridge import services
from .collections import grounded_in
from .header import LOCAL, chosen_model, is_local
from .tools import chosen_tools
from .trouble import plain, show_noted
from .view import View


def draw_composer(view: View) -> None:
    """Draw the box at the bottom. While an answer is made, its arrow is a stop; the box can still be written in."""
    run = services().runs.get(view.turns[-1].id) if view.is_running else None
    with st.bottom, st.empty():
        show_noted()
    draw_box()
    with st.bottom:
        with st.container(key="stopping"):
            if run is not None:
                st.button(
                    say("stop"),
                    key="stop",
                    icon=":material/stop:",
                    type="primary",
                    on_click=actions.stop,
                    args=(run.id,),
                )
        with st.container(key="footnote"):
            st.caption(_footnote(view), text_alignment="center")


def _footnote(view: View) -> str:
    """Say where answers come from, and whether anything leaves this machine for them."""
    documents = grounded_in(view)
    away = chosen_tools(view) or (documents and services().settings.knowledge.embedding != LOCAL)  # they ask others
    private = is_local(chosen_model(view)) and not away
    rest = say("local_model") if private else say("mistakes")
    return rest if documents is None else f":material/menu_book: {plain(documents)} · {rest}"


def draw_box() -> None:
    """Draw the box itself. It is there whatever else fails: what is being written in it must not go."""
    # Called for the page itself, not for `st.bottom`: only then do the messages scroll along with what is written.
    st.chat_input(say("ask"), key=actions.COMPOSER, on_submit=actions.submit)
