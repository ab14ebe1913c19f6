"""Where the words of a query stand in a text, and the text as HTML with these marked. Pure functions."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator, Sequence

LONGEST_EXCERPT = 700
"""Characters of a passage that a list of results shows."""
LEAD = 120
"""Characters that an excerpt shows before the first word that was looked for."""

Span = tuple[int, int]

_SPACELESS = "\u2e80-\u312f\u31a0-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
"""Writing without spaces between words."""
_RUN = re.compile(rf"(?P<spaceless>[{_SPACELESS}]+)|(?:(?![{_SPACELESS}])[^\W_])+")
_OF_QUESTIONS = (
    "a an and any are as at be by can do does for from has have how i if in is it may my of on or our that the their "
    "there this to was we what when where which who why will with you your "
    "什么 怎么 怎样 如何 多少 哪些 哪里 是否 可以 我们 你们 他们 这个 那个 一个 的是 是什 么是"
)
_TELL_NOTHING = frozenset(_OF_QUESTIONS.split())
"""Words that stand in any text."""


def spans_of(query: str, text: str) -> list[Span]:
    """Give where words of a query stand in a text; of writing without spaces two characters in a row are a word."""
    words = {word for run in _RUN.finditer(query) for word in _words(run)} - _TELL_NOTHING
    found: list[Span] = []
    for run in _RUN.finditer(text):
        for begin, end in _within(run, words):
            if found and begin <= found[-1][1]:
                found[-1] = found[-1][0], end
            else:
                found.append((begin, end))
    return found


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


def _words(run: re.Match[str]) -> Iterator[str]:
    word = run[0].casefold()
    if run["spaceless"] is None or len(word) == 1:
        yield word
    else:
        yield from map("".join, itertools.pairwise(word))


def _within(run: re.Match[str], words: set[str]) -> Iterator[Span]:
    if run["spaceless"] is None:
        if run[0].casefold() in words:
            yield run.span()
        return
    for place in range(run.start(), run.end()):
        for length in (2, 1):
            if place + length <= run.end() and run.string[place : place + length] in words:
                yield place, place + length
                break
