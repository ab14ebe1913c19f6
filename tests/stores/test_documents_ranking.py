"""The ranking of chunks by words, and the comparison of vectors in memory, against their plainest forms."""

import array
import math
import random

import numpy as np
import pytest

from ai_chat.core.knowledge import Hit
from ai_chat.stores.document_matrix import BLOCK, VectorMatrix
from ai_chat.stores.document_ranking import K1, POSITION_BITS, B, Searched, best_by_words, first_of
from ai_chat.stores.document_words import LEVELS, Term

DIMENSIONS = 5


def number(document: int, position: int = 0) -> int:
    return document << POSITION_BITS | position


def numbers(*found: int) -> np.ndarray:
    return np.array(found, dtype=np.int64)


def lengths(*of_chunks: int) -> bytes:
    return array.array("H", of_chunks).tobytes()


# --- BM25 -----------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_the_formula():
    """What is computed for all chunks at once is what the formula gives for each."""
    dice = random.Random(7)  # noqa: S311
    sizes = {number(document, position): dice.randrange(1, 400) for document in (3, 9, 12) for position in range(20)}
    times = {
        Term(word): {chunk: dice.choice([1, 1, 2, 3, 5]) for chunk in dice.sample(sorted(sizes), share)}
        for word, share in (("common", 50), ("usual", 20), ("rare", 2))
    }
    found = {
        (term, level): numbers(*(chunk for chunk, often in sorted(counted.items()) if often >= least))
        for term, counted in times.items()
        for level, (_, least, _) in enumerate(LEVELS)
    }
    searched = Searched(
        [3, 9, 12],
        [lengths(*(sizes[number(document, position)] for position in range(20))) for document in (3, 9, 12)],
    )
    mean = sum(sizes.values()) / len(sizes)

    def score(chunk: int) -> float:
        total = 0.0
        for counted in times.values():
            if chunk in counted:
                often = next(value for _, least, value in reversed(LEVELS) if counted[chunk] >= least)
                rarity = math.log(1 + (len(sizes) - len(counted) + 0.5) / (len(counted) + 0.5))
                total += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * sizes[chunk] / mean))
        return total

    expected = sorted(((chunk, score(chunk)) for chunk in sizes if score(chunk)), key=lambda each: (-each[1], each[0]))
    hits = best_by_words(searched, found, 100)
    assert [hit.chunk for hit in hits] == [chunk for chunk, _ in expected]
    assert [hit.score for hit in hits] == pytest.approx([value for _, value in expected], abs=1e-8)
    assert best_by_words(searched, found, 7) == hits[:7]


def test_what_is_not_searched_does_not_count():
    """Chunks of other documents, and of none, are neither given nor counted."""
    searched = Searched([5, 7], [lengths(10, 10), lengths(10)])
    found = {(Term("a"), 0): numbers(number(1), number(5, 1), number(6), number(7), number(7, 1), number(900))}

    hits = best_by_words(searched, found, 9)

    assert [hit.chunk for hit in hits] == [number(5, 1), number(7)]
    assert hits == best_by_words(searched, {(Term("a"), 0): numbers(number(5, 1), number(7))}, 9)


@pytest.mark.parametrize(
    "searched",
    [Searched([], []), Searched([1], [b""]), Searched([1, 2], [b"", lengths(0)])],
    ids=["none", "empty", "0"],
)
def test_hardly_anything_to_search(searched):
    """No documents, documents without chunks and chunks without words are searched like all others."""
    assert best_by_words(searched, {}, 5) == ()
    assert best_by_words(searched, {(Term("a"), 0): numbers(number(1), number(3))}, 5) == ()


def test_documents_without_chunks_lie_between():
    """A chunk's place is its document's, also behind documents that have none."""
    searched = Searched([1, 2, 3, 4], [b"", lengths(5), b"", lengths(5, 5)])
    found = {(Term("a"), 0): numbers(number(2), number(4, 1))}

    assert [hit.chunk for hit in best_by_words(searched, found, 5)] == [number(2), number(4, 1)]


def test_the_first_of_equals():
    """Of equal scores the lower numbers are given, however many there are."""
    scores = np.array([1.0, 2.0, 1.0, 2.0, 1.0])
    chunks = numbers(9, 8, 7, 6, 5)

    assert first_of(chunks, scores, 3) == (Hit(6, 2.0), Hit(8, 2.0), Hit(5, 1.0))
    assert first_of(chunks, scores, 9)[2:] == (Hit(5, 1.0), Hit(7, 1.0), Hit(9, 1.0))
    assert first_of(chunks, scores, 0) == ()
    assert first_of(numbers(), np.empty(0), 3) == ()


# --- vectors --------------------------------------------------------------------------------------------------------


def vectors(count: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype("<f4")
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype("<f2").astype("<f4")


def test_vectors_come_and_go():
    """After any number of documents were added and removed, those that are left are found, and they alone."""
    matrix = VectorMatrix(DIMENSIONS)
    dice = random.Random(3)  # noqa: S311
    present: dict[int, np.ndarray] = {}
    for document in range(1, 40):
        made = vectors(dice.choice([1, 5, BLOCK // 2, BLOCK + 3]), document)
        matrix.add(number(document), made.tobytes())
        present[document] = made
        if document % 3 == 0:
            gone = dice.sample(sorted(present), min(len(present), dice.randrange(4)))
            matrix.remove(gone)
            for each in gone:
                del present[each]
        if document % 10 == 0:
            _check(matrix, present)
    _check(matrix, present)
    matrix.remove(list(present))
    assert matrix.nearest(vectors(1, 0).tobytes(), 5, None) == ()
    matrix.add(number(99), vectors(3, 99).tobytes())
    _check(matrix, {99: vectors(3, 99)})


def _check(matrix: VectorMatrix, present: dict[int, np.ndarray]) -> None:
    query = vectors(1, 1000)[0]
    cosines = {
        number(document, row): float(made[row] @ query)
        for document, made in present.items()
        for row in range(len(made))
    }
    for documents in (None, sorted(present)[::2]):
        within = {
            chunk: cosine
            for chunk, cosine in cosines.items()
            if documents is None or chunk >> POSITION_BITS in documents
        }
        best = sorted(within.values(), reverse=True)[:50]
        hits = matrix.nearest(query.tobytes(), 50, documents)
        assert [hit.score for hit in hits] == pytest.approx(best, abs=2e-6)
        assert [hit.score for hit in hits] == pytest.approx([within[hit.chunk] for hit in hits], abs=2e-6)
        assert len({hit.chunk for hit in hits}) == len(hits)


def test_an_empty_matrix():
    """Nothing is near to anything, and removing from nothing is nothing."""
    matrix = VectorMatrix(DIMENSIONS)
    matrix.remove([1])
    matrix.add(number(1), b"")

    assert matrix.nearest(vectors(1, 0).tobytes(), 5, None) == ()
    assert matrix.nearest(vectors(1, 0).tobytes(), 5, [1]) == ()
