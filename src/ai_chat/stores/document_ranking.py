"""Which chunks are the best by words: BM25, computed the same way over what each database's index gives.

S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), with the inverse document
frequency of Lucene, which is never negative. How rare a word is, and how long a chunk usually is, is a matter of the
documents that are searched, not of all there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.knowledge import Hit
from .document_words import LEVELS, Term

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

K1 = 1.2
"""How much more a word tells when it comes again."""
B = 0.75
"""How far long chunks are held to be merely long: 0 not at all, 1 wholly."""
POSITION_BITS = 20
"""A chunk's number is its document's, and behind it its position in that many bits."""
MOST_CHUNKS = 2**POSITION_BITS
"""Chunks of one document."""
DIGITS = 9
"""Scores are rounded to these, so that equal ones are equal however they were added up."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The documents that are searched."""

    numbers: Sequence[int]
    """In their order."""
    lengths: Sequence[bytes]
    """For each the words of its chunks: uint16, little-endian."""


def best_by_words(searched: Searched, found: Mapping[tuple[Term, int], Numbers], limit: int) -> tuple[Hit, ...]:
    """Give the best chunks, the best first, and of equally good ones the older first.

    Args:
        searched: where to look; what was found elsewhere does not count.
        found: numbers of the chunks that hold a word, by the word and its level in LEVELS.
        limit: how many chunks to give at most.
    """
    import numpy as np  # noqa: PLC0415 - it takes a tenth of a second, and most processes search no documents

    documents = np.asarray(searched.numbers, dtype=np.int64)
    lengths = np.frombuffer(b"".join(searched.lengths), dtype="<u2").astype(np.float64)
    begins = np.concatenate(([0], np.cumsum([len(each) // 2 for each in searched.lengths])))
    if not lengths.size:
        return ()
    slow = K1 * (1 - B + B * lengths / max(lengths.mean(), 1.0))
    scores = np.zeros(lengths.size)
    for term in sorted({term for term, _ in found}):  # in one order, as sums of floats depend on it
        levels = [_slots(found.get((term, level)), documents, begins) for level in range(len(LEVELS))]
        rarity = np.log1p((lengths.size - levels[0].size + 0.5) / (levels[0].size + 0.5))
        before = 0.0
        for slots, (_, _, times) in zip(levels, LEVELS, strict=True):
            scores[slots] += rarity * (_told(times, slow[slots]) - _told(before, slow[slots]))
            before = times
    slots = np.flatnonzero(scores)
    owners = np.searchsorted(begins, slots, side="right") - 1
    chunks = documents[owners] << POSITION_BITS | (slots - begins[owners])
    return first_of(chunks, scores[slots].round(DIGITS), limit)


def _told(times: float, slow: Floats) -> Floats:
    """Give what a word tells that comes so many times."""
    told: Floats = times * (K1 + 1) / (times + slow)
    return told


def _slots(chunks: Numbers | None, documents: Numbers, begins: Numbers) -> Numbers:
    """Give the places of chunks among all that are searched; those that are not are left out."""
    import numpy as np  # noqa: PLC0415 - see above

    if chunks is None or not chunks.size:
        return np.empty(0, dtype=np.int64)
    owners = chunks >> POSITION_BITS
    places = np.minimum(np.searchsorted(documents, owners), documents.size - 1)
    slots = begins[places] + (chunks & (MOST_CHUNKS - 1))
    is_searched = (documents[places] == owners) & (slots < begins[places + 1])
    within: Numbers = slots[is_searched]
    return within


def first_of(chunks: Numbers, scores: Floats, limit: int) -> tuple[Hit, ...]:
    """Give the chunks with the highest scores, and of equal ones those with the lower numbers first."""
    import numpy as np  # noqa: PLC0415 - see above

    if limit <= 0 or not chunks.size:
        return ()
    if limit < chunks.size:
        # All that are as good as the last: which of these are given must not depend on how they were parted.
        bound = np.partition(scores, chunks.size - limit)[chunks.size - limit]
        chunks, scores = chunks[scores >= bound], scores[scores >= bound]
    order = np.lexsort((chunks, -scores))[:limit]
    return tuple(map(Hit, chunks[order].tolist(), scores[order].tolist()))
