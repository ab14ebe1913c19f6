"""What is kept, opened when it is first needed: the data folder, the database, the books, and who else uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .chat.record import Keeping
from .config import Settings
from .core.errors import SettingsError
from .core.ledger import ALWAYS, Span, UsageBy, UsageSum
from .core.ports import ConversationStore, DocumentStore
from .core.usage import NOTHING
from .providers.file_lock import FileLock
from .stores.bookkeeping import Books
from .stores.ids import new_id
from .stores.journal import Journal
from .stores.owners import Owners

if TYPE_CHECKING:
    from .stores.ledger import SqlLedger
    from .stores.opening import Stores

KEPT_DELETED = 7 * 86_400.0
"""Seconds for which a deleted conversation can be taken back."""


SETTLE_SECONDS = 2.0
"""How long a sum waits for what is still on its way into the books."""


def local_zone() -> tzinfo:
    """Give the zone of this machine, whose days are meant."""
    return datetime.now(UTC).astimezone().tzinfo or UTC


class Storage:
    """All that outlives the process. Everything in it belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._stores: Stores | None = None
        self._opening = asyncio.Lock()

    @cached_property
    def folder(self) -> Path:
        """The data folder, made if it was not there.

        Raises:
            SettingsError: it cannot be made or written.
        """
        folder = self._settings.data_dir.expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"The data folder {str(folder)!r} cannot be made ({error.strerror}); set AI_CHAT_DATA_DIR to another."
            ) from error
        return folder

    @cached_property
    def owners(self) -> Owners:
        """The processes that share the data folder; this one is among them from now on."""
        owners = Owners(self.folder / "running", FileLock)
        owners.enter()
        return owners

    @cached_property
    def books(self) -> Books:
        """Where every call is written down."""
        owners = self.owners
        return Books(
            self.ledger,
            Journal(self.folder / "journal", owners.name),
            owner=owners.name,
            is_alive=lambda owner: owners.is_alive(owner, None),
            is_open=lambda: self.is_open,
        )

    @property
    def is_open(self) -> bool:
        """Whether the database has been opened."""
        return self._stores is not None

    async def conversations(self) -> ConversationStore:
        """Give the conversations.

        Raises:
            ChatError: the database cannot be opened; the sentence says why.
        """
        return (await self._opened()).conversations

    async def ledger(self) -> SqlLedger:
        """Give the books' database.

        Raises:
            ChatError: the database cannot be opened; the sentence says why.
        """
        return (await self._opened()).ledger

    async def documents(self) -> DocumentStore:
        """Give the documents.

        Raises:
            ChatError: the database cannot be opened; the sentence says why.
        """
        return (await self._opened()).documents

    async def keeping(self) -> Keeping:
        """Give what is needed to go on with a conversation.

        Raises:
            ChatError: the database cannot be opened; the sentence says why.
        """
        return Keeping(store=await self.conversations(), new_id=new_id, now=lambda: datetime.now(UTC))

    async def usage(
        self,
        by: UsageBy | None = None,
        *,
        span: Span = ALWAYS,
        zone: tzinfo | None = None,
        of: Mapping[str, str] = NOTHING,
        patience: float = SETTLE_SECONDS,
    ) -> Sequence[UsageSum]:
        """Add up what was used, all that has been used so far included; see `SqlLedger.usage`.

        Raises:
            ChatError: the database cannot be read; the sentence says why.
        """
        ledger = await self.ledger()
        if patience >= SETTLE_SECONDS:
            self.books.catch_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.books.settled()
        return await ledger.usage(by, span=span, zone=zone or local_zone(), **of)

    async def used_elsewhere(self, by: UsageBy | None, span: Span) -> Sequence[UsageSum]:
        """Add up what other processes have used, or reserved for calls that go on.

        Raises:
            ChatError: the database cannot be read; the sentence says why.
        """
        return await (await self.ledger()).usage(by, span=span, besides=self.owners.name)

    async def tidy(self) -> None:
        """Settle what dead processes left open, and remove what was deleted long ago."""
        await (await self.conversations()).purge(older_than=KEPT_DELETED)
        await (await self.ledger()).settle(self.owners.is_alive)
        self.books.catch_up()

    async def aclose(self) -> None:
        """Write what waits, and close all that is open."""
        asked_for = vars(self)  # what is cached stands there
        async with AsyncExitStack() as closing:
            # The last goes first, and one that fails to close does not keep the others open.
            closing.push_async_callback(self._close_stores)
            if "owners" in asked_for:
                closing.callback(self.owners.leave)
            if "books" in asked_for:
                closing.push_async_callback(self.books.aclose)

    async def _close_stores(self) -> None:
        stores, self._stores = self._stores, None
        if stores is not None:
            await stores.aclose()

    async def _opened(self) -> Stores:
        async with self._opening:
            if self._stores is None:
                from .stores.opening import open_stores  # noqa: PLC0415 - a database that most calls do not need
                from .wire.requests import decode_message, encode_message  # noqa: PLC0415 - beside its only use

                url = self._settings.database
                self._stores = await open_stores(
                    url.get_secret_value() if url is not None else f"sqlite+aiosqlite:///{self.folder / 'ai-chat.db'}",
                    encode=encode_message,
                    decode=lambda fields: decode_message(fields, "message"),
                )
            return self._stores
