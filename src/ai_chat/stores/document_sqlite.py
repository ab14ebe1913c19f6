"""What chunks are found by in SQLite: words in an FTS5 index, vectors compared in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Integer, Text, column, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.knowledge import Hit, Scope
from .database import Database
from .document_ranking import POSITION_BITS
from .document_rows import AT_ONCE
from .document_vectors import VectorsInMemory, joined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ADD_WORDS = "INSERT INTO chunk_words (rowid, words) VALUES (?, ?)"
REMOVE_WORDS = "INSERT INTO chunk_words (chunk_words, rowid, words) VALUES ('delete', ?, ?)"
ADD_VECTORS = "INSERT INTO chunk_vectors (document, first, vectors) VALUES (?, ?, ?)"
REMOVE_VECTORS = "DELETE FROM chunk_vectors WHERE document = ?"
COUNTS = text("""
    SELECT key, (SELECT count(*) FROM chunk_words WHERE chunk_words MATCH value) FROM json_each(:asked)""")
FOUND = text("""
    SELECT key AS place, (SELECT group_concat(rowid) FROM chunk_words WHERE chunk_words MATCH value) AS found
    FROM json_each(:asked)""").columns(column("place", Integer), column("found", Text))


class SqliteIndex:
    """Writes and asks what chunks are found by; writes in the transaction of its caller."""

    counts = COUNTS
    found = FOUND
    joined = staticmethod(joined)
    forgets_words = True
    """Words that are to be taken out of the index have to be said again."""

    def __init__(self, database: Database) -> None:
        """Begin with no vectors in memory."""
        self._vectors = VectorsInMemory(database)

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
        """Read the numbers of chunks or documents."""
        import numpy as np  # noqa: PLC0415 - it takes a tenth of a second, and most processes search no documents

        return np.fromstring(found, dtype=np.int64, sep=",")

    async def nearest(self, vector: bytes, embedding: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Give the chunks nearest to a vector, the nearest first."""
        return await self._vectors.nearest(vector, embedding, limit, scope)

    def close(self) -> None:
        """Give the memory back."""
        self._vectors.close()

    @staticmethod
    async def _run(connection: AsyncConnection, statement: str, number: int, words: Sequence[tuple[int, str]]) -> None:
        for begin in range(0, len(words), AT_ONCE):
            some = words[begin : begin + AT_ONCE]
            rows = [(number << POSITION_BITS | position, each) for position, each in some]
            await connection.exec_driver_sql(statement, rows)
