"""Events, written as the chunks that a reader of a stream gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..core.errors import ServerFailed
from ..core.events import (
    ChoiceFinished,
    Chunk,
    Event,
    ExtraFields,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from .leniency import dumps_answer, reason_on_the_wire
from .messages import ARGUMENTS
from .shapes import told, with_extra, with_extra_within
from .usage import encode_usage


class ChunkEncoder:
    """Writes the chunks of one answer, as JSON without the framing of a stream. Notices are not part of it."""

    def __init__(self, *, include_usage: bool) -> None:
        """Begin an answer.

        Args:
            include_usage: whether the reader asked for usage: then it comes in a last chunk without choices, and all
                that are written before say that it is null.
        """
        self._include_usage = include_usage
        self._head: dict[str, Any] | None = None
        self._kinds: dict[tuple[int, int], str] = {}  # of the tool calls, which only their first pieces tell
        self._waiting: dict[str, Any] = {}  # fields of the reply, until there is a chunk to write them on

    def encode(self, chunk: Chunk) -> list[bytes]:
        """Give the bodies to send for a chunk, often none or one.

        Raises:
            ServerFailed: something in it cannot be written as JSON.
        """
        if chunk.raw is not None:
            if self._head is None:
                self._begin(chunk)
            return [chunk.raw]
        bodies: list[bytes] = []
        for event in chunk.events:
            write = self._WRITERS.get(type(event))
            body = None if write is None else write(self, event)
            if body is not None:
                bodies.append(dumps_answer(body))
        return bodies

    def _begin(self, chunk: Chunk) -> None:
        for event in chunk.events:
            if isinstance(event, Started):
                self._take_head(event)
                return

    def _take_head(self, event: Started) -> None:
        self._head = {
            "id": event.id,
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": event.model,
        }

    def _body(self, choices: list[dict[str, Any]], usage: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if self._head is None:
            raise ServerFailed("A piece of the answer came before its beginning; ask again.")
        body = {**self._head, "choices": choices}
        if self._include_usage:
            body["usage"] = usage
        if self._waiting:
            body, self._waiting = with_extra(body, self._waiting), {}
        return body

    def _delta(self, index: int, delta: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        return self._body([{"index": index, "delta": delta, "logprobs": None, "finish_reason": None, **fields}])

    def _started(self, event: Started) -> dict[str, Any]:
        self._take_head(event)
        self._waiting.update(event.extra)
        return self._delta(event.choice, {"role": event.role, "content": None})

    def _text(self, event: TextDelta) -> dict[str, Any]:
        if event.logprobs is None:
            return self._delta(event.choice, {"content": event.text})
        return self._delta(event.choice, {"content": event.text}, logprobs={"content": event.logprobs, "refusal": None})

    def _reasoning(self, event: ReasoningDelta) -> dict[str, Any]:
        return self._delta(event.choice, {"reasoning_content": event.text})

    def _refusal(self, event: RefusalDelta) -> dict[str, Any]:
        if event.logprobs is None:
            return self._delta(event.choice, {"refusal": event.text})
        return self._delta(event.choice, {"refusal": event.text}, logprobs={"content": None, "refusal": event.logprobs})

    def _call(self, event: ToolCallDelta) -> dict[str, Any]:
        call = event.choice, event.index
        if event.type is not None:
            self._kinds[call] = event.type
        kind = self._kinds.get(call, "function")
        called = told((("name", event.name), (ARGUMENTS.get(kind, "arguments"), event.arguments)))
        piece = told((("index", event.index), ("id", event.id), ("type", event.type), (kind, called)))
        return self._delta(event.choice, {"tool_calls": [with_extra_within(piece, event.extra, kind)]})

    def _extras(self, event: ExtraFields) -> dict[str, Any] | None:
        if event.place == "reply":
            self._waiting.update(event.fields)
            return None
        if event.place == "message":
            return self._delta(event.choice, event.fields)
        nested = {"logprobs": {"content": None, "refusal": None}} if "logprobs" in event.fields else {}
        body = self._delta(event.choice, {}, **nested)
        body["choices"] = [with_extra_within(body["choices"][0], event.fields, "logprobs")]
        return body

    def _choice_finished(self, event: ChoiceFinished) -> dict[str, Any]:
        return self._delta(event.choice, {}, **reason_on_the_wire(event.reason))

    def _usage(self, event: UsageReported) -> dict[str, Any] | None:
        return self._body([], encode_usage(event.usage)) if self._include_usage else None

    def _finished(self, _: Finished) -> dict[str, Any] | None:
        return self._body([]) if self._waiting else None

    _WRITERS: ClassVar[Mapping[type[Event], Callable[..., dict[str, Any] | None]]] = {
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
