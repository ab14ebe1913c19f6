"""Where a person writes, and stops what is being written."""

from __future__ import annotations

import streamlit as st

from ..state import conversation, say
from . import actions
from .bridge import services
from .header import chosen_model, is_local
from .trouble import show_noted
from .view import View


def draw_composer(view: View) -> None:
    """Draw the box at the bottom. While an answer is made, its arrow is a stop; the box can still be written in."""
    here = conversation()
    running = services().runs.running_in(here) if here is not None else ()
    with st.bottom, st.empty():
        show_noted()
    # Called for the page itself, not for `st.bottom`: only then do the messages scroll along with what is written.
    st.chat_input(say("ask"), key=actions.COMPOSER, on_submit=actions.submit)
    with st.bottom:
        with st.container(key="stopping"):
            if running:
                st.button(
                    say("stop"),
                    key="stop",
                    icon=":material/stop:",
                    type="primary",
                    on_click=actions.stop,
                    args=(running[-1].id,),
                )
        with st.container(key="footnote"):
            st.caption(say("local_model") if is_local(chosen_model(view)) else say("mistakes"), text_alignment="center")
