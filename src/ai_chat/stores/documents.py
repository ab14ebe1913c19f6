"""Documents in a database: kept whole or not at all, and found by the words and the vectors of their chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.errors import Conflict
from ..core.knowledge import EVERYWHERE, Chunk, Collection, Document, Hit, Passage, Scope
from . import document_statements as statements
from .database import Database
from .document_postgres import PostgresIndex
from .document_ranking import MOST_CHUNKS, POSITION_BITS
from .document_rows import (
    AT_ONCE,
    FLOAT_BYTES,
    PIECE,
    Prepared,
    check,
    check_vectors,
    chunks_of,
    document_of,
    passages_of,
    prepared,
    row_of,
    words_of,
)
from .document_search import WordSearch
from .document_sqlite import SqliteIndex
from .limits import EVERYTHING, bounded, checked_id

Words = Sequence[tuple[int, str]]


class SqlDocuments:
    """The `DocumentStore` over SQLite and PostgreSQL.

    Each content of a document has a number of its own, which all its rows bear and which is never given again; so a
    reader that has a number sees that content or nothing. What a document is made of is made ready before the right to
    write is asked for.
    """

    def __init__(self, database: Database) -> None:
        """Speak for a database that has this version's tables; whoever opened it closes it."""
        self._database = database
        self._index = SqliteIndex(database) if database.dialect == "sqlite" else PostgresIndex(database)
        self._words = WordSearch(database, self._index)

    async def put(self, document: Document, text: str, chunks: Sequence[Chunk], vectors: Sequence[bytes]) -> None:
        """Keep a document with its text and its chunks, a vector for each, in place of what stood under its id.

        Raises:
            BadRequest: its id is none.
            Conflict: another document of that name came into the collection meanwhile.
            StorageFailed: it could not be written, or (PostgreSQL) there is no pgvector.
            ValueError: the text, the chunks and the vectors do not fit together.
        """
        checked_id(document.id)
        await asyncio.to_thread(check, document, text, chunks, vectors)
        await self._index.ready()
        rows = await prepared(document, text, chunks)
        old = await self._old_words(document.id)
        async with self._database.writing() as connection:
            await self._index.lock(connection, document.id)
            await self._remove(connection, document.id, old)
            number = await _inserted(connection, document, rows)
            await _insert_parts(connection, number, rows)
            await self._index.add_words(connection, number, rows.words)
            await self._index.add_vectors(connection, number, vectors)

    async def replace_vectors(self, document: Document, vectors: Sequence[bytes]) -> bool:
        """Give the chunks of a document vectors of the model it now names; False if its content is another by now.

        Raises:
            StorageFailed: it could not be written, or (PostgreSQL) there is no pgvector.
            ValueError: there is not one vector for each chunk.
        """
        check_vectors(document, vectors)
        await self._index.ready()
        async with self._database.writing() as connection:
            await self._index.lock(connection, document.id)
            place = {"id": document.id, "digest": document.digest, "chunks": document.chunks}
            number = await connection.scalar(statements.SAME_CONTENT, place)
            if number is None:
                return False
            await connection.execute(statements.RENEW, {"this": number, "embedding": document.embedding})
            await self._index.remove_vectors(connection, number)
            await self._index.add_vectors(connection, number, vectors)
        return True

    async def get(self, document: str) -> Document | None:
        """Give a document by its id; None if there is none."""
        async with self._database.reading() as connection:
            row = (await connection.execute(statements.DOCUMENT, {"id": document})).first()
        return None if row is None else document_of(row)

    async def find(self, collection: str, name: str) -> Document | None:
        """Give a document by its name; None if there is none."""
        async with self._database.reading() as connection:
            row = (await connection.execute(statements.NAMED, {"collection": collection, "name": name})).first()
        return None if row is None else document_of(row)

    async def list(self, *, collection: str | None = None, limit: int = 1000, offset: int = 0) -> Sequence[Document]:
        """Give documents by collection and name, as Unicode orders them."""
        parameters: dict[str, int | str] = {"limit": bounded(limit), "offset": bounded(offset)}
        statement = statements.DOCUMENTS
        if collection is not None:
            statement = statement.where(statements.IS_IN_COLLECTION)
            parameters["collection"] = collection
        async with self._database.reading() as connection:
            return tuple(map(document_of, await connection.execute(statement, parameters)))

    async def collections(self) -> Sequence[Collection]:
        """Give the collections that have documents, by name."""
        found: dict[str, Collection] = {}
        async with self._database.reading() as connection:
            for name, embedding, documents, chunks in await connection.execute(statements.COLLECTIONS):
                before = found.get(name) or Collection(name=name, documents=0, chunks=0, embeddings={})
                found[name] = Collection(
                    name=name,
                    documents=before.documents + documents,
                    chunks=before.chunks + int(chunks),
                    embeddings={**before.embeddings, embedding: documents},
                )
        return tuple(found.values())

    async def text(self, document: str, start: int = 0, end: int | None = None) -> str | None:
        """Give a stretch of a document's text, as far as there is one; None if there is no such document.

        Only what is given is read.
        """
        start = bounded(start)
        stop = EVERYTHING if end is None else max(bounded(end), start)
        pieces = {"first": start // PIECE, "last": max(stop - 1, start) // PIECE}
        async with self._database.reading() as connection:
            rows = (await connection.execute(statements.TEXT, {"id": document, **pieces})).all()
        if not rows:
            return None
        text = "".join(row.text for row in rows if row.text is not None)
        skipped = start // PIECE * PIECE
        return text[start - skipped : stop - skipped]

    async def chunks(self, document: str, *, limit: int = 1000, offset: int = 0) -> Sequence[Chunk]:
        """Give the chunks of a document in their order; none if there is no such document."""
        first = bounded(offset)
        places = {"id": document, "first": first, "behind": first + bounded(limit)}
        async with self._database.reading() as connection:
            return chunks_of((await connection.execute(statements.CHUNKS, places)).all())

    async def remove(self, document: str) -> bool:
        """Remove a document and all that was found of it; False if there is none.

        Raises:
            StorageFailed: it could not be written.
        """
        old = await self._old_words(document)
        async with self._database.writing() as connection:
            return await self._remove(connection, document, old)

    async def by_vector(self, vector: bytes, *, embedding: str, limit: int, scope: Scope = EVERYWHERE) -> Sequence[Hit]:
        """Give the chunks nearest to a vector among those with vectors of that model, the nearest first.

        Raises:
            StorageFailed: they cannot be read, or (PostgreSQL) there is no pgvector.
            ValueError: it is no vector.
        """
        if not vector or len(vector) % FLOAT_BYTES:
            raise ValueError(f"a vector has {FLOAT_BYTES} bytes for each dimension, and this one {len(vector)}")
        if limit <= 0:
            return ()
        return await self._index.nearest(vector, embedding, bounded(limit), scope)

    async def by_words(self, text: str, *, limit: int, scope: Scope = EVERYWHERE) -> Sequence[Hit]:
        """Give the chunks that share the most telling words with a text, the best first; rare words tell more.

        One word is enough. A query without a letter or digit finds nothing; of a long one only the beginning counts.
        """
        return await self._words.best(text, bounded(limit), scope)

    async def passages(self, chunks: Sequence[int]) -> Mapping[int, Passage]:
        """Give the chunks of these numbers with where they stand; those that were removed meanwhile are left out."""
        places = [(number >> POSITION_BITS, number & (MOST_CHUNKS - 1)) for number in chunks if 0 <= number < 2**63]
        found: dict[int, Passage] = {}
        async with self._database.reading() as connection:
            for begin in range(0, len(places), AT_ONCE):
                some = {"places": places[begin : begin + AT_ONCE]}
                found |= passages_of((await connection.execute(statements.PASSAGES, some)).all())
        return {number: found[number] for number in chunks if number in found}

    def close(self) -> None:
        """Give back the memory that searches took."""
        self._index.close()

    async def _old_words(self, document: str) -> tuple[int, Words] | None:
        """Give what has to be taken out of the index with a document's present content, and its number."""
        if not self._index.forgets_words:
            return None
        async with self._database.reading() as connection:
            return await _words(connection, document)

    async def _remove(self, connection: AsyncConnection, document: str, old: tuple[int, Words] | None) -> bool:
        number = await connection.scalar(statements.NUMBER, {"id": document})
        if number is None:
            return False
        if self._index.forgets_words:
            if old is None or old[0] != number:
                old = await _words(connection, document)  # another process has replaced it a moment ago
            if old is not None:
                await self._index.remove_words(connection, *old)
        await connection.execute(statements.REMOVE, {"this": number})
        return True


async def _words(connection: AsyncConnection, document: str) -> tuple[int, Words] | None:
    row = (await connection.execute(statements.NUMBER_AND_NAME, {"id": document})).first()
    if row is None:
        return None
    words: list[tuple[int, str]] = []
    for first in range(0, row.chunks, AT_ONCE):
        places = {"id": document, "first": first, "behind": first + AT_ONCE}
        rows = (await connection.execute(statements.CHUNKS, places)).all()
        words += await asyncio.to_thread(words_of, row.name, rows)
    return row.number, words


async def _inserted(connection: AsyncConnection, document: Document, rows: Prepared) -> int:
    try:
        result = await connection.execute(statements.INSERT, row_of(document, rows))
    except IntegrityError as error:
        raise Conflict(
            f"Another document {document.name!r} came into the collection {document.collection!r} meanwhile; "
            "add it again to replace that one.",
        ) from error
    number: int = result.inserted_primary_key[0]  # type: ignore[index]  # a single insert always has one
    return number


async def _insert_parts(connection: AsyncConnection, number: int, rows: Prepared) -> None:
    into_texts, into_chunks = statements.INSERT_PARTS[connection.dialect.name]
    both: tuple[tuple[str, Sequence[tuple[Any, ...]]], ...] = ((into_texts, rows.pieces), (into_chunks, rows.chunks))
    for statement, parts in both:
        for begin in range(0, len(parts), AT_ONCE):
            await connection.exec_driver_sql(statement, [(number, *part) for part in parts[begin : begin + AT_ONCE]])
