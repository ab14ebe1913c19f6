"""Answers in pieces: the chunks of an upstream, read as events. `ChunkEncoder` writes them for a reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from ..core.errors import ServerFailed
from ..core.events import (
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
from ..core.messages import ROLES
from ..core.usage import NOTHING, Usage
from .choice_state import ChoiceState
from .chunk_encoder import ChunkEncoder
from .failures import decode_error_in_answer
from .leniency import FINISH_REASONS, arguments_text, loads, seconds, texts_of_parts, without_nulls
from .shapes import unknown
from .usage import decode_usage

__all__ = ["ChunkDecoder", "ChunkEncoder"]

_REPLY_FIELDS = frozenset({"id", "object", "created", "model", "choices", "usage", "obfuscation", "error"})
_CHOICE_FIELDS = frozenset({"index", "delta", "finish_reason", "logprobs", "usage"})
_TEXT_FIELDS = frozenset({"content", "reasoning_content", "reasoning", "refusal"})
_DELTA_FIELDS = _TEXT_FIELDS | {"role", "tool_calls", "function_call"}
_LOGPROBS_FIELDS = frozenset({"content", "refusal"})
_NO_NULLS = ("tool_calls", "function_call", "audio")
"""Fields of a delta that the schema has no null for."""
_MAX_CHOICES = 128
_MAX_PATTERNS = 12
_NEVER = b"\xff"
"""What no JSON begins with."""
_PROBE = "\0"
_STRING = rb'("(?:[^"\\]|\\.)*")'
_TEXTS = {
    TextDelta: re.compile(rb'"content":\s*' + _STRING),
    ReasoningDelta: re.compile(rb'"reasoning(?:_content)?":\s*' + _STRING),
    ToolCallDelta: re.compile(rb'"arguments":\s*' + _STRING),
}
"""Where the text of an event stands in its chunk."""


class ChunkDecoder:
    """Reads the chunks of one answer.

    `Chunk.raw` is kept only where it may be passed on as it is: the fields that the schema requires are there, nothing
    had to be put right in reading, and it holds no usage, which is held back until the end.

    Fields that nobody here knows stand on `Started` if they come before it, and else become `ExtraFields`; one that is
    repeated in every chunk is told once. Pieces of the old `function_call` are told as one such field of the message.
    What comes for a choice that has ended is dropped.
    """

    def __init__(self, choices: int = 1) -> None:
        """Begin an answer; `choices` is how many were asked for, and without all of them it is not whole."""
        self._expected = choices
        self._head: tuple[str, str, int] | None = None
        self._extra: dict[str, Any] = {}
        self._choices: dict[int, ChoiceState] = {}
        self._usage: Usage | None = None
        self._sound = True  # whether the chunk at hand was JSON
        self._fit = True  # whether the chunk at hand may be passed on as it is
        # Most chunks differ from the one before in their text alone. What stood around that text is kept, and a chunk
        # that begins and ends alike needs no parsing: see `_learn`.
        self._before = self._after = _NEVER
        self._between = slice(0)
        self._event: Callable[[str], Event] = TextDelta
        self._passes = True
        self._patterns_left = _MAX_PATTERNS

    def decode(self, data: bytes) -> Chunk:
        """Read the JSON of one chunk.

        Raises:
            ChatError: the chunk holds an error.
            ServerFailed: it is no chunk.
        """
        if data.startswith(self._before) and data.endswith(self._after):
            try:
                text = orjson.loads(data[self._between])
            except orjson.JSONDecodeError:
                text = None
            if text and type(text) is str:
                return Chunk((self._event(text),), data if self._passes else None)
        self._before = _NEVER
        events = self._read(data)
        if len(events) == 1 and self._patterns_left and self._sound:
            self._learn(data, events[0])
        return Chunk(tuple(events), data if self._fit else None)

    @property
    def finished(self) -> bool:
        """Whether every choice that was asked for has ended, with or without `[DONE]`."""
        return len(self._choices) >= self._expected and all(choice.finished for choice in self._choices.values())

    def finish(self, *, done: bool) -> Chunk | None:
        """Give what stands behind the last chunk; None if the answer is not whole.

        Args:
            done: whether the upstream said itself that it is, by `[DONE]`. If the connection merely ended, every
                choice that was asked for must have ended before.
        """
        if not self._choices or not (done or self.finished):
            return None
        open_choices = [choice for choice in self._choices.values() if not choice.finished]
        events: list[Event] = []
        for choice in open_choices:
            events += choice.end("tool_calls" if choice.calls else "stop")
        if self._usage is not None:
            events.append(UsageReported(self._usage))
        return Chunk((*events, Finished()))

    def _learn(self, data: bytes, event: Event) -> None:
        """Keep what stands around a chunk's text, if a chunk with another text there, read the long way, is alike.

        An upstream whose chunks differ in more than their text is given up on after a while.
        """
        if isinstance(event, (TextDelta, ReasoningDelta)):
            text = event.text
            make: Callable[[str], Event] = partial(type(event), choice=event.choice)
        elif isinstance(event, ToolCallDelta):
            text, make = event.arguments, partial(ToolCallDelta, event.index, choice=event.choice)
        else:
            return
        self._patterns_left -= 1
        found = list(_TEXTS[type(event)].finditer(data))
        if len(found) != 1 or orjson.loads(found[0][1]) != text:
            return
        before, after = data[: found[0].start(1)], data[found[0].end(1) :]
        if self._read(before + orjson.dumps(_PROBE) + after) == [make(_PROBE)]:
            self._before, self._after, self._between = before, after, slice(len(before), -len(after))
            self._event, self._passes = make, self._fit

    def _read(self, data: bytes) -> list[Event]:
        frame, self._sound = loads(data, "A piece of the answer")
        choices = frame.get("choices")
        if choices is None or "error" in frame:
            error = decode_error_in_answer(frame)
            if error is not None:
                raise error
        self._fit = self._sound and _is_complete(frame)
        events: list[Event] = []
        self._take_usage(frame.get("usage"))
        self._take_reply_fields(frame, events)
        for position, item in enumerate(_list(choices, "choices")):
            if not isinstance(item, dict):
                raise ServerFailed(f"Choice {position} of a piece of the answer is no object; ask again.")
            self._take_choice(item, position, frame, events)
        return events

    def _take_usage(self, value: object) -> None:
        if value is not None:
            self._fit = False
            self._usage = decode_usage(value) or self._usage

    def _take_reply_fields(self, frame: Mapping[str, Any], events: list[Event]) -> None:
        told = self._extra
        new = {
            key: value
            for key, value in frame.items()
            if key not in _REPLY_FIELDS and (key not in told or told[key] != value)
        }
        if new:
            new = dict(without_nulls(new))
            told.update(new)
            if new and self._head is not None:
                events.append(ExtraFields("reply", new))

    def _take_choice(
        self, item: Mapping[str, Any], position: int, frame: Mapping[str, Any], events: list[Event]
    ) -> None:
        index, delta, reason = item.get("index"), item.get("delta"), item.get("finish_reason", "")
        if type(index) is not int:
            index, self._fit = position, False
        if not isinstance(delta, dict):
            delta, self._fit = {}, False
        choice = self._choices.get(index)
        if choice is None:
            choice = self._start(index, delta, frame, events)
        elif choice.finished:
            self._fit = False
            return
        self._take_texts(choice, delta, item.get("logprobs"), events)
        if not delta.keys() <= _TEXT_FIELDS:
            self._take_other_fields(choice, delta, events)
        if not item.keys() <= _CHOICE_FIELDS:
            self._tell("choice", choice, unknown(item, _CHOICE_FIELDS), events)
        self._take_usage(item.get("usage"))  # where Moonshot puts it
        if reason:
            events += choice.end(str(reason))
        if reason is not None and str(reason) not in FINISH_REASONS:
            self._fit = False

    def _start(
        self, index: int, delta: Mapping[str, Any], frame: Mapping[str, Any], events: list[Event]
    ) -> ChoiceState:
        if self._head is None:
            self._head = _text(frame.get("id")), _text(frame.get("model")), seconds(frame.get("created"))
        if len(self._choices) == _MAX_CHOICES:
            raise ServerFailed(f"The answer holds more than {_MAX_CHOICES} choices; ask again.")
        choice = self._choices[index] = ChoiceState(index, self._head[0])
        events.append(Started(*self._head, index, _role(delta), dict(self._extra) or NOTHING))
        return choice

    def _take_texts(self, choice: ChoiceState, delta: Mapping[str, Any], logprobs: object, events: list[Event]) -> None:
        of_text = of_refusal = None
        if isinstance(logprobs, dict):
            of_text, of_refusal = _entries(logprobs.get("content")), _entries(logprobs.get("refusal"))
            self._fit = self._fit and logprobs.keys() >= _LOGPROBS_FIELDS
            rest = unknown(logprobs, _LOGPROBS_FIELDS)
            if rest:
                self._tell("choice", choice, {"logprobs": rest}, events)
        text, thought, refusal = delta.get("content"), delta.get("reasoning_content"), delta.get("refusal")
        if not thought and "reasoning" in delta:
            thought = delta["reasoning"]
        if isinstance(text, list):
            self._fit = False
            text, thinking = texts_of_parts(text)
            thought = thought or thinking
        if choice.speaks(ReasoningDelta, thought, None):
            events.append(ReasoningDelta(_text(thought), choice.index))
        if choice.speaks(TextDelta, text, of_text):
            events.append(TextDelta(_text(text), choice.index, of_text))
        if choice.speaks(RefusalDelta, refusal, of_refusal):
            events.append(RefusalDelta(_text(refusal), choice.index, of_refusal))

    def _take_other_fields(self, choice: ChoiceState, delta: Mapping[str, Any], events: list[Event]) -> None:
        if any(delta.get(name, "") is None for name in _NO_NULLS) or _role(delta) != delta.get("role", "assistant"):
            self._fit = False
        for piece in _list(delta.get("tool_calls"), "tool_calls"):
            event, plain = choice.calls.read(piece)
            self._fit = self._fit and plain
            events.append(event)
        function_call = delta.get("function_call")
        if isinstance(function_call, dict):
            self._fit = False  # its pieces become one field at the end
            gathered = choice.function_call
            gathered["name"] = gathered.get("name") or _text(function_call.get("name"))
            gathered["arguments"] = gathered.get("arguments", "") + arguments_text(function_call.get("arguments"))
        self._tell("message", choice, without_nulls(unknown(delta, _DELTA_FIELDS)), events)

    def _tell(self, place: Any, choice: ChoiceState, fields: Mapping[str, Any], events: list[Event]) -> None:
        """Tell of unknown fields; of one that says the same again, only if it is a list, since lists add up."""
        told, new = choice.told, {}
        for key, value in fields.items():
            name = f"{place}.{key}"
            if name not in told or told[name] != value or isinstance(value, list):
                new[key] = told[name] = value
        if new:
            events.append(ExtraFields(place, new, choice.index))


def _is_complete(frame: Mapping[str, Any]) -> bool:
    """Whether a chunk's top level is as the schema has it."""
    return (
        type(frame.get("id")) is str
        and frame.get("object") == "chat.completion.chunk"
        and type(frame.get("created")) is int
        and type(frame.get("model")) is str
        and frame.get("choices") is not None
        and frame.get("system_fingerprint", "") is not None
    )


def _list(value: object, name: str) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    raise ServerFailed(f"The field {name} of a piece of the answer is no array; ask again, or ask another model.")


def _entries(value: object) -> tuple[Mapping[str, Any], ...] | None:
    return tuple(value) if isinstance(value, list) else None


def _role(delta: Mapping[str, Any]) -> str:
    role = _text(delta.get("role"))
    return role if role in ROLES else "assistant"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
