"""Documents for tests: their chunks, their vectors, and a search that tells what it found in words."""

from __future__ import annotations

import array
import hashlib
import itertools
import math
import random
import struct
from collections.abc import Sequence
from datetime import UTC, datetime

from ai_chat.core.knowledge import EVERYWHERE, Chunk, Document, Hit, Scope
from ai_chat.core.ports import DocumentStore

CAME = datetime(2026, 11, 25, 9, 0, 0, 654321, tzinfo=UTC)
DIMENSIONS = 8
numbers = itertools.count()


def make_chunks(*texts: str, heading: Sequence[str] = (), page: int | None = None) -> tuple[str, list[Chunk]]:
    """Give a text in which these stand one below the other, and a chunk for each."""
    chunks: list[Chunk] = []
    start = 0
    for text in texts:
        chunks.append(
            Chunk(
                position=len(chunks), start=start, end=start + len(text), text=text, heading=tuple(heading), page=page
            )
        )
        start += len(text) + 1
    return "\n".join(texts), chunks


def make_document(name: str, text: str, chunks: Sequence[Chunk], **fields: object) -> Document:
    """Give the document of a text and its chunks, under a new id."""
    given: dict[str, object] = {
        "id": f"document-{next(numbers)}",
        "collection": "default",
        "kind": "txt",
        "digest": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "size": len(text.encode("utf-8", "surrogatepass")),
        "pages": None,
        "title": None,
        "embedding": "model-a",
        "added": CAME,
        "changed": CAME,
    }
    return Document(name=name, characters=len(text), chunks=len(chunks), **{**given, **fields})  # type: ignore[arg-type]


def halved(number: float) -> float:
    """Round to half precision, in which SQLite's vectors are compared; so both databases compare the same numbers."""
    return struct.unpack("<e", struct.pack("<e", number))[0]


def unit(*numbers: float) -> bytes:
    """Give the vector of length 1 in the direction of these numbers; zeros are added up to DIMENSIONS."""
    length = math.hypot(*numbers)
    return array.array(
        "f", [halved(number / length) for number in numbers] + [0.0] * (DIMENSIONS - len(numbers))
    ).tobytes()


def any_unit(seed: object, dimensions: int = DIMENSIONS) -> bytes:
    """Give a vector of length 1 in a direction that depends on the seed alone."""
    dice = random.Random(str(seed))  # noqa: S311
    numbers = [dice.gauss() for _ in range(dimensions)]
    return array.array("f", [halved(number / math.hypot(*numbers)) for number in numbers]).tobytes()


async def put(
    store: DocumentStore, name: str, *texts: str, vectors: Sequence[bytes] | None = None, **fields: object
) -> Document:
    """Keep a document with a chunk for each of these texts, and give it."""
    text, chunks = make_chunks(*texts)
    document = make_document(name, text, chunks, **fields)
    await store.put(document, text, chunks, vectors or [any_unit((name, part)) for part in texts])
    return document


async def texts_of(store: DocumentStore, hits: Sequence[Hit]) -> list[str]:
    """Give the texts of chunks that were found, in their order."""
    passages = await store.passages([hit.chunk for hit in hits])
    return [passages[hit.chunk].chunk.text for hit in hits]


async def by_words(store: DocumentStore, text: str, *, limit: int = 10, scope: Scope = EVERYWHERE) -> list[str]:
    """Give the texts that a query finds by words, the best first."""
    return await texts_of(store, await store.by_words(text, limit=limit, scope=scope))


async def by_vector(
    store: DocumentStore, vector: bytes, *, embedding: str = "model-a", limit: int = 10, scope: Scope = EVERYWHERE
) -> list[str]:
    """Give the texts whose vectors are the nearest, the nearest first."""
    return await texts_of(store, await store.by_vector(vector, embedding=embedding, limit=limit, scope=scope))
