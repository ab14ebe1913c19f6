"""`/api/usage` and budgets, over a real connection."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.conftest import serving
from tests.upstream import streamed, whole

from ai_chat import spending


async def test_what_was_used(no_leaks, upstream):
    """It adds up what both APIs have used, by what is asked for, to the last digit."""
    upstream.replies = [whole("Hello"), streamed("one ", "two")]
    prices = {"openai/": [{"input": "2.5", "output": "10"}]}
    async with serving(books=True, prices=prices) as server:
        await server.chat()
        asked = await server.ask("POST", "/api/chat/stream", json={"message": "hi"})
        assert "event: done" in asked.body
        answer = (await server.get("/api/usage?by=model")).body
        (conversation,) = (await server.get("/api/conversations")).body["data"]
        of_one = (await server.get(f"/api/usage?conversation={conversation['id']}&since=today")).body["total"]

    assert answer["total"]["calls"] == 2
    assert answer["total"]["known_cost"] == "0.000165"  # twice 5 tokens in and 7 out
    assert sum(row["calls"] for row in answer["data"]) == 2
    assert (of_one["calls"], of_one["output_tokens"], of_one["known_cost"]) == (1, 7, "0.0000825")


@pytest.mark.parametrize("query", ["by=year", "since=never"])
async def test_what_there_is_not(server, query):
    """It is named, with what there is."""
    got = await server.get(f"/api/usage?{query}")
    assert got.status == 400
    assert got.error["message"]


async def test_a_budget_that_is_used_up(no_leaks, upstream):
    """The status is 402, the sentence has what is left and until when, and the upstream is not asked."""
    async with serving(books=True, budgets=[{"limit": 20, "unit": "tokens"}]) as server:
        first = await server.chat(max_tokens=8)
        assert first.status == 200
        got = await server.chat(max_tokens=9)
        standing = (await server.get("/api/usage")).body["total"]
    assert (got.status, got.error["code"], got.error["type"]) == (402, "budget_exceeded", "insufficient_quota")
    assert "20 tokens has 8 left" in got.error["message"]
    assert 0 < int(got.headers["Retry-After"]) <= 86_400
    assert len(upstream.chats) == 1
    assert (standing["calls"], standing["failed"]) == (2, 1)


async def test_a_budget_of_two_processes(no_leaks, upstream, monkeypatch):
    """What one has spent the other knows a moment later, and refuses."""
    monkeypatch.setattr(spending, "LOOK_SECONDS", 0.0)
    budgets = [{"limit": 30, "unit": "tokens"}]
    async with serving(books=True, budgets=budgets) as one, serving(books=True, budgets=budgets) as other:
        assert (await one.chat(max_tokens=8)).status == 200
        await one.services.storage.books.flush()
        assert (await other.chat(max_tokens=8)).status == 200
        await other.services.storage.books.flush()
        for server in (one, other):
            async with asyncio.timeout(10):
                while _spent(server) < 24:
                    await asyncio.sleep(0.01)
            assert (await server.chat(max_tokens=9)).status == 402


def _spent(server):
    server.services.spending.look_again()
    (standing,) = server.services.spending.standings("local")
    return standing.spent
