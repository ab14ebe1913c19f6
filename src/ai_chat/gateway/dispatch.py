"""Layer 9: hands a call to the provider of its target, and meters what comes back."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from ..core.errors import ChatError, ConnectionFailed, UpstreamTimeout
from ..core.events import (
    Batch,
    Chunk,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from ..core.messages import Message
from ..core.ports import Provider, TokenCounter
from ..core.request import Attempt, Call, Timeouts
from ..core.stream import EventStream
from ..core.usage import Cost, Usage

COUNTED_CHARACTERS = 200_000
"""How much of a text is counted when a count must be made; what is longer is scaled up from its beginning, so that the
books never hold up the loop for more than some tens of milliseconds."""


class Route(Protocol):
    """Where a model's name leads."""

    @property
    def provider(self) -> Provider:
        """Who offers it."""
        ...

    @property
    def model(self) -> str:
        """The provider's own name for it."""
        ...

    @property
    def label(self) -> str:
        """`provider/model`, for people and books."""
        ...


Resolve = Callable[[str], Awaitable[Route]]
Learn = Callable[[str, str, int], None]
"""Takes a `provider/model`, a text that it wrote, and the tokens that its upstream reported for it."""
Price = Callable[[str, Usage, datetime], Cost]
"""USD of what was used at a `provider/model` at a moment; None is unknown."""


class Dispatch:
    """The innermost layer."""

    def __init__(
        self,
        resolve: Resolve,
        *,
        timeouts: Timeouts,
        counter: TokenCounter,
        price: Price | None = None,
        learn: Learn | None = None,
    ) -> None:
        """Know whom to ask.

        Args:
            resolve: finds the provider of a name.
            timeouts: the default time limits.
            counter: counts tokens that nobody reported.
            price: gives the USD of what an attempt used; without it no price is known.
            learn: told what an upstream reported for a text, so that later counts come closer. It must not wait.
        """
        self._resolve = resolve
        self._timeouts = timeouts
        self._counter = counter
        self._price = price
        self._learn = learn

    async def __call__(self, call: Call) -> EventStream:
        """Open the provider's stream.

        Raises:
            ChatError: the name leads nowhere, or the provider refused.
        """
        route = await self._resolve(call.request.model)
        attempt = Attempt(target=route.label, started=time.perf_counter())
        call.trail.attempts.append(attempt)
        call.trail.model_served = route.label
        try:
            source = await route.provider.open(call, route.model, call.timeouts or self._timeouts)
        except BaseException as error:
            attempt.ended = time.perf_counter()
            attempt.outcome = error.code if isinstance(error, ChatError) else "cancelled"
            if isinstance(error, ChatError) and not isinstance(error, (ConnectionFailed, UpstreamTimeout)):
                attempt.cost = Decimal(0)  # it was refused; one that was lost on the way may have been worked at
            raise
        stream = EventStream(source)
        meter = Meter(attempt, call, self._counter, self._price, self._learn)
        stream.map(meter)
        stream.on_close(meter.close)
        return stream


class Meter:
    """Times one attempt and knows its tokens: as reported, or counted where the upstream could not say."""

    __slots__ = ("_attempt", "_began", "_counter", "_learn", "_model", "_pieces", "_price", "_request")

    def __init__(
        self, attempt: Attempt, call: Call, counter: TokenCounter, price: Price | None, learn: Learn | None
    ) -> None:
        """Write into `attempt`."""
        self._learn = learn
        self._attempt = attempt
        self._began = call.trail.began
        self._request = call.request
        self._counter = counter
        self._model = attempt.target
        self._price = price
        self._pieces: list[str] = []

    def __call__(self, batch: Batch) -> Batch:
        """Look at a batch; a whole answer without usage gets it counted."""
        pieces = self._pieces
        for chunk in batch:
            for event in chunk.events:
                kind = type(event)
                if kind is TextDelta or kind is ReasoningDelta or kind is RefusalDelta:
                    pieces.append(event.text)  # type: ignore[union-attr]
                elif kind is ToolCallDelta:
                    pieces.append((event.name or "") + event.arguments)  # type: ignore[union-attr]
                elif kind is UsageReported:
                    self._attempt.usage = event.usage  # type: ignore[union-attr]
                elif kind is Finished and self._attempt.usage is None:
                    batch = self._with_count(batch)
        if self._attempt.first_token is None and self._request.stream and any(pieces):
            self._attempt.first_token = time.perf_counter()
        return batch

    def close(self, stream: EventStream) -> None:
        """Note how the attempt ended, and count what a cut answer used: the upstream bills it too."""
        attempt = self._attempt
        attempt.ended = time.perf_counter()
        attempt.outcome = stream.error.code if isinstance(stream.error, ChatError) else stream.upstream
        if attempt.usage is None:
            attempt.usage = self._count()
        elif self._learn is not None and stream.upstream == "finished" and _tells(attempt.usage):
            self._learn(attempt.target, "".join(self._pieces), attempt.usage.output_tokens)
        if self._price is not None:
            attempt.cost = self._price(attempt.target, attempt.usage, datetime.fromtimestamp(self._began, UTC))
        self._pieces = []

    def _with_count(self, batch: Batch) -> Batch:
        self._attempt.usage = usage = self._count()
        last = batch[-1]
        return (*batch[:-1], Chunk((*last.events[:-1], UsageReported(usage), Finished())))

    def _count(self) -> Usage:
        written = "".join(self._pieces)
        return Usage(
            input_tokens=self._count_prompt(),
            output_tokens=_scaled(written, lambda text: self._counter.text(text, self._model)),
            estimated=True,
        )

    def _count_prompt(self) -> int:
        messages = self._request.messages
        size = sum(len(message.text) for message in messages)
        if size <= COUNTED_CHARACTERS:
            request = self._request
            return self._counter.messages(
                messages, self._model, request.tools, request.tool_choice, extra=request.extra
            )
        joined = "".join(message.text for message in messages)
        return _scaled(joined, lambda text: self._counter.messages((Message(role="user", content=text),), self._model))


def _tells(usage: Usage) -> bool:
    """Say whether the output tokens are those of the text that came: thinking may not be shown, or only in part."""
    return not usage.estimated and not usage.reasoning_tokens


def _scaled(text: str, count: Callable[[str], int]) -> int:
    if len(text) <= COUNTED_CHARACTERS:
        return count(text) if text else 0
    return round(count(text[:COUNTED_CHARACTERS]) * len(text) / COUNTED_CHARACTERS)
