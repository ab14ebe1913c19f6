"""A long-lived event loop in a thread, and what passes between it and other threads: work, results, batches."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Generic, Self, TypeVar

from .core.errors import ClientMisused

T = TypeVar("T")

WAITING_BATCHES = 256
"""Batches read ahead of a slow reader; then the upstream waits too."""
CANCEL_SECONDS = 5.0
"""How long a cancelled piece of work may take to close its connections before it is left to its loop."""


class Job(Generic[T]):
    """One piece of work in one task on a loop in another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> None:
        """Start the work."""
        self._loop = loop
        self._task: asyncio.Task[T] | None = None
        self._done = threading.Event()
        loop.call_soon_threadsafe(self._start, work)

    def wait(self) -> T:
        """Wait for the work's result. An interrupt here cancels it there, and waits until it has let go.

        Raises:
            ClientMisused: the client was closed while the work was going on.
        """
        try:
            self._done.wait()
        except BaseException:
            self.cancel()
            raise
        if self._task is None or self._task.cancelled():
            raise ClientMisused("The client was closed while this call was going on.")
        return self._task.result()

    def cancel(self) -> None:
        """Cancel the work and wait until it is over."""
        if not self._done.is_set():
            self.drop()
            self._done.wait(CANCEL_SECONDS)

    def drop(self) -> None:
        """Cancel the work and do not wait."""
        if not self._done.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _start(self, work: Coroutine[Any, Any, T]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._over)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _over(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # whoever does not wait has said that it does not want to know
        self._done.set()


class LoopThread:
    """An event loop in a daemon thread, or a running one that belongs to somebody else."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Take over `loop`, which must run in another thread, or start one.

        Raises:
            ClientMisused: that loop does not run.
        """
        self._thread: threading.Thread | None = None
        self._closed = False
        if loop is None:
            loop = _new_loop()
            self._thread = threading.Thread(target=loop.run_forever, name="ai-chat", daemon=True)
            self._thread.start()
        elif not loop.is_running():
            raise ClientMisused("The loop that was handed over does not run; start it in a thread of its own first.")
        self.loop = loop

    def start(self, work: Coroutine[Any, Any, T]) -> Job[T]:
        """Begin `work` on the loop.

        Raises:
            ClientMisused: the client has been closed, or this is the loop's own thread, which would wait for itself.
        """
        sentence = None
        if self._closed:
            sentence = "This client has been closed; make another one."
        elif asyncio._get_running_loop() is self.loop:  # noqa: SLF001 - the public one raises where there is none
            sentence = "Chat would wait for its own loop here; use AsyncChat."
        if sentence is not None:
            work.close()
            raise ClientMisused(sentence)
        return Job(self.loop, work)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and wait for its result."""
        return self.start(work).wait()

    @property
    def closed(self) -> bool:
        """Whether nothing can be run any more."""
        return self._closed

    def stop(self, last: Coroutine[Any, Any, None]) -> None:
        """Run `last` and end the loop if it is our own, with all that still goes on there. Once is enough."""
        if self._closed:
            last.close()
            return
        try:
            self.run(last)
        finally:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is not None:
                Job(self.loop, _cancel_the_others()).wait()
                self.loop.call_soon_threadsafe(self.loop.stop)
                thread.join()
                self.loop.close()


async def _cancel_the_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=CANCEL_SECONDS) if others else None


class Pipe(Generic[T]):
    """Batches, or other things, on their way from the loop's thread to another, a bounded number at a time."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._queue: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._room: asyncio.Event | None = None

    async def pump(self, things: AsyncIterator[T]) -> None:
        """Read all of an answer in one task: pumping it wait by wait would break cancel scopes."""
        try:
            async for batch in things:
                self._queue.put(batch)
                if self._queue.qsize() >= WAITING_BATCHES:
                    self._room = asyncio.Event()
                    if self._queue.qsize() >= WAITING_BATCHES:  # looked at again: the reader may have been quicker
                        await self._room.wait()
                    self._room = None
        finally:
            self._queue.put(None)

    def get(self, loop: asyncio.AbstractEventLoop) -> T | None:
        """Wait for the next batch; None at the end, each time it is asked for."""
        batch = self._queue.get()
        if batch is None:
            self._queue.put(None)
        elif (room := self._room) is not None and self._queue.qsize() < WAITING_BATCHES // 2:
            loop.call_soon_threadsafe(room.set)
        return batch


class Reading(Generic[T]):
    """What is being made on the loop, read in another thread."""

    def __init__(
        self, thread: LoopThread, things: AsyncIterator[T], leave: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Read nothing yet: the first wait does.

        Args:
            thread: where it is being made.
            things: gives it.
            leave: has it stopped, on the loop.
        """
        self._thread = thread
        self._things = things
        self._leave = leave
        self._pipe = Pipe[T]()
        self._job: Job[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Whoever breaks out of a loop and drops the answer has left it. It must not go on at his cost.
        job: Job[None] | None = getattr(self, "_job", None)
        if job is not None:
            job.drop()

    def close(self) -> None:
        """Leave: the upstream is closed at once."""
        if self._job is not None:
            self._job.cancel()
        if not self._thread.closed:
            self._thread.run(self._leave())

    def next_thing(self) -> T | None:
        """Wait for the next thing; None at the end."""
        if self._job is None:
            self._job = self._thread.start(self._pipe.pump(self._things))
        try:
            thing = self._pipe.get(self._thread.loop)
        except BaseException:
            self._job.cancel()
            raise
        if thing is None:
            self._job.wait()
        return thing


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
