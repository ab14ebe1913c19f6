"""What opens above the page: a passage in its context, a document's passages, the question before one is removed."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from ...assembly import Services
from ...core.errors import ChatError, NotFound
from ...core.knowledge import Chunk, Document, Passage
from ...core.words import spans_of
from ..state import remember, remembered, say
from .bridge import ask_house
from .highlight import marked
from .places import facts_of, place
from .trouble import note, plain, quiet_line, sentence

PAGE = 10
"""Passages of a document that are shown at once."""
KEY = "dialog"
NEWLINES = "\n"
MONOSPACED = frozenset({"code", "csv"})


def draw_dialog() -> None:
    """Open what a person has asked to see; it stays open until he closes it, however often the page is drawn."""
    opened: Callable[[], None] | None = remembered(KEY)
    if opened is not None:
        opened()


def open_passage(passage: Passage, query: str = "") -> None:
    """Have a passage be shown in its context, with the words of a query marked."""
    remember(KEY, partial(_show_passage, passage, query))


def open_document(document: Document) -> None:
    """Have the passages of a document be shown."""
    remember(KEY, partial(_show_document, document))


def open_removal(document: Document) -> None:
    """Ask whether a document is to be removed."""
    remember(KEY, partial(_show_removal, document))


def close() -> None:
    """Close what is open."""
    remember(KEY, None)


# --- a passage ----------------------------------------------------------------------------------------------------


def _show_passage(passage: Passage, query: str) -> None:
    st.dialog(plain(passage.name), width="medium", on_dismiss=close)(_draw_passage)(passage, query)


def _draw_passage(passage: Passage, query: str) -> None:
    chunk = passage.chunk
    st.caption(plain(" · ".join([*place(chunk.page, chunk.heading), passage.collection])))
    try:
        context, gone, kind = ask_house(lambda services: in_context(services, passage))
    except ChatError as error:
        context, gone, kind = ("", chunk.text, ""), None, ""
        quiet_line(sentence(error), "trouble-passage", icon=":material/error:")
    if gone is not None:
        quiet_line(say(gone), "trouble-passage", icon=":material/history:")
    before, text, behind = context
    look = "passage code" if kind in MONOSPACED else "passage"
    st.html(
        f'<div class="{look}"><span>{html.escape(before)}</span><div class="cited">'
        f"{marked(text, spans_of(query, text))}</div><span>{html.escape(behind)}</span></div>"
    )


async def in_context(services: Services, passage: Passage) -> tuple[tuple[str, str, str], str | None, str]:
    """Give a passage with what stands before and behind it, what has become of its document, and the document's kind.

    Where the document is another by now, or none, there is only the passage as it was found.
    """
    chunk = passage.chunk
    alone = ("", chunk.text, "")
    try:
        document = await services.knowledge.document(passage.document)
    except NotFound:
        return alone, "source_removed", ""
    around = await services.knowledge.around(passage.document, chunk.start, chunk.end)
    if document.digest != passage.digest or around is None or around[1] != chunk.text:
        return alone, "source_replaced", document.kind
    before, text, behind = around
    before = f"… {before.strip()}" if len(before) < chunk.start else before.rstrip()
    behind = f"{behind.strip(NEWLINES)} …" if chunk.end + len(behind) < document.characters else behind.strip(NEWLINES)
    return (before, text, behind), None, document.kind


# --- a document ---------------------------------------------------------------------------------------------------


def _show_document(document: Document) -> None:
    st.dialog(plain(document.name), width="medium", on_dismiss=close)(_draw_document)(document)


def _draw_document(document: Document) -> None:
    st.caption(plain(" · ".join([document.collection, *facts_of(document)])))
    pages = max(1, -(-document.chunks // PAGE))
    key = f"chunks-{document.id}"
    offset = (min(remembered(key, 1), pages) - 1) * PAGE
    try:
        chunks = ask_house(lambda services: services.knowledge.chunks(document.id, limit=PAGE, offset=offset))
    except ChatError as error:
        quiet_line(sentence(error), "trouble-chunks", icon=":material/error:")
        return
    if not chunks:
        quiet_line(say("error_not_found"), "trouble-chunks", icon=":material/history:")
        return
    _draw_chunks(chunks, document.kind)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.pagination(pages, key=key)


def _draw_chunks(chunks: Sequence[Chunk], kind: str) -> None:
    look = "passage code" if kind in MONOSPACED else "passage"
    st.html(
        "".join(
            f'<div class="chunk"><small>{html.escape(" · ".join([f"{chunk.position + 1}", *where]))}</small>'
            f'<div class="{look}">{html.escape(chunk.text)}</div></div>'
            for chunk in chunks
            for where in [place(chunk.page, chunk.heading)]
        )
    )


# --- removing -----------------------------------------------------------------------------------------------------


def _show_removal(document: Document) -> None:
    st.dialog(plain(say("remove_sure", name=document.name)), on_dismiss=close)(_draw_removal)(document)


def _draw_removal(document: Document) -> None:
    st.markdown(plain(say("remove_means")))
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        cancelled = st.button(say("cancel"), key="removal-cancel", type="tertiary", on_click=close)
        removed = st.button(say("remove"), key="removal-remove", type="primary", on_click=_remove, args=(document,))
    if cancelled or removed:
        st.rerun()


def _remove(document: Document) -> None:
    close()
    try:
        ask_house(lambda services: services.knowledge.remove(document.id))
    except NotFound:
        return  # somebody else has removed it
    except ChatError as error:
        note(error)
