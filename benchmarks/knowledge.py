"""A knowledge base of 20,000 chunks: how fast they are added and searched, and what that takes of memory and loop.

    uv run python benchmarks/knowledge.py [CHUNKS] [--database URL]

Aims: a query 60 ms at most in the median, 150 short chunks a second, 200 MB over an idle process for a search, and a
loop that is never held up. The floor is the bare work: the model asked directly, and one product of matrix and vector.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from floors import table
from processes import cpu_of, memory_of

from ai_chat.assembly import Services

CHUNKS = 20_000
DOCUMENT = 500
"""Chunks of one document."""
QUERIES = 60
VOCABULARY = (
    "alpha beta gamma retry stream token budget ledger cache window prompt socket thread kernel vector matrix index "
    "query answer document chapter section page heading table column row value number result error warning notice "
    "合同 发票 退款 保修 充电 电池 屏幕 说明 手册 安全 温度 网络 服务器 数据库 索引 查询 回答 段落 标题 页码 模型 "
    "训练 推理 缓存 限流 重试 预算 账单 用量 令牌 密钥"
)


class Lag:
    """How long a loop was held up."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.worst = 0.0

    async def watch(self) -> None:
        """Look every millisecond."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.worst = max(self.worst, time.perf_counter() - began - 0.001)


@asynccontextmanager
async def watched() -> AsyncIterator[Lag]:
    """Watch the loop meanwhile."""
    lag = Lag()
    task = asyncio.create_task(lag.watch())
    yield lag
    task.cancel()


def written(folder: Path, chunks: int) -> None:
    """Write documents whose sections are one short chunk each."""
    chance = random.Random(7)
    for first in range(0, chunks, DOCUMENT):
        sections = [
            f"# Section {number}\n\n" + " ".join(chance.choices(VOCABULARY.split(), k=40)) + f" item {number}."
            for number in range(first, min(chunks, first + DOCUMENT))
        ]
        (folder / f"document-{first:06d}.md").write_text("\n\n".join(sections), "utf-8")


async def times(count: int, work: Callable[[int], Awaitable[object]]) -> list[float]:
    """Give the milliseconds that each of several runs takes."""
    found = []
    for number in range(count):
        began = time.perf_counter()
        await work(number)
        found.append((time.perf_counter() - began) * 1000)
    return found


def query(number: int) -> str:
    """Give a query, another for each number."""
    return " ".join(random.Random(number).choices(VOCABULARY.split(), k=6))


async def measure(chunks: int, folder: Path) -> None:
    """Add, search, and print."""
    services = Services.open(data_dir=folder / "data")
    documents = folder / "documents"
    documents.mkdir()
    await asyncio.to_thread(written, documents, chunks)
    knowledge, me = services.knowledge, os.getpid()
    await knowledge.collections()
    idle = memory_of(me)
    began, cpu = time.perf_counter(), cpu_of(me)
    async with watched() as adding:
        job = await knowledge.add_paths([documents])
        progress = await job.over()
    seconds, used = time.perf_counter() - began, cpu_of(me) - cpu
    added = sum(outcome.document.chunks for outcome in progress.outcomes if outcome.document is not None)
    rows = [
        ("chunks added", f"{added:,}", ""),
        ("chunks a second", f"{added / seconds:.0f}", "150"),
        ("CPU ms a chunk", f"{used / added * 1000:.2f}", ""),
        ("loop held up while adding, ms", f"{adding.worst * 1000:.0f}", ""),
    ]
    await services.aclose()

    services = Services.open(data_dir=folder / "data")
    knowledge = services.knowledge
    await knowledge.collections()
    before = memory_of(me)
    gc.collect()
    gc.freeze()  # as the programs do: to go through all that was loaded would hold up the loop for 50 ms, once
    async with watched() as searching:
        first = await times(1, lambda number: knowledge.search(query(number), top_k=5))
        took = await times(QUERIES, lambda number: knowledge.search(query(number + 1), top_k=5))
    async with watched() as together:
        began = time.perf_counter()
        await asyncio.gather(*(knowledge.search(query(number + 100), top_k=5) for number in range(QUERIES)))
        at_once = (time.perf_counter() - began) / QUERIES * 1000
    floor = await times(QUERIES, lambda number: knowledge._embedder.embed([query(number + 200)]))  # noqa: SLF001
    rows += [
        ("first query, ms", f"{first[0]:.0f}", ""),
        ("query, median ms", f"{median(took):.1f}", "60"),
        ("query, slowest ms", f"{max(took):.1f}", ""),
        (f"{QUERIES} queries at once, ms each", f"{at_once:.1f}", ""),
        ("the query's vector alone, ms", f"{median(floor):.1f}", "floor"),
        ("loop held up while searching, ms", f"{max(searching.worst, together.worst) * 1000:.0f}", ""),
        ("memory for search over before, MB", f"{memory_of(me) - before:.0f}", "200"),
        ("memory of a process that has not searched, MB", f"{idle:.0f}", ""),
    ]
    await services.aclose()
    table(f"A knowledge base of {added:,} chunks", ("what", "figure", "aim"), rows)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chunks", nargs="?", type=int, default=CHUNKS)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database; without it a file")
    arguments = parser.parse_args()
    if arguments.database:
        os.environ["AI_CHAT_DATABASE"] = arguments.database
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(arguments.chunks, Path(folder)))


if __name__ == "__main__":
    main()
