"""Layer 1: sees every call to its end, however it ends, and leaves one line about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..core.errors import ChatError
from ..core.ports import Handler
from ..core.request import Call, Trail
from ..core.stream import EventStream

LogLine = Callable[[Mapping[str, Any]], None]
"""Takes one line's fields. It must not wait, and it may drop the line."""
Book = Callable[[Call], None]
"""Takes a call that has ended into the books. It must not wait, and it loses nothing."""


class Observe:
    """Closes the trail of each call, books and logs it. Texts of people and models are in neither."""

    def __init__(self, inner: Handler, *, log: LogLine | None = None, book: Book | None = None) -> None:
        """Wrap the layers below; without `log` and `book` the trail is closed all the same."""
        self._inner = inner
        self._log = log
        self._book = book

    async def __call__(self, call: Call) -> EventStream:
        """Pass the call on."""
        try:
            stream = await self._inner(call)
        except BaseException as error:
            self._close(call, _outcome_of(error), error)
            raise
        stream.on_close(partial(self._stream_closed, call))
        return stream

    def _stream_closed(self, call: Call, stream: EventStream) -> None:
        outcome = _outcome_of(stream.error) if stream.end == "failed" and stream.error else stream.end
        self._close(call, outcome, stream.error)

    def _close(self, call: Call, outcome: str, error: BaseException | None) -> None:
        trail = call.trail
        trail.ended = time.perf_counter()
        trail.outcome = outcome
        if self._book is not None:
            self._book(call)
        if self._log is not None:
            self._log(_line(call, trail, error))


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, ChatError):
        return error.code
    return "internal_error" if isinstance(error, Exception) else "cancelled"


def _line(call: Call, trail: Trail, error: BaseException | None) -> dict[str, Any]:
    usage, first = trail.usage, trail.first_token
    line: dict[str, Any] = {
        "event": "chat",
        "trace_id": trail.trace_id,
        "caller": call.caller.name,
        "model": call.request.model,
        "served": trail.model_served,
        "stream": call.request.stream,
        "outcome": trail.outcome,
        "tries": len(trail.attempts),
        "total_ms": _ms((trail.ended or trail.started) - trail.started),
        "first_token_ms": None if first is None else _ms(first),
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "estimated": usage and usage.estimated,
        "cost_usd": None if trail.cost is None else str(trail.cost),
        **trail.notes,
    }
    if isinstance(error, ChatError):
        line["error"] = error.message
    elif isinstance(error, Exception):
        line["error"] = type(error).__name__  # the text of a foreign error may hold anything
    return line


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
