"""The one shape of an answer on its way up: a stream of batches with one reader.

The rules it keeps, each because a simpler one failed:

* A layer that acts only before or after a call hands the inner stream on as it is; one that looks at events registers a
  synchronous `map`. There is no frame per event and layer.
* `peek` reads ahead and puts back; what was put back remembers how many maps it has passed, so that a map registered
  later still sees it and an earlier one does not see it twice.
* A source that ends before `Finished` is an error. So is nothing else.
* How the upstream ended and how the reader ended are two facts.
* Whoever leaves, however, the source is closed at once and every callback runs once, innermost first.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal, Protocol, Self

from .errors import StreamBroken
from .events import Batch, Event, events_of, has_finished

log = logging.getLogger("ai_chat.stream")

Ending = Literal["open", "finished", "failed", "cut", "abandoned", "cancelled"]
"""`finished`: whole. `failed`: an error. `cut`: we closed it. `abandoned`: the reader left. `cancelled`: its task."""

Map = Callable[[Batch], Batch]
OnClose = Callable[["EventStream"], None]

ENDED_EARLY = "The answer ended before it was whole; ask again to get all of it."


class Source(Protocol):
    """Where batches come from."""

    async def read(self) -> Batch | None:
        """Wait for the next batch; None when the connection has ended."""
        ...

    def close(self) -> None:
        """Let go of everything at once. It may be called at any time and any number of times."""
        ...


class EventStream:
    """Batches of one answer, for one reader. Iterate it, and close it (or use `async with`) when leaving early."""

    __slots__ = ("__weakref__", "_callbacks", "_maps", "_queue", "_reading", "_source", "end", "error", "upstream")

    def __init__(self, source: Source) -> None:
        """Read from `source`, which the stream owns from now on."""
        self._source = source
        self._maps: list[Map] = []
        self._queue: deque[tuple[Batch, int]] = deque()
        self._callbacks: list[OnClose] | None = []
        self._reading = False
        self.upstream: Ending = "open"
        """How the source ended: what metering, breaker and cache go by."""
        self.end: Ending = "open"
        """How the reader ended."""
        self.error: BaseException | None = None
        """What went wrong, when either ending is `failed`."""

    def map(self, fn: Map) -> None:
        """Have `fn` look at every batch the reader has not got yet. It must not wait; it returns what goes on."""
        self._maps.append(fn)

    def on_close(self, callback: OnClose) -> None:
        """Call `callback` with this stream once when it ends, in whatever way; at once if it has. It must not wait.

        A callback that held the stream itself would keep alive one that its reader has merely let go of.
        """
        if self._callbacks is None:
            self._tell(callback)
        else:
            self._callbacks.append(callback)

    def push_back(self, batches: Iterable[Batch]) -> None:
        """Put batches in front again; the maps registered so far have seen them."""
        passed = len(self._maps)
        self._queue.extendleft((batch, passed) for batch in reversed(list(batches)))

    async def peek(self, until: Callable[[Event], bool]) -> tuple[Batch, ...]:
        """Read ahead up to the batch that holds an event of that kind, or the last one, and put all of it back.

        Raises:
            ChatError: what reading raises; the stream is closed then.
        """
        ahead: list[tuple[Batch, int]] = []
        while (batch := await self._next()) is not None:
            ahead.append((batch, len(self._maps)))  # another map may be registered while the next one is awaited
            if has_finished(batch) or any(until(event) for event in events_of(batch)):
                break
        self._queue.extendleft(reversed(ahead))
        return tuple(batch for batch, _ in ahead)

    def cut(self) -> None:
        """Close the source now and drop what it sent ahead. The map that calls this returns the last batch itself."""
        self._queue.clear()
        self._source_ended("cut")

    async def aclose(self) -> None:
        """Leave. To stop a stream that another task is reading, cancel that task instead.

        Raises:
            RuntimeError: another task is reading.
        """
        if self._reading:
            raise RuntimeError("another task reads this stream: cancel that task, it closes the stream on its way out")
        self._close("abandoned")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while (batch := await self._next()) is not None:
            if batch:
                if has_finished(batch):
                    self._close("finished")
                return batch
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A cancel meets the reader here as often as in a read, and is the same fact in both places.
        left = kind is None or issubclass(kind, (Exception, GeneratorExit))
        self._close("abandoned" if left else "cancelled")

    def __del__(self) -> None:
        # A reader that simply breaks out of its loop drops the last reference: the upstream must not go on at its cost.
        if getattr(self, "_callbacks", None) is not None:
            self._close("abandoned")

    async def _next(self) -> Batch | None:
        """Give the next batch through all its maps; None when the stream is over."""
        if self._reading:
            raise RuntimeError("this stream has one reader, and it is reading")
        self._reading = True
        try:
            if self._queue:
                batch, passed = self._queue.popleft()
            elif self.end != "open":
                return None
            else:
                batch = self._received(await self._source.read() if self.upstream == "open" else None)
                passed = 0
            while passed < len(self._maps):  # a map that is registered meanwhile included
                batch = self._maps[passed](batch)
                passed += 1
        except BaseException as error:
            self._fail(error)
            if isinstance(error, StopAsyncIteration):  # to the reader it would be the end of a whole answer
                raise StreamBroken(ENDED_EARLY) from error
            raise
        finally:
            self._reading = False
        return batch

    def _received(self, batch: Batch | None) -> Batch:
        if batch is None:
            raise StreamBroken(ENDED_EARLY)
        if has_finished(batch):
            self._source_ended("finished")
        return batch

    def _source_ended(self, how: Ending) -> None:
        if self.upstream == "open":
            self.upstream = how
            try:
                self._source.close()
            except Exception:  # whoever must be told is told all the same
                log.exception("the source of a stream could not be closed")

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self.error = error
            self._close("failed")
        else:
            self._close("cancelled")

    def _close(self, how: Ending) -> None:
        callbacks, self._callbacks = self._callbacks, None
        if callbacks is None:
            return
        self.end = how
        self._queue.clear()
        self._maps.clear()  # one that cuts knows this stream: a circle that only the garbage collector would undo
        self._source_ended("cut" if how == "finished" else how)  # a map may end the answer where the source has not
        for callback in callbacks:
            self._tell(callback)

    def _tell(self, callback: OnClose) -> None:
        try:
            callback(self)
        except Exception:  # whoever keeps the books must not be the reason that an answer is lost
            log.exception("a callback at the end of a stream failed")
