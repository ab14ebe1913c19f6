"""Who writes the books. No call waits for it, and no row is lost.

Rows are taken at once and written in batches: to the database or, while that is away, to a journal that is put in
afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import Protocol

from ..core.errors import ChatError, StorageFailed
from ..core.request import Call
from .journal import Journal
from .ledger_rows import Entry, entries_of, open_entry

log = logging.getLogger("ai_chat.books")

BATCH_SECONDS = 0.1
"""How long a row may wait for others: a process that is killed loses no more than that, and the time of one write."""
BATCH = 5_000
"""Rows of one write."""
WAITING = 50_000
"""Rows that may wait in memory, which takes a database and a disk that both hang; then new calls are refused."""
PATIENCE = 2.0
"""Seconds that the database may take for a batch before it counts as away."""
STUCK = 90.0
"""Seconds after which a write is given up: longer than any database takes to refuse one."""
AWAY_SECONDS = 2.0
"""After which a database that was away is tried again."""


class LedgerWriter(Protocol):
    """Where rows go; `SqlLedger` is one."""

    async def write(self, entries: Sequence[Entry]) -> None:
        """Put rows in, all or none; those that are there already are left as they are."""
        ...


class Books:
    """Takes rows and sees to it that each is in the database once."""

    def __init__(
        self,
        open_ledger: Callable[[], Awaitable[LedgerWriter]],
        journal: Journal,
        *,
        owner: str,
        is_alive: Callable[[str], bool],
        is_open: Callable[[], bool] = lambda: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write nothing yet.

        Args:
            open_ledger: opens the database.
            journal: where rows wait for it.
            owner: this process.
            is_alive: whether another process still puts its own journal in.
            is_open: whether the database is open already. A process that ends does not open it for its last rows.
            monotonic: gives seconds that only go forward.
        """
        self._open_ledger = open_ledger
        self._journal = journal
        self._owner = owner
        self._is_alive = is_alive
        self._is_open = is_open
        self._monotonic = monotonic
        self._waiting: deque[Entry] = deque()
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._away_until = 0.0
        self._late: asyncio.Task[bool] | None = None
        """The last write; it may still be going on."""
        self._journalled = False
        """Whether the journal has, or may have, rows of ours."""
        self._ending = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether there is no room for another call: neither the database nor the disk takes any rows."""
        return len(self._waiting) >= WAITING

    @property
    def waiting(self) -> int:
        """Rows that are only in memory."""
        return len(self._waiting)

    def opened(self, call: Call, tokens: int, usd: Decimal | None) -> None:
        """Take a call that is about to be made, with what is reserved for it: all that is known if we are killed."""
        call.trail.reserved = tokens, usd
        self.take([open_entry(call, owner=self._owner)])

    def closed(self, call: Call) -> None:
        """Take a call that has ended."""
        self.take(entries_of(call, owner=self._owner))

    def take(self, entries: Sequence[Entry]) -> None:
        """Take rows. It does not wait."""
        if not self._waiting:  # else the writer is at work, and looks again before it rests
            self._idle.clear()
            self._begin()
        self._waiting.extend(entries)

    def catch_up(self) -> None:
        """Have the journals put in: ours, and those of processes that have gone."""
        self._journalled = True
        self._begin()

    async def flush(self) -> None:
        """Wait until all rows that were taken are in the database or in the journal."""
        await self._idle.wait()

    async def settled(self) -> None:
        """Wait until all rows are in the database, those of journals included."""
        await self.flush()
        while self._journalled:
            await asyncio.sleep(BATCH_SECONDS / 2)
            await self.flush()

    async def aclose(self) -> None:
        """Write what waits, to the database or to the journal."""
        self._ending.set()
        self._news.set()
        if self._task is not None:
            await self._task
        if self._late is not None and not self._late.done():
            await asyncio.wait({self._late}, timeout=PATIENCE)
            self._late.cancel()
            await asyncio.wait({self._late})

    def _begin(self) -> None:
        self._news.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_on(), name="books")

    async def _write_on(self) -> None:
        while self._waiting or not self._ending.is_set():
            self._news.clear()
            away = self._monotonic() < self._away_until
            if self._waiting:
                if len(self._waiting) < BATCH:
                    await _wait(self._ending, BATCH_SECONDS)  # what comes meanwhile goes with it
                await self._put(away=away or (self._ending.is_set() and not self._is_open()))
            elif self._journalled and not away and not self._ending.is_set():
                await self._replay()
            elif not self._ending.is_set():
                await _wait(self._news, AWAY_SECONDS if self._journalled else None)

    async def _put(self, *, away: bool) -> None:
        """Put the next batch where it can go. It leaves memory when it is there."""
        batch = list(islice(self._waiting, BATCH))
        if away or not await self._written(batch):
            try:
                await asyncio.to_thread(self._journal.append, batch)
            except StorageFailed:
                log.exception("neither the database nor the journal takes the books")
                await asyncio.sleep(BATCH_SECONDS)
                if not self._ending.is_set():
                    return
            self._journalled = True
        for _ in batch:
            self._waiting.popleft()
        if not self._waiting:
            self._idle.set()

    async def _written(self, batch: Sequence[Entry]) -> bool:
        """Put rows into the database; False if it does not take them, or takes too long.

        A write that takes too long is left to end by itself: to cancel one may take as long as the write. Its rows go
        to the journal meanwhile, and if they come twice the database knows them.
        """
        if self._late is not None and not self._late.done():
            self._away_until = self._monotonic() + AWAY_SECONDS  # to look again at once would be to do nothing else
            return False
        self._late = writing = asyncio.get_running_loop().create_task(self._write(batch), name="writing the books")
        await asyncio.wait({writing}, timeout=PATIENCE)
        if writing.done() and writing.result():
            return True
        if not writing.done():
            log.warning("the books wait in the journal, for the database takes too long")
        self._away_until = self._monotonic() + AWAY_SECONDS
        return False

    async def _write(self, batch: Sequence[Entry]) -> bool:
        try:
            async with asyncio.timeout(STUCK):
                ledger = await self._open_ledger()
                await ledger.write(batch)
        except (ChatError, TimeoutError) as error:
            log.warning("the books wait in the journal, for the database is away: %s", error or "it hangs")
            return False
        return True

    async def _replay(self) -> None:
        """Put journals into the database, and remove those that are in it whole."""
        self._journal.close_file()
        for file in await asyncio.to_thread(self._journal.mine, self._is_alive):
            for chunk in self._journal.chunks(file):
                if not await self._written(chunk):
                    return
                if self._waiting:  # what comes new goes first
                    await self._put(away=False)
            await asyncio.to_thread(file.unlink, missing_ok=True)
        self._journalled = False


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
