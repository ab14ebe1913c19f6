"""What a conversation is made of: roles, parts, tool calls, messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .errors import BadRequest
from .sources import Source
from .usage import NOTHING

Role = Literal["developer", "system", "user", "assistant", "tool", "function"]
"""Who speaks. `function` is the form of `tool` that was used before 2023-11 and is only read."""

ROLES: tuple[Role, ...] = ("developer", "system", "user", "assistant", "tool", "function")
INSTRUCTIONS = frozenset({"system", "developer"})
"""Roles whose text governs the answer and is kept whatever else is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A piece of text inside a message."""

    text: str
    extra: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """A picture, by address or as a `data:` URL."""

    url: str
    detail: str | None = None
    """`low`, `high` or `auto`; it decides what the picture costs in tokens."""
    extra: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPart:
    """Any other kind of part (`input_audio`, `file`, `refusal`, …), carried as it came."""

    type: str
    data: Mapping[str, Any]
    """The whole part, its `type` included."""


Part = TextPart | ImagePart | OtherPart


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model's wish to have a tool run."""

    id: str
    name: str
    arguments: str
    """JSON text exactly as the model wrote it (free text for `custom` tools): it may be malformed."""
    type: Literal["function", "custom"] = "function"
    extra: Mapping[str, Any] = NOTHING

    @property
    def told(self) -> Mapping[str, Any]:
        """Which tool is called and with what, as every face tells it in JSON."""
        return {"id": self.id, "name": self.name, "arguments": self.arguments}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str | tuple[Part, ...] | None = None
    name: str | None = None
    """Which of several speakers of one role this is."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """On a `tool` message: the call that this is the result of."""
    refusal: str | None = None
    """The model's words when it declined to answer in the asked form."""
    reasoning: str | None = None
    """The model's thinking, where the upstream shows it."""
    extra: Mapping[str, Any] = NOTHING
    """Fields of the wire's message that are not named here (`audio`, `annotations`, …), as they came."""

    @property
    def text(self) -> str:
        """All text of the message, parts joined by nothing."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What came of a tool call, as the model reads it, with how it went."""

    call_id: str
    name: str
    content: str
    seconds: float = 0.0
    """How long it took."""
    error: str | None = None
    """Why there is no proper result, as a code (`core.tools`); `content` says it in words. None if there is one."""
    sources: tuple[Source, ...] = ()
    """Passages that it found, which an answer may cite."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What came of the call, as every face tells it in JSON; `error` is null if it went well."""
        return {
            "id": self.call_id,
            "name": self.name,
            "content": self.content,
            "error": self.error,
            "ms": round(self.seconds * 1000, 1),
            **({"sources": [source.told for source in self.sources]} if self.sources else {}),
        }

    @property
    def message(self) -> Message:
        """The message that answers the call."""
        content = self.content if self.error is None else f"{FAILED}{self.content}"
        return Message(role="tool", content=content, tool_call_id=self.call_id)

    @property
    def remembered(self) -> Message:
        """The message by which later questions know of it: passages are named only, and can be searched for again."""
        if not self.sources:
            return self.message
        names = "; ".join(source.label for source in self.sources)
        return Message(role="tool", content=f"Found: {names}", tool_call_id=self.call_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One round on the way to an answer: the tools a model called at once, and what came of them."""

    message: Message
    results: tuple[ToolResult, ...] = ()
    """Of the calls that have ended, in the order of the calls."""

    @property
    def pairs(self) -> tuple[tuple[ToolCall, ToolResult | None], ...]:
        """Each call with what came of it; None if it was stopped before it ended."""
        ended = {result.call_id: result for result in self.results}
        return tuple((call, ended.get(call.id)) for call in self.message.tool_calls)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The round as it is sent back: the calls, and a result for each of them."""
        return self._with(lambda result: result.message)

    @property
    def remembered(self) -> tuple[Message, ...]:
        """The round as it is sent with later questions."""
        return self._with(lambda result: result.remembered)

    def _with(self, told: Callable[[ToolResult], Message]) -> tuple[Message, ...]:
        return (
            self.message,
            *(
                Message(role="tool", content=UNANSWERED, tool_call_id=call.id) if result is None else told(result)
                for call, result in self.pairs
            ),
        )


def found_in(steps: Iterable[Step]) -> tuple[Source, ...]:
    """Give the passages that were found in steps, each once, by their numbers."""
    found = {source.number: source for step in steps for result in step.results for source in result.sources}
    return tuple(found[number] for number in sorted(found))


FAILED = "Error: "
"""In front of what a model is told of a call that failed; small ones do not see it otherwise."""
UNANSWERED = "This call was stopped before it ended."


def check_order(messages: Sequence[Message]) -> None:
    """Check that every tool result answers an open call and every call is answered.

    The rule is the API's: an assistant message with `tool_calls` is followed at once by one `tool` message for each of
    its ids, in any order, before anybody else speaks. A history may end on calls that are not answered yet only when
    the answers are what the caller is about to add, which a request is not.

    Raises:
        BadRequest: names the first message at fault.
    """
    waiting: dict[str, int] = {}
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                raise BadRequest(
                    f"messages[{index}] is a tool result for {message.tool_call_id!r}, but no assistant message right "
                    "before it made that call; keep each result directly behind its call.",
                    param=f"messages[{index}].tool_call_id",
                )
            del waiting[message.tool_call_id]
            continue
        _refuse_unanswered(waiting)
        waiting = {call.id: index for call in message.tool_calls}
    _refuse_unanswered(waiting)


def _refuse_unanswered(waiting: Mapping[str, int]) -> None:
    if waiting:
        call_id, index = next(iter(waiting.items()))
        raise BadRequest(
            f"messages[{index}] calls a tool as {call_id!r} and no tool message with that tool_call_id follows; "
            "add its result or leave the call out.",
            param=f"messages[{index}].tool_calls",
        )
