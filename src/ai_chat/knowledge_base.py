"""A person's own documents: what adds them, keeps them and finds passages in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from .config_sections import KnowledgeSettings
from .core.errors import BadRequest, NotFound
from .core.knowledge import (
    DEFAULT_COLLECTION,
    EVERYWHERE,
    Chunk,
    Collection,
    Document,
    Outcome,
    Passage,
    Progress,
    Scope,
)
from .core.ports import DocumentStore, Embedder
from .knowledge.embedding import LocalEmbedder
from .knowledge.ingest import File, Ingest
from .knowledge.jobs import Job, Jobs
from .knowledge.naming import collection_name, document_name, files_of
from .knowledge.reading import Reader
from .knowledge.receiving import received
from .knowledge.searching import Found, Search
from .knowledge.uploads import Upload, Uploads
from .storage import Storage
from .stores.ids import new_id

AROUND = 600
"""Characters of the text on either side in which a passage is shown."""


class OwnEmbedder(Embedder, Protocol):
    """An embedder that has to be closed."""

    async def aclose(self) -> None:
        """Let go of what it holds."""
        ...


class KnowledgeBase:
    """The documents of a house. Everything in it belongs to one event loop, and is made when it is first asked for."""

    def __init__(
        self, settings: KnowledgeSettings, storage: Storage, embedder: Callable[[], OwnEmbedder] = LocalEmbedder
    ) -> None:
        """Open nothing yet.

        Args:
            settings: bounds, and who makes the vectors.
            storage: where documents are kept.
            embedder: makes who makes the vectors.
        """
        self._settings = settings
        self._storage = storage
        self._make_embedder = embedder

    # --- finding ----------------------------------------------------------------------------------------------------

    async def search(self, query: str, *, top_k: int, scope: Scope = EVERYWHERE) -> Sequence[Passage]:
        """Give the best passages for a query; see `core.ports.Retriever`.

        Raises:
            BadRequest: there is nothing to search for, or `top_k` is out of range.
            StorageFailed: the documents cannot be read.
        """
        return await self._search.search(query, top_k=top_k, scope=scope)

    async def look(self, query: str, *, top_k: int | None = None, scope: Scope = EVERYWHERE) -> Found:
        """Search, and say how it was done; None takes the settings' number of passages.

        Raises:
            BadRequest: there is nothing to search for, or `top_k` is out of range.
            StorageFailed: the documents cannot be read.
        """
        return await self._search.look(query, top_k=self._settings.top_k if top_k is None else top_k, scope=scope)

    async def around(self, document: str, start: int, end: int) -> tuple[str, str, str] | None:
        """Give a passage with the text before and behind it; None if its document has gone.

        Args:
            document: its id.
            start: the passage's first character in the text.
            end: the character behind its last.
        """
        store = await self._store()
        first = max(0, start - AROUND)
        text = await store.text(document, first, max(start, end) + AROUND)
        if text is None:
            return None
        return text[: start - first], text[start - first : end - first], text[end - first :]

    # --- what there is ------------------------------------------------------------------------------------------------

    async def collections(self) -> Sequence[Collection]:
        """Give the collections that have documents."""
        return await (await self._store()).collections()

    async def documents(
        self, collection: str | None = None, *, limit: int = 1000, offset: int = 0
    ) -> Sequence[Document]:
        """Give documents by collection and name."""
        return await (await self._store()).list(collection=collection, limit=limit, offset=offset)

    async def document(self, document: str) -> Document:
        """Give a document by its id.

        Raises:
            NotFound: there is none.
        """
        found = await (await self._store()).get(document)
        if found is None:
            raise NotFound(f"There is no document {document[:80]!r}; it may have been removed.", param="document")
        return found

    async def find(self, collection: str, name: str) -> Document | None:
        """Give a document by its name; None if there is none."""
        return await (await self._store()).find(collection, name)

    async def text(self, document: str, start: int = 0, end: int | None = None) -> str | None:
        """Give a stretch of a document's text; None if there is no such document."""
        return await (await self._store()).text(document, start, end)

    async def chunks(self, document: str, *, limit: int = 100, offset: int = 0) -> Sequence[Chunk]:
        """Give the chunks of a document."""
        return await (await self._store()).chunks(document, limit=limit, offset=offset)

    async def remove(self, document: str) -> Document:
        """Remove a document.

        Raises:
            NotFound: there is none.
        """
        found = await self.document(document)
        await (await self._store()).remove(document)
        return found

    async def outdated(self) -> int:
        """Give the number of documents whose vectors another model made: by meaning they are not found now."""
        name = self._embedder.name
        counts = [collection.embeddings for collection in await self.collections()]
        return sum(count for embeddings in counts for other, count in embeddings.items() if other != name)

    @property
    def embedding(self) -> str:
        """The model that makes the vectors now."""
        return self._embedder.name

    @property
    def top_k(self) -> int:
        """How many passages a question is answered from."""
        return self._settings.top_k

    @property
    def most_bytes(self) -> int:
        """Bytes that a document may have."""
        return self._settings.max_file_mb * 2**20

    # --- adding -------------------------------------------------------------------------------------------------------

    async def add_paths(self, paths: Sequence[Path], collection: str = DEFAULT_COLLECTION) -> Job:
        """Begin to add files and folders of this machine; they are left where they are.

        Raises:
            BadRequest: the collection's name cannot be used.
            Unavailable: too many ingests wait already.
        """
        name = collection_name(collection)
        return self._jobs.start("add", name, partial(self._add_paths, paths, name))

    async def add_uploads(self, files: Sequence[tuple[str, bytes | Path]], collection: str = DEFAULT_COLLECTION) -> Job:
        """Begin to add what came over the network: names, with bytes or files that are moved away.

        Raises:
            BadRequest: a name cannot be used, or nothing came.
            Unavailable: too many ingests wait already.
            StorageFailed: there is no room for it.
        """
        name = collection_name(collection)
        if not files:
            raise BadRequest("There is no file; send at least one.", param="file")
        checked = [(document_name(given), data) for given, data in files]
        self._jobs.check_room()
        upload = await asyncio.to_thread(self._uploads.keep, name, checked)
        return self._start(upload)

    async def add_stream(self, blocks: AsyncIterable[bytes], name: str, collection: str = DEFAULT_COLLECTION) -> Job:
        """Begin to add a file that comes in blocks, when all of it is here; raises as `add_uploads`."""
        checked, given = collection_name(collection), document_name(name)
        self._jobs.check_room()
        async with received(self._uploads, blocks) as path:
            return await self.add_uploads([(given, path)], checked)

    async def add_text(self, text: str, name: str, collection: str = DEFAULT_COLLECTION) -> Job:
        """Begin to add a pasted text under a name; a text is Markdown unless the name says otherwise.

        Raises:
            BadRequest: a name cannot be used.
            Unavailable: too many ingests wait already.
            StorageFailed: there is no room for it.
        """
        given = document_name(name)
        named = given if Path(given).suffix else f"{given}.md"
        return await self.add_uploads([(named, text.encode("utf-8", "replace"))], collection)

    async def reindex(self, collection: str | None = None) -> Job:
        """Begin to give the documents vectors of the present model, where they have others.

        Raises:
            Unavailable: too many ingests wait already.
        """
        return self._jobs.start("reindex", collection, partial(self._reindex, collection))

    @property
    def jobs(self) -> Sequence[Progress]:
        """The ingests that go on or have ended lately, the newest first. Any thread may ask."""
        return self._jobs.all() if "_jobs" in vars(self) else ()

    def job(self, job: str) -> Job:
        """Give an ingest.

        Raises:
            NotFound: there is none of that name.
        """
        return self._jobs.get(job)

    async def go_on(self) -> int:
        """Begin again what processes that have gone left undone; how many ingests that is."""
        owners = self._storage.owners
        left = await asyncio.to_thread(lambda: list(self._uploads.left(lambda owner: owners.is_alive(owner, None))))
        for upload in left:
            self._start(upload)
        return len(left)

    async def aclose(self) -> None:
        """End what goes on. Uploads that were not added yet are gone on with after the next start."""
        made = vars(self)  # what is cached stands there
        if "_jobs" in made:
            await self._jobs.aclose()
        if "_reader" in made:
            await self._reader.aclose()
        if "_embedder" in made:
            await self._embedder.aclose()

    # --- how it is done ---------------------------------------------------------------------------------------------

    def _start(self, upload: Upload) -> Job:
        loop = asyncio.get_running_loop()
        work = partial(self._add_files, upload.files, upload.collection)
        return self._jobs.start("add", upload.collection, work, lambda: _in_thread(loop, upload.remove))

    async def _add_paths(self, paths: Sequence[Path], collection: str, job: Job) -> AsyncIterator[None]:
        meant = await asyncio.to_thread(files_of, paths)
        job.expect(len(meant.files) + len(meant.refused), meant.left_out)
        for outcome in meant.refused:
            job.done(outcome)
        async for _ in self._add_files(meant.files, collection, job):
            yield

    async def _add_files(self, files: Sequence[File], collection: str, job: Job) -> AsyncIterator[None]:
        job.expect(len(files) + len(job.progress.outcomes), job.progress.left_out)
        for file in files:
            job.begin(file.name)
            job.done(await self._ingest.add(file, collection, job.tell))
            yield

    async def _reindex(self, collection: str | None, job: Job) -> AsyncIterator[None]:
        store = await self._store()
        documents: list[Document] = []
        while page := await store.list(collection=collection, offset=len(documents)):
            documents += page
        job.expect(len(documents))
        for document in documents:
            job.begin(document.name)
            outcome: Outcome = await self._ingest.embed_again(document, job.tell)
            job.done(outcome)
            yield

    async def _store(self) -> DocumentStore:
        return await self._storage.documents()

    @cached_property
    def _embedder(self) -> OwnEmbedder:
        return self._make_embedder()

    @cached_property
    def _search(self) -> Search:
        return Search(self._store, self._embedder)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(most_bytes=self.most_bytes, seconds=self._settings.file_seconds)

    @cached_property
    def _ingest(self) -> Ingest:
        return Ingest(self._store, self._reader, self._embedder, new_id=new_id, now=lambda: datetime.now(UTC))

    @cached_property
    def _jobs(self) -> Jobs:
        return Jobs(new_id)

    @cached_property
    def _uploads(self) -> Uploads:
        owners = self._storage.owners
        return Uploads(self._storage.folder / "uploads", owner=owners.name, new_id=new_id)


def _in_thread(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    loop.run_in_executor(None, work)
