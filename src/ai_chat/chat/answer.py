"""One call as its asker holds it: events while they come, the whole answer behind them, a report of how it went."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from ..core.conversations import SHORTEST_TIMED
from ..core.events import Batch, Event, TextDelta, events_of
from ..core.folding import Folder
from ..core.ports import Handler
from ..core.request import Call, Trail
from ..core.result import CallReport, ChatResult
from ..core.stream import EventStream


class Answer:
    """An answer that is being made. Iterate it for its events, then read `result`.

    Use it in `async with`; leaving the block early ends the call at the upstream at once, and `result` then holds the
    part that came.
    """

    def __init__(self, handler: Handler, call: Call, *, on_end: Callable[[Answer], None] | None = None) -> None:
        """Ask nothing yet: the first wait does."""
        self._handler = handler
        self._on_end = on_end
        self._stream: EventStream | None = None
        self._folder = Folder()
        self._pending: deque[Event] = deque()
        self._ended = False
        self.call = call
        self.error: BaseException | None = None
        """What ended the answer before it was whole."""

    async def batches(self) -> AsyncIterator[Batch]:
        """Give the events as they arrived, several at once; the fastest way to read.

        Raises:
            ChatError: the call failed, or the answer broke off.
        """
        while (batch := await self._next()) is not None:
            yield batch

    async def texts(self) -> AsyncIterator[str]:
        """Give only the first choice's text, piece by piece."""
        async for batch in self.batches():
            for event in events_of(batch):
                if type(event) is TextDelta and event.text and event.choice == 0:
                    yield event.text

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._pending:
            batch = await self._next()
            if batch is None:
                raise StopAsyncIteration
            self._pending.extend(events_of(batch))
        return self._pending.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            await self._stream.__aexit__(kind, error, trace)  # it tells a cancelled reader from one who left
        self._end(None)

    async def aclose(self) -> None:
        """Leave: the upstream is closed at once."""
        if self._stream is not None:
            await self._stream.aclose()
        self._end(None)

    def __del__(self) -> None:
        # Whoever breaks out of a loop and drops the answer has left it: what came joins its session.
        if not getattr(self, "_ended", True):
            self._stream = None
            self._end(None)

    @property
    def whole(self) -> bool:
        """Whether the answer came to its own end."""
        return self._folder.finished

    @property
    def result(self) -> ChatResult:
        """The answer so far, with a report of how the call went once it has ended.

        Raises:
            StreamBroken: nothing has come.
        """
        result = self._folder.result()
        trail = self.call.trail
        return replace(result, usage=result.usage or trail.usage, report=report(trail) if self._ended else None)

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has come."""
        return any(self._folder.texts) or self._folder.finished

    async def _next(self) -> Batch | None:
        if self._ended:
            return None
        try:
            if self._stream is None:
                self._stream = await self._handler(self.call)
            batch = await anext(self._stream, None)
        except BaseException as error:
            self._end(error)
            raise
        if batch is None:
            self._end(None)
            return None
        self._folder.add(batch)
        if self._folder.finished:
            self._end(None)
        return batch

    def _end(self, error: BaseException | None) -> None:
        if self._ended:
            return
        self._ended = True
        self.error = error
        if self._on_end is not None:
            self._on_end(self)


async def complete(answer: Answer) -> ChatResult:
    """Read an answer to its end.

    Raises:
        ChatError: the call failed, or the answer broke off.
    """
    async with answer:
        async for _ in answer.batches():
            pass
        return answer.result


def report(trail: Trail) -> CallReport:
    """Sum a trail up for its asker."""
    ended = trail.ended or trail.started
    first, usage = trail.first_token, trail.usage
    speed = None
    last = trail.attempts[-1] if trail.attempts else None
    if last is not None and last.first_token is not None and usage is not None:
        seconds = (last.ended or ended) - last.first_token
        tokens = last.usage.output_tokens if last.usage else 0
        speed = tokens / seconds if seconds > SHORTEST_TIMED and tokens > 1 else None
    return CallReport(
        trace_id=trail.trace_id,
        tries=len(trail.attempts),
        first_token=first,
        total=ended - trail.started,
        tokens_per_second=speed,
        cost=trail.cost,
        model_served=trail.model_served,
    )
