"""Words of texts in any language: where they begin and end, which of them only ask, and where those of a query stand.

Languages that put no spaces between words have no words to look up, so there two neighbouring characters count as one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

SPACELESS = (
    "\u3005-\u3007"  # iteration mark, ideographic zero
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana, without the dot between words
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul: spaced, but its endings are part of the word
)
RUN = re.compile(rf"([{SPACELESS}]+)|[^\W_{SPACELESS}]+")
"""Letters and digits in a row; in the group if they belong to a language without spaces."""
ASKING = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "of",
        "to",
        "in",
        "on",
        "for",
        "and",
        "or",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "do",
        "does",
        "did",
        "can",
        "could",
        "how",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "i",
        "me",
        "my",
        "we",
        "our",
        "you",
        "your",
        "it",
        "its",
        "they",
        "their",
        "with",
        "by",
        "from",
        "as",
        "at",
        "not",
        "no",
        "if",
        "there",
        "then",
        "than",
        "so",
        "will",
        "would",
        "shall",
        "should",
        "may",
        "might",
        "must",
        "has",
        "have",
        "had",
        "any",
        "some",
        "怎么",
        "么样",
        "怎样",
        "如何",
        "什么",
        "为什",
        "哪些",
        "哪个",
        "哪里",
        "多少",
        "可以",
        "能否",
        "是否",
        "请问",
        "有没",
        "没有",
        "一个",
        "这个",
        "那个",
        "的是",
        "是什",
    ]
)
"""Words of questions and of grammar, which say nothing of what is asked about."""

Span = tuple[int, int]


SHORTEST = 3
"""Letters of a word that may have an ending."""
ENDING = 3
"""Letters that may follow a word: leave, leaves; retry, retrying."""


def spans_of(query: str, text: str) -> list[Span]:
    """Give where words of a query stand in a text, with their endings; where no spaces are written, its pairs."""
    words = {word for run in RUN.finditer(query) for word in _words(run)} - ASKING
    found: list[Span] = []
    for run in RUN.finditer(text):
        for begin, end in _within(run, words):
            if found and begin <= found[-1][1]:
                found[-1] = found[-1][0], end
            else:
                found.append((begin, end))
    return found


def _words(run: re.Match[str]) -> Iterator[str]:
    word = run[0].casefold()
    if run[1] is None:
        if len(word) > 1 or word.isdigit():
            yield word
    elif len(word) == 1:
        yield word
    else:
        yield from map("".join, itertools.pairwise(word))


def _within(run: re.Match[str], words: set[str]) -> Iterator[Span]:
    if run[1] is None:
        word = run[0].casefold()
        most = min(ENDING, len(word) - SHORTEST)
        if word in words or any(word[:-ending] in words for ending in range(1, most + 1)):
            yield run.span()
        return
    for place in range(run.start(), run.end()):
        for length in (2, 1):
            if place + length <= run.end() and run.string[place : place + length] in words:
                yield place, place + length
                break
