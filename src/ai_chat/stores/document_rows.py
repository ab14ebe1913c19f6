"""Documents and their chunks to rows and back, and the conditions of a scope."""

from __future__ import annotations

import array
import asyncio
import itertools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from ..core.knowledge import Chunk, Document, Passage, Scope
from .columns import JsonText
from .document_ranking import MOST_CHUNKS, POSITION_BITS
from .document_words import chunk_words
from .exact import exact, is_storable
from .tables import chunks, document_texts, documents

PIECE = 2_048
"""Characters of a text in one row: a passage is read without reading all of its document."""
FLOAT_BYTES = 4
AT_ONCE = 256
"""Chunks, or rows, between two moments in which others get their turn."""
DOCUMENT_COLUMNS = tuple(column for column in documents.c if column.name not in {"number", "vectors", "lengths"})
CHUNK_COLUMNS = (*chunks.c, document_texts.c.piece, document_texts.c.text)
HEADINGS = JsonText()


@dataclass(frozen=True, slots=True)
class Prepared:
    """All rows of a document but its own, made before the right to write is asked for. Each row is without a number."""

    pieces: list[tuple[int, str]] = field(default_factory=list)
    """Piece, text."""
    chunks: list[tuple[int, int, int, str, int | None]] = field(default_factory=list)
    """Position, start, stop, heading, page."""
    words: list[tuple[int, str]] = field(default_factory=list)
    """Position, words."""
    lengths: array.array[int] = field(default_factory=lambda: array.array("H"))


def document_of(row: Sequence[Any]) -> Document:
    """Read a row of DOCUMENT_COLUMNS."""
    return Document(**dict(zip((column.name for column in DOCUMENT_COLUMNS), row, strict=True)))


def row_of(document: Document, prepared: Prepared) -> dict[str, Any]:
    """Write a document as a row."""
    row = {column.name: getattr(document, column.name) for column in DOCUMENT_COLUMNS}
    return {**row, "vectors": 0, "lengths": little_endian(prepared.lengths)}


def little_endian(numbers: array.array[int]) -> bytes:
    """Give numbers as bytes, the same on every machine."""
    if sys.byteorder == "big":
        numbers = array.array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


def check(document: Document, text: str, parts: Sequence[Chunk], vectors: Sequence[bytes]) -> None:
    """See that what is to be kept fits together.

    Raises:
        ValueError: it does not, which is an error of the program and not of the file.
    """
    if len(text) != document.characters or len(parts) != document.chunks:
        raise ValueError(f"the document {document.name!r} is said to have other characters or chunks than it has")
    if len(parts) > MOST_CHUNKS:
        raise ValueError(f"the document {document.name!r} has {len(parts)} chunks; {MOST_CHUNKS} are the most")
    check_vectors(document, vectors)
    for position, chunk in enumerate(parts):
        if chunk.position != position or chunk.text != text[chunk.start : chunk.end]:
            raise ValueError(f"chunk {position} of the document {document.name!r} is not what stands at its place")


def check_vectors(document: Document, vectors: Sequence[bytes]) -> None:
    """See that there is one vector for each chunk, and that they are of one kind.

    Raises:
        ValueError: there is not, or they are not.
    """
    sizes = set(map(len, vectors))
    if len(vectors) != document.chunks or len(sizes) > 1 or any(size % FLOAT_BYTES or not size for size in sizes):
        raise ValueError(
            f"the document {document.name!r} has {document.chunks} chunks and {len(vectors)} vectors "
            f"of {sorted(sizes)} bytes; there must be one for each, all of one size, of {FLOAT_BYTES} bytes a number"
        )


async def prepared(document: Document, text: str, parts: Sequence[Chunk]) -> Prepared:
    """Make the rows of a document in a thread, some at a time, so that the loop and other threads go on."""
    rows = Prepared()
    for begin in range(0, len(text), PIECE * AT_ONCE):
        await asyncio.to_thread(_add_pieces, rows, text, begin)
    for begin in range(0, len(parts), AT_ONCE):
        await asyncio.to_thread(_add_chunks, rows, document.name, parts[begin : begin + AT_ONCE])
    return rows


def _add_pieces(rows: Prepared, text: str, begin: int) -> None:
    for start in range(begin, min(begin + PIECE * AT_ONCE, len(text)), PIECE):
        rows.pieces.append((start // PIECE, exact(text[start : start + PIECE])))


def _add_chunks(rows: Prepared, name: str, parts: Iterable[Chunk]) -> None:
    for chunk in parts:
        found_by = chunk_words(name, chunk.heading, chunk.text)
        rows.words.append((chunk.position, found_by.words))
        rows.lengths.append(found_by.length)
        rows.chunks.append((chunk.position, chunk.start, chunk.end, heading_row(chunk.heading), chunk.page))


def heading_row(heading: Sequence[str]) -> str:
    """Write headings as a column holds them."""
    return str(HEADINGS.process_bind_param(list(heading), None))  # type: ignore[arg-type]  # it asks no dialect


def chunks_of(rows: Iterable[Sequence[Any]]) -> tuple[Chunk, ...]:
    """Read rows of CHUNK_COLUMNS, those of one chunk in a row."""
    return tuple(_chunk_of(list(pieces)) for _, pieces in itertools.groupby(rows, key=lambda row: row[:2]))


def passages_of(rows: Iterable[Sequence[Any]]) -> dict[int, Passage]:
    """Read rows of a document's id, digest, collection and name, and CHUNK_COLUMNS; by the chunks' numbers."""
    found = {}
    for (id_, digest, collection, name, document, position), pieces in itertools.groupby(rows, lambda row: row[:6]):
        chunk = _chunk_of([row[4:] for row in pieces])
        found[document << POSITION_BITS | position] = Passage(
            document=id_, digest=digest, collection=collection, name=name, chunk=chunk
        )
    return found


def words_of(name: str, rows: Iterable[Sequence[Any]]) -> list[tuple[int, str]]:
    """Cut chunks of a document anew: their positions, and their words."""
    return [(chunk.position, chunk_words(name, chunk.heading, chunk.text).words) for chunk in chunks_of(rows)]


def _chunk_of(rows: Sequence[Sequence[Any]]) -> Chunk:
    _, position, start, stop, heading, page, piece, _ = rows[0]
    begin = (piece or 0) * PIECE
    text = "".join(row[-1] for row in rows if row[-1] is not None)
    return Chunk(
        position=position,
        start=start,
        end=stop,
        text=text[start - begin : stop - begin],
        heading=tuple(heading),
        page=page,
    )


def is_within(scope: Scope, dialect: str) -> list[ColumnElement[bool]]:
    """Give the conditions under which a document is searched."""
    conditions = []
    if scope.collections is not None:
        conditions.append(_is_one_of(documents.c.collection, [exact(name) for name in scope.collections], dialect))
    if scope.documents is not None:
        conditions.append(_is_one_of(documents.c.id, [id_ for id_ in scope.documents if is_storable(id_)], dialect))
    return conditions


def _is_one_of(column: ColumnElement[Any], values: Sequence[str], dialect: str) -> ColumnElement[bool]:
    # One parameter however many there are: databases take only so many of them.
    if dialect == "postgresql":
        return column.cast(Text) == any_(bindparam(None, list(values), type_=ARRAY(Text), unique=True))
    given = func.json_each(bindparam(None, list(values), type_=HEADINGS, unique=True)).table_valued("value")
    return column.in_(select(given.c.value))
