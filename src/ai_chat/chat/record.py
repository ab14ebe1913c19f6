"""One conversation in the store: what was said in it, and what is being said now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from ..core.conversations import Conversation, Turn, TurnState
from ..core.errors import BadRequest, ChatError, Conflict, NotFound
from ..core.messages import Message
from ..core.ports import ConversationStore
from ..core.result import ChatResult
from .session import as_history

TITLE_CHARACTERS = 60
"""How much of the first question names a conversation."""
MOST_TURNS = 2000
"""Turns that are read of a path: more than that fit no window, and reading a path of ten thousand takes a third of a
second."""
ROOT = "root"
"""In place of a turn: before all of them."""
NOTHING_SAID = Message(role="assistant", content="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What keeping a conversation needs of the house."""

    store: ConversationStore
    new_id: Callable[[], str]
    now: Callable[[], datetime]


class Record:
    """A conversation that is gone on with. A question is kept before it is sent: no answer shall find no place."""

    def __init__(self, keeping: Keeping, conversation: Conversation, turns: Sequence[Turn]) -> None:
        """Go on behind `turns`, the path from the root to the leaf."""
        self._keeping = keeping
        self._store = keeping.store
        self._turns = list(turns)
        self.conversation = conversation

    @classmethod
    async def open(cls, keeping: Keeping, name: str | None = None) -> Self:
        """Give the conversation of that id, begun if there is none; without an id a new one.

        Raises:
            BadRequest: a deleted conversation has that id.
            ChatError: the store cannot be read or written.
        """
        store = keeping.store
        conversation = await store.get(name) if name is not None else None
        if conversation is None:
            try:
                return cls(keeping, await store.create(id=name), ())
            except BadRequest:  # begun by somebody else since, or deleted
                conversation = await store.get(name) if name is not None else None
                if conversation is None:
                    raise
        return cls(keeping, conversation, await store.path(conversation.id, limit=MOST_TURNS))

    @classmethod
    async def new(cls, keeping: Keeping, *, title: str, model: str | None) -> Self:
        """Begin a conversation."""
        return cls(keeping, await keeping.store.create(title=title, model=model), ())

    @classmethod
    async def behind(cls, keeping: Keeping, name: str, leaf: str | None = None) -> Self:
        """Give a conversation as it stands behind one of its turns, or behind the one looked at last.

        Args:
            keeping: what it is kept with.
            name: the conversation's id.
            leaf: the turn; `ROOT` is before all of them, where another first question stands.

        Raises:
            NotFound: there is no such conversation, or no such turn in it.
            Conflict: that turn is still being written.
        """
        conversation = await keeping.store.get(name)
        if conversation is None:
            raise NotFound(
                f"There is no conversation {name[:80]!r}; leave conversation_id out to begin one.",
                param="conversation_id",
            )
        if leaf == ROOT:
            return cls(keeping, conversation, ())
        turns = await keeping.store.path(name, leaf, limit=MOST_TURNS)
        if leaf is not None and not turns:
            raise NotFound(
                f"The conversation has no message {leaf[:80]!r}; leave parent_id out to go on at its end.",
                param="parent_id",
            )
        if turns and turns[-1].state == "running":
            raise Conflict(
                "An answer is still being written there; wait for its end, or stop it first.", param="parent_id"
            )
        return cls(keeping, conversation, turns)

    @property
    def turns(self) -> Sequence[Turn]:
        """What was said, on the path that is gone on with."""
        return tuple(self._turns)

    @property
    def messages(self) -> list[Message]:
        """What a model is sent of it."""
        return self.sent(self._turns)

    @staticmethod
    def sent(turns: Sequence[Turn]) -> list[Message]:
        """Give what a model is sent of turns: no question without an answer, for two in a row would be read as one."""
        kept: list[Message] = []
        for turn in turns:
            if turn.message.role == "user" and kept and kept[-1].role == "user":
                kept.pop()
            if turn.message.role != "assistant":
                kept.append(turn.message)
            else:
                kept += [as_history(message) for step in turn.steps for message in step.remembered]
                if _says_something(turn.message) or turn.steps:
                    kept.append(as_history(turn.message))
        if kept and kept[-1].role == "user":
            kept.pop()
        return kept

    @property
    def last_question(self) -> Turn | None:
        """The newest question; None before the first."""
        return next((turn for turn in reversed(self._turns) if turn.message.role == "user"), None)

    async def change(self, *, model: str | None = None, system: str | None = None) -> None:
        """Note another model or system prompt; None leaves it, an empty system prompt takes it away."""
        fields: dict[str, str | None] = {}
        if model is not None and model != self.conversation.model:
            fields["model"] = model
        if system is not None and (system or None) != self.conversation.system:
            fields["system"] = system or None
        if fields:
            self.conversation = await self._store.change(self.conversation.id, **fields) or self.conversation

    async def note(self, **options: Any) -> None:
        """Keep something with the conversation, beside what it keeps already."""
        kept = {**self.conversation.options, **options}
        self.conversation = await self._store.change(self.conversation.id, options=kept) or self.conversation

    async def ask(self, text: str) -> Turn:
        """Keep a question, and give it."""
        turn = self._turn(Message(role="user", content=text))
        if not self.conversation.title:
            title = title_of(text)
            self.conversation = await self._store.change(self.conversation.id, title=title) or self.conversation
        await self._store.add(turn)
        self._turns.append(turn)
        return turn

    def before(self, question: Turn) -> Record:
        """Give the conversation as it stood when that was asked."""
        return Record(self._keeping, self.conversation, self._turns[: self._turns.index(question)])

    def step_back(self, question: Turn) -> None:
        """Stand behind that question again, so that another answer to it becomes a sibling of the last one."""
        self._turns = self._turns[: self._turns.index(question) + 1]

    async def begin(self, *, model: str, owner: str) -> Turn:
        """Keep the place of an answer of that model which is about to be written by that process, and give it."""
        turn = replace(self._turn(NOTHING_SAID, state="running"), model=model)
        await self._store.add(turn, owner=owner)
        self._turns.append(turn)
        return turn

    async def answer(
        self, result: ChatResult | None, state: TurnState = "finished", error: ChatError | None = None
    ) -> None:
        """Keep the answer to the newest question, as much as came of it, and how it ended."""
        turn = answered(self._turn(NOTHING_SAID), result, state, error)
        await self._store.add(turn)
        self._turns.append(turn)

    def _turn(self, message: Message, state: TurnState = "finished") -> Turn:
        return Turn(
            id=self._keeping.new_id(),
            conversation=self.conversation.id,
            parent=self._turns[-1].id if self._turns else None,
            message=message,
            created=self._keeping.now(),
            state=state,
        )


def answered(turn: Turn, result: ChatResult | None, state: TurnState, error: ChatError | None = None) -> Turn:
    """Give a turn with what came of its answer, and how it ended or goes on."""
    report = result.report if result is not None else None
    return replace(
        turn,
        message=result.message if result is not None else turn.message,
        state=state,
        model=(report.model_served if report is not None else None) or turn.model,
        finish_reason=result.finish_reason if result is not None and state == "finished" else None,
        usage=result.usage if result is not None else None,
        cost=report.cost if report is not None else None,
        first_token=report.first_token if report is not None else None,
        total=report.total if report is not None else None,
        error=None if error is None else error.message,
        error_code=None if error is None else error.code,
        steps=result.steps if result is not None else turn.steps,
    )


def title_of(text: str) -> str:
    """Give what names a conversation that begins with this question: its first line that says something."""
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    return first if len(first) <= TITLE_CHARACTERS else first[: TITLE_CHARACTERS - 1].rstrip() + "…"


def _says_something(message: Message) -> bool:
    return bool(message.text or message.refusal or message.tool_calls)
