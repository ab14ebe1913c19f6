"""What an answer is taken from: a button for each passage it cites, which a `[1]` in its text presses as well."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from ...core.conversations import Turn
from ...core.knowledge import Passage
from ...core.sources import Source
from ...core.words import spans_of
from ..state import say
from .dialogs import open_passage
from .highlight import excerpt, marked
from .markdown import Links
from .places import counted, place
from .trouble import plain

EMPTY_LINES = re.compile(r"\n\s*\n")
FIRST_LINES = 240
"""Characters of a passage that the box of a search shows."""


def anchor(turn: str, number: int) -> str:
    """Give the key of a source's button; a link to it presses it (see `browser.py`)."""
    return f"source-{turn}-{number}"


def links_of(turn: str, sources: Iterable[Source]) -> Links:
    """Give where the citations of an answer lead."""
    return {source.number: f"#{anchor(turn, source.number)}" for source in sources}


def draw_sources(turn: Turn) -> None:
    """Draw the passages that an answer cites; if it cites none, how many it could have cited."""
    if not turn.sources or not turn.text or turn.state == "running":
        return
    if cited := turn.cited:
        with st.container(key=f"sources-{turn.id}", horizontal=True, gap="xsmall"):
            _draw_buttons(turn.id, cited)
        return
    with (
        st.container(key=f"uncited-{turn.id}"),
        st.expander(counted("none_cited", len(turn.sources)), type="compact"),
        st.container(key=f"sources-{turn.id}", horizontal=True, gap="xsmall"),
    ):
        _draw_buttons(turn.id, turn.sources)


def _draw_buttons(turn: str, sources: Sequence[Source]) -> None:
    for source in sources:
        st.button(
            plain(f"[{source.number}] {label(source.passage)}"),
            key=anchor(turn, source.number),
            on_click=open_passage,
            args=(source.passage,),
        )


def label(passage: Passage) -> str:
    """Give what a passage is called: its file, its page, its headings."""
    return " · ".join([passage.name, *place(passage.chunk.page, passage.chunk.heading)])


def draw_found(box: Any, sources: Sequence[Source]) -> None:
    """Draw what a search found, for people: what it is, how good it is, how it begins."""
    rows = []
    for source in sources:
        passage = source.passage
        text, _ = excerpt(" ".join(passage.chunk.text.split()), (), FIRST_LINES)
        rows.append(
            f'<div class="found"><div class="title"><b>[{source.number}]</b> {html.escape(label(passage))}'
            f"<small>{html.escape(scores(passage))}</small></div><p>{html.escape(text)}</p></div>"
        )
    box.html("".join(rows))


def draw_passage(passage: Passage, query: str) -> None:
    """Draw a passage with the words of a query marked."""
    whole = EMPTY_LINES.sub("\n", passage.chunk.text)
    text, inside = excerpt(whole, spans_of(query, whole))
    st.html(f'<div class="passage-text">{marked(text, inside)}</div>')


def scores(passage: Passage) -> str:
    """Give how good a find it is, by what is known of it."""
    parts = [say("score", value=f"{passage.score:.2f}")]
    if passage.similarity is not None:
        parts.append(say("by_meaning", value=f"{passage.similarity:.2f}"))
    if passage.words is not None:
        parts.append(say("by_words", value=f"{passage.words:.1f}"))
    return " · ".join(parts)


def sources_of(data: Mapping[str, Any]) -> tuple[Source, ...]:
    """Read the passages that an event of a run tells."""
    return tuple(Source(number=told["number"], passage=Passage.of(told)) for told in data.get("sources", ()))
