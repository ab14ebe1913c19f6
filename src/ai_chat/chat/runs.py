"""Runs: answers that are made in the background, so that no click, reload or lost connection takes one away.

A run belongs to the loop of its process and to nobody who reads it. Its events are numbered and kept while it runs and
for a while after; its text is in the store once a second, so that not even a killed process loses more than that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.conversations import Turn, TurnState
from ..core.errors import BadRequest, ChatError, Conflict, NotFound, Unavailable
from ..core.messages import Message
from ..core.runs import RunEvent
from .choices import Choices, tools_of, with_preset
from .form_answer import FormSession
from .grounding import grounding_of
from .record import Keeping, Record, title_of
from .run import Run
from .run_events import stored_events
from .run_parts import RunParts
from .session import Session

log = logging.getLogger("ai_chat.runs")

MOST_RUNNING = 256
"""Answers that are made at once; a further one is refused with the request to try again."""
MOST_KEPT = 256
"""Ended runs whose events are kept for readers that come late."""
KEPT_SECONDS = 120.0
"""For how long; afterwards a reader gets the answer from the store."""
SAVE_SECONDS = 0.8
"""Time between two savings of what runs have written: with the time that saving takes, less than a second."""
LOOK_SECONDS = 0.5
"""Time between two looks at an answer that another process writes."""
SHOWN = 80
"""Characters of a wrong id that a sentence repeats."""


class Runs:
    """All runs of a process. What `get` and `running_in` give may be asked for in any thread."""

    def __init__(self, parts: RunParts) -> None:
        """Nothing runs yet."""
        self._parts = parts
        self._runs: dict[str, Run] = {}
        self._ended: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving: asyncio.Task[None] | None = None
        self._closed = False

    # --- asking -----------------------------------------------------------------------------------------------------

    async def ask(
        self,
        text: str,
        *,
        conversation: str | None = None,
        parent: str | None = None,
        model: str | None = None,
        **choices: Any,
    ) -> Run:
        """Keep a question and begin its answer. From then on whatever goes wrong is an event of the run.

        Args:
            text: the question.
            conversation: where it belongs; None begins a conversation.
            parent: the turn it follows, `ROOT` for none (it stands beside the first question then); None is the one
                that was looked at last.
            model: `provider/model` or an alias; None is the one this conversation was last asked with.
            choices: what it is asked with from now on, by the names that `Choices` has; what is left out stays.

        Raises:
            BadRequest: there is nothing to answer, or there is no such choice.
            NotFound: there is no such conversation or turn.
            Conflict: the turn it follows is still being written.
            Unavailable: too many answers are being made.
            StorageFailed: the question cannot be kept.
        """
        if not text.strip():
            raise BadRequest("The message is empty; write something to answer.", param="message")
        chosen = Choices(**choices)
        chosen.check(self._parts.toolbox)
        self._check_room()
        keeping = await self._parts.keeping()
        if conversation is not None:
            record = await Record.behind(keeping, conversation, parent)
            await record.change(model=model)
            await chosen.note(record)
            return await self._begin(record, await record.ask(text))
        record = await Record.new(keeping, title=title_of(text), model=model)
        try:
            await chosen.note(record)
            return await self._begin(record, await record.ask(text))
        except ChatError:
            await self._take_back(keeping, record)
            raise

    async def again(self, turn: str, *, model: str | None = None) -> Run:
        """Begin another answer to a question, beside the ones it has; `turn` is the question or one of its answers.

        Raises:
            NotFound: there is no such turn, or no question before it.
            Conflict: it is still being written.
            Unavailable: too many answers are being made.
            StorageFailed: the place of the answer cannot be kept.
        """
        self._check_room()
        keeping = await self._parts.keeping()
        found = await keeping.store.turn(turn)
        if found is None:
            raise NotFound(f"There is no message {turn[:SHOWN]!r}; give one of this conversation.", param="regenerate")
        record = await Record.behind(keeping, found.conversation, turn)
        question = record.last_question
        if question is None:
            raise NotFound("There is no question before that message; write one.", param="regenerate")
        record.step_back(question)
        await record.change(model=model)
        return await self._begin(record, question)

    # --- reading ----------------------------------------------------------------------------------------------------

    def get(self, run: str) -> Run | None:
        """Give a run that goes on, or has ended lately."""
        return self._runs.get(run)

    def running_in(self, conversation: str) -> Sequence[Run]:
        """Give the runs that go on in a conversation."""
        return [run for run in tuple(self._runs.values()) if run.running and run.conversation == conversation]

    @property
    def running(self) -> int:
        """How many go on."""
        return sum(run.running for run in tuple(self._runs.values()))

    async def read(self, run: str, after: int = 0) -> AsyncIterator[Sequence[RunEvent]]:
        """Give a run's events behind that number, up to `done`.

        What is no longer kept comes from the store: then the text comes as a `whole`, under numbers that go on.

        Raises:
            NotFound: there is no such run.
            BadRequest: the run has not come that far.
        """
        found = self._runs.get(run)
        if found is None:
            stored = await self.turn(run)
            return stored_events(stored, after, look_again=partial(self._look_again, run))
        if not 0 <= after <= found.log.last:
            raise BadRequest(
                f"after is {after}, and the run has events 1 to {found.log.last} so far; give the last one you have, "
                "or 0 for all.",
                param="after",
            )
        return found.read(after)

    async def turn(self, run: str) -> Turn:
        """Give a run's answer as the store has it; one whose process has gone is marked as interrupted first.

        Raises:
            NotFound: there is no such run.
        """
        keeping = await self._parts.keeping()
        turn = await keeping.store.turn(run)
        if turn is not None and turn.state == "running" and run not in self._runs:
            await self.sweep()
            turn = await keeping.store.turn(run)
        if turn is None or turn.message.role != "assistant":
            raise NotFound(f"There is no run {run[:SHOWN]!r}; its id is the one that its first event tells.")
        return turn

    # --- ending -----------------------------------------------------------------------------------------------------

    async def stop(self, run: str) -> TurnState:
        """Stop a run and give the state it is in then; one that has ended stays as it ended.

        Raises:
            NotFound: there is no such run.
            Conflict: another process makes it.
        """
        found = self._runs.get(run)
        if found is not None:
            found.stop()
            await found.over()
            return found.state
        turn = await self.turn(run)
        if turn.state == "running":
            raise Conflict("That answer is written by another process; stop it there.")
        return turn.state

    def decide(self, run: str, call: str, *, allow: bool) -> None:
        """Say whether a tool with side effects may run that a run asks for.

        Raises:
            NotFound: no such run asks for such a call.
        """
        found = self._runs.get(run)
        if found is None or not found.decide(call, allow=allow):
            raise NotFound(f"No run {run[:SHOWN]!r} asks whether it may make the call {call[:SHOWN]!r}.")

    async def sweep(self) -> Sequence[Turn]:
        """Mark what processes that have gone left running as interrupted, and give it."""
        keeping = await self._parts.keeping()
        return await keeping.store.interrupt_running(is_alive=self._parts.is_alive)

    async def aclose(self) -> None:
        """End every run as interrupted, with what came in the store."""
        self._closed = True
        for run in self._runs.values():
            run.stop("interrupted")
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait({self._saving})

    # --- making -----------------------------------------------------------------------------------------------------

    def _check_room(self) -> None:
        if self._closed:
            raise Unavailable("The program is ending; ask again when it has started anew.")
        if self.running >= MOST_RUNNING:
            raise Unavailable(
                f"{MOST_RUNNING} answers are being made already; try again when some have ended.", retry_after=5.0
            )

    async def _begin(self, record: Record, question: Turn) -> Run:
        model = record.conversation.model
        turn = await record.begin(model=self._label(model), owner=self._parts.owner)
        run = Run(question, turn)
        self._forget()
        self._runs[run.id] = run
        making = run.make(partial(self._session, run, record, model), self._save)
        task = asyncio.get_running_loop().create_task(making, name=f"run {run.id}")
        self._tasks.add(task)
        task.add_done_callback(partial(self._run_ended, run))
        if self._saving is None or self._saving.done():
            self._saving = asyncio.get_running_loop().create_task(self._save_now_and_then(), name="saving runs")
        return run

    async def _session(self, run: Run, record: Record, model: str | None) -> Session | FormSession:
        """Give the conversation as the model is sent it."""
        parts = self._parts.session
        parts = replace(parts, make_call=partial(parts.make_call, conversation=run.conversation, run=run.id))
        options = record.conversation.options
        template = with_preset(self._parts.template(model), options)
        earlier = record.before(run.question)
        history: Sequence[Message] = earlier.messages
        if self._parts.summaries is not None:
            history = await self._parts.summaries.history(earlier, parts, template, run.notice)
        system = record.conversation.system
        if options.get("schema") and self._parts.structured is not None:
            structured = replace(self._parts.structured, make_call=parts.make_call)
            return FormSession(Session(parts, template, history, system=system), structured, options["schema"])
        tools = tools_of(
            options,
            self._parts.toolbox,
            run.confirm,
            react=self._parts.only_writes(self._label(model)),
            grounding=grounding_of(options, earlier.turns, self._parts.passages(self._label(model))),
        )
        return Session(parts, template, history, system=system, tools=tools)

    async def _take_back(self, keeping: Keeping, record: Record) -> None:
        """Leave no conversation behind in which there is nothing."""
        if not record.turns:
            with suppress(ChatError):  # what went wrong first is what the asker has to know
                await keeping.store.delete(record.conversation.id)

    def _label(self, model: str | None) -> str:
        try:
            return self._parts.label(model)
        except ChatError:  # the run itself will tell
            return model or ""

    def _run_ended(self, run: Run, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ended[run.id] = self._parts.monotonic()

    def _forget(self) -> None:
        """Let go of runs that ended a while ago, the oldest first; a reader that has one keeps it."""
        now = self._parts.monotonic()
        for name, ended in tuple(self._ended.items()):
            if len(self._ended) <= MOST_KEPT and now - ended <= KEPT_SECONDS:
                return
            if self._runs[name].unsaved is None:
                del self._ended[name], self._runs[name]

    async def _save(self, turn: Turn) -> None:
        keeping = await self._parts.keeping()
        await keeping.store.save(turn)

    async def _save_now_and_then(self) -> None:
        """Save what comes as long as anything goes on, or is not in the store."""
        while self.running or any(run.unsaved is not None for run in self._runs.values()):
            await asyncio.sleep(SAVE_SECONDS)
            runs = tuple(self._runs.values())
            parts = [part for run in runs if (part := run.part()) is not None]
            try:
                keeping = await self._parts.keeping()
                await keeping.store.save_parts(parts, owner=self._parts.owner)
            except ChatError as error:
                log.warning("what has come of %d answers is not in the store yet: %s", len(parts), error)
            for run in runs:
                if run.unsaved is not None:
                    await run.put_away(self._save)

    async def _look_again(self, run: str) -> Turn:
        await asyncio.sleep(LOOK_SECONDS)
        return await self.turn(run)
