"""The page: conversations at the side, one of them in the middle, and where to write below it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ..core.errors import ChatError
from .parts import actions
from .parts.bridge import ask_house
from .parts.browser import draw_browser
from .parts.column import Column
from .parts.composer import draw_box, draw_composer
from .parts.dialogs import draw_dialog
from .parts.header import draw_header
from .parts.knowledge_page import draw_knowledge
from .parts.messages import draw_messages
from .parts.sidebar import draw_sidebar
from .parts.style import draw_style
from .parts.trouble import quiet_line, sentence
from .parts.usage_page import draw_usage
from .parts.view import View, read
from .parts.watching import running, watch
from .state import ROWS, SHOWN, conversation, remembered, say, shows_knowledge, shows_usage

NAME = "ai-chat"
ICON = str(Path(__file__).with_name("icon.svg"))


def draw() -> None:
    """Draw the page once, as things stand; follow the answer that is being made, and draw it again."""
    try:
        view = ask_house(
            lambda services: read(
                services,
                conversation=conversation(),
                shown=remembered("shown", SHOWN),
                query=remembered(actions.SEARCH) or "",
                rows=remembered("rows", ROWS),
            )
        )
    except ChatError as error:
        st.set_page_config(page_title=NAME, page_icon=ICON)
        draw_style()
        quiet_line(sentence(error), "trouble-page", icon=":material/error:")
        draw_box()
        return
    shown = running(view)
    title = view.conversation.title if view.conversation is not None else ""
    st.set_page_config(page_title=title or NAME, page_icon=ICON, layout="centered")
    draw_style()
    draw_browser()
    draw_sidebar(view)
    draw_dialog()
    if shows_usage():
        draw_usage()
        return
    if shows_knowledge():
        draw_knowledge()
        return
    draw_composer(view)
    draw_header(view)
    if view.conversation is not None and view.turns:
        draw_messages(view)
    else:
        _draw_empty(view)
    watch(view, shown)


def _draw_empty(view: View) -> None:
    """Draw what a new conversation begins with."""
    thread = Column("thread", lasting=False)
    with thread.place("empty", gap="small"):
        if conversation() is not None and view.conversation is None:
            quiet_line(say("not_found"), "trouble-missing", icon=":material/search_off:")
        st.markdown(f"## {say('greeting')}", anchors=False)
        st.caption(say("greeting_more"))
        with st.container(key="suggestions", horizontal=True, gap="small"):
            for number in range(1, 5):
                words = say(f"suggestion_{number}")
                st.button(words, key=f"suggestion-{number}", on_click=actions.ask, args=(words,))
    thread.end()
