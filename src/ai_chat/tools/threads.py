"""Threads that sync functions run in. One that hangs costs its thread, and holds up nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any

Outcome = tuple[Any, BaseException | None]
"""What a function gave, and what it raised."""


class TooManyHang(Exception):
    """So many functions run on, long after they were given up, that no more are begun."""


class Threads:
    """Runs functions in threads, a number of them at once; the others wait for their turn.

    The threads are daemons: the interpreter does not wait for them when it ends. Each ends as soon as nothing waits.
    """

    def __init__(self, *, most: int = 16, most_given_up: int = 32) -> None:
        """Start none yet.

        Args:
            most: functions that run at once, without those that were given up.
            most_given_up: functions that were given up and still run, up to which new ones are begun.
        """
        self._most = most
        self._most_given_up = most_given_up
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._running = 0
        self._given_up = 0

    async def run(self, function: Callable[[], Any]) -> Outcome:
        """Run a function in a thread, in the caller's context, and give what came of it.

        Whoever cancels this gives the function up: if it has begun it runs on, and what comes of it is lost.

        Raises:
            TooManyHang: it was not begun.
            RuntimeError: the system has no more threads.
        """
        job = _Job(function)
        with self._lock:
            if self._given_up >= self._most_given_up:
                raise TooManyHang
            self._waiting.append(job)
            try:
                self._start()
            except RuntimeError:  # the system has no more threads
                self._waiting.remove(job)
                raise
        try:
            return await job.outcome
        except asyncio.CancelledError:
            self._give_up(job)
            raise

    def _start(self) -> None:
        """Start a thread for what waits, if there may be one more; the lock is held."""
        if self._waiting and self._running < self._most:
            threading.Thread(target=self._work, name="ai-chat-tool", daemon=True).start()
            self._running += 1

    def _give_up(self, job: _Job) -> None:
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
            elif job.is_running:
                job.is_given_up = True
                self._given_up += 1
                self._running -= 1
                with suppress(RuntimeError):
                    self._start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            outcome = job.run()
            with self._lock:
                job.is_running = False
                if job.is_given_up:  # another thread has taken its place
                    self._given_up -= 1
                    return
            job.tell(outcome)
            del job, outcome  # an idle moment holds on to nothing

    def _next(self) -> _Job | None:
        with self._lock:
            if not self._waiting:
                self._running -= 1
                return None
            job = self._waiting.popleft()
            job.is_running = True
            return job


class _Job:
    """A function that shall run once, and the loop that waits for it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.is_running = False
        self.is_given_up = False
        self._function = function
        self._context: Context = copy_context()
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = self._loop.create_future()

    def run(self) -> Outcome:
        try:
            return self._context.run(self._function), None
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a tool ends the tool
            return None, error

    def tell(self, outcome: Outcome) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._settle, outcome)

    def _settle(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)
