"""Vectors in memory, compared with a query all at once; for databases that cannot compare them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ..core.knowledge import Hit
from .document_ranking import POSITION_BITS, first_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 4_096
"""Vectors that lie in one piece of memory. More are more pieces, so nothing is ever copied to make room."""
STRETCH = 64
"""Vectors that are compared at once: as many as a processor keeps close by, and few, as each thread that searches holds
on to the memory that it took for them. A block is some of these."""
COSINE_DIGITS = 6
"""What of a sum of float32 products means something; beyond these, equal vectors may differ."""


class VectorMatrix:
    """The vectors of one model. Every method works, and so belongs in a thread; one at a time.

    A chunk takes 2 bytes for each dimension and 8 more: 100,000 chunks of 512 dimensions take 103 MB. Half precision
    keeps three digits, and a cosine, a sum of many such, more; a vector of length 1 lies well within its range.
    """

    def __init__(self, dimensions: int) -> None:
        """Begin without any."""
        self._dimensions = dimensions
        self._blocks: list[NDArray[np.float16]] = []
        self._chunks: NDArray[np.int64] | None = None
        self._used = 0

    def add(self, first: int, vectors: bytes) -> None:
        """Take the vectors of chunks whose numbers follow each other."""
        import numpy as np  # noqa: PLC0415 - it takes a tenth of a second, and most processes search no documents

        rows = np.frombuffer(vectors, dtype="<f4").reshape(-1, self._dimensions)
        self._make_room(len(rows))
        self._numbers[self._used : self._used + len(rows)] = np.arange(first, first + len(rows))
        while len(rows):
            block, begin = divmod(self._used, BLOCK)
            fitting = rows[: BLOCK - begin]
            self._blocks[block][begin : begin + len(fitting)] = fitting
            self._used += len(fitting)
            rows = rows[len(fitting) :]

    def remove(self, documents: Collection[int]) -> None:
        """Drop the vectors of documents; the last ones move into the gaps."""
        import numpy as np  # noqa: PLC0415 - see above

        if not self._used or not documents:
            return
        stays = ~np.isin(self._numbers[: self._used] >> POSITION_BITS, list(documents))
        left = int(stays.sum())
        gaps = np.flatnonzero(~stays[:left])
        movers = np.flatnonzero(stays[left:]) + left
        for gap, mover in zip(gaps.tolist(), movers.tolist(), strict=True):
            self._blocks[gap // BLOCK][gap % BLOCK] = self._blocks[mover // BLOCK][mover % BLOCK]
        self._numbers[gaps] = self._numbers[movers]
        self._used = left
        del self._blocks[-(-left // BLOCK) :]

    def nearest(self, vector: bytes, limit: int, documents: Iterable[int] | None) -> tuple[Hit, ...]:
        """Give the nearest chunks, the nearest first, and of equally near ones the older first.

        Args:
            vector: as long as those that are here.
            limit: how many to give at most.
            documents: the numbers of those to look in; None is all.
        """
        import numpy as np  # noqa: PLC0415 - see above

        query = np.frombuffer(vector, dtype="<f4")
        cosines = np.empty(self._used, dtype=np.float32)
        whole = np.empty((STRETCH, self._dimensions), dtype=np.float32)  # nothing multiplies half precision fast
        # The library behind it raises the flag of an invalid operation now and then though all numbers are sound.
        with np.errstate(all="ignore"):
            for begin in range(0, self._used, STRETCH):
                end = min(begin + STRETCH, self._used)
                block, first = divmod(begin, BLOCK)
                rows = whole[: end - begin]
                np.copyto(rows, self._blocks[block][first : first + end - begin])
                np.dot(rows, query, out=cosines[begin:end])
        chunks = self._numbers[: self._used]
        if documents is not None:
            is_searched = np.isin(chunks >> POSITION_BITS, list(documents))
            cosines, chunks = cosines[is_searched], chunks[is_searched]
        return first_of(chunks, cosines.astype(np.float64).round(COSINE_DIGITS), limit)

    @property
    def _numbers(self) -> NDArray[np.int64]:
        import numpy as np  # noqa: PLC0415 - see above

        if self._chunks is None:
            self._chunks = np.empty(0, dtype=np.int64)
        return self._chunks

    def _make_room(self, more: int) -> None:
        import numpy as np  # noqa: PLC0415 - see above

        needed = self._used + more
        while len(self._blocks) * BLOCK < needed:
            self._blocks.append(np.empty((BLOCK, self._dimensions), dtype=np.float16))
        if len(self._numbers) < needed:
            larger = np.empty(len(self._blocks) * BLOCK, dtype=np.int64)
            larger[: self._used] = self._numbers[: self._used]
            self._chunks = larger
