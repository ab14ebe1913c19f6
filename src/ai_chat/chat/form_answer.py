"""Answers of a given form in a conversation: JSON that fits a schema, or an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from ..core.events import Batch, ChoiceFinished, Event, Finished, Notice, Started, TextDelta, UsageReported, batch_of
from ..core.ports import Handler
from ..core.result import CallReport, ChatResult
from .answer import Answer
from .session import Session
from .structured import Parsed, ParseStream, StructuredParts


class FormSession:
    """A conversation whose next answer has a form."""

    def __init__(self, session: Session, parts: StructuredParts, schema: Mapping[str, Any]) -> None:
        """Ask in that session, for JSON that fits that schema."""
        self._session = session
        self._parts = parts
        self._schema = schema

    def stream(self, text: str, *, on_notice: Callable[[Notice], None] | None = None) -> Answer:
        """Ask. The answer comes in one piece, when it fits.

        Raises:
            BadRequest: the schema is none.
            ContextTooLong: the question does not fit the model's window.
        """
        request, notice = self._session._request_for(text)  # noqa: SLF001 - what it asks, in a form
        if notice is not None and on_notice is not None:
            on_notice(notice)
        stream = ParseStream[Any](self._parts, replace(request, stream=False), self._schema, on_notice=on_notice)
        return FormAnswer(self._parts.handler, stream)


class FormAnswer(Answer):
    """An answer of a form; to its reader an answer like any other, whose text is the JSON."""

    def __init__(self, handler: Handler, stream: ParseStream[Any]) -> None:
        """Ask nothing yet: the first wait does."""
        super().__init__(handler, stream.call)
        self._parsing = stream
        self._parsed: Parsed[Any] | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._parsing.__aexit__(kind, error, trace)
        finally:
            self._end(None)

    async def aclose(self) -> None:
        """Leave: the upstream is closed at once."""
        await self._parsing.aclose()
        self._end(None)

    @property
    def result(self) -> ChatResult:
        """The answer, with the usage and the cost of all attempts.

        Raises:
            StreamBroken: nothing has come.
        """
        result = self._folder.result()
        parsed = self._parsed
        return result if parsed is None else replace(result, usage=parsed.usage, report=_joined(parsed))

    async def _next(self) -> Batch | None:
        if self._ended:
            return None
        try:
            async for _ in self._parsing:
                pass
            self._parsed = parsed = self._parsing.parsed
        except BaseException as error:
            self._end(error)
            raise
        head = parsed.result
        events: list[Event] = [
            Started(id=head.id, model=head.model, created=head.created),
            TextDelta(json.dumps(parsed.value, ensure_ascii=False, indent=2)),
            ChoiceFinished("stop"),
        ]
        if parsed.usage is not None:
            events.append(UsageReported(parsed.usage))
        batch = batch_of(*events, Finished())
        self._folder.add(batch)
        self._end(None)
        return batch


def _joined(parsed: Parsed[Any]) -> CallReport | None:
    """Put the reports of all attempts together; what it says of times is how long all of them took."""
    if not parsed.reports:
        return None
    return replace(
        parsed.reports[-1],
        tries=sum(report.tries for report in parsed.reports),
        total=sum(report.total for report in parsed.reports),
        cost=parsed.cost,
    )
