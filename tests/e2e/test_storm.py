"""Two hundred calls at once, and everything that can happen to them."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.upstream import Upstream, failing, streamed, whole

from ai_chat import AsyncChat
from ai_chat.core.errors import ChatError
from ai_chat.gateway import observe

CALLS = 200


def any_reply(chance: random.Random):
    """An upstream's answer: whole, cut, refused or slow."""
    words = [f"w{number} " for number in range(chance.randrange(1, 30))]
    pieces = [piece for word in words for piece in (word, chance.choice((0.0, 0.001)))]
    reply = streamed(*pieces)
    kind = chance.randrange(6)
    if kind == 0:
        return reply.cut_after(chance.randrange(len(reply.steps)))
    if kind == 1:
        return reply.stalled_after(chance.randrange(len(reply.steps)))
    if kind == 2:
        return failing(chance.choice((400, 401, 429, 500, 503)))
    return whole("all") if kind == 3 else reply.in_blocks(chance.randrange(1, 200))


@pytest.mark.parametrize("seed", range(3))
async def test_no_call_leaves_anything_behind(no_leaks, monkeypatch, seed):
    """Whatever becomes of each call, afterwards there is no task, no connection, and exactly one line for each."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    lines = []
    ends = {"finished": 0, "failed": 0, "left": 0, "cancelled": 0}
    async with Upstream(*(any_reply(chance) for _ in range(CALLS))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        async with AsyncChat(model="m", timeout={"between_tokens": 2.0, "first_token": 2.0}) as chat:
            layer = chat._services.handler
            assert isinstance(layer, observe.Observe)
            layer._log = lines.append

            async def one(plan: float) -> None:
                try:
                    async with chat.stream("x") as answer:
                        async for _ in answer.batches():
                            if chance.random() < plan:
                                ends["left"] += 1
                                return
                    ends["finished"] += 1
                except ChatError:
                    ends["failed"] += 1
                except asyncio.CancelledError:
                    ends["cancelled"] += 1

            tasks = [asyncio.create_task(one(chance.choice((0.0, 0.1)))) for _ in range(CALLS)]
            for task in tasks:
                if chance.random() < 0.25:
                    asyncio.get_running_loop().call_later(chance.random() * 0.2, task.cancel)
            await asyncio.gather(*tasks)
        while server.open:
            await asyncio.sleep(0.01)
    assert sum(ends.values()) == CALLS == len(lines)
    assert all(ends.values()), ends
