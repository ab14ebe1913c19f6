"""What a browser tab remembers: its conversation in the URL, drafts and toggles in the session."""

from __future__ import annotations

from typing import Any

import streamlit as st

from .texts import Language, language_of, text

SHOWN = 40
"""Messages that are drawn; the cost of a page grows with them."""
ROWS = 40
"""Conversations that the sidebar lists."""


def language() -> Language:
    """Give the language of this tab: the one in the URL, else the browser's."""
    chosen = st.query_params.get("lang")
    return chosen if chosen in {"en", "zh"} else language_of(st.context.locale)  # type: ignore[return-value]


def choose_language(chosen: Language) -> None:
    """Speak that language from now on; the URL says so where it is not the browser's."""
    if chosen == language_of(st.context.locale):
        st.query_params.pop("lang", None)
    else:
        st.query_params["lang"] = chosen


def say(key: str, **values: object) -> str:
    """Give a sentence in this tab's language."""
    return text(key, language(), **values)


def conversation() -> str | None:
    """Give the conversation that the URL names."""
    return st.query_params.get("c") or None


def go_to(name: str | None) -> None:
    """Show another conversation, or a new one."""
    if name != conversation():
        for key in ("shown", "editing", "trouble", "renaming", "dialog"):
            st.session_state.pop(key, None)
    st.query_params.pop("v", None)
    if name is None:
        st.query_params.pop("c", None)
    else:
        st.query_params["c"] = name


def shows_usage() -> bool:
    """Whether the page of what was used is the one to draw."""
    return st.query_params.get("v") == "usage"


def go_to_usage() -> None:
    """Show the page of what was used."""
    st.query_params["v"] = "usage"


def shows_knowledge() -> bool:
    """Whether the page of documents is the one to draw."""
    return st.query_params.get("v") == "knowledge"


def go_to_knowledge() -> None:
    """Show the page of documents."""
    st.query_params["v"] = "knowledge"


def go_back() -> None:
    """Show the conversation again."""
    st.query_params.pop("v", None)


def remembered(key: str, default: Any = None) -> Any:
    """Give what this tab remembers under a name."""
    return st.session_state.get(key, default)


def remember(key: str, value: Any) -> None:
    """Remember something in this tab; None forgets it."""
    if value is None:
        st.session_state.pop(key, None)
    else:
        st.session_state[key] = value
