"""From a file to a document that is found: read, cut, embedded, kept; all of it or nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..core.errors import Conflict, DocumentRefused
from ..core.knowledge import Chunk, Document, Outcome
from ..core.ports import DocumentStore, Embedder
from .reading import Reader, Reading

BATCH = 64
"""Chunks that are embedded between two looks at the progress."""
LONGEST_NAME = 500
PAGE = 1_000
"""Chunks that are read at once when they are embedded anew."""

Stamp = tuple[int, int, int]
"""Number, size and time of a file: of two that are the same nobody has written in between."""
Tell = Callable[[int, int], None]
"""Takes how many chunks of the present document are done, and how many it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that is to be added."""

    path: Path
    name: str
    """What the document is to be called in its collection."""


def embedded_text(name: str, chunk: Chunk) -> str:
    """Give what the vector of a chunk is made of: a passage means little without what it is about."""
    return "\n".join([*chunk.heading[-2:], chunk.text]) if chunk.heading else f"{Path(name).stem}\n{chunk.text}"


class Ingest:
    """Adds documents, one at a time."""

    def __init__(
        self,
        store: Callable[[], Awaitable[DocumentStore]],
        reader: Reader,
        embedder: Embedder,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        """Take what it works with.

        Args:
            store: opens the documents.
            reader: takes the text out of files.
            embedder: makes the vectors.
            new_id: gives a document's id.
            now: gives this moment, in UTC.
        """
        self._store = store
        self._reader = reader
        self._embedder = embedder
        self._new_id = new_id
        self._now = now

    async def add(self, file: File, collection: str, tell: Tell) -> Outcome:
        """Add a file, or replace the document of its name; one that is the same already is left alone.

        Raises:
            ChatError: the database or the embedding model failed; nothing of the file is kept then.
        """
        try:
            return await self._add(file, collection, tell)
        except DocumentRefused as error:
            return Outcome(name=file.name, state="refused", refusal=error.refusal, reason=error.message)

    async def embed_again(self, document: Document, tell: Tell) -> Outcome:
        """Give a document's chunks vectors of the present model.

        Raises:
            ChatError: the database or the embedding model failed; it keeps its old vectors then.
        """
        unchanged = Outcome(name=document.name, state="unchanged", document=document)
        if document.embedding == self._embedder.name:
            return unchanged
        store = await self._store()
        chunks: list[Chunk] = []
        while page := await store.chunks(document.id, limit=PAGE, offset=len(chunks)):
            chunks += page
        vectors = await self._vectors(document.name, chunks, tell)
        made = replace(document, embedding=self._embedder.name)
        if not await store.replace_vectors(made, vectors):
            return unchanged  # replaced or removed meanwhile: what is there now was made by whoever did it
        return Outcome(name=document.name, state="replaced", document=made)

    async def _add(self, file: File, collection: str, tell: Tell) -> Outcome:
        if len(file.name) > LONGEST_NAME:
            raise DocumentRefused(
                f"The file {file.name[:40]!r}… has a name of {len(file.name)} characters; {LONGEST_NAME} are the most.",
                refusal="unreadable",
            )
        size = self._reader.check(file.path, name=file.name)
        before, digest = await asyncio.to_thread(_looked_at, file)
        store = await self._store()
        known = await store.find(collection, file.name)
        if known is not None and known.digest == digest and known.embedding == self._embedder.name:
            return Outcome(name=file.name, state="unchanged", document=known)
        reading = await self._reader.read(file.path, name=file.name)
        if await asyncio.to_thread(_stamp, file) != before:
            raise DocumentRefused(
                f"The file {file.name!r} was changed while it was read; add it again when it is finished.",
                refusal="damaged",
            )
        vectors = await self._vectors(file.name, reading.chunks, tell)
        now, extract = self._now(), reading.extract
        document = Document(
            id=self._new_id(),
            collection=collection,
            name=file.name,
            kind=extract.kind,
            digest=digest,
            size=size,
            characters=len(extract.text),
            chunks=len(reading.chunks),
            pages=extract.pages,
            title=extract.title,
            embedding=self._embedder.name,
            added=now,
            changed=now,
        )
        try:
            return await self._keep(store, document, known, reading, vectors)
        except Conflict:  # another process added it meanwhile
            known = await store.find(collection, file.name)
            return await self._keep(store, document, known, reading, vectors)

    @staticmethod
    async def _keep(
        store: DocumentStore, document: Document, known: Document | None, reading: Reading, vectors: Sequence[bytes]
    ) -> Outcome:
        if known is not None:
            document = replace(document, id=known.id, added=known.added)
        await store.put(document, reading.extract.text, reading.chunks, vectors)
        return Outcome(name=document.name, state="added" if known is None else "replaced", document=document)

    async def _vectors(self, name: str, chunks: Sequence[Chunk], tell: Tell) -> list[bytes]:
        vectors: list[bytes] = []
        tell(0, len(chunks))
        for start in range(0, len(chunks), BATCH):
            vectors += await self._embedder.embed([embedded_text(name, c) for c in chunks[start : start + BATCH]])
            tell(len(vectors), len(chunks))
        return vectors


def _looked_at(file: File) -> tuple[Stamp, str]:
    """Give what changes with a file's content, and the SHA-256 of it."""
    before = _stamp(file)
    try:
        with file.path.open("rb") as opened:
            return before, hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(file, error) from error


def _stamp(file: File) -> Stamp:
    try:
        status = file.path.stat()
    except OSError as error:
        raise _unreadable(file, error) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _unreadable(file: File, error: OSError) -> DocumentRefused:
    return DocumentRefused(
        f"The file {file.name!r} cannot be read ({error.strerror}); check that it is there and that you may read it.",
        refusal="unreadable",
    )
