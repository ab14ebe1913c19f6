"""A process that is killed in the middle of a call, and what the next one makes of its reservation."""

from __future__ import annotations

import asyncio

from tests.cli.child import Child, environment
from tests.upstream import Upstream, streamed

from ai_chat.assembly import Services
from ai_chat.stores.bookkeeping import BATCH_SECONDS

BUDGET = '[{"limit": 100000, "unit": "tokens", "period": "month"}]'


async def test_what_was_reserved_stays_reserved(no_leaks, clean_environment, monkeypatch):
    """Nobody knows what the call used; the next start settles it, once, and the budget counts what was set aside."""
    async with Upstream(streamed("one", 1000.0)) as upstream:
        env = environment(clean_environment, OPENAI_BASE_URL=upstream.url, AI_CHAT_BUDGETS=BUDGET)
        async with Child("ask", "hi", "-m", "gpt-4o", "--max-tokens", "500", env=env) as child:
            await child.shows("one")
            await asyncio.sleep(10 * BATCH_SECONDS)
            child.process.kill()
            await child.process.wait()
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        services = Services.open(books=True)
        await services.start()
        (total,) = await services.storage.usage()
        (standing,) = services.spending.standings("local")
        await services.aclose()
        assert (total.calls, total.failed, total.output_tokens) == (1, 1, 0)
        assert 500 < total.lost_tokens < 600
        assert standing.spent == total.lost_tokens
        assert standing.reserved == 0
