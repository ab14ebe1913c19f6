"""Whether there still is somebody to work for: a client may leave, and the server may be told to stop."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Literal, Self

from starlette.types import Receive

WATCH_AFTER_SECONDS = 0.02
"""When the watch on the client begins: a task that an answer which is there already need not pay for."""


class Stopping(asyncio.Event):
    """Set when the server is to stop. Streams wait for it; whatever works in a `Presence` is cancelled."""

    def __init__(self) -> None:
        """Nobody is to stop yet."""
        super().__init__()
        self.present: set[Presence] = set()
        """What is being worked at."""

    def set(self) -> None:
        """Tell all."""
        super().set()
        for presence in tuple(self.present):
            presence.end("server")


class Presence:
    """Cancels the work in its `with` block when the client leaves or the server stops; `gone` says which.

    What is read of `receive` while it is open is lost, so the body comes before.
    """

    __slots__ = ("_cancels", "_receive", "_stopping", "_task", "_timer", "_watch", "gone")

    def __init__(self, receive: Receive, stopping: Stopping) -> None:
        """Watch nothing yet."""
        self._receive = receive
        self._stopping = stopping
        self.gone: Literal["client", "server"] | None = None
        """Who went, and thereby ended the work."""

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - coroutines run in tasks
        self._task, self._cancels = task, task.cancelling()
        self._watch: asyncio.Task[None] | None = None
        self._timer = task.get_loop().call_later(WATCH_AFTER_SECONDS, self._begin)
        self._stopping.present.add(self)
        if self._stopping.is_set():
            self.end("server")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        self._stopping.present.discard(self)
        if self.gone is None:
            return False
        # As `asyncio.timeout` does: a cancel that somebody else asked for is not ours to swallow.
        return self._task.uncancel() <= self._cancels and kind is asyncio.CancelledError

    def end(self, who: Literal["client", "server"]) -> None:
        """Cancel the work."""
        if self.gone is None:
            self.gone = who
            self._task.cancel()

    def _begin(self) -> None:
        self._watch = self._task.get_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self in self._stopping.present:  # else the answer is whole, which reads as a departure too
            self.end("client")
