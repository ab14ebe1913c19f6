"""CPU that the library adds to a call and to a streamed chunk, over the bare aiohttp call in the same run.

    uv run python benchmarks/overhead.py

Both sides talk to the same mock upstream from one process and one loop; what is compared is this process's CPU time
(user + system), taken in turns so that noise meets both. Aims: 150 µs a call, 8 µs a chunk.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
from floors import mock_upstream, table

from ai_chat import AsyncChat

CALLS, ROUNDS, CHUNKS = 300, 7, 64
QUESTION = [{"role": "user", "content": "Say something of sixty-four words."}]


async def measure(work: Callable[[], Awaitable[None]], calls: int, together: int) -> float:
    """Give CPU µs per call, `together` of them under way at a time."""
    began = time.process_time()
    for _ in range(calls // together):
        await asyncio.gather(*(work() for _ in range(together)))
    return (time.process_time() - began) * 1e6 / calls


async def compare(
    bare: Callable[[], Awaitable[None]], ours: Callable[[], Awaitable[None]], calls: int, together: int
) -> tuple[float, float]:
    """Give the medians of both, taken in turns."""
    floors, figures = [], []
    for _ in range(ROUNDS):
        floors.append(await measure(bare, calls, together))
        figures.append(await measure(ours, calls, together))
    return statistics.median(floors), statistics.median(figures)


async def run(base_url: str) -> None:
    """Measure and print."""
    rows = []
    async with aiohttp.ClientSession() as session, AsyncChat() as chat:

        async def bare(model: str, *, stream: bool) -> None:
            body = orjson.dumps({"model": model, "messages": QUESTION, "stream": stream})
            async with session.post(
                f"{base_url}/chat/completions", data=body, headers={"content-type": "application/json"}
            ) as reply:
                if stream:
                    async for _ in reply.content.iter_any():
                        pass
                else:
                    orjson.loads(await reply.read())

        async def ours(model: str, *, stream: bool) -> None:
            if not stream:
                await chat.complete(QUESTION, model=model)
                return
            async with chat.stream(QUESTION, model=model) as answer:
                async for _ in answer.batches():
                    pass

        for title, model, stream, calls, together in (
            ("whole answer", "openai/mock", False, CALLS, 1),
            ("stream, in one read", "openai/mock-n64", True, CALLS, 1),
            ("stream, a read per chunk", "openai/mock-n64-d1", True, 128, 64),
        ):
            plain = model.removeprefix("openai/")
            floor, figure = await compare(
                lambda plain=plain, stream=stream: bare(plain, stream=stream),  # type: ignore[misc]
                lambda model=model, stream=stream: ours(model, stream=stream),  # type: ignore[misc]
                calls,
                together,
            )
            rows.append((title, floor, figure))
    call = rows[0][2] - rows[0][1]
    table(
        "CPU per call, µs",
        ("what", "bare aiohttp", "ai_chat", "added", "added per chunk"),
        [
            (title, f"{floor:.0f}", f"{figure:.0f}", f"{figure - floor:.0f}",
             "-" if not number else f"{(figure - floor - call) / CHUNKS:.2f}")
            for number, (title, floor, figure) in enumerate(rows)
        ],
    )  # fmt: skip


if __name__ == "__main__":
    import os

    with mock_upstream() as url:
        os.environ["OPENAI_BASE_URL"] = url
        asyncio.run(run(url))
