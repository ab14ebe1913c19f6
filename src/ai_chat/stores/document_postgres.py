"""What chunks are found by in PostgreSQL: words in a GIN index, vectors compared by the extension pgvector."""

from __future__ import annotations

import array
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    Text,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import UserDefinedType

from ..core.errors import StorageFailed
from ..core.knowledge import Hit, Scope
from .database import Database
from .document_matrix import COSINE_DIGITS
from .document_ranking import POSITION_BITS
from .document_rows import AT_ONCE, is_within
from .tables import documents
from .upgrading import LOCK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_VECTORS = {
    "42501": "The database {name} lets only its administrator install pgvector, which documents are searched with; "
    "have them run CREATE EXTENSION vector in it.",
    "": "The database {name} has no pgvector, which documents are searched with; install it on the server.",
}
"""What to say by the SQLSTATE of what went wrong."""

EXTENSION = text("CREATE EXTENSION IF NOT EXISTS vector")
# Vectors of up to 2,000 dimensions stay in their rows. Laid aside, as PostgreSQL does with long values, each of them
# would be looked up when all of them are compared.
VECTORS = text("""
    CREATE TABLE IF NOT EXISTS chunk_vectors (
        document BIGINT CONSTRAINT fk_chunk_vectors_document REFERENCES documents (number) ON DELETE CASCADE,
        position BIGINT,
        vector VECTOR NOT NULL,
        CONSTRAINT pk_chunk_vectors PRIMARY KEY (document, position)
    ) WITH (toast_tuple_target = 8160)""")

ADD_WORDS = """
    INSERT INTO chunk_words (document, position, words) VALUES ($1, $2, array_to_tsvector(string_to_array($3, ' ')))"""
ADD_VECTORS = "INSERT INTO chunk_vectors (document, position, vector) VALUES ($1, $2, $3::real[]::vector)"
REMOVE_VECTORS = text("DELETE FROM chunk_vectors WHERE document = :document")
COUNTS = text("""
    SELECT place - 1, count_with_word(CAST(word AS tsquery))
    FROM unnest(string_to_array(:asked, ' ')) WITH ORDINALITY AS words (word, place)""")
FOUND = text("""
    SELECT place - 1 AS place, chunks_with_word(CAST(word AS tsquery)) AS found
    FROM unnest(string_to_array(:asked, ' ')) WITH ORDINALITY AS words (word, place)""").columns(
    column("place", Integer), column("found", LargeBinary)
)


def joined(column: ColumnElement[int]) -> ColumnElement[bytes]:
    """Give a column as one value: thousands of rows would take the loop milliseconds to receive."""
    return func.string_agg(func.int8send(column), cast(literal(b""), LargeBinary), type_=LargeBinary())


class PostgresIndex:
    """Writes and asks what chunks are found by; writes in the transaction of its caller."""

    counts = COUNTS
    found = FOUND
    joined = staticmethod(joined)
    forgets_words = False

    def __init__(self, database: Database) -> None:
        """Speak for a database that may have no pgvector: whoever keeps no documents needs none."""
        self._database = database
        self._is_ready = False

    async def ready(self) -> None:
        """Make the table of vectors, if it is not there.

        Raises:
            StorageFailed: pgvector is not there, and cannot be installed.
        """
        if self._is_ready:
            return
        async with self._database.reading() as connection:
            self._is_ready = await connection.scalar(text("SELECT to_regclass('chunk_vectors')")) is not None
        if self._is_ready:
            return
        async with self._database.writing() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            try:
                await connection.execute(EXTENSION)
                await connection.execute(VECTORS)
            except DBAPIError as error:
                code = getattr(error.orig, "sqlstate", None)
                raise StorageFailed(
                    NO_VECTORS.get(code or "", NO_VECTORS[""]).format(name=self._database.name)
                ) from error
        self._is_ready = True

    async def lock(self, connection: AsyncConnection, document: str) -> None:
        """Wait until no other transaction writes that document: what it wrote has to be seen to be replaced."""
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(document, 0))))

    async def add_words(self, connection: AsyncConnection, number: int, words: Sequence[tuple[int, str]]) -> None:
        """Enter what chunks of a document are found by: their positions, and their words."""
        for begin in range(0, len(words), AT_ONCE):
            rows = [(number, position, each) for position, each in words[begin : begin + AT_ONCE]]
            await connection.exec_driver_sql(ADD_WORDS, rows)

    async def remove_words(self, connection: AsyncConnection, number: int, words: Sequence[tuple[int, str]]) -> None:
        """Do nothing: they go with their document."""

    async def add_vectors(self, connection: AsyncConnection, number: int, vectors: Sequence[bytes]) -> None:
        """Enter the vectors of a document's chunks, in their order."""
        for begin in range(0, len(vectors), AT_ONCE):
            some = enumerate(vectors[begin : begin + AT_ONCE], begin)
            rows = [(number, position, _floats(vector)) for position, vector in some]
            await connection.exec_driver_sql(ADD_VECTORS, rows)

    async def remove_vectors(self, connection: AsyncConnection, number: int) -> None:
        """Take out the vectors of a document."""
        await connection.execute(REMOVE_VECTORS, {"document": number})

    def asked(self, terms: Sequence[tuple[str, bool]]) -> str:
        """Write what `COUNTS` and `FOUND` are given: words, and for each whether what begins with it counts too."""
        # Words hold letters and digits only, so nothing in them can be taken for an operator or end the quotes.
        return " ".join(f"'{word}':*" if is_beginning else f"'{word}'" for word, is_beginning in terms)

    @staticmethod
    def numbers_of(found: bytes) -> NDArray[np.int64]:
        """Read the numbers of chunks or documents."""
        import numpy as np  # noqa: PLC0415 - it takes a tenth of a second, and most processes search no documents

        return np.frombuffer(found, dtype=">i8").astype(np.int64)

    async def nearest(self, vector: bytes, embedding: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Give the chunks nearest to a vector, the nearest first.

        Raises:
            StorageFailed: there is no pgvector.
        """
        await self.ready()
        vectors = table("chunk_vectors", column("document"), column("position"), column("vector"))
        written = str(_floats(vector))
        # Vectors of other lengths cannot be compared, and asking for it would be an error.
        cosine = case(
            (func.vector_dims(vectors.c.vector) == len(vector) // 4, _product(vectors.c.vector, written)), else_=None
        )
        rounded = func.round(cosine * 10**COSINE_DIGITS)
        query = (
            select(vectors.c.document, vectors.c.position, rounded.label("cosine"))
            .join_from(vectors, documents, documents.c.number == vectors.c.document)
            .where(documents.c.embedding == embedding, *is_within(scope, "postgresql"))
            .order_by(literal_column("cosine").desc().nulls_last(), vectors.c.document, vectors.c.position)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            Hit(document << POSITION_BITS | position, round(score / 10**COSINE_DIGITS, COSINE_DIGITS))
            for document, position, score in rows
            if score is not None
        )

    def close(self) -> None:
        """Do nothing: nothing is kept."""


def _floats(vector: bytes) -> list[float]:
    numbers = array.array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _product(column: ColumnElement[Any], vector: str) -> ColumnElement[float]:
    """Give the cosine of two vectors of length 1: their product, which pgvector gives negated so that it can sort."""
    return -column.op("<#>", return_type=Float())(cast(cast(vector, Text), VectorType()))


class VectorType(UserDefinedType[Any]):
    """The type of pgvector, by its name."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Give the name."""
        return "vector"
