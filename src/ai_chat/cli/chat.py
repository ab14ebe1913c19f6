"""`ai-chat chat`: a conversation at the terminal, or over the lines of a pipe."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from .. import __version__
from ..assembly import Services
from ..client import AsyncChat, Record, sources_of
from ..core.conversations import Turn
from ..core.errors import BadRequest
from ..core.result import ChatResult
from ..core.usage import Cost, Usage
from .ask import ENDINGS, Asking, opened
from .documents import checked_documents, cited_lines, noted, with_documents
from .export import save
from .printing import Output, OutputClosed, OutputFailed, Voice
from .process import Interrupts, Leave, report
from .question import MOST_BYTES, Question, checked, checked_collections, text_of
from .report import as_line

HELP = """\
/help            these lines
/model [NAME]    ask another model from now on; alone, say which
/system [TEXT]   give other instructions; - takes them away; alone, show them
/kb [NAMES]      answer from these collections of your documents, with commas between; * is all, - none
/retry           ask the last question again
/clear           begin a new conversation
/usage           tokens and cost since the start
/save FILE       write the conversation as Markdown
/exit            leave, as Ctrl-D does
Alt+Enter or a backslash at the end of a line begins another line. Ctrl-C stops an answer and keeps what came of it."""


class Reader(Protocol):
    """Where messages come from."""

    async def read(self) -> str:
        """Wait for the next one.

        Raises:
            Leave: there will be no more.
            BadRequest: it is no text.
        """
        ...


@dataclass(slots=True)
class Spent:
    """What the answers took since the start."""

    answers: int = 0
    usage: Usage | None = None
    cost: Cost = Decimal(0)

    def add(self, result: ChatResult) -> None:
        """Count an answer."""
        self.answers += 1
        if result.usage is not None:
            self.usage = result.usage if self.usage is None else self.usage + result.usage
        cost = result.report.cost if result.report is not None else None
        self.cost = None if cost is None or self.cost is None else self.cost + cost


async def chat(start: Question, interrupts: Interrupts) -> int:
    """Talk until the person leaves; `start` holds what the options said."""
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice, asks=True) as services:
        talk = Talk(services, interrupts, output, voice, start)
        if sys.stdin is None or not sys.stdin.isatty() or not voice.terminal:
            return await talk.run(Lines(), stoppable=False)
        from .terminal import Terminal  # noqa: PLC0415 - 100 ms that a pipe need not pay

        return await talk.run(Terminal(services.data_dir() / "chat-history", list(COMMANDS)), stoppable=True)


class Lines:
    """Messages from the lines of a pipe."""

    async def read(self) -> str:
        """Give the next line, or several of them where each but the last ends with a backslash."""
        lines: list[str] = []
        while True:
            data = await asyncio.to_thread(sys.stdin.buffer.readline, MOST_BYTES) if sys.stdin is not None else b""
            line = text_of(data, "The line").rstrip("\r\n")
            if data and line.endswith("\\"):
                lines.append(line[:-1])
                continue
            if not data and not lines:
                raise Leave
            return "\n".join([*lines, line])


class Talk:
    """A conversation while it is held."""

    def __init__(
        self, services: Services, interrupts: Interrupts, output: Output, voice: Voice, start: Question
    ) -> None:
        """Begin, or go on where `start.conversation` ended."""
        self._services = services
        self._interrupts = interrupts
        self._output = output
        self._voice = voice
        self._question = start
        self._id = start.conversation or _new_id()
        self._record: Record | None = None
        self._spent = Spent()
        self._stoppable = False
        self._code = 0

    async def run(self, reader: Reader, *, stoppable: bool) -> int:
        """Answer until the reader leaves, and give the exit code: that of the last thing that failed, or 0.

        With `stoppable`, Ctrl-C stops an answer and not the whole conversation.
        """
        self._stoppable = stoppable
        try:
            await self._begin()
            while True:
                await self._one(reader)
        except Leave as leaving:
            if self._record is not None:
                self._voice.line(f"Go on with: ai-chat chat -c {self._id}")
            return leaving.code or self._code

    async def _begin(self) -> None:
        await checked_documents(self._services, self._question.collections)
        store = await self._services.conversations()  # now: no answer shall find that it cannot be kept
        if self._question.conversation is not None and await store.get(self._id) is not None:
            await self._opened()
        model = self._services.models.target(self._question.model or "default")
        self._voice.line(f"ai-chat {__version__} · {model} · conversation {self._id} · /help")

    async def _one(self, reader: Reader) -> None:
        try:
            text = (await reader.read()).strip()
            if text.startswith("/"):
                await self._command(text)
            elif text:
                record = await self._opened()
                await record.ask(checked(text, "The message"))
                await self._answer(record, text)
        except (Leave, OutputClosed, OutputFailed):
            raise
        except Exception as error:  # noqa: BLE001 - one failed answer does not end a conversation
            self._code = report(error)

    async def _opened(self) -> Record:
        """Give the conversation, begun in the store with the first question."""
        if self._record is None:
            self._record = await Record.open(await self._services.keeping(), self._id)
            kept = self._record.conversation
            model, system = self._question.model, self._question.system
            await self._record.change(model=model, system=system)
            self._question = replace(
                self._question,
                model=model or kept.model,
                system=kept.system if system is None else system,
                collections=tuple(await noted(self._record, self._question.collections)),
            )
        return self._record

    async def _answer(self, record: Record, text: str) -> None:
        question = replace(self._question, prompt=text)
        session = AsyncChat(services=self._services).session(
            model=question.model,
            system=question.system,
            messages=record.messages,
            booked_under=record.conversation.id,
            sources=sources_of(record.turns),
            **with_documents(self._services, question.parameters, question.collections, question.model),
        )
        asking = asyncio.ensure_future(Asking(session, self._output, self._voice, record)(question))
        try:
            with self._interrupts.diverted(asking.cancel) if self._stoppable else nullcontext():
                result = await asking
        except asyncio.CancelledError:
            if self._interrupts.code is not None:
                raise
            self._voice.line("Stopped; what came is kept.")
            return
        self._voice.quiet()
        self._spent.add(result)
        for line in cited_lines(result):
            self._voice.line(line)
        self._voice.line(as_line(result))
        if result.finish_reason in ENDINGS:
            self._voice.line(ENDINGS[result.finish_reason])

    # --- commands -------------------------------------------------------------------------------------------------

    async def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        command = COMMANDS.get(name)
        if command is None:
            raise BadRequest(f"There is no command {name}; /help lists them all.")
        await command(self, rest.strip())

    async def _help(self, _: str) -> None:
        self._voice.line(HELP)

    async def _model(self, name: str) -> None:
        if name:
            await self._services.models.resolve(checked(name, "The model's name"))
            self._question = replace(self._question, model=name)
            if self._record is not None:
                await self._record.change(model=name)
        self._voice.line(f"Model: {self._services.models.target(self._question.model or 'default')}")

    async def _system(self, text: str) -> None:
        if text:
            system = "" if text == "-" else checked(text, "The text")
            self._question = replace(self._question, system=system)
            if self._record is not None:
                await self._record.change(system=system)
        self._voice.line(f"Instructions: {self._question.system or 'none'}")

    async def _kb(self, names: str) -> None:
        if names:
            collections = checked_collections([name.strip() for name in names.split(",")])
            await checked_documents(self._services, collections)
            self._question = replace(self._question, collections=collections)
            if self._record is not None:
                await noted(self._record, collections)
        self._voice.line(f"Documents: {', '.join(self._question.collections or ()) or 'none'}")

    async def _clear(self, _: str) -> None:
        self._record, self._id = None, _new_id()
        self._voice.line(f"A new conversation, {self._id}; the last one is kept.")

    async def _retry(self, _: str) -> None:
        record = await self._opened()
        question: Turn | None = record.last_question
        if question is None:
            raise BadRequest("There is no question yet to ask again.")
        record.step_back(question)
        await self._answer(record, question.message.text)

    async def _usage(self, _: str) -> None:
        spent, usage = self._spent, self._spent.usage
        tokens = "no tokens known"
        if usage is not None:
            about = "about " if usage.estimated else ""
            tokens = f"{about}{usage.input_tokens:,} tokens in and {usage.output_tokens:,} out"
        cost = "cost unknown" if spent.cost is None else f"{spent.cost:f} USD"
        self._voice.line(f"Answers: {spent.answers}, {tokens}, {cost}.")

    async def _save(self, path: str) -> None:
        if not path:
            raise BadRequest("Say where to, as in /save talk.md.")
        record = await self._opened()
        save(path, record.conversation, record.turns)
        self._voice.line(f"Saved to {path}.")

    async def _exit(self, _: str) -> None:
        raise Leave


COMMANDS: Mapping[str, Callable[[Talk, str], Awaitable[None]]] = {
    "/help": Talk._help,  # noqa: SLF001 - this table is part of the class
    "/model": Talk._model,  # noqa: SLF001
    "/system": Talk._system,  # noqa: SLF001
    "/kb": Talk._kb,  # noqa: SLF001
    "/retry": Talk._retry,  # noqa: SLF001
    "/clear": Talk._clear,  # noqa: SLF001
    "/usage": Talk._usage,  # noqa: SLF001
    "/save": Talk._save,  # noqa: SLF001
    "/exit": Talk._exit,  # noqa: SLF001
}


def _new_id() -> str:
    return secrets.token_hex(6)
