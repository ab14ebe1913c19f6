"""What is loaded when: a database library costs a fifth of a second, and most calls need none."""

import subprocess
import sys

import pytest

OPEN_TWICE = """
import asyncio, sys
from ai_chat.stores import open_conversations

async def main():
    store = await open_conversations("sqlite:///chat.db", encode=dict, decode=dict)
    await store.aclose()

asyncio.run(main())
print(*sys.modules)
"""


def modules_after(code: str) -> set[str]:
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_importing_loads_no_database():
    """The room can be entered without SQLAlchemy and its drivers."""
    loaded = modules_after("import sys, ai_chat.stores; print(*sys.modules)")

    assert not {"sqlalchemy", "alembic", "aiosqlite", "asyncpg", "sqlite3"} & loaded


def test_a_database_of_this_version_needs_no_alembic():
    """Alembic is loaded for the first opening and not for the second; the other database's driver is never."""
    first, second = modules_after(OPEN_TWICE), modules_after(OPEN_TWICE)

    assert "alembic" in first
    assert "alembic" not in second
    assert "asyncpg" not in first


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [("sqlalchemy", "sqlite:///chat.db", "sqlite"), ("aiosqlite", "sqlite:///chat.db", "sqlite"),
     ("asyncpg", "postgresql://localhost/chat", "postgres")],
)  # fmt: skip
def test_a_library_that_is_not_installed_is_named(missing, url, extra):
    """Without a library the sentence says which extra brings it."""
    code = f"""
import asyncio, sys
sys.modules[{missing!r}] = None
from ai_chat.core.errors import SettingsError
from ai_chat.stores import open_conversations
try:
    asyncio.run(open_conversations({url!r}, encode=dict, decode=dict))
except SettingsError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert missing in said
    assert f"install ai-chat-app[{extra}]." in said
