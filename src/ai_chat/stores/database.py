"""A database that can be written and read: its engines and their settings."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ..core.errors import SettingsError, StorageFailed
from .failures import told

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
BUSY_SECONDS = 20.0
BUSY_WAIT = 0.02
SQLITE_READERS = 4
"""Connections that read at once; each is a thread."""
POSTGRES_CONNECTIONS = 10
OPTIONS = frozenset({"host", "port", "ssl"})
"""What may stand behind the question mark of a PostgreSQL URL; `host` may be the folder of a socket."""
CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 60.0


class Database:
    """One database, for the event loop it was opened on."""

    def __init__(self, name: str, *, writer: AsyncEngine, reader: AsyncEngine, file: Path | None = None) -> None:
        """Keep the engines.

        Args:
            name: what errors call it, without a password.
            writer: begins transactions that may write.
            reader: reads without a transaction around it.
            file: where it is, if it is a file.
        """
        self.name = name
        self.file = file
        self._writer = writer
        self._reader = reader

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: it is committed at the end, and undone if the block is left by an exception.

        Raises:
            StorageFailed: the database did not do it.
        """
        with told(self.name):
            async with self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection on which each statement sees what was committed before it.

        Raises:
            StorageFailed: the database did not do it.
        """
        with told(self.name):
            async with self._reader.connect() as connection:
                yield connection

    async def aclose(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self._reader.sync_engine.pool is not self._writer.sync_engine.pool:
            await self._reader.dispose()


async def connect(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Database:
    """Make the engines of a database. A file is made if it is not there; no tables are made yet.

    Args:
        url: as `open_conversations` takes it.
        busy_seconds: how long a writer waits for another process, and anyone for a connection.

    Raises:
        SettingsError: the URL cannot be used, or its driver is not installed.
        StorageFailed: the file cannot be made or opened.
    """
    parsed = _parsed(url)
    is_sqlite = parsed.drivername.startswith("sqlite")
    try:
        return await _sqlite(parsed, busy_seconds) if is_sqlite else _postgres(parsed, busy_seconds)
    except ModuleNotFoundError as error:
        extra = "sqlite" if is_sqlite else "postgres"
        raise SettingsError(
            f"The database needs {error.name}, which is not installed; install ai-chat-app[{extra}]."
        ) from error


def _parsed(url: str) -> URL:
    scheme, separator, rest = url.partition("://")
    driver = DRIVERS.get(scheme)
    if driver is None or not separator:
        raise SettingsError(
            f"The database URL begins with {scheme.partition(':')[0]!r}; "
            "use sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."
        )
    if driver.startswith("sqlite"):
        # Taken literally: a folder's name may hold a question mark, which a URL parser takes for options.
        path = rest.removeprefix("/")
        if not rest.startswith("/") or path in {"", ":memory:"}:
            raise SettingsError("The database URL names no file; write sqlite+aiosqlite:/// and then the path.")
        return URL.create(driver, database=path)
    try:
        parsed = make_url(f"{driver}://{rest}")
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            "The database URL cannot be read; use postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."
        ) from error
    # What libpq calls `sslmode` and every hoster writes, asyncpg calls `ssl`.
    options = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    if unknown := options.keys() - OPTIONS:
        raise SettingsError(f"The database URL has an option {min(unknown)!r}; the ones known are {sorted(OPTIONS)}.")
    return parsed.set(query=options)


async def _sqlite(url: URL, busy_seconds: float) -> Database:
    file = Path(url.database or "")
    name = repr(str(file))
    with told(name):
        await asyncio.to_thread(_prepare, file, busy_seconds)
    writer = create_async_engine(
        url,
        connect_args={"isolation_level": None, "timeout": busy_seconds},
        pool_size=1,  # SQLite has one writer; waiting in line here is fair, waiting in SQLite is not
        max_overflow=0,
        pool_timeout=busy_seconds,
    )
    reader = create_async_engine(
        url,
        connect_args={"timeout": busy_seconds},
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_size=SQLITE_READERS,
        max_overflow=0,
        pool_timeout=busy_seconds,
    )
    event.listen(writer.sync_engine, "connect", _set_up_writer)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    event.listen(reader.sync_engine, "connect", _set_up_reader)
    return Database(name, writer=writer, reader=reader, file=file)


def _postgres(url: URL, busy_seconds: float) -> Database:
    engine = create_async_engine(
        url,
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS},
        pool_size=POSTGRES_CONNECTIONS,
        max_overflow=0,
        pool_timeout=busy_seconds,
        pool_pre_ping=True,  # a server that was restarted has dropped what the pool holds
        skip_autocommit_rollback=True,
    )
    name = repr(f"{url.host or 'localhost'}/{url.database}")
    return Database(name, writer=engine, reader=engine.execution_options(isolation_level="AUTOCOMMIT"))


def _prepare(file: Path, busy_seconds: float) -> None:
    """Make the file if it is not there, and open it once: what can go wrong with it does so here.

    It is made for nobody else to read; SQLite gives its side files the same rights. One that is there is left to
    SQLite: opening and closing it here would drop the locks that this process may have on it.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StorageFailed(
            f"The database {str(file)!r} cannot be opened ({error.strerror}); "
            "check that its folder is there and that both can be written."
        ) from error
    # A connection that fails within aiosqlite leaves a thread behind that may report to a loop that has gone.
    with closing(sqlite3.connect(file, timeout=busy_seconds)) as connection:
        _write_ahead(connection, until=time.monotonic() + busy_seconds)


def _write_ahead(connection: sqlite3.Connection, *, until: float) -> None:
    """Change the file's mode. SQLite waits for no lock here: of two processes that start at once, one is refused."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                raise
            time.sleep(BUSY_WAIT)
        else:
            return


def _set_up_writer(connection: Any, _record: object) -> None:
    # With NORMAL nothing is lost however this process ends. A power cut may take back the last seconds and leaves the
    # file whole; FULL would make each write wait for the disk.
    _run_all(connection, "PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON")


def _set_up_reader(connection: Any, _record: object) -> None:
    # Half a MB of pages in place of two, for each connection: what is read again comes from the system's own cache.
    _run_all(connection, "PRAGMA query_only = ON", "PRAGMA cache_size = -500")


def _run_all(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once if another process wrote in between; one that asks
    # for the lock at its start waits for it.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
