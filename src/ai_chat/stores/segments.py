"""Cut text into the words that search finds it by, Chinese included, the same way for every database.

Languages that put no spaces between words have no words to look up, so each of their characters is a word here, and
each pair of neighbours: one character is found, two are found, and a longer run is found by its pairs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from ..core.words import RUN

SEARCHED_CHARACTERS = 50_000
"""Only so much of the beginning of a text can be found. It bounds the time a huge message takes and keeps its words
below what a PostgreSQL `tsvector` holds, which is 1 MiB."""
LONGEST_WORD = 64
"""Characters after which a run of letters is cut: it is encoded data, not language."""
QUERY_WORDS = 32
"""A query's words beyond this many are left out."""


def index_words(text: str) -> str:
    """Give the different words of a text, in the order they first appear, joined by spaces."""
    return " ".join(dict.fromkeys(_words(_folded(text), every_character=True)))


def query_words(text: str) -> tuple[str, ...]:
    """Give the words that all must be in what a query finds; none, when it holds only signs and spaces."""
    found = dict.fromkeys(_words(_folded(text), every_character=False))
    return tuple(found)[:QUERY_WORDS]


def is_spaceless(word: str) -> bool:
    """Say whether a word comes from a language without spaces."""
    run = RUN.match(word)
    return run is not None and run[1] is not None


def folded_runs(text: str) -> Iterator[tuple[str, bool]]:
    """Give the runs of letters and digits of a text, folded, in their order, and whether each is without spaces.

    One without spaces is whole, however long it is; others are cut as words are.
    """
    for run in RUN.finditer(_folded(text)):
        yield (run[0][:LONGEST_WORD], False) if run[1] is None else (run[1], True)


def _folded(text: str) -> str:
    # Cut twice: folding may lengthen a text, one Arabic ligature to 18 characters.
    return unicodedata.normalize("NFKC", text[:SEARCHED_CHARACTERS]).casefold()[:SEARCHED_CHARACTERS]


def _words(text: str, *, every_character: bool) -> Iterator[str]:
    for run in RUN.finditer(text):
        if run[1] is None:
            yield run[0][:LONGEST_WORD]
        else:
            yield from _pairs(run[1], every_character=every_character)


def _pairs(run: str, *, every_character: bool) -> Iterable[str]:
    if every_character:
        yield from run
    if len(run) > 1:
        yield from map("".join, pairwise(run))
    elif not every_character:
        yield run
