"""One conversation in the store: what was said in it, and what is being said now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

from ..core.conversations import Conversation, Turn, TurnState
from ..core.errors import BadRequest
from ..core.messages import Message
from ..core.ports import ConversationStore
from ..core.result import ChatResult

TITLE_CHARACTERS = 60
"""How much of the first question names a conversation."""


class Record:
    """A conversation that is gone on with. A question is kept before it is sent: no answer shall find no place."""

    def __init__(self, store: ConversationStore, conversation: Conversation, turns: Sequence[Turn]) -> None:
        """Go on behind `turns`, the path from the root to the leaf."""
        self._store = store
        self._turns = list(turns)
        self.conversation = conversation

    @classmethod
    async def open(cls, store: ConversationStore, name: str | None = None) -> Self:
        """Give the conversation of that id, begun if there is none; without an id a new one.

        Raises:
            BadRequest: a deleted conversation has that id.
            ChatError: the store cannot be read or written.
        """
        conversation = await store.get(name) if name is not None else None
        if conversation is None:
            try:
                return cls(store, await store.create(id=name), ())
            except BadRequest:  # begun by somebody else since, or deleted
                conversation = await store.get(name) if name is not None else None
                if conversation is None:
                    raise
        return cls(store, conversation, await store.path(conversation.id))

    @property
    def turns(self) -> Sequence[Turn]:
        """What was said, on the path that is gone on with."""
        return tuple(self._turns)

    @property
    def messages(self) -> list[Message]:
        """What a model is sent of it: no question without an answer, for two in a row would be read as one."""
        kept: list[Message] = []
        for turn in self._turns:
            if turn.message.role == "user" and kept and kept[-1].role == "user":
                kept.pop()
            if turn.message.role != "assistant" or _says_something(turn.message):
                kept.append(turn.message)
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
        if model is not None:
            fields["model"] = model
        if system is not None:
            fields["system"] = system or None
        if fields:
            self.conversation = await self._store.change(self.conversation.id, **fields) or self.conversation

    async def ask(self, text: str) -> Turn:
        """Keep a question, and give it."""
        parent = self._turns[-1].id if self._turns else None
        turn = self._turn(Message(role="user", content=text), parent)
        if not self.conversation.title:
            title = text.strip().partition("\n")[0].strip()[:TITLE_CHARACTERS]
            self.conversation = await self._store.change(self.conversation.id, title=title) or self.conversation
        await self._store.add(turn)
        self._turns.append(turn)
        return turn

    def step_back(self, question: Turn) -> None:
        """Stand behind that question again, so that another answer to it becomes a sibling of the last one."""
        self._turns = self._turns[: self._turns.index(question) + 1]

    async def answer(self, result: ChatResult | None, state: TurnState = "finished", error: str | None = None) -> None:
        """Keep the answer to the newest question, as much as came of it, and how it ended."""
        message = result.message if result is not None else Message(role="assistant", content="")
        turn = self._turn(message, self._turns[-1].id, state=state, result=result, error=error)
        await self._store.add(turn)
        self._turns.append(turn)

    def _turn(
        self,
        message: Message,
        parent: str | None,
        *,
        state: TurnState = "finished",
        result: ChatResult | None = None,
        error: str | None = None,
    ) -> Turn:
        report = result.report if result is not None else None
        return Turn(
            id=uuid4().hex,
            conversation=self.conversation.id,
            parent=parent,
            message=message,
            created=datetime.now(UTC),
            state=state,
            model=report.model_served if report is not None else None,
            finish_reason=result.finish_reason if result is not None and state == "finished" else None,
            usage=result.usage if result is not None else None,
            cost=report.cost if report is not None else None,
            first_token=report.first_token if report is not None else None,
            total=report.total if report is not None else None,
            error=error,
        )


def _says_something(message: Message) -> bool:
    return bool(message.text or message.refusal or message.tool_calls)
