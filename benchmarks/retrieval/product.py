"""The product as a subject: the corpus is added as files, read, cut and indexed as a user's own documents are."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import corpus as corpus_files
from judging import Found, Search

from ai_chat.assembly import Services
from ai_chat.core.knowledge import Passage


class Product:
    """A knowledge base on a loop of its own. `AI_CHAT_DATABASE` names another database than a file."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        """Add the corpus."""
        self._loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        corpus_files.write(root / "documents", documents)
        self._services = Services.open(data_dir=root / "data", database=os.environ.get("AI_CHAT_DATABASE"))
        self.passages = 0
        self.texts = self._loop.run_until_complete(self._add(root / "documents"))
        if missing := documents.keys() - self.texts.keys():
            print(f"not taken: {', '.join(sorted(missing))}")

    def searches(self) -> dict[str, Search]:
        """Give the searches by their names."""
        return {"vectors": self._sync(self._near), "words": self._sync(self._words), "hybrid": self._sync(self._both)}

    async def _add(self, folder: Path) -> dict[str, str]:
        knowledge = self._services.knowledge
        await (await knowledge.add_paths([folder])).over()
        texts: dict[str, str] = {}
        while page := await knowledge.documents(offset=len(texts)):
            texts |= {document.name: await knowledge.text(document.id) or "" for document in page}
            self.passages += sum(document.chunks for document in page)
        return texts

    async def _near(self, question: str, limit: int) -> Sequence[Passage]:
        embedder = self._services.knowledge._embedder  # noqa: SLF001 - one half of the search alone
        store = await self._services.storage.documents()
        [vector] = await embedder.embed([question])
        hits = await store.by_vector(vector, embedding=embedder.name, limit=limit)
        passages = await store.passages([hit.chunk for hit in hits])
        return [passages[hit.chunk] for hit in hits]

    async def _words(self, question: str, limit: int) -> Sequence[Passage]:
        store = await self._services.storage.documents()
        hits = await store.by_words(question, limit=limit)
        passages = await store.passages([hit.chunk for hit in hits])
        return [passages[hit.chunk] for hit in hits]

    async def _both(self, question: str, limit: int) -> Sequence[Passage]:
        return await self._services.knowledge.search(question, top_k=limit)

    def _sync(self, ask: Callable[[str, int], Awaitable[Sequence[Passage]]]) -> Search:
        def search(question: str, limit: int) -> list[Found]:
            found = self._loop.run_until_complete(ask(question, limit))  # type: ignore[arg-type]
            return [Found(passage.name, passage.chunk.start, passage.chunk.end) for passage in found]

        return search
