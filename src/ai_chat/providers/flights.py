"""Work that several callers wait for and that is done once: fetching a file, loading a model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ..core.errors import Unavailable
from ..core.events import Notice

Result = TypeVar("Result")
Tell = Callable[[Notice], None]
Work = Callable[[Tell], Coroutine[Any, Any, Result]]

log = logging.getLogger("ai_chat.providers")


class _Flight(Generic[Result]):
    def __init__(self, work: Work[Result], key: str) -> None:
        self._listeners: list[Tell] = []
        self._last: Notice | None = None
        self.leaving = False
        self.task = asyncio.create_task(work(self._tell), name=key)

    def enter(self, listener: Tell) -> None:
        """Have `listener` told from now on, and what was told last."""
        self._listeners.append(listener)
        if self._last is not None:
            _told(listener, self._last)

    def leave(self, listener: Tell) -> None:
        """Tell `listener` no more. Work that nobody waits for is given up."""
        self._listeners.remove(listener)
        if not self._listeners and not self.task.done():
            self.leaving = True
            self.task.cancel()

    def _tell(self, notice: Notice) -> None:
        self._last = notice
        for listener in tuple(self._listeners):
            _told(listener, notice)


class Flights(Generic[Result]):
    """At most one piece of work per key. One caller who leaves does not end it for the others; the last one does."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._flights: dict[str, _Flight[Result]] = {}
        self._closed = False

    async def join(self, key: str, tell: Tell, work: Work[Result]) -> Result:
        """Wait for the work of that key, which is begun if it is not under way.

        Args:
            key: what is done; of two works with the same key only the first is begun.
            tell: hears the notices of the work, and at once the last one if it began before.
            work: does it, given whom to tell.

        Raises:
            Unavailable: we are closing.
            Exception: whatever the work raises, to everyone who waits.
        """
        while (flight := self._flights.get(key)) is not None and flight.leaving:
            await asyncio.wait([flight.task])  # what was given up must have ended before it begins anew
        if self._closed:
            raise closing()
        if flight is None:
            flight = self._flights[key] = _Flight(work, key)
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        flight.enter(tell)
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled() and self._closed:
                raise closing() from None
            raise
        finally:
            flight.leave(tell)

    async def aclose(self) -> None:
        """Give everything up and wait until it has ended."""
        self._closed = True
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _landed(self, key: str, task: asyncio.Task[Result]) -> None:
        del self._flights[key]
        with suppress(asyncio.CancelledError):
            task.exception()  # those who waited have it; if none does, nobody asks for it


def _told(listener: Tell, notice: Notice) -> None:
    try:
        listener(notice)
    except Exception:  # what one caller does with a notice is no reason to fail the others
        log.exception("a reader of notices failed")


def closing() -> Unavailable:
    """Give the error of a call that comes too late."""
    return Unavailable("The embedded model is being shut down with the app; start the app again to use it.")
