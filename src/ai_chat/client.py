"""The client library: ask a model, whole or as it comes, once or in a session."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self, TypeVar, overload

from .assembly import Services
from .chat.answer import Answer, complete
from .chat.grounding import check_collections, sources_of
from .chat.record import Record
from .chat.session import Session
from .chat.structured import ATTEMPTS, Parsed, ParseStream, StructuredParts, parse
from .chat.tool_loop import ToolAnswer, next_request
from .chat.toolboxes import tool_use
from .core.errors import BadRequest, ClientMisused
from .core.events import Notice
from .core.messages import Message, Step
from .core.ports import Handler
from .core.request import Call, ChatRequest, Timeouts
from .core.result import ChatResult
from .core.sources import Source
from .wire.defaults import with_defaults
from .wire.requests import decode_message, decode_request, encode_message
from .wire.shapes import dumps

__all__ = [
    "Answer",
    "AsyncChat",
    "OnNotice",
    "ParseStream",
    "Parsed",
    "Prompt",
    "Record",
    "Session",
    "check_collections",
    "sources_of",
]

T = TypeVar("T")

Prompt = str | Sequence[Message | Mapping[str, Any]]
"""A question, or a list of messages as values or as OpenAI writes them."""
OnNotice = Callable[[Notice], None]


class AsyncChat:
    """Asks models. Every call passes the same pipeline as the app's and the gateway's.

    >>> async def hello() -> str:
    ...     async with AsyncChat(model="local") as chat:
    ...         return (await chat.complete("Say hello")).text
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        handler: Handler | None = None,
        services: Services | None = None,
        **settings: Any,
    ) -> None:
        """Open nothing yet.

        Args:
            model: `provider/model`, an alias, or `local`; None takes what the settings say, and `local` if they say
                nothing and hold no key.
            handler: answers the calls instead of a pipeline made from the settings: a `Scripted` double in tests.
            services: a house that is open already; it stays open when this closes.
            settings: any setting by its name, before the environment.

        Raises:
            SettingsError: a setting cannot be used.
        """
        self._model = model
        self._owned = services is None
        self._closed = False
        self._services = services if services is not None else Services.open(handler=handler, **settings)

    async def complete(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        **parameters: Any,
    ) -> ChatResult:
        """Ask, and give the whole answer.

        Args:
            prompt: the question, or messages.
            model: another model than this client's.
            system: instructions in front of the messages.
            on_notice: told what happens before the answer: a download, a wait.
            timeouts: time limits of this call.
            parameters: any parameter of Chat Completions by its own name; unknown ones pass through to the upstream.
                With functions as `tools` they are run for the model until it has its answer, and `confirm` (an async
                function that is given the call) says whether one with side effects may run; `react=True` is for models
                that know no tools and only write. `collections` are names of collections of documents (`*` for all)
                that are searched first: the answer cites them as `[1]`, and `ChatResult.cited` has the passages.

        Raises:
            ChatError: see the tree in `ai_chat.core.errors`.
        """
        return await complete(self._answer(prompt, model, system, on_notice, timeouts, parameters))

    def stream(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        **parameters: Any,
    ) -> Answer:
        """Ask, and give the answer as it comes; use it in `async with`. Arguments and errors as for `complete`."""
        return self._answer(prompt, model, system, on_notice, timeouts, {**parameters, "stream": True})

    @overload
    async def parse(self, form: type[T], prompt: Prompt, **options: Any) -> Parsed[T]: ...
    @overload
    async def parse(self, form: Any, prompt: Prompt, **options: Any) -> Parsed[Any]: ...
    async def parse(
        self,
        form: Any,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        attempts: int = ATTEMPTS,
        **parameters: Any,
    ) -> Parsed[Any]:
        """Ask for a value of a type, and give it with what it took. Other arguments as for `complete`.

        Args:
            form: a pydantic model, a dataclass or any other type that pydantic knows; or a JSON Schema.
            prompt: the question, or messages.
            attempts: answers that are asked for at most. A wrong one is sent back with what is wrong with it.

        Raises:
            OutputInvalid: none of them was of that form; `OutputCut` and `OutputRefused` say so of their kinds.
            ChatError: see the tree in `ai_chat.core.errors`.
        """
        request = self.request(prompt, model=model, system=system, **parameters)
        return await parse(self._structured(timeouts), request, form, attempts=attempts, on_notice=on_notice)

    @overload
    def parse_stream(self, form: type[T], prompt: Prompt, **options: Any) -> ParseStream[T]: ...
    @overload
    def parse_stream(self, form: Any, prompt: Prompt, **options: Any) -> ParseStream[Any]: ...
    def parse_stream(
        self,
        form: Any,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        attempts: int = ATTEMPTS,
        **parameters: Any,
    ) -> ParseStream[Any]:
        """Ask for a value of a type, and give it as it comes. Arguments and errors as for `parse`."""
        request = self.request(prompt, model=model, system=system, **{**parameters, "stream": True})
        return ParseStream(self._structured(timeouts), request, form, attempts=attempts, on_notice=on_notice)

    def session(
        self,
        *,
        model: str | None = None,
        system: str | None = None,
        messages: Sequence[Message | Mapping[str, Any]] = (),
        booked_under: str | None = None,
        sources: Sequence[Source] = (),
        **parameters: Any,
    ) -> Session:
        """Begin a conversation that remembers, from `messages` on if there are any. Arguments as for `complete`.

        With `booked_under` the books name its calls as those of that conversation, and `sources` are passages that
        its earlier answers have found.
        """
        parameters, tools = tool_use(parameters, partial(self._services.searching, model or self._model), sources)
        template = self.request("-", model=model, **parameters)
        history = [_message(message, index) for index, message in enumerate(messages)]
        parts = self._services.session_parts
        if booked_under is not None:
            parts = replace(parts, make_call=partial(parts.make_call, conversation=booked_under))
        return Session(parts, template, history, system=system, tools=tools)

    def request(
        self, prompt: Prompt, *, model: str | None = None, system: str | None = None, **parameters: Any
    ) -> ChatRequest:
        """Make the request that a call with these arguments sends, checked by the same rules as one from the wire.

        Raises:
            BadRequest: names the argument, its value and what would do.
        """
        messages = [{"role": "system", "content": system}] if system else []
        messages += _messages(prompt)
        fields = {"model": model or self._model or "default", "messages": messages, **parameters}
        for name, value in parameters.items():
            if isinstance(value, float) and not math.isfinite(value):  # JSON would turn it into null without a word
                raise BadRequest(f"{name} is {value}, and must be a finite number.", param=name)
        try:
            body = dumps(fields)
        except TypeError as error:
            raise BadRequest(f"The arguments cannot be written as JSON: {error}.") from error
        return with_defaults(decode_request(body), self._services.default_parameters)

    async def aclose(self) -> None:
        """Let go of connections and of the embedded model, if they are this client's own. Once is enough."""
        closed, self._closed = self._closed, True
        if self._owned and not closed:
            await self._services.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _answer(
        self,
        prompt: Prompt,
        model: str | None,
        system: str | None,
        on_notice: OnNotice | None,
        timeouts: Timeouts | None,
        parameters: Mapping[str, Any],
    ) -> Answer:
        fields, tools = tool_use(parameters, partial(self._services.searching, model or self._model))
        request = self.request(prompt, model=model, system=system, **fields)
        if tools is None:
            return Answer(self._services.handler, self._call(request, on_notice, timeouts))

        def ask(steps: Sequence[Step], *, final: bool) -> Call:
            return self._call(next_request(request, tools.box, steps, final=final), on_notice, timeouts)

        question, history = request.messages[-1].text, request.messages[:-1]
        first = () if tools.grounding is None else tools.grounding.first(question, history)
        return ToolAnswer(self._services.handler, ask, tools, first=first)

    def _structured(self, timeouts: Timeouts | None) -> StructuredParts:
        return replace(self._services.structured_parts, make_call=partial(self._call, timeouts=timeouts))

    def _call(
        self, request: ChatRequest, on_notice: OnNotice | None, timeouts: Timeouts | None, *, purpose: str = "chat"
    ) -> Call:
        if self._closed:
            raise ClientMisused("This client has been closed; make another one.")
        call = self._services.make_call(request, on_notice, purpose=purpose)
        call.timeouts = timeouts
        return call


def _messages(prompt: object) -> list[Any]:
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    if isinstance(prompt, (bytes, Mapping)) or not isinstance(prompt, Sequence):
        kind = type(prompt).__name__
        raise BadRequest(f"The prompt is {kind}, and must be a string or a list of messages.", param="messages")
    return [encode_message(message) if isinstance(message, Message) else message for message in prompt]


def _message(message: Message | Mapping[str, Any], index: int) -> Message:
    return message if isinstance(message, Message) else decode_message(message, f"messages[{index}]")
