"""From a URL to a store. The database libraries are loaded here, on the first opening, and nowhere earlier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import SettingsError
from ..core.messages import Message
from ..core.ports import ConversationStore

if TYPE_CHECKING:
    from .documents import SqlDocuments
    from .ledger import SqlLedger


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept in one database."""

    conversations: ConversationStore
    ledger: SqlLedger
    documents: SqlDocuments

    async def aclose(self) -> None:
        """Let go of the database."""
        self.documents.close()
        await self.conversations.aclose()


async def open_stores(
    url: str,
    *,
    encode: Callable[[Message], dict[str, Any]],
    decode: Callable[[Mapping[str, Any]], Message],
    now: Callable[[], float] = time.time,
) -> Stores:
    """Open all that a database keeps, made or brought up to date first where that is needed.

    Args:
        url: `sqlite+aiosqlite:///PATH` (three slashes before a relative path, four before an absolute one) or
            `postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE`; the driver's name may be left out.
        encode: turns a message into the JSON object it is kept as.
        decode: turns that object into the message again.
        now: the clock, in Unix seconds.

    Raises:
        SettingsError: the URL names no database that can be used, or its driver is not installed.
        StorageFailed: the database cannot be opened: damaged, newer than this program, read-only, locked, no room.
    """
    try:
        from .conversations import SqlConversations  # noqa: PLC0415
        from .database import connect  # noqa: PLC0415
        from .documents import SqlDocuments  # noqa: PLC0415
        from .ledger import SqlLedger  # noqa: PLC0415
        from .upgrading import upgrade  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"Conversations are kept with {error.name}, which is not installed; install ai-chat-app[sqlite]."
        ) from error
    database = await connect(url)
    try:
        await upgrade(database)
    except BaseException:
        await database.aclose()
        raise
    conversations = SqlConversations(database, encode=encode, decode=decode, now=now)
    return Stores(conversations, SqlLedger(database), SqlDocuments(database))


async def open_conversations(
    url: str,
    *,
    encode: Callable[[Message], dict[str, Any]],
    decode: Callable[[Mapping[str, Any]], Message],
    now: Callable[[], float] = time.time,
) -> ConversationStore:
    """Open the conversations of a database; see `open_stores`."""
    return (await open_stores(url, encode=encode, decode=decode, now=now)).conversations
