"""Where a person writes, and stops what is being written."""

from __future__ import annotations

import streamlit as st

from ..state import conversation, say
from . import actions
from .bridge import services


def draw_composer() -> None:
    """Draw the box at the bottom. While an answer is made, its arrow is a stop; the box can still be written in."""
    here = conversation()
    running = services().runs.running_in(here) if here is not None else ()
    with st.bottom, st.container(key="composer", gap=None):
        st.chat_input(say("ask"), key=actions.COMPOSER, on_submit=actions.submit)
        if running:
            st.button(
                "",
                key="stop",
                icon=":material/stop:",
                type="primary",
                help=say("stop"),
                on_click=actions.stop,
                args=(running[-1].id,),
            )
