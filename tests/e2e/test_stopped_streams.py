"""Three hundred answers that are stopped anywhere, and what the books say of each."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.upstream import Upstream, streamed

from ai_chat import AsyncChat
from ai_chat.accounting.tokens import Tokens
from ai_chat.assembly import Services

STREAMS = 300
HALF = 0.5
WORDS = [
    "The",
    "river",
    "carries",
    "石头,",
    "木材",
    "und",
    "Öl;",
    "naïve",
    "cafés",
    "—",
    "don't",
    "😀",
    "why.\n\n",
    "x=1",
]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("postgres_url")


async def test_a_stopped_answer_is_booked_as_far_as_it_came(no_leaks, database, clean_environment, monkeypatch):
    """Booked are exactly the tokens of what was read, never more than was sent, and marked as an estimate."""
    chance = random.Random(4)  # noqa: S311 - repeatable on purpose
    pieces = [chance.choice(WORDS) + " " for _ in range(60)]
    steps = [step for piece in pieces for step in (piece, chance.choice((0.0, 0.001, 0.003)))]
    monkeypatch.setenv("AI_CHAT_DATA_DIR", str(clean_environment / "data"))
    reply = streamed(*steps)
    async with Upstream(reply.stalled_after(len(reply.steps) - 3)) as upstream:
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
        services = Services.open(books=True, **({"database": database} if database else {}))
        await services.start()
        chat = AsyncChat(services=services, model="gpt-4o")
        read: dict[str, str] = {}

        async def one() -> None:
            answer = chat.stream("x")
            if chance.random() < HALF:
                await _leave(answer, after=chance.randrange(1, 25))
            else:
                reading = asyncio.create_task(_leave(answer, after=STREAMS))
                asyncio.get_running_loop().call_later(chance.uniform(0.02, 0.4), reading.cancel)
                await asyncio.gather(reading, return_exceptions=True)
            read[answer.call.trail.trace_id] = answer.result.text if answer.has_begun else ""

        for _ in range(STREAMS // 30):
            await asyncio.gather(*(one() for _ in range(30)))
        booked = await _booked(services)
        await services.aclose()

    counter, sent = Tokens(), "".join(pieces)
    assert booked.keys() == read.keys()
    for trace, (tokens, source) in booked.items():
        assert (tokens or 0) == counter.text(read[trace], "gpt-4o")  # unknown if it was left before it was answered
        assert sent.startswith(read[trace])
        assert source == (None if tokens is None else "estimated")
    assert len({len(text) for text in read.values()}) > 20, "they were stopped in many places"


async def _leave(answer, *, after: int) -> None:
    async with answer:
        number = 0
        async for _ in answer.batches():
            number += 1
            if number == after:
                return


async def _booked(services) -> dict[str, tuple[int, str]]:
    """Give output tokens and their source of every call in the database."""
    await services.storage.books.settled()
    ledger = await services.storage.ledger()
    async with ledger._database.reading() as connection:
        rows = await connection.exec_driver_sql("SELECT id, output_tokens, source FROM calls")
        return {trace: (tokens, source) for trace, tokens, source in rows}
