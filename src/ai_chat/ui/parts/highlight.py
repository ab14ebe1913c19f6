"""A passage as HTML with words in it marked, or as much of it as a list shows. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ...core.words import Span

LONGEST_EXCERPT = 700
"""Characters of a passage that a list of results shows."""
LEAD = 120
"""Characters that an excerpt shows before the first word that was looked for."""


def excerpt(text: str, spans: Sequence[Span], most: int = LONGEST_EXCERPT) -> tuple[str, list[Span]]:
    """Give a stretch of a text in which the first of the words stand, and where they stand in it."""
    begin = 0
    if len(text) > most and spans and spans[0][1] > most // 2:
        begin = max(0, min(spans[0][0] - LEAD, len(text) - most))
    end = min(len(text), begin + most)
    before, behind = "… " if begin else "", " …" if end < len(text) else ""
    moved = len(before) - begin
    inside = [(first + moved, last + moved) for first, last in spans if begin <= first and last <= end]
    return f"{before}{text[begin:end]}{behind}", inside


def marked(text: str, spans: Sequence[Span]) -> str:
    """Give a text as HTML in which these stretches are marked."""
    parts: list[str] = []
    place = 0
    for begin, end in spans:
        parts += [html.escape(text[place:begin]), f"<mark>{html.escape(text[begin:end])}</mark>"]
        place = end
    return "".join([*parts, html.escape(text[place:])])
