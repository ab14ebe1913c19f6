"""What a model's answer is made of while it comes.

Grammar of one answer, per choice and then for the whole:

    Started  (TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | ExtraFields | Notice)*  ChoiceFinished
    UsageReported?  Finished

Choices of one answer may interleave. A `Notice` and the `ExtraFields` of the reply belong to none of them and may stand
anywhere behind the first `Started`. Nothing follows `Finished`.

Where tools are run for the model (`chat.tool_loop`) an answer has several rounds, and each but the last ends with
`ToolStarted` and `ToolEnded` in place of its endings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from .messages import ToolCall, ToolResult
from .usage import NOTHING, Usage


@dataclass(frozen=True, slots=True)
class Started:
    """A choice begins. The head of the answer (`id`, `model`, `created`) stands on each, alike."""

    id: str
    model: str
    created: int
    """Unix seconds."""
    choice: int = 0
    role: str = "assistant"
    extra: Mapping[str, Any] = NOTHING
    """`system_fingerprint`, `service_tier` and whatever else the first chunk's top level holds."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer."""

    text: str
    choice: int = 0
    logprobs: tuple[Mapping[str, Any], ...] | None = None
    """One entry per token, as the API writes them under `logprobs.content`."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's thinking."""

    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """More of the model's words of refusal."""

    text: str
    choice: int = 0
    logprobs: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call: `id` and `name` come once, `arguments` in pieces."""

    index: int
    """Which call of the choice."""
    arguments: str = ""
    id: str | None = None
    name: str | None = None
    type: str | None = None
    choice: int = 0
    extra: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True)
class ExtraFields:
    """Fields nobody here knows, kept so that they survive the way through."""

    place: Literal["reply", "choice", "message"]
    fields: Mapping[str, Any]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell the reader that is not the answer: a model loading, a wait before a retry."""

    kind: str
    """`loading`, `download`, `queued`, `retry`, `window`, …: the key of the text in the reader's language."""
    text: str
    """One English sentence."""
    data: Mapping[str, Any] = NOTHING
    """Numbers that the sentence holds, such as `seconds` or `done` and `total`."""


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool that the model called is being run for it, on this side."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """What came of it."""

    result: ToolResult


@dataclass(frozen=True, slots=True)
class ChoiceFinished:
    """A choice is complete."""

    reason: str
    """`stop`, `length`, `tool_calls`, `content_filter`, `function_call`, or an upstream's own word."""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class UsageReported:
    """The tokens of the whole answer."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole: the upstream said so itself."""


Delta = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta
Event = Started | Delta | ExtraFields | Notice | ToolStarted | ToolEnded | ChoiceFinished | UsageReported | Finished


class Chunk(NamedTuple):
    """The events of one frame. A layer that changes one makes a new chunk, and a new chunk has no `raw`."""

    events: tuple[Event, ...]
    raw: bytes | None = None
    """The frame's JSON as the upstream wrote it, passed on as it is while nobody changed it."""


Batch = tuple[Chunk, ...]
"""What one network read brought. It may be empty."""


def batch_of(*events: Event) -> Batch:
    """Make a batch of one chunk that was never on a wire."""
    return (Chunk(events),)


def events_of(batch: Batch) -> Iterator[Event]:
    """All events of a batch, in order."""
    return (event for chunk in batch for event in chunk.events)


def rewritten(batch: Batch, read: Callable[[Event], Iterable[Event]]) -> Batch:
    """Give a batch in which `read` has put other events in place of each; a chunk it leaves alone stays as it is."""
    chunks: list[Chunk] = []
    for chunk in batch:
        events = tuple(made for event in chunk.events for made in read(event))
        if events == chunk.events:
            chunks.append(chunk)
        elif events:
            chunks.append(Chunk(events))
    return tuple(chunks)


def is_content(event: Event) -> bool:
    """Whether the event carries any of the answer: after the first of these there is no way back to a retry."""
    if isinstance(event, (TextDelta, ReasoningDelta, RefusalDelta)):
        return event.text != ""
    return isinstance(event, ToolCallDelta)


def has_finished(batch: Batch) -> bool:
    """Whether the answer is whole with this batch. `Finished` is always the last event."""
    events = batch[-1].events if batch else ()
    return type(events[-1]) is Finished if events else False
