"""Conversations for tests: turns, lines of turns, their codec, and a clock that only goes on when asked."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ai_chat.core.conversations import Turn
from ai_chat.core.messages import Message
from ai_chat.core.ports import ConversationStore
from ai_chat.wire.requests import decode_message, encode_message

BORN = datetime(2026, 11, 24, 8, 30, 0, 123456, tzinfo=UTC)
numbers = itertools.count()


class SteppedClock:
    """A clock that goes a second forward each time it is asked."""

    def __init__(self) -> None:
        self.seconds = BORN.timestamp()

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


encode = encode_message


def decode(fields: Mapping[str, Any]) -> Message:
    return decode_message(fields, "message")


def make_turn(conversation: str, text: str = "hello", *, parent: str | None = None, **fields: Any) -> Turn:
    given = {"id": f"turn-{next(numbers)}", "created": BORN, "message": Message(role="user", content=text)}
    return Turn(conversation=conversation, parent=parent, **{**given, **fields})


async def add_line(store: ConversationStore, conversation: str, *texts: str) -> list[Turn]:
    """Add turns one below the other."""
    line: list[Turn] = []
    for text in texts:
        line.append(make_turn(conversation, text, parent=line[-1].id if line else None))
        await store.add(line[-1])
    return line


async def found_titles(store: ConversationStore, query: str) -> list[str]:
    return [found.title for found in await store.search(query)]
