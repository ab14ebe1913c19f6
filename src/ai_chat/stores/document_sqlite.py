"""What chunks are found by in SQLite: words in an FTS5 index, vectors compared in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, Text, bindparam, column, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.knowledge import Hit, Scope
from .database import Database
from .document_matrix import VectorMatrix
from .document_ranking import POSITION_BITS
from .document_rows import AT_ONCE, is_within
from .tables import documents

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READ_AT_ONCE = 32
"""Rows of AT_ONCE vectors that are read at once."""
READINGS = 3
"""How often vectors are read again because others were written meanwhile; the next search goes on from there."""
UNUSED_SECONDS = 900.0
"""After so long without a search the memory is given back."""

ADD_WORDS = "INSERT INTO chunk_words (rowid, words) VALUES (?, ?)"
REMOVE_WORDS = "INSERT INTO chunk_words (chunk_words, rowid, words) VALUES ('delete', ?, ?)"
ADD_VECTORS = "INSERT INTO chunk_vectors (document, first, vectors) VALUES (?, ?, ?)"
REMOVE_VECTORS = "DELETE FROM chunk_vectors WHERE document = ?"
COUNTS = text("""
    SELECT key, (SELECT count(*) FROM chunk_words WHERE chunk_words MATCH value) FROM json_each(:asked)""")
FOUND = text("""
    SELECT key AS place, (SELECT group_concat(rowid) FROM chunk_words WHERE chunk_words MATCH value) AS found
    FROM json_each(:asked)""").columns(column("place", Integer), column("found", Text))
VECTORS = text("""
    SELECT document, first, chunk_vectors.vectors, documents.vectors
    FROM chunk_vectors JOIN documents ON number = document
    WHERE embedding = :embedding AND (document, first) > (:document, :first)
    AND document IN (SELECT value FROM json_each(:documents))
    ORDER BY document, first LIMIT :limit""").bindparams(bindparam("embedding", type_=documents.c.embedding.type))
STATE = select(func.count(), func.max(documents.c.number), func.sum(documents.c.vectors))
"""Equal only if nothing was written between: a removal lowers the first until something new raises the second, which
never was as high; the third grows with each replacement of vectors."""
WITH_VECTORS = select(documents.c.number, documents.c.vectors).where(documents.c.embedding == bindparam("embedding"))


@dataclass(slots=True)
class _Loaded:
    """The vectors of one model, and what of the database they are."""

    matrix: VectorMatrix
    bytes: int
    """Of one vector."""
    state: tuple[Any, ...] = ()
    documents: dict[int, int] = field(default_factory=dict)
    """The `vectors` of each document whose vectors are here, by its number."""


class SqliteIndex:
    """Writes and asks what chunks are found by; writes in the transaction of its caller."""

    counts = COUNTS
    found = FOUND
    forgets_words = True
    """Words that are to be taken out of the index have to be said again."""

    def __init__(self, database: Database) -> None:
        """Begin with no vectors in memory."""
        self._database = database
        self._loaded: dict[tuple[str, int], _Loaded] = {}
        self._lock = asyncio.Lock()
        self._release: asyncio.TimerHandle | None = None

    async def ready(self) -> None:
        """Do nothing: all is there."""

    async def lock(self, connection: AsyncConnection, document: str) -> None:
        """Do nothing: a transaction that writes is the only one."""

    async def add_words(self, connection: AsyncConnection, number: int, words: Sequence[tuple[int, str]]) -> None:
        """Enter what chunks of a document are found by: their positions, and their words."""
        await self._run(connection, ADD_WORDS, number, words)

    async def remove_words(self, connection: AsyncConnection, number: int, words: Sequence[tuple[int, str]]) -> None:
        """Take out what was entered. Words that differ from those would stay, and be found to belong to nothing."""
        await self._run(connection, REMOVE_WORDS, number, words)

    async def add_vectors(self, connection: AsyncConnection, number: int, vectors: Sequence[bytes]) -> None:
        """Enter the vectors of a document's chunks, in their order."""
        for first in range(0, len(vectors), AT_ONCE):
            row = (number, first, b"".join(vectors[first : first + AT_ONCE]))
            await connection.exec_driver_sql(ADD_VECTORS, row)

    async def remove_vectors(self, connection: AsyncConnection, number: int) -> None:
        """Take out the vectors of a document."""
        await connection.exec_driver_sql(REMOVE_VECTORS, (number,))

    def asked(self, terms: Sequence[tuple[str, bool]]) -> str:
        """Write what `COUNTS` and `FOUND` are given: words, and for each whether what begins with it counts too."""
        # Words hold letters and digits only, so nothing in them can be taken for an operator or end the quotes.
        return json.dumps([f'"{word}"*' if is_beginning else f'"{word}"' for word, is_beginning in terms])

    @staticmethod
    def numbers_of(found: str) -> NDArray[np.int64]:
        """Read the numbers of the chunks that a word was found in."""
        import numpy as np  # noqa: PLC0415 - it takes a tenth of a second, and most processes search no documents

        return np.fromstring(found, dtype=np.int64, sep=",")

    async def nearest(self, vector: bytes, embedding: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Give the chunks nearest to a vector, the nearest first."""
        async with self._lock:
            self._keep_for_a_while()
            loaded = self._loaded.get((embedding, len(vector)))
            if loaded is None:
                loaded = _Loaded(VectorMatrix(len(vector) // 4), len(vector))
                self._loaded[embedding, len(vector)] = loaded
            within = is_within(scope, "sqlite")
            async with self._database.reading() as connection:
                try:
                    await self._refresh(connection, loaded, embedding)
                except BaseException:
                    # A thread may be at work on it still, and nobody knows how far it came.
                    self._loaded.pop((embedding, len(vector)), None)
                    raise
                searched = None
                if within:
                    searched = list((await connection.execute(select(documents.c.number).where(*within))).scalars())
            return await asyncio.to_thread(loaded.matrix.nearest, vector, limit, searched)

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
            rows = (await connection.execute(WITH_VECTORS, {"embedding": embedding})).all()
            present = {row.number: row.vectors for row in rows}
            old = {number for number, vectors in loaded.documents.items() if present.get(number) != vectors}
            await asyncio.to_thread(loaded.matrix.remove, old)
            for number in old:
                del loaded.documents[number]
            new = sorted(present.keys() - loaded.documents.keys())
            await self._read(connection, loaded, embedding, new)
            loaded.state = state

    async def _read(self, connection: AsyncConnection, loaded: _Loaded, embedding: str, numbers: Sequence[int]) -> None:
        at = {"document": 0, "first": -1, "embedding": embedding, "documents": json.dumps(numbers)}
        while True:
            rows = (await connection.execute(VECTORS, {**at, "limit": READ_AT_ONCE})).all()
            await asyncio.to_thread(_take, loaded, rows)
            if len(rows) < READ_AT_ONCE:
                return
            at |= {"document": rows[-1].document, "first": rows[-1].first}

    @staticmethod
    async def _run(connection: AsyncConnection, statement: str, number: int, words: Sequence[tuple[int, str]]) -> None:
        for begin in range(0, len(words), AT_ONCE):
            some = words[begin : begin + AT_ONCE]
            rows = [(number << POSITION_BITS | position, each) for position, each in some]
            await connection.exec_driver_sql(statement, rows)


def _take(loaded: _Loaded, rows: Sequence[Any]) -> None:
    for document, first, vectors, version in rows:
        if len(vectors) % loaded.bytes == 0:
            loaded.matrix.add(document << POSITION_BITS | first, vectors)
        loaded.documents.setdefault(document, version)
