"""An answer of the embedded model that may be calls of tools: first the choice is read whole, then the answer comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..core.events import (
    Batch,
    ChoiceFinished,
    Chunk,
    Event,
    Finished,
    Started,
    ToolCallDelta,
    UsageReported,
    batch_of,
)
from ..core.folding import Folder
from ..core.messages import ToolCall
from ..core.request import ChatRequest
from ..core.result import ChatResult
from ..core.stream import Source
from ..core.usage import Usage
from .local_tools import chosen


class ToolSource:
    """Reads the choice; if it is of tools they are the answer, else the model is asked for one in words."""

    def __init__(self, choice: Source, request: ChatRequest, *, answer: Callable[[], Awaitable[Source]]) -> None:
        """Begin.

        Args:
            choice: what the model answers to `choice_request`.
            request: what was asked.
            answer: asks for the answer in words.
        """
        self._source = choice
        self._request = request
        self._open_answer = answer
        self._folder: Folder | None = Folder()
        self._used: Usage | None = None
        """By the choice, once it is made."""

    async def read(self) -> Batch | None:
        """Wait for the next events; None when the answer was cut short.

        Raises:
            ChatError: as the engine's own answers.
        """
        while (folder := self._folder) is not None:
            batch = await self._source.read()
            if batch is None:
                return None
            folder.add(batch)
            if folder.finished:
                self._folder = None
                self._source.close()
                result = folder.result()
                logprobs = result.choices[0].logprobs
                calls = chosen(result.text, self._request, logprobs.content if logprobs is not None else None)
                if calls:
                    return batch_of(*_calls(result, calls))
                self._used = result.usage
                self._source = await self._open_answer()
        batch = await self._source.read()
        return batch if batch is None or self._used is None else tuple(map(self._with_choice, batch))

    def close(self) -> None:
        """Let go of whichever is open."""
        self._source.close()

    def _with_choice(self, chunk: Chunk) -> Chunk:
        """Count what the choice took with what the answer took."""
        if not any(isinstance(event, UsageReported) for event in chunk.events):
            return chunk
        return Chunk(tuple(self._added(event) for event in chunk.events))

    def _added(self, event: Event) -> Event:
        if isinstance(event, UsageReported) and self._used is not None:
            return replace(event, usage=self._used + event.usage)
        return event


def _calls(result: ChatResult, calls: tuple[ToolCall, ...]) -> list[Event]:
    """Write calls as a model that makes them itself would stream them."""
    events: list[Event] = [Started(id=result.id, model=result.model, created=result.created)]
    for index, call in enumerate(calls):
        events.append(ToolCallDelta(index=index, id=call.id, name=call.name, arguments=call.arguments, type="function"))
    events.append(ChoiceFinished("tool_calls"))
    if result.usage is not None:
        events.append(UsageReported(result.usage))
    return [*events, Finished()]
