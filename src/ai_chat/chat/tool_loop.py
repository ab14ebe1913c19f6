"""The tool loop: one answer in several rounds, in which the model calls tools and reads what came of them.

Each round is a call of its own that passes the whole pipeline. The calls of one round run at once. Rounds and calls
have a bound; at the bound the model is asked once more, without tools, for what it can say by then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from ..core.errors import BadRequest, ServerFailed
from ..core.events import (
    Batch,
    ChoiceFinished,
    Chunk,
    Event,
    Finished,
    Started,
    ToolEnded,
    ToolStarted,
    UsageReported,
    batch_of,
)
from ..core.messages import Message, Step, ToolCall, ToolResult
from ..core.ports import Handler
from ..core.request import Call, ChatRequest
from ..core.result import ChatResult, Choice
from ..core.tools import Confirm, Toolbox
from .answer import Answer
from .citations import checked
from .grounding import Grounding
from .react import react
from .rounds import beyond, joined, with_ids, without_calls

DECLINED = "The user was asked and did not allow this call."
SILENT = "The model would only call further tools, and their number is bounded; ask again, or ask another model."


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """The tools of an answer, and how far it may go with them."""

    box: Toolbox
    confirm: Confirm | None = None
    """Asks a person before a tool with side effects runs; without anybody to ask it does not run."""
    react: bool = False
    """Whether the model only writes, and its calls are read from its text."""
    most_rounds: int = 8
    """Rounds in which tools may be called."""
    most_calls: int = 32
    """Calls of all rounds together; those beyond it are not run."""
    grounding: Grounding | None = None
    """The documents that the answer may cite."""


Ask = Callable[..., Call]
"""`(steps, *, final) -> Call`: makes the call of the next round, behind these steps; a final one may call no tools."""


def next_request(request: ChatRequest, box: Toolbox, steps: Sequence[Step], *, final: bool) -> ChatRequest:
    """Give the request of a round, its messages being those of `request` with what happened since."""
    if request.choices > 1:
        raise BadRequest(f"n is {request.n}, and an answer with tools has one choice; leave it out.", param="n")
    choice = "none" if final else request.tool_choice if not steps else None
    messages = (*request.messages, *(message for step in steps for message in step.messages))
    return replace(request, messages=messages, tools=box.specs or None, tool_choice=choice if box.specs else None)


class ToolAnswer(Answer):
    """An answer whose tools are run on the way; to its reader one answer like any other.

    The events of all rounds come as those of one: it begins and ends once, and its usage is that of all rounds.
    """

    def __init__(
        self,
        handler: Handler,
        ask: Ask,
        use: ToolUse,
        *,
        first: Sequence[ToolCall] = (),
        on_end: Callable[[Answer], None] | None = None,
    ) -> None:
        """Ask nothing yet: the first wait does. The calls in `first` are made before the model is asked."""
        self._use = use
        self._first = tuple(first)
        self._begun = False
        handler = react(handler) if use.react else handler
        if use.grounding is not None:
            # Who chose documents takes every number for one of their passages, also where there are none.
            handler = checked(handler, use.grounding.sources, always=use.grounding.top_k is not None)
        self._ask = ask
        self._steps: list[Step] = []
        self._rounds: list[tuple[Answer, ChatResult]] = []
        """Those that have ended, with what they gave."""
        self._made: ChatResult | None = None
        """The result, once it will not change any more."""
        self._round = Answer(handler, ask((), final=False))
        self._final = False
        self._held: list[Event] = []
        """The endings of the present round."""
        self._running: dict[asyncio.Task[ToolResult], ToolCall] = {}
        self._results: dict[str, ToolResult] = {}
        self._given: ChatResult | None = None
        """What the round gave whose calls run."""
        self._calling = Message(role="assistant")
        """The message whose calls run."""
        super().__init__(handler, self._round.call, on_end=on_end)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._cancel_tools()
        finally:
            await self._round.__aexit__(kind, error, trace)
            self._end(None)

    async def aclose(self) -> None:
        """Leave: tools that run are cancelled, and the upstream is closed at once."""
        await self._cancel_tools()
        await self._round.aclose()
        self._end(None)

    @property
    def whole(self) -> bool:
        """Whether the answer came to its own end."""
        return self._ended and self.error is None and self._round.whole and not self._calls_open

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has come."""
        return bool(self._steps) or self._round.has_begun

    @property
    def result(self) -> ChatResult:
        """The answer so far, with its steps, and the usage of all rounds.

        Raises:
            StreamBroken: nothing has come.
        """
        if self._made is not None:
            return self._made
        ended = list(self._rounds)
        if self._calls_open or (self._steps and not self._round.has_begun):
            head = ended[-1][1] if ended else self._nothing_said
            silent = Choice(index=0, message=Message(role="assistant", content=""), finish_reason="stop")
            result = replace(head, choices=(silent,))
            last = self._round.result.usage if self._round.has_begun else self._round.call.trail.usage
        else:
            result = without_calls(self._round.result)
            last = result.usage
        known = [usage for usage in (*(one.usage for _, one in ended), last) if usage is not None]
        made = replace(
            result,
            usage=sum(known[1:], known[0]) if known else None,
            report=joined([*(one for one, _ in ended), self._round]) if self._ended else None,
            steps=self.steps,
        )
        if self._ended:
            self._made = made
        return made

    @property
    def _nothing_said(self) -> ChatResult:
        """The result as long as only the calls have been made that go before the model is asked."""
        if self._round.has_begun:
            return self._round.result
        return ChatResult(id="", model=self.call.request.model, created=int(self.call.trail.began), choices=())

    @property
    def steps(self) -> tuple[Step, ...]:
        """The rounds so far in which tools were called."""
        return (*self._steps, self._open_step) if self._calls_open else tuple(self._steps)

    async def _next(self) -> Batch | None:
        if self._ended:
            return None
        try:
            return await self._go_on()
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                await self._cancel_tools()
            self._end(error)
            raise

    async def _go_on(self) -> Batch | None:
        while True:
            if self._running:
                return await self._next_result()
            if self._first:
                calls, self._first = self._first, ()
                return self._run_calls(Message(role="assistant", content="", tool_calls=calls))
            batch = await self._round._next()  # noqa: SLF001 - it is an answer as well
            if batch is not None:
                shown = self._shown(batch)
                if shown:
                    return shown
            else:
                given = self._round.result
                return self._start_tools(given) if given.message.tool_calls and self._held else self._last()

    def _last(self) -> Batch | None:
        """Give the endings, once; then there is no more."""
        held, self._held = self._held, []
        self._end(None)
        if not held:
            return None
        usage = self.result.usage
        return batch_of(*(UsageReported(usage) if isinstance(e, UsageReported) and usage else e for e in held))

    def _shown(self, batch: Batch) -> Batch:
        """Give what a reader sees of a round: no second beginning, and no end before the last."""
        chunks: list[Chunk] = []
        for chunk in batch:
            kept = []
            for event in chunk.events:
                if isinstance(event, (ChoiceFinished, UsageReported, Finished)):
                    self._held.append(event)
                elif not (isinstance(event, Started) and self._begun):
                    self._begun = self._begun or isinstance(event, Started)
                    kept.append(event)
            if len(kept) == len(chunk.events):
                chunks.append(chunk)
            elif kept:
                chunks.append(Chunk(tuple(kept)))
        return tuple(chunks)

    # --- tools ------------------------------------------------------------------------------------------------------

    @property
    def _calls_open(self) -> bool:
        return bool(self._running)

    @property
    def _open_step(self) -> Step:
        done = (self._results.get(call.id) for call in self._calling.tool_calls)
        return Step(message=self._calling, results=tuple(result for result in done if result is not None))

    def _start_tools(self, given: ChatResult) -> Batch:
        """Run the calls of this round, all at once."""
        if self._final:
            raise ServerFailed(SILENT)
        self._given = given
        self._held.clear()
        return self._run_calls(with_ids(given.message))

    def _run_calls(self, message: Message) -> Batch:
        self._calling = message
        calls = message.tool_calls
        self._results = {}
        made = sum(len(step.message.tool_calls) for step in self._steps)
        for number, call in enumerate(calls, made + 1):
            work = self._run(call) if number <= self._use.most_calls else beyond(call, self._use.most_calls)
            self._running[asyncio.get_running_loop().create_task(work, name=f"tool {call.name}")] = call
        return batch_of(*map(ToolStarted, calls))

    async def _run(self, call: ToolCall) -> ToolResult:
        began = time.perf_counter()
        box, confirm = self._use.box, self._use.confirm
        if box.asks_first(call.name) and not (confirm is not None and await confirm(call)):
            seconds = time.perf_counter() - began
            return ToolResult(call_id=call.id, name=call.name, content=DECLINED, seconds=seconds, error="declined")
        return await box.run(call)

    async def _next_result(self) -> Batch:
        done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        ended: list[Event] = []
        for task in sorted(done, key=list(self._running).index):
            result = task.result()
            self._results[result.call_id] = result
            ended.append(ToolEnded(result))
        if len(done) == len(self._running):
            self._next_round()
        else:
            for task in done:
                del self._running[task]
        return batch_of(*ended)

    def _next_round(self) -> None:
        step = self._open_step
        self._running.clear()
        self._steps.append(step)
        calls = sum(len(step.message.tool_calls) for step in self._steps)
        self._final = len(self._steps) >= self._use.most_rounds or calls >= self._use.most_calls
        if self._given is not None:
            self._rounds.append((self._round, self._given))
        self._round = Answer(self._handler, self._ask(tuple(self._steps), final=self._final))
        self.call = self._round.call

    async def _cancel_tools(self) -> None:
        running = [task for task in self._running if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
