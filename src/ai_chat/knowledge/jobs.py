"""Ingests that go on in the background, one after the other, and how far they have come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Literal

from ..core.errors import ChatError, NotFound, Unavailable
from ..core.knowledge import Outcome, Progress

log = logging.getLogger("ai_chat.knowledge")

MOST_WAITING = 100
"""Jobs that wait or run; a further one is refused."""
MOST_KEPT = 100
"""Ended ones that can still be asked for."""


class Job:
    """One ingest. Its progress may be read from any thread, all else belongs to its loop."""

    def __init__(self, progress: Progress, on_end: Callable[[], None] | None = None) -> None:
        """Begin with nothing done; `on_end` is called once when it has ended, unless the program ends under it."""
        self._progress = progress
        self._changed = asyncio.Event()
        """Set with the next change, and replaced then."""
        self._task: asyncio.Task[None] | None = None
        self._left = False
        self._on_end = on_end

    @property
    def id(self) -> str:
        """Its name."""
        return self._progress.id

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    async def news(self, seen: Progress) -> Progress:
        """Wait until there is another progress than the one that was seen, or until it has ended."""
        while self._progress is seen and seen.state == "running":
            await self._changed.wait()
        return self._progress

    def expect(self, files: int, left_out: int = 0) -> None:
        """Note how many files there are, and how many nobody here reads."""
        self._note(files=files, left_out=left_out)

    def begin(self, name: str) -> None:
        """Note what is worked on."""
        self._note(current=name, chunks_done=0, chunks=0)

    def tell(self, done: int, chunks: int) -> None:
        """Note how far it has come."""
        self._note(chunks_done=done, chunks=chunks)

    def done(self, outcome: Outcome) -> None:
        """Note what became of it."""
        self._note(outcomes=(*self._progress.outcomes, outcome), current=None, chunks_done=0, chunks=0)

    def cancel(self) -> None:
        """Have it end; what is done stays done, what is being done is undone."""
        if self._task is not None:
            self._task.cancel()

    def leave(self) -> None:
        """Have it end because the program does: what it has not done is still wanted."""
        self._left = True
        self.cancel()

    async def over(self) -> Progress:
        """Wait for its end."""
        if self._task is not None:
            await asyncio.wait([self._task])
        return self.progress

    def start(self, work: Callable[[Job], AsyncIterator[None]], turn: asyncio.Lock) -> None:
        """Work in the background, when it is this one's turn."""
        self._task = asyncio.get_running_loop().create_task(self._run(work, turn), name=f"ingest {self.id}")
        # One that is cancelled before its first step never runs; its end is told all the same.
        self._task.add_done_callback(self._ended)

    async def _run(self, work: Callable[[Job], AsyncIterator[None]], turn: asyncio.Lock) -> None:
        try:
            async with turn:
                async for _ in work(self):
                    await asyncio.sleep(0)
        except ChatError as error:
            self._note(state="failed", error=error.message)
        except Exception:
            log.exception("an ingest failed over a fault of ours")
            fault = "It failed over a fault of this program; what was added by then is there."
            self._note(state="failed", error=fault)
        else:
            self._note(state="finished")

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._note(state="cancelled")
        self._note(current=None)
        if self._on_end is not None and not self._left:
            self._on_end()

    def _note(self, **changes: Any) -> None:
        self._progress = replace(self._progress, **changes)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Jobs:
    """All ingests of a process. They stand in line: two at once would only take each other's processor."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        """Nothing runs yet."""
        self._new_id = new_id
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()

    def start(
        self,
        kind: Literal["add", "reindex"],
        collection: str | None,
        work: Callable[[Job], AsyncIterator[None]],
        on_end: Callable[[], None] | None = None,
    ) -> Job:
        """Begin an ingest.

        Args:
            kind: what it does.
            collection: where.
            work: does it, giving nothing after each file.
            on_end: called once when it has ended, unless the program ends under it.

        Raises:
            Unavailable: too many wait already.
        """
        self.check_room()
        job = Job(Progress(id=self._new_id(), kind=kind, collection=collection), on_end)
        self._jobs[job.id] = job
        ended = [one.id for one in self._jobs.values() if one.progress.state != "running"]
        for name in ended[: max(0, len(ended) - MOST_KEPT)]:
            del self._jobs[name]
        job.start(work, self._turn)
        return job

    def check_room(self) -> None:
        """Check that another may begin.

        Raises:
            Unavailable: too many wait already.
        """
        if sum(one.progress.state == "running" for one in self._jobs.values()) >= MOST_WAITING:
            raise Unavailable(f"{MOST_WAITING} ingests wait already; add more when some have ended.", retry_after=10.0)

    def all(self) -> list[Progress]:
        """Give those that go on or have ended lately, the newest first. Any thread may ask."""
        return [job.progress for job in reversed(tuple(self._jobs.values()))]

    def get(self, job: str) -> Job:
        """Give one.

        Raises:
            NotFound: there is none of that name.
        """
        found = self._jobs.get(job)
        if found is None:
            raise NotFound(f"There is no ingest {job[:80]!r}; its id is the one that adding gave.", param="job")
        return found

    async def aclose(self) -> None:
        """End all of them."""
        running = [job for job in self._jobs.values() if job.progress.state == "running"]
        for job in running:
            job.leave()
        for job in running:
            await job.over()
