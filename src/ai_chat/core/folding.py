"""The way between an answer and the events it is made of: `fold` one way, `unfold` the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from .errors import StreamBroken
from .events import (
    Batch,
    ChoiceFinished,
    Event,
    ExtraFields,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
    events_of,
)
from .messages import Message, Role, ToolCall
from .result import ChatResult, Choice, Logprobs
from .stream import EventStream
from .usage import NOTHING, Usage


class _ChoiceParts:
    """One choice while its pieces come in."""

    def __init__(self, started: Started) -> None:
        self.role = started.role
        self.text: list[str] | None = None
        self.reasoning: list[str] | None = None
        self.refusal: list[str] | None = None
        self.text_logprobs: list[Mapping[str, Any]] | None = None
        self.refusal_logprobs: list[Mapping[str, Any]] | None = None
        self.calls: dict[int, list[ToolCallDelta]] = {}
        self.finish_reason: str | None = None
        self.message_extra: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}

    def choice(self, index: int) -> Choice:
        logprobs = None
        if self.text_logprobs is not None or self.refusal_logprobs is not None:
            logprobs = Logprobs(content=_frozen(self.text_logprobs), refusal=_frozen(self.refusal_logprobs))
        message = Message(
            role=_role(self.role),
            content=_joined(self.text),
            reasoning=_joined(self.reasoning),
            refusal=_joined(self.refusal),
            tool_calls=tuple(_tool_call(self.calls[key]) for key in sorted(self.calls)),
            extra=self.message_extra or NOTHING,
        )
        reason = self.finish_reason or ("tool_calls" if self.calls else "stop")
        return Choice(
            index=index, message=message, finish_reason=reason, logprobs=logprobs, extra=self.extra or NOTHING
        )


class Folder:
    """Gathers events into a result; `add` as they come, then `result`."""

    def __init__(self) -> None:
        self._head: Started | None = None
        self._extra: dict[str, Any] = {}
        self._choices: dict[int, _ChoiceParts] = {}
        self.usage: Usage | None = None
        """The usage reported so far."""
        self.finished = False
        """Whether the answer is whole."""

    def add(self, batch: Batch) -> None:
        """Take a batch in."""
        for event in events_of(batch):
            handler = self._HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)

    def result(self) -> ChatResult:
        """Give the answer; what has not come is missing from it, and a choice without an end says `stop`.

        Raises:
            StreamBroken: nothing has come at all.
        """
        if self._head is None:
            raise StreamBroken("The answer ended before it began.")
        return ChatResult(
            id=self._head.id,
            model=self._head.model,
            created=self._head.created,
            choices=tuple(self._choices[index].choice(index) for index in sorted(self._choices)),
            usage=self.usage,
            extra=self._extra or NOTHING,
        )

    @property
    def texts(self) -> list[str]:
        """All the model has written so far, per choice: text, reasoning, refusal and tool calls."""
        written = []
        for parts in self._choices.values():
            pieces = [*(parts.reasoning or ()), *(parts.text or ()), *(parts.refusal or ())]
            for deltas in parts.calls.values():
                pieces += [(delta.name or "") + delta.arguments for delta in deltas]
            written.append("".join(pieces))
        return written

    def _parts(self, choice: int) -> _ChoiceParts:
        parts = self._choices.get(choice)
        if parts is None:
            raise StreamBroken(f"The upstream sent a piece of choice {choice} before that choice began.")
        return parts

    def _started(self, event: Started) -> None:
        if self._head is None:
            self._head = event
        if event.extra:
            self._extra.update(event.extra)
        self._choices.setdefault(event.choice, _ChoiceParts(event))

    def _text(self, event: TextDelta) -> None:
        parts = self._parts(event.choice)
        if parts.text is None:
            parts.text = []
        parts.text.append(event.text)
        if event.logprobs is not None:
            parts.text_logprobs = _extended(parts.text_logprobs, event.logprobs)

    def _reasoning(self, event: ReasoningDelta) -> None:
        parts = self._parts(event.choice)
        if parts.reasoning is None:
            parts.reasoning = []
        parts.reasoning.append(event.text)

    def _refusal(self, event: RefusalDelta) -> None:
        parts = self._parts(event.choice)
        if parts.refusal is None:
            parts.refusal = []
        parts.refusal.append(event.text)
        if event.logprobs is not None:
            parts.refusal_logprobs = _extended(parts.refusal_logprobs, event.logprobs)

    def _call(self, event: ToolCallDelta) -> None:
        self._parts(event.choice).calls.setdefault(event.index, []).append(event)

    def _extras(self, event: ExtraFields) -> None:
        if event.place == "reply":
            _merge(self._extra, event.fields)
        elif event.place == "choice":
            _merge(self._parts(event.choice).extra, event.fields)
        else:
            _merge(self._parts(event.choice).message_extra, event.fields)

    def _choice_finished(self, event: ChoiceFinished) -> None:
        self._parts(event.choice).finish_reason = event.reason

    def _usage(self, event: UsageReported) -> None:
        self.usage = event.usage

    def _finished(self, _: Finished) -> None:
        self.finished = True

    _HANDLERS: ClassVar[Mapping[type, Callable[..., None]]] = {
        Started: _started,
        TextDelta: _text,
        ReasoningDelta: _reasoning,
        RefusalDelta: _refusal,
        ToolCallDelta: _call,
        ExtraFields: _extras,
        ChoiceFinished: _choice_finished,
        UsageReported: _usage,
        Finished: _finished,
    }


async def fold(stream: EventStream) -> ChatResult:
    """Read a stream to its end and give the whole answer.

    Raises:
        ChatError: whatever ended the stream before it was whole.
    """
    folder = Folder()
    async with stream:
        async for batch in stream:
            folder.add(batch)
    return folder.result()


def unfold(result: ChatResult) -> tuple[Event, ...]:
    """Give the events that fold to this result, in the order of the grammar."""
    events: list[Event] = []
    for choice in result.choices:
        events.extend(_unfold_choice(result, choice))
    if result.usage is not None:
        events.append(UsageReported(result.usage))
    events.append(Finished())
    return tuple(events)


def _unfold_choice(result: ChatResult, choice: Choice) -> Iterable[Event]:
    index, message = choice.index, choice.message
    logprobs = choice.logprobs or Logprobs()
    yield Started(result.id, result.model, result.created, index, message.role, result.extra)
    if message.reasoning is not None:
        yield ReasoningDelta(message.reasoning, index)
    if message.content is not None:
        yield TextDelta(message.text, index, logprobs.content)
    if message.refusal is not None:
        yield RefusalDelta(message.refusal, index, logprobs.refusal)
    for number, call in enumerate(message.tool_calls):
        yield ToolCallDelta(number, call.arguments, call.id, call.name, call.type, index, call.extra)
    if message.extra:
        yield ExtraFields("message", message.extra, index)
    if choice.extra:
        yield ExtraFields("choice", choice.extra, index)
    yield ChoiceFinished(choice.finish_reason, index)


def _joined(pieces: list[str] | None) -> str | None:
    return None if pieces is None else "".join(pieces)


def _extended(items: list[Mapping[str, Any]] | None, more: tuple[Mapping[str, Any], ...]) -> list[Mapping[str, Any]]:
    items = [] if items is None else items
    items.extend(more)
    return items


def _frozen(items: list[Mapping[str, Any]] | None) -> tuple[Mapping[str, Any], ...] | None:
    return None if items is None else tuple(items)


def _role(role: str) -> Role:
    return "assistant" if role != "tool" else "tool"


def _tool_call(deltas: list[ToolCallDelta]) -> ToolCall:
    extra: dict[str, Any] = {}
    for delta in deltas:
        extra.update(delta.extra)
    return ToolCall(
        id=next((delta.id for delta in deltas if delta.id), ""),
        name=next((delta.name for delta in deltas if delta.name), ""),
        arguments="".join(delta.arguments for delta in deltas),
        type="custom" if any(delta.type == "custom" for delta in deltas) else "function",
        extra=extra or NOTHING,
    )


def _merge(into: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Add fields of a later piece: lists grow, everything else is replaced."""
    for key, value in fields.items():
        old = into.get(key)
        into[key] = [*old, *value] if isinstance(old, list) and isinstance(value, list) else value
