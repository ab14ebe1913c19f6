"""Every statement about documents, their texts and their chunks, built once."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from .document_rows import CHUNK_COLUMNS, DOCUMENT_COLUMNS, PIECE
from .tables import chunks, document_texts, documents

_IS_THIS = documents.c.id == bindparam("id")
IS_IN_COLLECTION = documents.c.collection == bindparam("collection")

INSERT = insert(documents)
INSERT_PARTS = {
    "sqlite": (
        "INSERT INTO document_texts (document, piece, text) VALUES (?, ?, ?)",
        "INSERT INTO chunks (document, position, start, stop, heading, page) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    "postgresql": (
        "INSERT INTO document_texts (document, piece, text) VALUES ($1, $2, $3)",
        "INSERT INTO chunks (document, position, start, stop, heading, page) VALUES ($1, $2, $3, $4, $5, $6)",
    ),
}
"""As the drivers take them, which is several times as fast: the rows hold what columns hold."""
NUMBER = select(documents.c.number).where(_IS_THIS)
NUMBER_AND_NAME = select(documents.c.number, documents.c.name, documents.c.chunks).where(_IS_THIS)
SAME_CONTENT = NUMBER.where(documents.c.digest == bindparam("digest"), documents.c.chunks == bindparam("chunks"))
RENEW = (
    update(documents)
    .where(documents.c.number == bindparam("this"))
    .values(embedding=bindparam("embedding"), vectors=documents.c.vectors + 1)
)
REMOVE = delete(documents).where(documents.c.number == bindparam("this"))

DOCUMENT = select(*DOCUMENT_COLUMNS).where(_IS_THIS)
NAMED = select(*DOCUMENT_COLUMNS).where(IS_IN_COLLECTION, documents.c.name == bindparam("name"))
DOCUMENTS = (
    select(*DOCUMENT_COLUMNS)
    .order_by(documents.c.collection, documents.c.name)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
COLLECTIONS = (
    select(documents.c.collection, documents.c.embedding, func.count(), func.sum(documents.c.chunks))
    .group_by(documents.c.collection, documents.c.embedding)
    .order_by(documents.c.collection, documents.c.embedding)
)
TEXT = (
    select(documents.c.number, document_texts.c.text)
    .outerjoin(
        document_texts,
        (document_texts.c.document == documents.c.number)
        & document_texts.c.piece.between(bindparam("first"), bindparam("last")),
    )
    .where(_IS_THIS)
    .order_by(document_texts.c.piece)
)


_HOLDS_CHUNK = (document_texts.c.document == chunks.c.document) & document_texts.c.piece.between(
    chunks.c.start // PIECE, (chunks.c.stop - 1) // PIECE
)
CHUNKS = (
    select(*CHUNK_COLUMNS)
    .select_from(chunks.join(documents).outerjoin(document_texts, _HOLDS_CHUNK))
    .where(_IS_THIS, chunks.c.position >= bindparam("first"), chunks.c.position < bindparam("behind"))
    .order_by(chunks.c.position, document_texts.c.piece)
)
"""Chunks of a document, a row for each piece of the text that a chunk reaches into."""
PASSAGES = (
    select(documents.c.id, documents.c.digest, documents.c.collection, documents.c.name, *CHUNK_COLUMNS)
    .select_from(chunks.join(documents).outerjoin(document_texts, _HOLDS_CHUNK))
    .where(tuple_(chunks.c.document, chunks.c.position).in_(bindparam("places", expanding=True)))
    .order_by(chunks.c.document, chunks.c.position, document_texts.c.piece)
)
