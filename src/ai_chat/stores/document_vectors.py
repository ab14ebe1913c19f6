"""The vectors of a SQLite file in memory: read when they are first searched, and kept as the file has them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.knowledge import Hit, Scope
from .database import Database
from .document_matrix import VectorMatrix
from .document_ranking import POSITION_BITS
from .document_rows import AT_ONCE, FLOAT_BYTES, is_within
from .tables import documents

READ_AT_ONCE = 2 * AT_ONCE
"""Vectors that are read at once: 1 MB, if they have 512 dimensions."""
READINGS = 3
"""How often vectors are read again because others were written meanwhile; the next search goes on from there."""
UNUSED_SECONDS = 900.0
"""After so long without a search the memory is given back."""


def joined(column: ColumnElement[int]) -> ColumnElement[str]:
    """Give a column as one value: thousands of rows would take the loop milliseconds to receive."""
    return func.group_concat(column, type_=Text())


STATE = select(func.count(), func.max(documents.c.number), func.sum(documents.c.vectors))
"""Equal only if nothing was written between: a removal lowers the first until something new raises the second, which
never was as high; the third grows with each replacement of vectors."""
LISTED = select(*map(joined, (documents.c.number, documents.c.vectors, documents.c.chunks))).where(
    documents.c.embedding == bindparam("embedding")
)
VECTORS = text("""
    SELECT document, first, chunk_vectors.vectors, documents.vectors AS version, chunks
    FROM chunk_vectors JOIN documents ON number = document
    WHERE document IN (SELECT value FROM json_each(:documents)) AND first BETWEEN :first AND :last
    AND embedding = :embedding""").bindparams(bindparam("embedding", type_=documents.c.embedding.type))


@dataclass(frozen=True, slots=True)
class _Listed:
    """A document that has vectors."""

    version: int
    """How often they were replaced."""
    chunks: int


@dataclass(slots=True)
class _Loaded:
    """The vectors of one model, and what of the file they are."""

    matrix: VectorMatrix
    size: int
    """Bytes of one vector."""
    state: tuple[Any, ...] = ()
    versions: dict[int, int] = field(default_factory=dict)
    """Of the vectors of each document that is here, by its number."""


class VectorsInMemory:
    """Compares a query with all vectors of a file."""

    def __init__(self, database: Database) -> None:
        """Begin without any."""
        self._database = database
        self._loaded: dict[tuple[str, int], _Loaded] = {}
        self._lock = asyncio.Lock()
        self._release: asyncio.TimerHandle | None = None

    async def nearest(self, vector: bytes, embedding: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Give the chunks nearest to a vector, the nearest first."""
        async with self._lock:
            try:
                return await self._found(vector, embedding, limit, scope)
            finally:
                self._keep_for_a_while()

    async def _found(self, vector: bytes, embedding: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        key = embedding, len(vector)
        loaded = self._loaded.pop(key, None) or _Loaded(VectorMatrix(len(vector) // FLOAT_BYTES), len(vector))
        async with self._database.reading() as connection:
            await self._refresh(connection, loaded, embedding)
            # Not before: if this is left by an exception, a thread may be at work on it still, and nobody knows how
            # far it came.
            self._loaded[key] = loaded
            searched = None
            if where := is_within(scope, "sqlite"):
                searched = await connection.scalar(select(joined(documents.c.number)).where(*where)) or ""
        return await asyncio.to_thread(_nearest, loaded.matrix, vector, limit, searched)

    def close(self) -> None:
        """Give the memory back."""
        if self._release is not None:
            self._release.cancel()
        self._loaded = {}

    def _keep_for_a_while(self) -> None:
        if self._release is not None:
            self._release.cancel()
        self._release = asyncio.get_running_loop().call_later(UNUSED_SECONDS, self.close)

    async def _refresh(self, connection: AsyncConnection, loaded: _Loaded, embedding: str) -> None:
        """Read what was written since the last time, by this process or another."""
        for _ in range(READINGS):
            state = tuple((await connection.execute(STATE)).one())
            if state == loaded.state:
                return
            row = (await connection.execute(LISTED, {"embedding": embedding})).one()
            new = await asyncio.to_thread(_drop_old, loaded, row)
            for portion, first in _portions(new):
                places = {"documents": json.dumps(portion), "first": first, "last": first + READ_AT_ONCE - 1}
                rows = (await connection.execute(VECTORS, {"embedding": embedding, **places})).all()
                await asyncio.to_thread(_take, loaded, rows)
            loaded.state = state


def _drop_old(loaded: _Loaded, row: Sequence[str | None]) -> Mapping[int, _Listed]:
    """Let go of what is not in the file any more, and give what is new."""
    numbers, versions, chunks = (map(int, joined.split(",")) if joined else () for joined in row)
    present = dict(zip(numbers, map(_Listed, versions, chunks), strict=True))
    old = [n for n, version in loaded.versions.items() if n not in present or present[n].version != version]
    loaded.matrix.remove(old)
    for number in old:
        del loaded.versions[number]
    return {number: listed for number, listed in present.items() if number not in loaded.versions}


def _portions(new: Mapping[int, _Listed]) -> Iterator[tuple[list[int], int]]:
    """Part documents into what is read at once: many small ones, or a stretch of a large one, from which on."""
    portion: list[int] = []
    size = 0
    for number in sorted(new):
        chunks = new[number].chunks
        if portion and size + chunks > READ_AT_ONCE:
            yield portion, 0
            portion, size = [], 0
        portion.append(number)
        size += chunks
        for first in range(READ_AT_ONCE, chunks, READ_AT_ONCE):
            yield [number], first
    if portion:
        yield portion, 0


def _take(loaded: _Loaded, rows: Sequence[Any]) -> None:
    for document, first, vectors, version, chunks in rows:
        if len(vectors) == loaded.size * min(AT_ONCE, chunks - first):
            loaded.matrix.add(document << POSITION_BITS | first, vectors)
        loaded.versions.setdefault(document, version)


def _nearest(matrix: VectorMatrix, vector: bytes, limit: int, searched: str | None) -> tuple[Hit, ...]:
    numbers = None if searched is None else [int(number) for number in searched.split(",") if number]
    return matrix.nearest(vector, limit, numbers)
