"""`ai-chat ask`: one question, one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ..assembly import Services
from ..client import Answer, AsyncChat, Record, Session, sources_of
from ..core.errors import ChatError, ServerFailed
from ..core.events import Batch, Notice, ReasoningDelta, RefusalDelta, TextDelta, ToolEnded, events_of
from ..core.result import ChatResult
from .documents import checked_documents, cited_lines, noted, with_documents
from .printing import Output, OutputClosed, Voice, say
from .process import Interrupts
from .question import Question
from .report import as_json
from .structured import answer_in_form
from .tools import line_of, with_tools

ENDINGS = {
    "length": "The answer was cut at its limit of tokens; raise --max-tokens, or ask for the rest.",
    "content_filter": "The provider's content filter ended the answer.",
    "tool_calls": "The model asked for a tool, and there is none here.",
    "function_call": "The model asked for a function, and there is none here.",
}
"""What a person should know of how an answer ended."""


@asynccontextmanager
async def opened(voice: Voice, *, asks: bool = False) -> AsyncIterator[Services]:
    """Open the house, and close it whatever happens; `asks` if models are asked, who may be under budgets."""
    services = Services.open(books=True)
    try:
        if asks and services.settings.budgets:
            await services.spending.look()
        yield services
    finally:
        voice.quiet()
        await services.aclose()


async def ask(question: Question, interrupts: Interrupts) -> int:
    """Ask, and show the answer."""
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice, asks=True) as services:
        record, collections = None, question.collections
        if question.schema is not None:
            return await answer_in_form(services, question, output, voice)
        await checked_documents(services, collections)
        if question.conversation is not None:
            AsyncChat(services=services).request("-", model=question.model, **question.parameters)  # or nothing begins
            record = await Record.open(await services.keeping(), question.conversation)
            await record.change(model=question.model, system=question.system)
            collections = tuple(await noted(record, collections))
        session = _session(services, replace(question, collections=collections), record)
        if record is not None:
            await record.ask(question.prompt)
        result = await Asking(session, output, voice, record)(question)
        if question.as_json:
            output.data(as_json(result, documents=bool(collections)))
        voice.quiet()
        for line in () if question.as_json else cited_lines(result):
            voice.line(line)
        if question.as_json and result.message.refusal:
            voice.line(f"The model refused: {result.message.refusal}")
        if result.finish_reason in ENDINGS:
            voice.line(ENDINGS[result.finish_reason])
        return 0


def _session(services: Services, question: Question, record: Record | None) -> Session:
    kept = record.conversation if record is not None else None
    model = question.model or (kept.model if kept else None)
    parameters = with_documents(services, with_tools(services, question), question.collections, model)
    return AsyncChat(services=services).session(
        model=model,
        system=question.system if question.system is not None else (kept.system if kept else None),
        messages=record.messages if record is not None else (),
        booked_under=kept.id if kept is not None else None,
        sources=sources_of(record.turns) if record is not None else (),
        **parameters,
    )


class Asking:
    """Puts one question to a session, shows what comes and keeps it."""

    def __init__(self, session: Session, output: Output, voice: Voice, record: Record | None) -> None:
        """Show on `output` and `voice`; keep in `record`, which has the question already, if there is one."""
        self._session = session
        self._output = output
        self._voice = voice
        self._record = record

    async def __call__(self, question: Question) -> ChatResult:
        """Ask.

        Raises:
            ChatError: the call failed; the part that came is shown and kept.
            OutputClosed, OutputFailed: nobody reads.
        """
        answer: Answer | None = None
        result: ChatResult | None = None
        try:
            if question.whole:
                result = await self._session.complete(question.prompt, on_notice=self._voice.notice)
                if not question.as_json:
                    self._show(result.text or result.message.refusal or "")
            else:
                answer = self._session.stream(question.prompt, on_notice=self._voice.notice)
                result = await self._read(answer, show=not question.as_json)
        except BaseException as error:
            if isinstance(error, Exception) or self._output.terminal:  # into a stuck pipe nothing more is written
                self._end_line()
            if result is None and answer is not None and answer.has_begun:
                result = answer.result
            await self._keep_part(result, error)
            raise
        self._end_line()
        if self._record is not None:
            await self._record.answer(result)
        return result

    async def _read(self, answer: Answer, *, show: bool) -> ChatResult:
        async with answer:
            async for batch in answer.batches():
                if show:
                    self._show_batch(batch)
        return answer.result

    def _show_batch(self, batch: Batch) -> None:
        pieces: list[str] = []
        for event in events_of(batch):
            if isinstance(event, (TextDelta, RefusalDelta)):
                pieces.append(event.text)
            elif isinstance(event, ReasoningDelta):
                self._voice.reasoning(event.text)
            elif isinstance(event, Notice):
                self._voice.notice(event)
            elif isinstance(event, ToolEnded):
                self._voice.line(line_of(event.result))
        if pieces:
            self._show("".join(pieces))

    def _show(self, text: str) -> None:
        if text:
            self._voice.quiet()
            self._output.text(text)

    def _end_line(self) -> None:
        """Close the last line, so that what is said next stands on its own; not where nobody reads any more."""
        try:
            self._output.end_line()
        except Exception:  # noqa: BLE001 - it has been told already
            return

    async def _keep_part(self, result: ChatResult | None, error: BaseException) -> None:
        if self._record is None:
            return
        stopped = isinstance(error, OutputClosed) or not isinstance(error, Exception)
        told = error if isinstance(error, ChatError) else ServerFailed(type(error).__name__)
        try:
            await self._record.answer(result, "stopped" if stopped else "failed", None if stopped else told)
        except ChatError as second:  # what went wrong first is what the reader has to know
            say(second.message)
