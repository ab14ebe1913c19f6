"""Search: two lists become one, and either may be missing."""

from __future__ import annotations

import asyncio

import pytest
from tests.knowledge.passages import passage

from ai_chat.core.errors import BadRequest, LocalModelFailed, StorageFailed
from ai_chat.core.knowledge import EVERYWHERE, Hit, Scope
from ai_chat.knowledge.searching import LONGEST_QUERY, Search, fused


class Store:
    """Finds by number what it is told to find."""

    def __init__(self, words=(), near=(), *, gone=(), more=()) -> None:
        self.words, self.near = words, near
        self.there = {hit.chunk for hit in (*words, *near)} - set(gone) | set(more)
        self.asked = []

    async def by_words(self, text, *, limit, scope):
        self.asked.append((text, limit, scope))
        return self.words

    async def by_vector(self, vector, *, embedding, limit, scope):
        assert (vector, embedding) == (b"vector", "model")
        return self.near

    async def passages(self, chunks):
        return {chunk: passage(f"{chunk}.md") for chunk in chunks if chunk in self.there}


class Embedder:
    name = "model"

    def __init__(self, error=None) -> None:
        self.error = error
        self.texts = []

    async def embed(self, texts):
        self.texts += texts
        if self.error is not None:
            raise self.error
        return [b"vector" for _ in texts]


def searching(store, embedder=None):
    async def opened():
        return store

    return Search(opened, embedder or Embedder())


def names(passages):
    return [passage.name for passage in passages]


async def test_what_both_find_is_best():
    """A chunk that is good in both lists goes before one that is first in one, and words go before vectors."""
    store = Store(words=[Hit(10, 9.0), Hit(20, 8.0)], near=[Hit(20, 0.9), Hit(30, 0.8)])
    found = await searching(store).search("query", top_k=3)
    assert names(found) == ["20.md", "10.md", "30.md"]
    assert (found[0].words, found[0].similarity) == (8.0, 0.9)
    assert (found[1].words, found[1].similarity) == (9.0, None)
    assert 1 > found[0].score > found[1].score > found[2].score > 0


async def test_what_is_beside_a_good_find_may_come_in():
    """Before what is middling; the ends of a document have no neighbour there."""
    words = [Hit(number, 100.0 - number) for number in (10, 20, 30, 40, 50, 60, 70)]
    store = Store(words=words, more=[11])
    found = await searching(store).search("query", top_k=8)
    assert names(found) == ["10.md", "20.md", "30.md", "40.md", "11.md", "50.md", "60.md", "70.md"]
    assert (found[4].words, found[4].similarity) == (None, None)


def test_first_in_both_has_the_score_one():
    """So scores can be compared from search to search."""
    assert fused([Hit(1, 3.0)], [Hit(1, 0.7)]) == [(1, pytest.approx(1.0))]


def test_what_is_far_from_the_query_is_left_out():
    """A vector is always near something; that alone is no find."""
    assert fused([], [Hit(1, 0.05), Hit(2, 0.6)]) == [(2, pytest.approx(1 / 3))]
    assert dict(fused([Hit(1, 1.0)], [Hit(1, 0.05)]))[1] == pytest.approx(1.0)


async def test_without_vectors_words_are_enough():
    """When the embedding model fails, what words find is given, with the reason."""
    store = Store(words=[Hit(1, 1.0)])
    search = searching(store, Embedder(LocalModelFailed("The model ended.")))
    found = await search.look("query", top_k=5)
    assert (names(found.passages), found.words_only) == (["1.md"], "The model ended.")


async def test_a_broken_database_is_an_error():
    """Nobody is told that there is nothing when nobody could look."""

    class Broken(Store):
        async def by_words(self, text, *, limit, scope):
            raise StorageFailed("no")

    with pytest.raises(StorageFailed):
        await searching(Broken()).search("query", top_k=5)


async def test_what_was_removed_meanwhile_is_not_given():
    """The next best takes its place."""
    store = Store(words=[Hit(number, 10.0 - number) for number in range(1, 6)], gone=[1, 2])
    assert names(await searching(store).search("query", top_k=2)) == ["3.md", "4.md"]


async def test_a_long_query_is_looked_at_as_far_as_it_matters():
    """100 kB are a query as well."""
    store, embedder = Store(words=[Hit(1, 1.0)]), Embedder()
    scope = Scope(collections=("a",))
    await searching(store, embedder).search("字" * 100_000, top_k=1, scope=scope)
    [(text, limit, asked)] = store.asked
    assert (len(text), asked) == (LONGEST_QUERY, scope)
    assert limit >= 20
    assert embedder.texts == [text]


@pytest.mark.parametrize(("query", "top_k", "param"), [("  \n", 5, "query"), ("a", 0, "top_k"), ("a", 51, "top_k")])
async def test_what_cannot_be_searched(query, top_k, param):
    """Says which part of it is wrong."""
    with pytest.raises(BadRequest) as told:
        await searching(Store()).search(query, top_k=top_k)
    assert told.value.param == param


async def test_nobody_waits_longer_than_the_slower_list():
    """Words and vectors are looked for at the same time."""

    class Slow(Store):
        async def by_words(self, text, *, limit, scope):
            await asyncio.wait_for(embedding.wait(), 5)
            return ()

    embedding = asyncio.Event()

    class Told(Embedder):
        async def embed(self, texts):
            embedding.set()
            return await super().embed(texts)

    assert await searching(Slow(), Told()).search("query", top_k=1, scope=EVERYWHERE) == []
