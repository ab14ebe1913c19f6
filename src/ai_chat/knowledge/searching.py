"""Search by words and by meaning at once: two lists of chunks, joined by the ranks they have in both."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.errors import BadRequest, ChatError, StorageFailed
from ..core.knowledge import EVERYWHERE, MOST_FOUND, Hit, Passage, Scope
from ..core.ports import DocumentStore, Embedder

log = logging.getLogger("ai_chat.knowledge")

CANDIDATES = 60
"""Chunks that each of the two lists has at least."""
RANK_OFFSET = 1
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): how much the first ranks stand out. They
took 60, for many lists of one kind. Words and vectors seldom agree, so what is first in one of them must come before
what is middling in both: on the questions for tuning in `benchmarks/retrieval` 1 to 3 found more among the first five
than 20 or 60, with any chunks and any corpus."""
WEIGHTS = (2.0, 1.0)
"""Of a rank by words and of one by vectors. What is first by words is right more often, so it goes first where the two
disagree; which five are found hardly depends on it."""
BESIDE = 0.35
"""What a chunk gets of the score of the one before or behind it. Where a section is the right one, the answer may stand
in the chunk next to the one with the question's words. 0.2 to 0.5 made no difference on the questions for tuning."""
LONGEST_QUERY = 4_000
"""Characters of a query that are looked at; a paragraph fits in many times."""
UNLIKE = 0.2
"""Cosine below which a chunk that shares no word with the query has nothing to do with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search gave."""

    passages: Sequence[Passage]
    """The best first."""
    words_only: str | None = None
    """Why it could not be searched by meaning, in a sentence."""


class Search:
    """Finds passages; a `core.ports.Retriever`."""

    def __init__(self, store: Callable[[], Awaitable[DocumentStore]], embedder: Embedder) -> None:
        """Take what is searched.

        Args:
            store: opens the documents.
            embedder: makes the queries' vectors; only chunks with vectors of it are found by meaning.
        """
        self._store = store
        self._embedder = embedder

    async def search(self, query: str, *, top_k: int, scope: Scope = EVERYWHERE) -> Sequence[Passage]:
        """Give the best passages, the best first; see `core.ports.Retriever`.

        Raises:
            BadRequest: there is nothing to search for, or `top_k` is out of range.
            StorageFailed: the documents cannot be read.
        """
        return (await self.look(query, top_k=top_k, scope=scope)).passages

    async def look(self, query: str, *, top_k: int, scope: Scope = EVERYWHERE) -> Found:
        """Search, and say how it was done; otherwise like `search`.

        Raises:
            BadRequest: there is nothing to search for, or `top_k` is out of range.
            StorageFailed: the documents cannot be read.
        """
        text = query.strip()[:LONGEST_QUERY]
        if not text:
            raise BadRequest("The query is empty; write what to search for.", param="query")
        if not 1 <= top_k <= MOST_FOUND:
            raise BadRequest(f"top_k is {top_k}, and must be 1 to {MOST_FOUND}.", param="top_k")
        store = await self._store()
        limit = max(CANDIDATES, 2 * top_k)
        words, (near, problem) = await asyncio.gather(
            store.by_words(text, limit=limit, scope=scope), self._near(store, text, limit, scope)
        )
        ranked = with_neighbours(fused(words, near))[: 3 * top_k]  # some are none, or may be removed meanwhile
        passages = await store.passages([chunk for chunk, _ in ranked])
        scores = _scores(words), _scores(near)
        found = [_scored(passages[chunk], chunk, score, scores) for chunk, score in ranked if chunk in passages]
        return Found(passages=found[:top_k], words_only=problem)

    async def _near(
        self, store: DocumentStore, text: str, limit: int, scope: Scope
    ) -> tuple[Sequence[Hit], str | None]:
        try:
            [vector] = await self._embedder.embed([text])
        except StorageFailed:
            raise
        except ChatError as error:
            # Words find most of it, and an answer from them is better than none.
            log.warning("a search goes by words alone: %s", error)
            return (), error.message
        hits = await store.by_vector(vector, embedding=self._embedder.name, limit=limit, scope=scope)
        return hits, None


def fused(words: Sequence[Hit], near: Sequence[Hit]) -> list[tuple[int, float]]:
    """Join two lists by the ranks that chunks have in them: numbers and scores, the best first.

    A chunk that is first in both has the score 1. One that is near nothing in the query and shares no word with it is
    left out.
    """
    shared = {hit.chunk for hit in words}
    lists = (words, [hit for hit in near if hit.score >= UNLIKE or hit.chunk in shared])
    scores: dict[int, float] = {}
    for hits, weight in zip(lists, WEIGHTS, strict=True):
        for rank, hit in enumerate(hits):
            told = weight / sum(WEIGHTS) * (RANK_OFFSET + 1) / (RANK_OFFSET + 1 + rank)
            scores[hit.chunk] = scores.get(hit.chunk, 0.0) + told
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def with_neighbours(ranked: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Give each chunk a part of the score of the better of its two neighbours, so that these may come in.

    The numbers of a document's chunks follow each other. What lies before the first and behind the last is no chunk.
    """
    scores = dict(ranked)
    beside: dict[int, float] = {}
    for chunk, score in ranked:
        for other in (chunk - 1, chunk + 1):
            beside[other] = max(beside.get(other, 0.0), score)
    every = scores.keys() | beside.keys()
    joined = {chunk: scores.get(chunk, 0.0) + BESIDE * beside.get(chunk, 0.0) for chunk in every}
    return sorted(joined.items(), key=lambda item: (-item[1], item[0]))


def _scores(hits: Sequence[Hit]) -> dict[int, float]:
    return {hit.chunk: hit.score for hit in hits}


def _scored(
    passage: Passage, chunk: int, score: float, scores: tuple[Mapping[int, float], Mapping[int, float]]
) -> Passage:
    words, near = scores
    return replace(passage, score=min(score, 1.0), words=words.get(chunk), similarity=near.get(chunk))
