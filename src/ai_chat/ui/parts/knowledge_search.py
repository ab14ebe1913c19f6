"""Trying what a search finds, as an answer would."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ...core.errors import ChatError
from ...core.knowledge import MOST_FOUND, Collection, Passage, Scope
from ..state import remember, remembered, say
from .bridge import ask_house, services
from .citations import draw_passage, label, scores
from .dialogs import open_passage
from .trouble import plain, quiet_line, sentence

QUERY, TOP_K, WITHIN = "sought-query", "sought-passages", "sought-within"
SOUGHT, FOUND = "sought", "sought-found"


def draw_search(collections: Sequence[Collection]) -> None:
    """Draw the question, and what was found for it."""
    with st.form("sought-form", border=False):
        st.text_input(say("query"), key=QUERY, icon=":material/search:")
        with st.container(key="sought-where", horizontal=True, vertical_alignment="bottom", gap="small"):
            if len(collections) > 1:
                names = [collection.name for collection in collections]
                st.multiselect(say("collection"), names, key=WITHIN, placeholder=say("all_documents"))
            st.number_input(
                say("most_passages"),
                1,
                MOST_FOUND,
                remembered(TOP_K, services().knowledge.top_k),
                key=TOP_K,
                width=150,
            )
            st.form_submit_button(say("search"), key="seek", type="primary", on_click=_seek)
    sought = remembered(SOUGHT)
    if sought is not None:
        _search(*sought)
    found = remembered(FOUND)
    if found is not None:
        _draw_found(*found)


def _seek() -> None:
    """Note what is to be looked for; the drawing does it, and shows meanwhile that it does."""
    remember("trouble", None)
    remember(FOUND, None)
    query = st.session_state[QUERY].strip()
    scope = Scope(collections=st.session_state.get(WITHIN) or None)
    remember(SOUGHT, (query, st.session_state[TOP_K], scope) if query else None)


def _search(query: str, top_k: int, scope: Scope) -> None:
    try:
        with st.spinner(say("seeking")):
            found = ask_house(lambda services: services.knowledge.look(query, top_k=top_k, scope=scope))
        remember(FOUND, (query, found.passages, found.words_only))
    except ChatError as error:
        quiet_line(sentence(error), "trouble-search", icon=":material/error:")
    remember(SOUGHT, None)


def _draw_found(query: str, passages: Sequence[Passage], words_only: str | None) -> None:
    if words_only is not None:
        quiet_line(say("words_only", reason=words_only), "trouble-words", icon=":material/info:")
    if not passages:
        st.caption(say("no_passage"))
    with st.container(key="results", gap="medium"):
        for rank, passage in enumerate(passages, 1):
            with st.container(key=f"result-{rank}", gap="xsmall"):
                st.markdown(f"{rank}. **{plain(label(passage))}**".replace(". ", "\\. ", 1))
                st.caption(plain(f"{scores(passage)} · {passage.collection}"))
                draw_passage(passage, query)
                st.button(
                    say("in_context"),
                    key=f"context-{rank}",
                    type="tertiary",
                    icon=":material/unfold_more:",
                    on_click=open_passage,
                    args=(passage, query),
                )
