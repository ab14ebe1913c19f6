"""What a chunk is found by, and what a query looks for: the same words on both databases, and how often they are there.

An index tells which chunks hold a word, quickly and in little space; how often, slowly and in much. So a word that
comes more often stands in it under further names: `wort`, and from the second time on `wort²`, from the third `wort³`.
No text can hold these: folding turns such signs into digits.

A pair of characters stands for itself. A single character is looked for by the beginning of pairs, so of these only
the last of a run has to stand there too.

Whoever changes what is cut here has to cut everything anew in a migration: words of a chunk that is removed are taken
out of SQLite's index by cutting them again.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from ..core.words import ASKING
from .segments import folded_runs

LEVELS = (("", 1, 1.0), ("²", 2, 2.0), ("³", 3, 3.4), ("⁵", 5, 6.5))
"""A mark, how often a word must come to get it, and how often such a word comes on average before the next mark."""
LONGEST_NAME = 500
"""Characters of a document's name, and of the headings above a chunk, that it is found by."""
QUERIED_CHARACTERS = 4_000
"""Characters of a query that are looked at; a page of text tells what it is about."""
QUERIED_TERMS = 128
"""Different words of a query that are looked at; the rarest of them are looked for."""
LONGEST_CHUNK = 2**16 - 1


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A word that a query looks for."""

    word: str
    is_beginning: bool = False
    """Whether what begins with it counts too: a single character is found in every pair."""


@dataclass(frozen=True, slots=True)
class ChunkWords:
    """What a chunk is found by."""

    words: str
    """Different words, joined by spaces."""
    length: int
    """Words it has, each time they come."""


def chunk_words(name: str, heading: Sequence[str], text: str) -> ChunkWords:
    """Cut a chunk, the headings above it and the name of its document into words."""
    pairs: Counter[str] = Counter()
    singles: Counter[str] = Counter()
    last: dict[str, None] = {}
    for run, is_spaceless in _runs((name[:LONGEST_NAME], " ".join(heading)[:LONGEST_NAME], text)):
        if is_spaceless:
            pairs.update(map("".join, itertools.pairwise(run)))
            singles.update(run)
            last[run[-1]] = None
        else:
            pairs[base_form(run)] += 1
    words = [*pairs, *last]
    for mark, least, _ in LEVELS[1:]:
        words += [word + mark for counted in (pairs, singles) for word, times in counted.items() if times >= least]
    return ChunkWords(" ".join(words), min(pairs.total() + len(last), LONGEST_CHUNK))


def query_terms(text: str) -> tuple[Term, ...]:
    """Give the different words of a query; none, when it holds only signs and spaces.

    Words that only ask are left out, unless there are no others: in few documents even these look rare.
    """
    runs = list(folded_runs(text[:QUERIED_CHARACTERS]))
    found = dict.fromkeys(term for run in runs for term in _terms(run) if term.word not in _asking())
    if not found:
        found = dict.fromkeys(itertools.chain.from_iterable(map(_terms, runs)))
    return tuple(itertools.islice(found, QUERIED_TERMS))


@cache
def _asking() -> frozenset[str]:
    return frozenset(map(base_form, ASKING))


@lru_cache(maxsize=2**15)
def base_form(word: str) -> str:
    """Give the form that a word of a language with spaces stands and is looked for under: its stem, if it is English.

    The stemmer is Porter's second (snowballstem.org). Words of other languages in the same letters are cut by its rules
    too, here and there alike, so they are found all the same.
    """
    return _stemmer().stemWord(word) if word.isascii() and word.isalpha() else word


_of_thread = threading.local()


def _stemmer() -> Any:
    """Give this thread's stemmer: it keeps the word in itself, so two threads at once would mix theirs up."""
    found = getattr(_of_thread, "stemmer", None)
    if found is None:
        from snowballstemmer import stemmer  # noqa: PLC0415 - most processes search no documents

        found = _of_thread.stemmer = stemmer("english")
    return found


def _runs(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    return itertools.chain.from_iterable(map(folded_runs, texts))


def _terms(run: tuple[str, bool]) -> Iterator[Term]:
    word, is_spaceless = run
    if not is_spaceless:
        yield Term(base_form(word))
    elif len(word) == 1:
        yield Term(word, is_beginning=True)
    else:
        yield from (Term(first + second) for first, second in itertools.pairwise(word))
