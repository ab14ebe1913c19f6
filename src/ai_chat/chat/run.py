"""One answer that is made in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.conversations import PARAGRAPH, Turn, TurnState
from ..core.errors import ChatError, ServerFailed
from ..core.events import (
    Batch,
    Event,
    Notice,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolEnded,
    ToolStarted,
    events_of,
)
from ..core.messages import ToolCall
from ..core.result import ChatResult
from ..core.runs import EventKind, RunEvent, RunLog, RunState
from .answer import Answer
from .form_answer import FormSession
from .record import answered
from .run_events import done_data, error_data, run_data, usage_data
from .session import Session

log = logging.getLogger("ai_chat.runs")

MOST_CHARACTERS = 2_000_000
"""Of one answer. No model's answer comes near it; an upstream that never stops does."""
PATIENCE = 600.0
"""Seconds that a person has to say whether a tool may run."""
MOST_ENTRIES = 10_000
"""Things that are kept of one run, pieces of one text in a row being one."""

Save = Callable[[Turn], Any]
"""Puts a turn into the store: `async (Turn) -> None`."""


class Run:
    """One answer being made. Its log may be read from any thread, all else belongs to its loop."""

    def __init__(self, question: Turn, turn: Turn) -> None:
        """Begin with nothing written.

        Args:
            question: what is answered.
            turn: the place of the answer in its conversation's tree; its id is the run's.
        """
        self.tokens = 0
        """About how many tokens have come: upstreams send one or a few in a piece. The usage comes at the end."""
        self.id = turn.id
        self.conversation = turn.conversation
        self.question = question
        self.turn = turn
        """The answer as it was saved last."""
        self.log = RunLog()
        self.state: RunState = "running"
        self.unsaved: ChatError | None = None
        """Why what came is not in the store; None if it is."""
        self._wanted: RunState | None = None
        self._answer: Answer | None = None
        self._asking: asyncio.Task[Any] | None = None
        self._over = asyncio.Event()
        self._news = asyncio.Event()
        self._saving = asyncio.Lock()
        self._given = 0
        self._left_out: int | None = None
        self._tools_ran = False
        self._asked: dict[str, asyncio.Future[bool]] = {}
        self._tell("run", run_data(turn))

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.state == "running"

    async def read(self, after: int = 0) -> AsyncIterator[Sequence[RunEvent]]:
        """Give the events behind that number as they come, up to `done`; any number of readers may do so at once."""
        while True:
            news = self._news
            events = self.log.after(after)
            if events:
                after = events[-1].number
                yield events
            if not self.running and after >= self.log.last:
                return
            if not events:
                await news.wait()

    def stop(self, state: RunState = "stopped") -> None:
        """Have it end in that state, which it does at once; the part that came is kept."""
        if self._wanted is None and self.running:
            self._wanted = state
            if self._asking is not None:
                self._asking.cancel()

    async def over(self) -> None:
        """Wait until it has ended and all of it is put away."""
        await self._over.wait()

    async def make(self, session: Callable[[], Awaitable[Session | FormSession]], save: Save) -> None:
        """Ask, write down what comes, and put it away. It raises nothing: what goes wrong is an event.

        Args:
            session: gives the conversation to ask in, the question not yet in it.
            save: puts the answer into the store.
        """
        error: ChatError | None = None
        state = self._wanted
        if state is None:
            self._asking = asyncio.current_task()
            state, error = await self._ask(session)
            self._asking = None  # from here on it is too late to stop
        if error is not None:
            self._tell("error", error_data(error))
        result = self._result()
        self.turn = self._turn(result, state, error)
        await self.put_away(save)
        if self.turn.usage is not None:
            self._tell("usage", usage_data(self.turn, None if result is None else result.report))
        if self.unsaved is not None:
            self._tell("error", error_data(self.unsaved))
        self._answer = None
        self.state = state
        self._tell("done", done_data(self.turn))
        self._over.set()

    def part(self) -> Turn | None:
        """Give the answer as far as it has come, if more has come since it was asked for last."""
        size, result = self.log.size, self._result()
        if not self.running or size == self._given or result is None:
            return None
        self._given = size
        return self._turn(result, "running")

    async def put_away(self, save: Save) -> None:
        """Put its last state into the store; `unsaved` says why if that cannot be."""
        async with self._saving:  # one try at a time
            try:
                await save(self.turn)
                self.unsaved = None
            except ChatError as error:
                log.warning("an answer is not in the store yet: %s", error)
                self.unsaved = error

    async def _ask(self, session: Callable[[], Awaitable[Session | FormSession]]) -> tuple[TurnState, ChatError | None]:
        try:
            asking = await session()
            self._answer = answer = asking.stream(self.question.message.text, on_notice=self.notice)
            async with answer:
                async for batch in answer.batches():
                    self._take(batch)
        except asyncio.CancelledError:
            return self._wanted or "interrupted", None
        except ChatError as error:
            return "failed", error
        except Exception:
            log.exception("a run failed over a fault of ours")
            return "failed", ServerFailed("The answer failed over a fault of this program; ask again.")
        return "finished", None

    def _turn(self, result: ChatResult | None, state: TurnState, error: ChatError | None = None) -> Turn:
        return replace(answered(self.turn, result, state, error), left_out=self._left_out)

    def _result(self) -> ChatResult | None:
        """Give the answer so far; None before its beginning."""
        return self._answer.result if self._answer is not None and self._answer.has_begun else None

    def _take(self, batch: Batch) -> None:
        text: list[str] = []
        reasoning: list[str] = []
        for event in events_of(batch):
            if isinstance(event, (TextDelta, RefusalDelta)):
                text.append(event.text)
            elif isinstance(event, ReasoningDelta):
                reasoning.append(event.text)
            else:
                self._take_other(event)
        self.tokens += sum(map(bool, text)) + sum(map(bool, reasoning))
        if any(reasoning):
            self._tell("reasoning", {"text": "".join(reasoning)})
        if any(text):
            self._tell("text", {"text": self._behind_tools() + "".join(text)})
        if self.log.size > MOST_CHARACTERS or self.log.entries > MOST_ENTRIES:
            raise ServerFailed(
                f"The answer has {self.log.size:,} characters in {self.log.entries:,} parts and would not end, so it "
                "was ended; what came is kept."
            )

    def _take_other(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notice(event)
        elif isinstance(event, ToolStarted):
            self._tell("tool_call", event.call.told)
        elif isinstance(event, ToolEnded):
            self._tools_ran = self.log.size > 0
            self._tell("tool_result", event.result.told)

    def _behind_tools(self) -> str:
        """Give what parts the text before tools were run from the text behind them."""
        ran, self._tools_ran = self._tools_ran, False
        return PARAGRAPH if ran and self.log.text() else ""

    @property
    def asking(self) -> frozenset[str]:
        """The calls of tools that wait for a person's word, which `decide` gives. Any thread may ask."""
        return frozenset(self._asked)

    async def confirm(self, call: ToolCall) -> bool:
        """Ask whoever reads whether a tool may run, and wait for `decide`; nobody's answer is a no."""
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[call.id] = asked
        self._tell("notice", {"kind": "confirm", "text": f"May {call.name} run?", "data": {"call": call.id}})
        try:
            async with asyncio.timeout(PATIENCE):
                return await asked
        except TimeoutError:
            return False
        finally:
            del self._asked[call.id]

    def decide(self, call: str, *, allow: bool) -> bool:
        """Answer that question; whether it was asked."""
        asked = self._asked.get(call)
        if asked is None or asked.done():
            return False
        asked.set_result(allow)
        return True

    def notice(self, notice: Notice) -> None:
        """Tell the readers what happens meanwhile."""
        if notice.kind == "window":
            self._left_out = int(notice.data["turns"])
        kind: EventKind = "retry" if notice.kind == "retry" else "notice"
        self._tell(kind, {"kind": notice.kind, "text": notice.text, "data": dict(notice.data)})

    def _tell(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        self.log.add(kind, data)
        news, self._news = self._news, asyncio.Event()
        news.set()
