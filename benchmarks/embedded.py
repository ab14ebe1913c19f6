"""The embedded model through the library, beside the engine asked directly in the same run.

    uv run python benchmarks/embedded.py [ROW]

Aims: first token 0.6 s on a loaded model, for a short prompt and for a cached second turn; tokens per second within
10 % of the engine's own; a cancelled call frees the engine within 1 s. The weights are fetched on first use.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

import aiohttp
import orjson
from floors import table

from ai_chat import AsyncChat
from ai_chat.assembly import Services
from ai_chat.providers.local import LocalProvider

PROMPTS = (
    "用一句话介绍上海。",
    "Name a colour.",
    "写一句早上的问候。",
    "What is 7 times 8?",
    "Name a river in France.",
)
LONG = "Write a long story about a lighthouse keeper, in at least five hundred words."


async def ours(chat: AsyncChat, text: str, max_tokens: int) -> tuple[float, float]:
    """Give seconds to the first token and tokens per second."""
    began, first = time.perf_counter(), 0.0
    async with chat.stream(text, max_tokens=max_tokens, temperature=0) as answer:
        async for _ in answer.texts():
            first = first or time.perf_counter()
    usage = answer.result.usage
    assert usage is not None  # the engine reports its own
    return first - began, (usage.output_tokens - 1) / (time.perf_counter() - first)


async def direct(session: aiohttp.ClientSession, url: str, key: str, text: str, max_tokens: int) -> tuple[float, float]:
    """The same, asked of the engine with nothing in between."""
    body = {
        "model": "local", "messages": [{"role": "user", "content": text}], "stream": True,
        "stream_options": {"include_usage": True}, "max_tokens": max_tokens, "temperature": 0,
    }  # fmt: skip
    began, first, tokens = time.perf_counter(), 0.0, 0
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    async with session.post(f"{url}/v1/chat/completions", data=orjson.dumps(body), headers=headers) as reply:
        async for line in reply.content:
            if line.startswith(b"data: {"):
                chunk = orjson.loads(line[6:])
                if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                    first = first or time.perf_counter()
                if chunk.get("usage"):
                    tokens = chunk["usage"]["completion_tokens"]
    return first - began, (tokens - 1) / (time.perf_counter() - first)


async def cancelled(chat: AsyncChat, after: float, text: str) -> float:
    """Cancel a long call, then give the seconds until the next one has its first token."""
    task = asyncio.create_task(ours(chat, text, 2000))
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    seconds, _ = await ours(chat, "Say yes.", 4)
    return seconds


async def second_turn(chat: AsyncChat) -> float:
    """Give the seconds to the first token of a second turn whose first was long."""
    session = chat.session(max_tokens=16)
    async with session.stream("Remember these words: " + "apple river stone cloud " * 40) as answer:
        async for _ in answer:
            pass
    began = time.perf_counter()
    async with session.stream("Which word came first?") as answer:
        async for _ in answer.texts():
            return time.perf_counter() - began
    raise SystemExit("the model said nothing")


def engine_of(services: Services) -> tuple[str, str]:
    """Give the address and key of the running engine."""
    provider = services.models.provider("local")
    assert isinstance(provider, LocalProvider)
    loaded = provider._model._loaded  # noqa: SLF001 - a benchmark looks under the hood
    assert loaded is not None
    return loaded.engine.address, loaded.engine.key


async def main(row: str | None) -> None:
    """Measure and print."""
    services = Services.open()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
        AsyncChat(services=services, model=f"local/{row}" if row else "local") as chat,
    ):
        began = time.perf_counter()
        await ours(chat, "Hi", 1)
        load = time.perf_counter() - began
        url, key = engine_of(services)
        firsts: tuple[list[float], list[float]] = ([], [])
        speeds: tuple[list[float], list[float]] = ([], [])
        for prompt in PROMPTS:
            pairs = (await direct(session, url, key, prompt, 8), await ours(chat, prompt[::-1], 8))
            for column, figure in enumerate(pairs):
                firsts[column].append(figure[0])
            pairs = (await direct(session, url, key, LONG, 64), await ours(chat, LONG, 64))
            for column, figure in enumerate(pairs):
                speeds[column].append(figure[1])
        second = [await second_turn(chat) for _ in range(3)]
        freed = [await cancelled(chat, 2.0, LONG) for _ in range(3)]
        prefill = [
            await cancelled(chat, 1.0, f"{number} " + "lorem ipsum dolor sit amet " * 300) for number in range(3)
        ]
        median = statistics.median
        rows = [
            ("load and first token, s", "-", f"{load:.2f}", ""),
            ("first token, short prompt, s", f"{median(firsts[0]):.2f}", f"{median(firsts[1]):.2f}", "0.6"),
            ("first token, cached second turn, s", "-", f"{median(second):.2f}", "0.6"),
            ("tokens per second", f"{median(speeds[0]):.1f}", f"{median(speeds[1]):.1f}", "-10 %"),
            ("cancelled while writing: next first token, s", "-", f"{median(freed):.2f}", "1"),
            ("cancelled while reading: next first token, s", "-", f"{median(prefill):.2f}", "1"),
        ]
        table(f"embedded model {row or 'local'}", ("what", "engine alone", "ai_chat", "aim"), rows)
    await services.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
