"""Answers of a given form: asked for in the best way that an upstream knows, checked here, asked again if wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ..core.errors import BadRequest, ChatError, ClientMisused, OutputCut, OutputInvalid, OutputRefused, ServerFailed
from ..core.events import Event, Notice, TextDelta
from ..core.messages import Message
from ..core.ports import Handler
from ..core.request import Call, ChatRequest, SchemaSupport
from ..core.result import CallReport, ChatResult
from ..core.usage import Cost, Usage
from .answer import Answer
from .form_prompts import clipped, correction, cut_sentence, told
from .forms import Form, NotOfTheForm, form_of
from .partial_json import PartialJson
from .session import MakeCall

T = TypeVar("T")

ATTEMPTS = 3
"""Answers that are asked for if nothing is said."""
MOST_ATTEMPTS = 10
KNOWN_REFUSALS = 1000
"""Models that refused a schema, and are remembered."""
_BELOW: dict[SchemaSupport, SchemaSupport] = {
    "strict": "json_object",
    "json_schema": "json_object",
    "json_object": "none",
}
_ABOUT_THE_FORM = re.compile(
    r"response.?format|json.?(schema|object|mode)|structured.?output|schema|grammar|guided", re.IGNORECASE
)
_NOTHING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredParts:
    """What a house hands over."""

    handler: Handler
    make_call: MakeCall
    support: Callable[[str], SchemaSupport]
    """How a model's upstream holds an answer to a schema, by the model's name; the weakest where several may answer."""
    refused: dict[tuple[str, int], SchemaSupport] = field(default_factory=dict)
    """The ways that are left with a model and a schema, where a better one was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed(Generic[T]):
    """A value that a model gave, and what it took."""

    value: T
    result: ChatResult
    """The answer that it was read from."""
    attempts: int
    """Answers that were asked for."""
    usage: Usage | None
    """Tokens of all of them; None if nobody told."""
    cost: Cost
    """USD of all of them; None if that of one is unknown."""
    reports: tuple[CallReport, ...]
    """How each call went, the last one last."""


async def parse(
    parts: StructuredParts,
    request: ChatRequest,
    form: Any,
    *,
    attempts: int = ATTEMPTS,
    on_notice: Callable[[Notice], None] | None = None,
) -> Parsed[Any]:
    """Ask for an answer of a form, and give its value; see `ParseStream`."""
    request = replace(request, stream=False)
    async with ParseStream[Any](parts, request, form, attempts=attempts, on_notice=on_notice) as stream:
        async for _ in stream:
            pass
        return stream.parsed


class ParseStream(Generic[T]):
    """A value that is being made: iterate it for what has come of it so far, then read `parsed`.

    Each thing it gives is the value from its beginning, as JSON: fields that have not come are missing, and the last
    text may be a part. When an answer turns out wrong the next attempt begins anew, from an empty one. Use it in
    `async with`; leaving early ends the call at the upstream at once.
    """

    def __init__(
        self,
        parts: StructuredParts,
        request: ChatRequest,
        form: Any,
        *,
        attempts: int = ATTEMPTS,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        """Ask nothing yet: the first wait does.

        Args:
            parts: what the house hands over.
            request: what is asked; streamed or not.
            form: a pydantic model or any other type that pydantic knows, or a JSON Schema.
            attempts: answers that are asked for at most.
            on_notice: told what happens before an answer, and that one was wrong.

        Raises:
            BadRequest: the form or the number of attempts is none, or the request asks for something else.
        """
        _check(request, attempts)
        self._parts = parts
        self._request = request
        self._form: Form[T] = form_of(form)
        self._attempts = attempts
        self._on_notice = on_notice
        self._memory = (request.model, hash(self._form.told))
        self._support = parts.refused.get(self._memory) or parts.support(request.model)
        self._correction: tuple[Message, ...] = ()
        self._results: list[ChatResult] = []
        self._parsed: Parsed[T] | None = None
        self.error: BaseException | None = None
        """What ended it before there was a value."""
        self._over = False
        self._ask()

    @property
    def call(self) -> Call:
        """The call that goes on, or was the last."""
        return self._answer.call

    @property
    def parsed(self) -> Parsed[T]:
        """The value and what it took, once all of it has been read.

        Raises:
            ChatError: there is none, for this reason.
        """
        if isinstance(self.error, ChatError):
            raise self.error
        if self._parsed is None:
            raise ClientMisused("The value is not there yet; read this to its end first.")
        return self._parsed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while not self._over:
            try:
                part = await self._step()
            except BaseException as error:
                self._over, self.error = True, error
                raise
            if part is not _NOTHING:
                return part
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        await self._answer.__aexit__(kind, error, trace)

    async def aclose(self) -> None:
        """Leave: the upstream is closed at once."""
        self._over = True
        await self._answer.aclose()

    # --- one answer ------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        messages = self._request.messages
        if not self._upstream_tells:
            messages = told(messages, self._form.told)
        request = replace(
            self._request,
            messages=(*messages, *self._correction),
            response_format=self._form.response_format(self._support),
        )
        self._answer = Answer(self._parts.handler, self._parts.make_call(request, self._on_notice, purpose="parse"))
        self._partial = PartialJson() if request.stream else None
        self._shown = None

    async def _step(self) -> Any:
        """Read one event on; give what has come of the value if that is more than before."""
        try:
            event = await anext(self._answer, None)
        except (BadRequest, ServerFailed) as error:
            if not self._can_do_with_less(error):
                raise
            self._ask()
            return _NOTHING
        return self._judged() if event is None else self._gathered(event)

    def _can_do_with_less(self, error: ChatError) -> bool:
        """Whether the upstream refused the way the form was asked for, or broke at it; the next is taken then."""
        below = _BELOW.get(self._support)
        said = f"{error.message} {error.param} {error.upstream_code}"
        came_from_there = type(error) in (BadRequest, ServerFailed) and error.upstream_status is not None
        if below is None or not came_from_there or not _ABOUT_THE_FORM.search(said):
            return False
        self._support = below
        if len(self._parts.refused) < KNOWN_REFUSALS:  # names and schemas come from clients
            self._parts.refused[self._memory] = below
        return True

    def _gathered(self, event: Event) -> Any:
        if self._partial is None or type(event) is not TextDelta or event.choice != 0:
            return _NOTHING
        return self._news(self._form.so_far(self._partial.value)) if self._partial.add(event.text) else _NOTHING

    def _news(self, part: Any) -> Any:
        if part is None or part == self._shown:
            return _NOTHING
        self._shown = part
        return part

    def _judged(self) -> Any:
        """Read the answer that has ended: take it, have it asked again, or give up."""
        result = self._answer.result
        self._results.append(result)
        self._refuse_what_is_no_answer(result)
        try:
            value, written = self._form.read(result.text)
        except NotOfTheForm as wrong:
            self._ask_again(result, wrong.problems)
            return _NOTHING
        self._parsed = Parsed(
            value=value,
            result=result,
            attempts=len(self._results),
            usage=_usage(self._results),
            cost=_cost(self._results),
            reports=tuple(one.report for one in self._results if one.report is not None),
        )
        self._over = True
        return self._news(written) if self._partial is not None else _NOTHING

    def _refuse_what_is_no_answer(self, result: ChatResult) -> None:
        message = result.message
        if message.refusal or result.finish_reason == "content_filter":
            words = (message.refusal or message.text).strip()
            who = "The model refused to answer" if message.refusal else "A filter of the upstream stopped the answer"
            raise self._failure(OutputRefused, f"{who}{f': {clipped(words, 500)}' if words else '.'}", result)
        if result.finish_reason == "length":
            raise self._failure(OutputCut, cut_sentence(self._request, result), result)

    def _ask_again(self, result: ChatResult, problems: Sequence[str]) -> None:
        made = len(self._results)
        if made >= self._attempts:
            sentence = (
                f"The answer is not of the form {self._form.name!r} after {made} "
                f"{'attempt' if made == 1 else 'attempts'}: {'; '.join(problems)}. Say more plainly in the prompt what "
                "is wanted, make the form simpler, or ask a stronger model."
            )
            raise self._failure(OutputInvalid, sentence, result, tuple(problems))
        self._correction = correction(result, problems, self._form.told if self._upstream_tells else None)
        self._ask()
        self._answer.call.notify(
            Notice(
                "asked_again",
                "The answer was not of the form that was asked for; asking again.",
                {"attempt": made + 1, "problems": list(problems)},
            )
        )

    @property
    def _upstream_tells(self) -> bool:
        """Whether the model learns the schema from its upstream, and it needs no place in the prompt."""
        return self._support == "strict"

    def _failure(
        self, kind: type[OutputInvalid], sentence: str, result: ChatResult, problems: tuple[str, ...] = ()
    ) -> OutputInvalid:
        param = (self._request.max_tokens_field or "max_tokens") if kind is OutputCut else None
        error = kind(sentence, text=result.text, problems=problems, param=param)
        error.attempts = len(self._results)
        error.usage, error.cost = _usage(self._results), _cost(self._results)
        return error


def _check(request: ChatRequest, attempts: object) -> None:
    if type(attempts) is not int or not 1 <= attempts <= MOST_ATTEMPTS:
        raise BadRequest(f"attempts is {attempts!r}, and must be from 1 to {MOST_ATTEMPTS}.", param="attempts")
    if request.response_format is not None:
        raise BadRequest(
            "response_format is set, and the form of the answer says it already; leave it out, or use complete.",
            param="response_format",
        )
    if request.choices != 1:
        raise BadRequest(f"n is {request.n}, and a value is read from one answer; leave it out.", param="n")


# --- what it took ---------------------------------------------------------------------------------------------------


def _usage(results: Sequence[ChatResult]) -> Usage | None:
    known = [result.usage for result in results if result.usage is not None]
    return sum(known[1:], known[0]) if known else None


def _cost(results: Sequence[ChatResult]) -> Cost:
    costs = [result.report.cost if result.report is not None else None for result in results]
    return None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))
