"""Conversations in a database: a tree of turns each, found by their words, put away before they are removed."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.conversations import Conversation, Turn
from ..core.errors import BadRequest
from ..core.messages import Message
from ..core.ports import IsAlive
from . import statements
from .database import Database
from .ids import new_id
from .inserting import inserted
from .limits import EVERYTHING, bounded, checked_id
from .rows import conversation_of, new_conversation_row, row_of, turn_of
from .search import SearchIndex, words_of
from .segments import query_words

CHANGEABLE = frozenset({"title", "model", "system", "options", "leaf"})
AT_ONCE = 500
"""Ids in one statement."""
PLACE = ("id", "conversation", "parent", "created")
"""What a turn is born with and keeps."""


class SqlConversations:
    """The `ConversationStore` over SQLite and PostgreSQL.

    A message is kept as JSON in the shape that `encode` gives it, so the wire's unknown fields survive. Any text comes
    back as it went in, NUL and lone surrogates included, on both databases; only an id must be plain text. What was
    deleted is neither shown nor added to, but a turn that runs on in it is still saved, as it may be taken back.
    """

    def __init__(
        self,
        database: Database,
        *,
        encode: Callable[[Message], dict[str, Any]],
        decode: Callable[[Mapping[str, Any]], Message],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Speak for a database that has this version's tables; it is closed with the store."""
        self._database = database
        self._index = SearchIndex(database.dialect)
        self._encode = encode
        self._decode = decode
        self._clock = now

    async def create(
        self,
        *,
        title: str = "",
        model: str | None = None,
        system: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Conversation:
        """Begin a conversation, under the given id or a new one.

        Raises:
            BadRequest: the id is taken, also by a deleted conversation, or is none.
            StorageFailed: it could not be written.
        """
        now = self._now()
        id_ = checked_id(id or new_id())
        conversation = Conversation(id=id_, title=title, created=now, updated=now, model=model, system=system)
        words = await words_of(title)
        async with self._database.writing() as connection:
            number = await inserted(connection, statements.INSERT_CONVERSATION, new_conversation_row(conversation))
            await self._index.put(connection, "title", number, words)
        return conversation

    async def get(self, conversation: str) -> Conversation | None:
        """Give a conversation; None if there is none (or it was deleted)."""
        async with self._database.reading() as connection:
            return await _conversation(connection, conversation)

    async def list(self, *, limit: int = 50, offset: int = 0) -> Sequence[Conversation]:
        """Give conversations, the newest change first. Looking at another leaf is no change."""
        parameters = {"limit": bounded(limit), "offset": bounded(offset)}
        async with self._database.reading() as connection:
            return tuple(map(conversation_of, await connection.execute(statements.CONVERSATIONS, parameters)))

    async def change(self, conversation: str, **fields: Any) -> Conversation | None:
        """Set `title`, `model`, `system`, `options` or `leaf`; None if there is no such conversation.

        Raises:
            BadRequest: the leaf is no turn of this conversation.
            StorageFailed: it could not be written.
        """
        if unknown := fields.keys() - CHANGEABLE:
            raise TypeError(f"a conversation has no {min(unknown)!r} to change; it has {sorted(CHANGEABLE)}")
        values = dict(fields)
        if "options" in values:
            values["options"] = dict(values["options"] or {})
        if values.keys() - {"leaf"}:
            values["updated"] = self._now()
        words = await words_of(values["title"]) if "title" in values else None
        async with self._database.writing() as connection:
            number = await self._number(connection, conversation, leaf=values.get("leaf"))
            if number is None:
                return None
            if values:
                await connection.execute(statements.CHANGE, {"this": number, **values})
            if words is not None:
                await self._index.put(connection, "title", number, words)
            return await _conversation(connection, conversation)

    async def delete(self, conversation: str) -> bool:
        """Put a conversation away; False if there is none. It can be taken back until it is purged."""
        async with self._database.writing() as connection:
            parameters = {"conversation": conversation, "now": self._now()}
            return (await connection.execute(statements.DELETE, parameters)).rowcount > 0

    async def restore(self, conversation: str) -> bool:
        """Take a deleted conversation back; False if there is none."""
        async with self._database.writing() as connection:
            return (await connection.execute(statements.RESTORE, {"conversation": conversation})).rowcount > 0

    async def purge(self, *, older_than: float = 0.0) -> int:
        """Remove for good what was deleted that many seconds ago or earlier; how many conversations that were."""
        before = datetime.fromtimestamp(max(self._clock() - older_than, 0.0), UTC)
        async with self._database.writing() as connection:
            return (await connection.execute(statements.PURGE, {"before": before})).rowcount

    async def add(self, turn: Turn, *, owner: str | None = None) -> None:
        """Add a turn and make it the conversation's leaf.

        Args:
            turn: the turn.
            owner: the process that goes on writing it, if its state is `running`.

        Raises:
            BadRequest: there is no such conversation, the parent is no turn of it, or the id is taken or is none.
            StorageFailed: it could not be written.
        """
        checked_id(turn.id)
        row = {**row_of(turn, self._encode), "owner": owner, "seen": None if owner is None else self._now()}
        words = await _words(turn)
        async with self._database.writing() as connection:
            if await self._number(connection, turn.conversation, parent=turn.parent) is None:
                raise BadRequest(
                    f"There is no conversation {turn.conversation!r}; create it, or restore it if it was deleted.",
                    param="conversation",
                )
            number = await inserted(connection, statements.INSERT_TURN, row)
            if words is not None:
                await self._index.put(connection, "turn", number, words)
            parameters = {"conversation": turn.conversation, "turn": turn.id, "now": self._now()}
            await connection.execute(statements.SHOW, parameters)

    async def save(self, turn: Turn) -> None:
        """Write a turn's present state over its earlier one; its place in the tree and its time of birth stay.

        Its words can be found from when it no longer runs, so that saving it each second while it does stays cheap.

        Raises:
            BadRequest: there is no such turn in that place.
            StorageFailed: it could not be written.
        """
        row = {name: value for name, value in row_of(turn, self._encode).items() if name not in PLACE}
        words = await _words(turn)
        place = {"turn": turn.id, "conversation": turn.conversation}
        async with self._database.writing() as connection:
            found = (await connection.execute(statements.PLACE, place)).first()
            if found is None or found.parent != turn.parent:
                raise BadRequest(
                    f"The turn {turn.id!r} is not in the conversation {turn.conversation!r} below {turn.parent!r}; "
                    "add it before it is saved."
                )
            await connection.execute(statements.SAVE_TURN, {"this": found.number, **row})
            if words is not None:
                await self._index.put(connection, "turn", found.number, words)
                await connection.execute(statements.TOUCH, {"conversation": turn.conversation, "now": self._now()})

    async def turn(self, turn: str) -> Turn | None:
        """Give a turn; None if there is none, or its conversation was deleted."""
        found = await self._turns(statements.TURN, turn=turn)
        return found[0] if found else None

    async def path(self, conversation: str, leaf: str | None = None, *, limit: int | None = None) -> Sequence[Turn]:
        """Give the turns from the root to `leaf` (the conversation's own if None), or the last `limit` of them."""
        most = EVERYTHING if limit is None else bounded(limit)
        if most == 0:
            return ()
        return await self._turns(statements.PATH, conversation=conversation, leaf=leaf, limit=most)

    async def siblings(self, turn: str) -> Sequence[Turn]:
        """Give the turns with the same parent, itself included, oldest first; none if there is no such turn."""
        itself = await self.turn(turn)
        if itself is None:
            return ()
        if itself.parent is None:
            return await self._turns(statements.ROOTS, conversation=itself.conversation)
        return await self._turns(statements.CHILDREN, parent=itself.parent)

    async def versions(self, turns: Sequence[Turn]) -> Mapping[str, Sequence[str]]:
        """Give for each of these turns the ids of all with its parent, itself included, oldest first.

        A turn that stands alone is left out. The turns are those of one conversation.
        """
        beside: dict[str | None, list[str]] = {}
        parents = list({turn.parent for turn in turns if turn.parent is not None})
        async with self._database.reading() as connection:
            for begin in range(0, len(parents), AT_ONCE):
                some = {"parents": parents[begin : begin + AT_ONCE]}
                for parent, turn in await connection.execute(statements.CHILDREN_OF, some):
                    beside.setdefault(parent, []).append(turn)
            roots = [turn.conversation for turn in turns if turn.parent is None]
            for conversation in roots[:1]:
                rows = await connection.execute(statements.ROOT_IDS, {"conversation": conversation})
                beside[None] = list(rows.scalars())
        return {turn.id: beside[turn.parent] for turn in turns if len(beside.get(turn.parent, ())) > 1}

    async def tip(self, turn: str) -> str:
        """Give the end of the branch that was gone on with last behind a turn; the turn itself if nothing follows."""
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(statements.TIP, {"turn": turn})).scalar()
        return found or turn

    async def search(self, text: str, *, limit: int = 20) -> Sequence[Conversation]:
        """Find conversations where one title or one message has all these words, the best first.

        Width, case and signs do not matter. Chinese is found by any run of its characters; the last word, from three
        letters on, also finds longer words that begin with it. A query without a letter or digit finds nothing.
        """
        words = query_words(text)
        if not words:
            return ()
        async with self._database.reading() as connection:
            return tuple(map(conversation_of, await self._index.find(connection, words, bounded(limit))))

    async def save_parts(self, turns: Sequence[Turn], *, owner: str) -> None:
        """Write what has come of turns that still run, and that the process which writes them lives.

        However many there are, it is one transaction. A turn that has ended meanwhile stays as it ended.

        Raises:
            StorageFailed: nothing could be written.
        """
        parts = [{"part": turn.id, "said": self._encode(turn.message)} for turn in turns]
        async with self._database.writing() as connection:
            if parts:
                await connection.execute(statements.SAVE_PART, parts)
            await connection.execute(statements.SEEN, {"writer": owner, "now": self._now()})

    async def interrupt_running(self, *, is_alive: IsAlive | None = None) -> Sequence[Turn]:
        """Mark every turn that was left running as interrupted, and give them, oldest first.

        Args:
            is_alive: whether an owner still writes, by its name and by the seconds since it was last seen; without it
                none does.
        """
        interrupted: list[Turn] = []
        if is_alive is not None and not await self._left_running(is_alive):
            return ()  # found without asking for the right to write
        async with self._database.writing() as connection:
            for number, owner, seen, *row in (await connection.execute(statements.RUNNING)).all():
                if is_alive is not None and is_alive(owner, self._ago(seen)):
                    continue
                turn = dataclasses.replace(turn_of(row, self._decode), state="interrupted")
                await connection.execute(statements.SAVE_TURN, {"this": number, "state": turn.state})
                await self._index.put(connection, "turn", number, await words_of(turn.message.text))
                interrupted.append(turn)
        return tuple(interrupted)

    async def aclose(self) -> None:
        """Let go of the database."""
        await self._database.aclose()

    async def _left_running(self, is_alive: IsAlive) -> bool:
        async with self._database.reading() as connection:
            rows = (await connection.execute(statements.RUNNING)).all()
        return any(not is_alive(row.owner, self._ago(row.seen)) for row in rows)

    def _ago(self, moment: datetime | None) -> float | None:
        return None if moment is None else (self._now() - moment).total_seconds()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def _turns(self, statement: Select[Any], **parameters: Any) -> Sequence[Turn]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement, parameters)).all()
        return tuple(turn_of(row, self._decode) for row in rows)

    @staticmethod
    async def _number(connection: AsyncConnection, conversation: str, **turn: str | None) -> int | None:
        """Give a conversation's number; None if there is none. A turn that is named must be one of its own."""
        param, name = next(iter(turn.items()))
        found = (await connection.execute(statements.OWNER, {"conversation": conversation, "turn": name})).first()
        if found is not None and name is not None and found.turn is None:
            raise BadRequest(
                f"The {param} {name!r} is no turn of the conversation {conversation!r}; give one of its own.",
                param=param,
            )
        return None if found is None else found.number


async def _words(turn: Turn) -> str | None:
    """Give what a turn is found by; None while it runs."""
    return None if turn.state == "running" else await words_of(turn.message.text)


async def _conversation(connection: AsyncConnection, conversation: str) -> Conversation | None:
    row = (await connection.execute(statements.CONVERSATION, {"conversation": conversation})).first()
    return None if row is None else conversation_of(row)
