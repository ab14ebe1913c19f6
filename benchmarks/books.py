"""What the books add to a call, and whether every row is there once: 100,000 calls, and a database that goes away.

    uv run python benchmarks/books.py [CALLS]

The same calls are made through the pipeline with and without the books, against a model that answers at once, and the
process's CPU time (user + system, the database's thread included) is compared, with the garbage collector set as the
server sets it. Aims: 20 µs a call; as many rows as calls, flat memory; and while the database is away for seconds, no
call fails or is slower.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from floors import table

from ai_chat.cli.serve import COLLECT_EVERY
from ai_chat.core.errors import StorageFailed
from ai_chat.core.folding import fold
from ai_chat.core.messages import Message
from ai_chat.core.ports import Handler
from ai_chat.core.request import Call, ChatRequest, Timeouts, Trail
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted
from ai_chat.stores.bookkeeping import Books
from ai_chat.stores.journal import Journal
from ai_chat.stores.ledger import SqlLedger
from ai_chat.stores.opening import open_stores

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ROUNDS = 5
REQUEST = ChatRequest(model="m", messages=(Message(role="user", content="hi"),), stream=True)


class Model:
    """Where every name leads."""

    provider = Scripted("a")
    model = label = "test/m"


class NoWords:
    """Counts nothing: it is not what is measured."""

    def text(self, text: str, model: str) -> int:  # noqa: ARG002
        """Say one."""
        return 1

    def messages(self, *_: object) -> int:
        """Say one."""
        return 1


async def resolve(_: str) -> Model:
    """Lead everywhere to the same model."""
    return Model()


class SwitchedOff:
    """The database, with a switch."""

    def __init__(self, ledger: SqlLedger) -> None:
        self.ledger = ledger
        self.away = False

    async def write(self, entries: list) -> None:
        """Pass rows on, or be away."""
        if self.away:
            raise StorageFailed("away")
        await self.ledger.write(entries)


async def cpu_of(handler: Handler, calls: int, prefix: str) -> tuple[float, float]:
    """Make calls; give the CPU µs of one and the longest time that one took, in ms."""
    began, longest = time.process_time(), 0.0
    prefix = f"{len(prefix):08x}{prefix}"
    for number in range(calls):
        start = time.perf_counter()
        call = Call(request=REQUEST, trail=Trail(trace_id=f"{prefix}-{number}"))
        await fold(await handler(call))
        longest = max(longest, time.perf_counter() - start)
        if number % 100 == 0:
            Model.provider.requests.clear()
            Model.provider.sources.clear()
            await asyncio.sleep(0)
    return (time.process_time() - began) * 1e6 / calls, longest * 1000


async def settled(books: Books, folder: Path) -> None:
    """Wait until nothing waits, in memory or in the journal."""
    await books.flush()
    while list((folder / "journal").glob("*")):  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.05)


async def main() -> None:
    """Measure and print."""
    dispatch = Dispatch(resolve, timeouts=Timeouts(), counter=NoWords())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = await open_stores(f"sqlite:///{folder / 'books.db'}", encode=dict, decode=dict)  # type: ignore[arg-type]
        switched = SwitchedOff(stores.ledger)

        async def opened() -> SwitchedOff:
            return switched

        books = Books(opened, Journal(folder / "journal", "me"), owner="me", is_alive=lambda _: False)
        bare, booked = pipeline.build(dispatch), pipeline.build(dispatch, book=books.closed)
        part = CALLS // (2 * ROUNDS)
        without, with_books, on_loop = [], [], []
        memory_before = 0
        for turn in range(ROUNDS):
            without.append((await cpu_of(bare, part, "bare"))[0])
            used, loop = await with_flush(lambda turn=turn: cpu_of(booked, part, f"booked{turn}"), books, part)  # type: ignore[misc]
            with_books.append(used)
            on_loop.append(loop)
            memory_before = memory_before or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        switched.away = True
        away, slowest = await cpu_of(booked, CALLS // 2, "away")
        switched.away = False
        await settled(books, folder)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (total,) = await stores.ledger.usage()
        await books.aclose()
        await stores.aclose()
    table(
        "The books",
        ("what", "figure", "aim"),
        [
            ("a call without them, CPU", f"{median(without):.0f} µs", ""),
            ("they add", f"{median(with_books) - median(without):.1f} µs", "20 µs"),
            ("of that on the loop, where calls are", f"{median(on_loop) - median(without):.1f} µs", ""),
            ("with the database away they add", f"{away - median(without):.1f} µs", ""),
            ("the slowest call while it was away", f"{slowest:.1f} ms", "not slower"),
            ("rows of calls", f"{total.calls:,} of {part * ROUNDS + CALLS // 2:,}", "all, once"),
            ("memory at its highest, after the first part", f"{memory_before / 1024:.0f} MB", ""),
            ("and in the end", f"{memory / 1024:.0f} MB", "flat"),
        ],
    )


async def with_flush(
    work: Callable[[], Awaitable[tuple[float, float]]], books: Books, calls: int
) -> tuple[float, float]:
    """Count the writing in as well, whenever it comes; give the CPU µs of one call, and those on the loop's thread."""
    began, on_loop = time.process_time(), time.thread_time()
    await work()
    await books.flush()
    return (time.process_time() - began) * 1e6 / calls, (time.thread_time() - on_loop) * 1e6 / calls


if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)
    asyncio.run(main())
