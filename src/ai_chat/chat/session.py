"""Several turns with one model: what was said is sent along, as much of it as fits."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..core.errors import BadRequest
from ..core.events import Notice
from ..core.messages import Message, Step, ToolCall
from ..core.ports import Handler
from ..core.request import Call, ChatRequest
from ..core.result import ChatResult
from ..core.usage import NOTHING
from .answer import Answer, complete
from .counting import Counts
from .tool_loop import ToolAnswer, ToolUse, next_request
from .window import fit

ANSWER_ROOM = 1024
"""Tokens of the window kept free for an answer whose length nobody bounded; never more than a quarter of it."""
COUNT_MARGIN = 0.95
"""Share of a window that is filled where the count is an estimate."""

MakeCall = Callable[..., Call]
"""`(request, on_notice, *, conversation, run, purpose) -> Call`; all but the first may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """What every session of a house shares."""

    handler: Handler
    make_call: MakeCall
    counts: Counts
    window_of: Callable[[str], int | None]
    """Tokens of a model's window; None where nobody knows, and then nothing is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How large a conversation is."""

    messages: int
    turns: int
    """Questions."""
    tokens: int
    """What all of it takes of a prompt, as the model counts or as near as we can."""
    window: int | None
    """Tokens that the model's window holds; None if nobody knows."""

    @property
    def share(self) -> float | None:
        """How much of the window it fills: 1 is all of it."""
        return None if self.window is None else self.tokens / self.window


def numbers_of(messages: Sequence[Message], parts: SessionParts, model: str) -> Numbers:
    """Give the numbers of a conversation with a model.

    Raises:
        ChatError: the model's name means nothing here.
    """
    return Numbers(
        messages=len(messages),
        turns=sum(message.role == "user" for message in messages),
        tokens=parts.counts.total(messages, model),
        window=parts.window_of(model),
    )


class Session:
    """A conversation in memory. One question at a time."""

    def __init__(
        self,
        parts: SessionParts,
        template: ChatRequest,
        messages: Sequence[Message] = (),
        *,
        system: str | None = None,
        tools: ToolUse | None = None,
    ) -> None:
        """Begin.

        Args:
            parts: what the house hands over.
            template: a request whose model and parameters each turn takes; its messages are not used.
            messages: what was said before, oldest first.
            system: instructions in front of everything.
            tools: what the model may call; it is run here, and the answer goes on with what came of it.
        """
        self._tools = tools
        self._parts = parts
        self._template = template
        self._system = (Message(role="system", content=system),) if system else ()
        self._messages: list[Message] = list(messages)
        self._running: weakref.ref[Answer] | None = None  # an answer that its asker dropped is not being made

    @property
    def messages(self) -> tuple[Message, ...]:
        """What has been said, the system prompt included."""
        return (*self._system, *self._messages)

    @property
    def numbers(self) -> Numbers:
        """How large it is: messages, turns, tokens, and their share of the model's window."""
        return numbers_of(self.messages, self._parts, self._template.model)

    def clear(self) -> None:
        """Forget what has been said; the system prompt stays."""
        self._messages.clear()

    def stream(self, text: str, *, on_notice: Callable[[Notice], None] | None = None) -> Answer:
        """Ask, and give the answer as it comes. Question and answer join the session when the answer ends.

        An answer that was left early or broke off joins as far as it came; if nothing came, neither does the question.

        Raises:
            BadRequest: the last answer is still being made.
            ContextTooLong: the question alone does not fit the model's window.
        """
        return self._ask(text, on_notice, stream=True)

    async def complete(self, text: str, *, on_notice: Callable[[Notice], None] | None = None) -> ChatResult:
        """Ask, and give the whole answer; see `stream`.

        Raises:
            ChatError: see the tree in `ai_chat.core.errors`.
        """
        return await complete(self._ask(text, on_notice, stream=False))

    def _ask(self, text: str, on_notice: Callable[[Notice], None] | None, *, stream: bool) -> Answer:
        if self._running is not None and self._running() is not None:
            raise BadRequest("This session is still answering; wait for it, or open another session.")
        if not isinstance(text, str):
            raise BadRequest(f"The question is {type(text).__name__}, and must be a string.", param="messages")
        question = Message(role="user", content=text)
        asked = replace(self._template, messages=(*self.messages, question), stream=stream)
        make = partial(self._call, asked, on_notice)
        ended = partial(self._ended, question)
        answer = (
            Answer(self._parts.handler, make((), final=False), on_end=ended)
            if self._tools is None
            else ToolAnswer(self._parts.handler, make, self._tools, first=self._first(text), on_end=ended)
        )
        self._running = weakref.ref(answer)
        return answer

    def _first(self, text: str) -> tuple[ToolCall, ...]:
        """Give the calls that are made before the model is asked this."""
        grounding = self._tools.grounding if self._tools is not None else None
        if grounding is None:
            return ()
        grounding.sources.begin()
        return grounding.first(text, self._messages)

    def _request_for(self, text: str) -> tuple[ChatRequest, Notice | None]:
        """Give the request that asks this, as much of what was said with it as fits, and what there is to tell of that.

        Raises:
            ContextTooLong: the question alone does not fit the model's window.
        """
        window, notice = self._window((*self.messages, Message(role="user", content=text)))
        return replace(self._template, messages=window), notice

    def _call(
        self,
        request: ChatRequest,
        on_notice: Callable[[Notice], None] | None,
        steps: Sequence[Step],
        *,
        final: bool,
    ) -> Call:
        """Make a call for the question, behind these steps if tools have been run for it."""
        if self._tools is not None:
            request = next_request(request, self._tools.box, steps, final=final)
        window, notice = self._window(request.messages)
        call = self._parts.make_call(replace(request, messages=window), on_notice)
        if notice is not None and not steps:
            call.notify(notice)
        return call

    def _ended(self, question: Message, answer: Answer) -> None:
        self._running = None
        if answer.has_begun:
            result = answer.result
            done = [as_history(message) for step in result.steps for message in step.remembered]
            self._messages += [question, *done, as_history(result.message)]

    def _window(self, messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], Notice | None]:
        model = self._template.model
        budget = room_for(self._parts, self._template)
        if budget is None:
            return messages, None
        if sum(4 * len(message.text) + 64 for message in messages) <= budget:
            return messages, None  # no text has more tokens than bytes: nothing to count
        window = fit(messages, budget, self._parts.counts.of(model))
        if not window.turns_left_out:
            return window.messages, None
        left_out: Mapping[str, Any] = {"turns": window.turns_left_out}
        sentence = f"The {window.turns_left_out} oldest turns no longer fit the model's window and were not sent."
        return window.messages, Notice("window", sentence, left_out)


def room_for(parts: SessionParts, template: ChatRequest) -> int | None:
    """Give the tokens of a model's window that what was said may fill; None if nobody knows its window."""
    size = parts.window_of(template.model)
    if size is None:
        return None
    answer = min(template.max_tokens or ANSWER_ROOM, size // 4)
    return int((size - answer) * COUNT_MARGIN)


def as_history(message: Message) -> Message:
    """Give an answer as it is sent back with the next question.

    What only an answer holds (thinking, annotations) stays behind: several upstreams refuse to be told it. An answer
    that was stopped before its first word is an empty text, which every upstream takes.
    """
    content = message.content if message.content is not None or message.tool_calls else ""
    return replace(message, content=content, reasoning=None, extra=NOTHING)
