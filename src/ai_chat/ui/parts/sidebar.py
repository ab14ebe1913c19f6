"""The list of conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import streamlit as st

from ...core.conversations import Conversation
from ..state import ROWS, choose_language, conversation, language, remember, remembered, say
from ..texts import LANGUAGES
from . import actions
from .books import draw_books
from .bridge import services
from .collections import draw_collections
from .column import Column
from .forms import draw_forms
from .presets import draw_presets
from .tools import draw_tools
from .trouble import plain
from .view import View

WEEK = timedelta(days=7)


def draw_sidebar(view: View) -> None:
    """Draw the list, what it is found by, and the language."""
    with st.sidebar:
        st.html('<div class="wordmark">ai-chat</div>')
        st.button(
            say("new_chat"),
            key="new-chat",
            icon=":material/edit_square:",
            type="tertiary",
            width="stretch",
            on_click=actions.open_conversation,
            args=(None,),
        )
        st.text_input(
            say("search_hint"),
            key=actions.SEARCH,
            type="search",
            placeholder=say("search"),
            label_visibility="collapsed",
            icon=":material/search:",
            live=True,
        )
        with st.empty():
            _draw_undo()
        _draw_list(view)
        with st.container(key="options", gap="xsmall"):
            draw_tools(view)
            draw_collections(view)
            with st.expander(say("options"), type="compact"):
                draw_presets(view)
                draw_forms(view)
        draw_books(view)
        _draw_languages()


def _draw_undo() -> None:
    deleted = remembered("undo")
    if deleted is None:
        return
    with st.container(key="undo", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(plain(say("deleted", title=deleted.title or say("untitled"))), wrap=False)
        st.button(say("undo"), key="undo-button", type="tertiary", on_click=actions.undo, args=(deleted,))


def _draw_list(view: View) -> None:
    query = remembered(actions.SEARCH) or ""
    column = Column("conversations", lasting=view.is_running, gap=None)
    if not view.listed:
        column.spot("group").caption(
            plain(say("nothing_found", query=query)) if query.strip() else say("no_conversations")
        )
    groups = [("found", list(view.listed))] if query.strip() and view.listed else _grouped(view.listed)
    for name, conversations in groups:
        column.spot("group").caption(say(name))
        for listed in conversations:
            _draw_row(column, listed)
    if view.has_more:
        _draw_more(column)
    column.end()


def _draw_more(column: Column) -> None:
    rows = remembered("rows", ROWS)
    column.spot("more").button(
        say("more_conversations"),
        key="more-conversations",
        type="tertiary",
        width="stretch",
        on_click=remember,
        args=("rows", rows + ROWS),
    )


def _draw_row(column: Column, listed: Conversation) -> None:
    if remembered("renaming") == listed.id:
        with column.place(f"renaming-{listed.id}"):
            _draw_renaming(listed)
        return
    if listed.id != conversation():
        _draw_opening(column.spot("row"), listed)
        return
    with column.place(
        f"active-{listed.id}", kind="active", horizontal=True, wrap=False, vertical_alignment="center", gap=None
    ):
        _draw_opening(st, listed)
        st.menu_button(
            say("menu"),
            ("rename", "delete"),
            key=f"menu-{listed.id}",
            icon=":material/more_horiz:",
            type="tertiary",
            format_func={name: say(name) for name in ("rename", "delete")}.__getitem__,
            on_click=_choose,
            args=(listed,),
        )


def _draw_opening(where: Any, listed: Conversation) -> None:
    where.button(
        plain(listed.title or say("untitled")),
        key=f"open-{listed.id}",
        type="tertiary",
        width="stretch",
        icon="spinner" if services().runs.running_in(listed.id) else None,
        on_click=actions.open_conversation,
        args=(listed.id,),
        wrap=True,
    )


def _choose(listed: Conversation) -> None:
    if st.session_state[f"menu-{listed.id}"] == "rename":
        remember("renaming", listed.id)
    else:
        actions.delete(listed)


def _draw_renaming(listed: Conversation) -> None:
    st.text_input(
        say("new_title"),
        listed.title,
        key=f"title-{listed.id}",
        label_visibility="collapsed",
        on_change=actions.rename,
        args=(listed.id,),
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(say("save"), key="save-title", type="primary", on_click=actions.rename, args=(listed.id,))
        st.button(say("cancel"), key="cancel-title", type="tertiary", on_click=remember, args=("renaming", None))


def _grouped(conversations: Sequence[Conversation]) -> Iterator[tuple[str, list[Conversation]]]:
    today = datetime.now().astimezone().date()
    for name, group in groupby(conversations, lambda listed: period(listed.updated.astimezone().date(), today)):
        yield name, list(group)


def period(day: date, today: date) -> str:
    """Give the name of the time that a day belongs to."""
    if day >= today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    return "week" if day > today - WEEK else "earlier"


def _draw_languages() -> None:
    with st.container(key="languages"):
        st.segmented_control(
            say("language"),
            list(LANGUAGES),
            default=language(),
            key=f"language-{language()}",
            format_func=lambda name: LANGUAGES[name],
            required=True,
            label_visibility="collapsed",
            on_change=_choose_language,
            args=(f"language-{language()}",),
        )


def _choose_language(key: str) -> None:
    choose_language(st.session_state[key])
