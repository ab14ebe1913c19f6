"""Opening a database: made when new, brought up to date when old, refused when newer; by many processes at once."""

import asyncio
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from ai_chat.core.errors import ChatError
from ai_chat.stores.database import connect
from ai_chat.stores.failures import StorageFailed
from ai_chat.stores.tables import metadata
from ai_chat.stores.upgrading import HEAD, MIGRATIONS, upgrade

NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"

def upgrade():
    op.add_column("conversations", sa.Column("colour", sa.Text))
    {more}
"""

STARTER = """
import asyncio, sys
from pathlib import Path
from ai_chat.stores.database import connect
from ai_chat.stores.upgrading import upgrade
from sqlalchemy import text

url, head, migrations = sys.argv[1:]

async def main():
    database = await connect(url)
    await upgrade(database, head=head, migrations=Path(migrations))
    async with database.writing() as connection:
        await connection.execute(text("UPDATE conversations SET title = title WHERE 1 = 0"))
    await database.aclose()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
"""


@asynccontextmanager
async def opened(url, **options):
    database = await connect(url)
    try:
        await upgrade(database, **options)
        yield database
    finally:
        await database.aclose()


async def revision(database):
    async with database.reading() as connection:
        return await connection.scalar(text("SELECT version_num FROM alembic_version"))


async def columns(database):
    async with database.reading() as connection:
        described = await connection.run_sync(lambda sync: inspect(sync).get_columns("conversations"))
    return {column["name"] for column in described}


@pytest.fixture
def steps(tmp_path):
    """Give a folder of migrations that has one step more than the shipped ones."""
    folder = tmp_path / "100% migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions/next.py").write_text(NEXT_STEP.format(head=HEAD, more=""))
    return folder


def test_the_head_is_the_newest_step():
    """The revision that is known without Alembic is the one Alembic finds."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_the_steps_make_the_tables(database_url):
    """What the migrations make is what the queries are written for."""

    def differences(connection):
        def is_ours(thing, name, kind, *_):
            return not (kind == "table" and re.match(r"(title|turn|chunk)_(words|vectors)", name))

        context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
        return compare_metadata(context, metadata)

    async with opened(database_url) as database, database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_opening_again_changes_nothing(database_url):
    """An up-to-date database is opened as it is."""
    async with opened(database_url) as database:
        first = await revision(database)
    async with opened(database_url) as database:
        assert (first, await revision(database)) == (HEAD, HEAD)


async def test_an_old_database_is_brought_up_to_date(database_url, steps):
    """The missing step is taken, and what was stored is still there."""
    async with opened(database_url) as database, database.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO conversations (id, title, created, updated, options) "
                "VALUES ('c', 'kept', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', '{}')"
            )
        )

    async with opened(database_url, head="next", migrations=steps) as database:
        assert await revision(database) == "next"
        async with database.reading() as connection:
            found = await connection.execute(text("SELECT title, colour FROM conversations"))
            assert [tuple(row) for row in found] == [("kept", None)]


async def test_a_step_that_fails_leaves_the_database_as_it_was(database_url, steps):
    """A step is taken whole or not at all."""
    step = steps / "versions/next.py"
    step.write_text(NEXT_STEP.format(head=HEAD, more='op.execute("SELECT * FROM nowhere")'))
    async with opened(database_url):
        pass

    with pytest.raises(StorageFailed, match="nowhere"):
        async with opened(database_url, head="next", migrations=steps):
            pass

    async with opened(database_url) as database:
        assert await revision(database) == HEAD
        assert "colour" not in await columns(database)


async def test_a_newer_database_is_refused(database_url, steps):
    """A database of a later version is left alone, with a sentence that says so."""
    async with opened(database_url, head="next", migrations=steps):
        pass

    with pytest.raises(StorageFailed, match=rf"newer version .* revision is 'next', '{HEAD}' is the newest known here"):
        async with opened(database_url):
            pass

    async with opened(database_url, head="next", migrations=steps) as database:
        assert "colour" in await columns(database)


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "old"])
async def test_processes_that_start_at_once(database_url, steps, is_new):
    """Three processes that open a new or an old database at the same moment all succeed, and it is changed once."""
    for _ in range(1 if database_url.startswith("postgresql") else 4):
        if not is_new:
            async with opened(database_url):
                pass
        command = [sys.executable, "-c", STARTER, database_url, "next", str(steps)]
        starters = [
            await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(3)
        ]
        for starter in starters:
            assert await starter.stdout.readline() == b"ready\n"
        outputs = await asyncio.gather(*(starter.communicate(b"go\n") for starter in starters))

        assert [
            (starter.returncode, error.decode()) for starter, (_, error) in zip(starters, outputs, strict=True)
        ] == [(0, "")] * 3
        async with opened(database_url, head="next", migrations=steps) as database:
            assert "colour" in await columns(database)
        if database_url.startswith("sqlite"):
            files = list(Path(database_url.partition(":///")[2]).parent.glob("ai-chat.db*"))
            copies = [] if is_new else [f"ai-chat.db.{HEAD}.bak"]
            assert sorted(file.name for file in files) == ["ai-chat.db", *copies]
            for file in files:
                file.unlink()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:secret@127.0.0.1:1/chat",
        "postgresql+asyncpg://someone:secret@/chat?host=/nowhere",
        "postgres://someone:secret@127.0.0.1:port/chat",
        "postgresql://someone:secret@127.0.0.1/chat?what=secret",
        "mysql://someone:secret@127.0.0.1/chat",
        "someone:secret@127.0.0.1/chat",
        "sqlite:someone:secret",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///",
        "sqlite+aiosqlite:///:memory:",
        "",
    ],
)
async def test_a_url_that_leads_nowhere(url):
    """A database that cannot be reached, or that is none, gives one sentence without the password."""
    with pytest.raises(ChatError) as raised:
        async with opened(url):
            pass

    assert raised.value.code in {"settings_error", "storage_error"}
    assert raised.value.message.count(". ") == 0
    assert "secret" not in raised.value.message


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"database": "nosuch"}, "does not exist on its server"), ({"username": "nobody"}, "does not let this user in")],
    ids=["database", "user"],
)
async def test_a_server_that_refuses(postgres_url, change, sentence):
    """A database that is not there and a user who may not come in are told apart."""
    from sqlalchemy import make_url

    with pytest.raises(StorageFailed, match=sentence):
        async with opened(make_url(postgres_url).set(**change).render_as_string(hide_password=False)):
            pass


async def test_a_server_that_was_restarted(postgres_url):
    """Connections that the server dropped are replaced, and the next read and write succeed."""
    async with opened(postgres_url) as database, opened(postgres_url) as other:
        assert await revision(database) == HEAD
        async with other.writing() as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                     "AND datname = current_database()")
            )  # fmt: skip
        assert await revision(database) == HEAD
        async with database.writing() as connection:
            await connection.execute(text("DELETE FROM turns"))
