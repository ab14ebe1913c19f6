"""Books before a real database that is locked or gone for a while: every row is there once afterwards."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.conversations import decode, encode
from tests.stores.test_bookkeeping import made_call

from ai_chat.stores import bookkeeping
from ai_chat.stores.bookkeeping import Books
from ai_chat.stores.journal import Journal
from ai_chat.stores.opening import open_stores

CALLS = 600


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(bookkeeping, "BATCH_SECONDS", 0.01)
    monkeypatch.setattr(bookkeeping, "PATIENCE", 0.3)
    monkeypatch.setattr(bookkeeping, "AWAY_SECONDS", 0.2)


@asynccontextmanager
async def locked(url: str):
    """Keep everybody else from writing into the books."""
    lock = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "BEGIN; LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in lock.split("; "):
            await connection.exec_driver_sql(statement)
        yield
        await connection.exec_driver_sql("ROLLBACK")
    await engine.dispose()


@asynccontextmanager
async def gone(url: str):
    """Throw every connection out and let no new one in."""
    database = make_url(url).database
    engine = create_async_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false"))
        throw_out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        await connection.execute(text(throw_out), {"name": database})
        yield
        await connection.execute(text(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true"))
    await engine.dispose()


@pytest.fixture(params=["sqlite locked", "postgresql locked", "postgresql gone"])
def troubled(request, tmp_path):
    """A database's URL, and what happens to it."""
    trouble = gone if request.param.endswith("gone") else locked
    if request.param.startswith("sqlite"):
        return f"sqlite+aiosqlite:///{tmp_path / 'chat.db'}", trouble
    return request.getfixturevalue("postgres_url"), trouble


async def test_every_row_is_there_once(no_leaks, troubled, tmp_path):
    """Calls go on while the database does not, and it has all of them when it is back."""
    url, trouble = troubled
    stores = await open_stores(url, encode=encode, decode=decode)

    async def ledger():
        return stores.ledger

    books = Books(ledger, Journal(tmp_path / "journal", "me"), owner="me", is_alive=lambda _: False)
    for number in range(CALLS):
        if number == CALLS // 4:
            trouble_now = trouble(url)
            await trouble_now.__aenter__()
        books.closed(made_call(number))
        await asyncio.sleep(0.002)
    assert list((tmp_path / "journal").glob("*")), "some of them had to wait in the journal"
    await trouble_now.__aexit__(None, None, None)
    async with asyncio.timeout(30):
        await books.settled()
    (total,) = await stores.ledger.usage()
    assert total.calls == CALLS
    assert not list((tmp_path / "journal").glob("*"))
    await books.aclose()
    await stores.aclose()
