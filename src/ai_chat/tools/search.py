"""Search in the user's own documents, as a tool: what it finds has numbers, by which the answer cites it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..core.errors import ChatError
from ..core.knowledge import CITE
from ..core.ports import Retriever
from ..core.sources import Sources
from ..core.tools import Sourced
from .errors import ToolError

MOST = 20
"""Passages of one search."""


class KnowledgeSearch:
    """Searches for one answer; what is found stays in its sources."""

    def __init__(self, retriever: Retriever, sources: Sources) -> None:
        """Take what finds passages, and where they get their numbers."""
        self._retriever = retriever
        self._sources = sources

    async def search_knowledge_base(self, query: str, top_k: Annotated[int, Field(ge=1, le=MOST)] = 5) -> Sourced:
        """Search the user's own documents. Use it for whatever they may say: facts, rules, names, numbers, plans.

        Args:
            query: What to look for, as a question or its most telling words.
            top_k: How many passages to give.
        """
        try:
            passages = await self._retriever.search(query, top_k=top_k, scope=self._sources.scope)
        except ChatError as error:
            raise ToolError(error.message) from error
        if not passages:
            return Sourced(f"The documents hold no passage about {query[:200]!r}.", ())
        found = self._sources.add(passages)
        parts = [f"{source.label}\n{source.passage.chunk.text}" for source in found]
        return Sourced("\n\n".join([*parts, CITE]), found)
