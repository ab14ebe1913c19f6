"""Databases in a file: where they lie, who may read them, how they are copied, and what goes wrong with disks."""

import asyncio
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from ai_chat.core.conversations import Turn
from ai_chat.core.errors import StorageFailed
from ai_chat.core.messages import Message
from ai_chat.stores import open_conversations
from ai_chat.stores.database import connect
from ai_chat.stores.upgrading import HEAD, MIGRATIONS, upgrade

STEP = """
from alembic import op
revision = "{name}"
down_revision = "{before}"
def upgrade():
    op.execute("CREATE TABLE of_{name} (a)")
"""

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from ai_chat.core.conversations import Turn
from ai_chat.core.messages import Message
from ai_chat.stores import open_conversations

async def main():
    store = await open_conversations(sys.argv[1], encode=lambda m: {"content": m.content}, decode=None)
    await store.create(id="c")
    parent = None
    for n in range(1_000_000):
        message = Message(role="user", content=f"word{n}")
        await store.add(Turn(id=str(n), conversation="c", parent=parent, message=message, created=datetime.now(UTC)))
        parent = str(n)
        print(n, flush=True)

asyncio.run(main())
"""


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


async def open_store(file: Path):
    return await open_conversations(
        url_of(file),
        encode=lambda message: {"role": message.role, "content": message.content},
        decode=lambda fields: Message(role="user", content=fields["content"]),
    )


def make_turn(name: str, content: str, parent: str | None = None) -> Turn:
    message = Message(role="user", content=content)
    return Turn(id=name, conversation="c", parent=parent, message=message, created=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ai-chat.db"


@pytest.fixture
async def stored(file: Path) -> Path:
    """Give a database with one conversation in it."""
    store = await open_store(file)
    await store.create(id="c", title="kept")
    await store.aclose()
    return file


def titles_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [title for (title,) in connection.execute("SELECT title FROM conversations")]


# --- where --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a b.db", "100%25.db", "a?mode=ro.db", "a#b.db", "数据.db", "file:x.db"])
async def test_any_path_is_taken_literally(tmp_path, name):
    """Signs that mean something in a URL mean nothing in the path of a file."""
    (tmp_path / "c?d").mkdir()
    store = await open_store(tmp_path / "c?d" / name)
    await store.create(title="here")
    await store.aclose()

    assert titles_in(tmp_path / "c?d" / name) == ["here"]


async def test_a_relative_path_is_taken_from_the_working_folder():
    """Three slashes lead to a file beside where the program was started."""
    store = await open_store(Path("chat.db"))
    await store.aclose()

    assert titles_in(Path("chat.db")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
async def test_nobody_else_may_read_it(file):
    """The file and those beside it belong to their owner alone."""
    store = await open_store(file)
    await store.create()

    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.glob("ai-chat.db*")} == {0o600}
    await store.aclose()


async def test_one_file_remains(stored):
    """After closing nothing lies beside the database."""
    assert [path.name for path in stored.parent.glob("ai-chat.db*")] == ["ai-chat.db"]


async def test_what_is_purged_leaves_no_words(stored):
    """With a conversation the words go that it and its turns were found by."""
    store = await open_store(stored)
    await store.add(make_turn("t", "rain"))
    await store.delete("c")
    await store.purge()
    async with store._database.reading() as connection:
        for table in ("turns", "title_words", "turn_words"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608
    await store.aclose()


# --- copies -------------------------------------------------------------------------------------------------------


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Give migrations that go on with `b`, `c`, `d`, `e` and `f`."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    for before, name in zip([HEAD, *"bcde"], "bcdef", strict=True):
        (folder / f"versions/{name}.py").write_text(STEP.format(name=name, before=before))
    return folder


async def upgrade_to(file: Path, head: str, migrations: Path) -> None:
    database = await connect(url_of(file))
    try:
        await upgrade(database, head=head, migrations=migrations)
    finally:
        await database.aclose()


async def test_a_database_is_copied_before_it_is_changed(stored, steps):
    """The copy is the database as it was, named by its revision, what another process just wrote included."""
    other = await open_store(stored)  # keeps what it wrote in the side file
    await other.create(title="just written")

    await upgrade_to(stored, "b", steps)

    await other.aclose()
    copy = stored.with_name(f"ai-chat.db.{HEAD}.bak")
    assert titles_in(copy) == ["kept", "just written"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_new_database_is_not_copied(file):
    """There is nothing to copy when there was nothing."""
    await (await open_store(file)).aclose()

    assert not list(file.parent.glob("*.bak*"))


async def test_three_copies_are_kept(stored, steps):
    """Older copies make room for newer ones; what is not a copy of this database stays."""
    (stored.parent / "other.db.b.bak").touch()
    for head in "bcdef":
        await upgrade_to(stored, head, steps)

    assert sorted(path.name for path in stored.parent.glob("*.bak*")) == [
        "ai-chat.db.c.bak", "ai-chat.db.d.bak", "ai-chat.db.e.bak", "other.db.b.bak",
    ]  # fmt: skip


async def test_without_a_copy_nothing_is_changed(stored, steps):
    """A database that cannot be copied is left as it is, with a sentence that says so."""
    blocked = stored.with_name(f"ai-chat.db.{HEAD}.bak.partial")
    blocked.mkdir()

    with pytest.raises(StorageFailed, match=r"no copy could be made .* nothing was changed"):
        await upgrade_to(stored, "b", steps)

    blocked.rmdir()
    store = await open_store(stored)  # this version still takes it
    assert [found.title for found in await store.list()] == ["kept"]
    await store.aclose()


# --- what goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"PK\x03\x04" * 500, b"SQLite format 3\0" + b"\1" * 4000], ids=["zip", "torn"])
async def test_a_file_that_is_no_database(file, content):
    """Something else under that name is left alone, with a sentence that says so."""
    file.write_bytes(content)

    with pytest.raises(StorageFailed, match=r"ai-chat\.db' is damaged or is no database"):
        await open_store(file)
    assert file.read_bytes() == content


async def test_a_damaged_page_is_told(stored):
    """Damage that only shows when it is read gives the same sentence."""
    with closing(sqlite3.connect(stored)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'conversations'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with stored.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xff" * size)
    store = await open_store(stored)

    with pytest.raises(StorageFailed, match="damaged"):
        await store.get("c")
    await store.aclose()


async def test_a_folder_that_is_not_there(tmp_path):
    """A path into nowhere gives a sentence with the reason."""
    with pytest.raises(StorageFailed, match=r"x/ai-chat\.db' cannot be opened .*check that its folder is there"):
        await open_store(tmp_path / "x/ai-chat.db")


async def test_a_folder_in_its_place(file):
    """A folder of that name is no database."""
    file.mkdir()

    with pytest.raises(StorageFailed, match="cannot be opened"):
        await open_store(file)


@pytest.fixture
def own_folder():
    """Give a folder, and do the test as a user whom rights concern; they do not concern root."""
    if os.name == "nt":
        pytest.skip("Windows has no such rights")
    with tempfile.TemporaryDirectory() as folder:
        was = os.geteuid()
        if was == 0:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        yield Path(folder)
        os.seteuid(was)


async def test_a_folder_that_cannot_be_written(own_folder):
    """A database cannot begin in a read-only folder, and nothing is left there."""
    own_folder.chmod(0o555)

    with pytest.raises(StorageFailed, match=r"cannot be opened \(Permission denied\)"):
        await open_store(own_folder / "ai-chat.db")
    assert not list(own_folder.iterdir())


async def test_a_file_that_cannot_be_written(own_folder):
    """A database whose file has become read-only gives a sentence."""
    file = own_folder / "ai-chat.db"
    store = await open_store(file)
    await store.create(id="c", title="kept")
    await store.aclose()
    file.chmod(0o444)
    store = await open_store(file)

    with pytest.raises(StorageFailed, match="is read-only; make the file and its folder writable"):
        await store.create(title="lost")
    await store.aclose()
    assert titles_in(file) == ["kept"]


async def test_a_full_disk_loses_nothing(file):
    """When there is no room a turn is not written at all, what was there stays, and with room the same turn is."""
    store = await open_store(file)
    made = await store.create(id="c", title="kept")
    async with store._database.writing() as connection:  # SQLite's own limit says what a full disk says
        pages = await connection.scalar(text("PRAGMA page_count"))
        await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    turn = make_turn("t", "word " + "x" * 100_000)

    with pytest.raises(StorageFailed, match=r"no room .* nothing was changed, free some space"):
        await store.add(turn)
    assert await store.get("c") == made
    assert await store.path("c") == ()
    assert await store.search("word") == ()

    async with store._database.writing() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1000000"))
    await store.add(turn)
    assert await store.path("c") == (turn,)
    await store.aclose()


async def test_a_database_that_someone_keeps_locked(stored):
    """A write that another process does not let through ends with a sentence; reading goes on meanwhile."""
    database = await connect(url_of(stored), busy_seconds=0.05)
    with closing(sqlite3.connect(stored, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match="locked for too long"):
            async with database.writing():
                pass
        async with database.reading() as connection:
            assert await connection.scalar(text("SELECT title FROM conversations")) == "kept"
        other.execute("ROLLBACK")
    async with database.writing() as connection:
        await connection.execute(text("UPDATE conversations SET title = 'changed'"))
    await database.aclose()

    assert titles_in(stored) == ["changed"]


async def test_two_stores_of_one_process(file):
    """What one store writes the other reads, and closing one leaves the other's hold on the file alone."""
    first, second = await open_store(file), await open_store(file)
    await first.create(id="c")
    async with first._database.writing():
        await second.aclose()
        third = await open_store(file)
        with (
            closing(sqlite3.connect(file, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
    assert await third.get("c") == await first.get("c")
    await third.aclose()
    await first.aclose()


async def test_a_killed_process_loses_nothing(file):
    """Every turn whose writing was over when the process was killed is there, and the line is unbroken."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url_of(file), stdout=asyncio.subprocess.PIPE
    )
    while int(told := await writer.stdout.readline()) < 60:
        pass
    writer.kill()
    rest, _ = await writer.communicate()
    told = int([told, *rest.split()][-1])

    store = await open_store(file)
    line = await store.path("c")
    assert [turn.id for turn in line] == [str(n) for n in range(len(line))]
    assert len(line) in {told + 1, told + 2}  # the last one may have been written and not been told
    assert len(await store.search("word60")) == 1
    await store.aclose()


async def test_closing_leaves_no_thread(file):
    """The threads that work for a database end with it."""
    before = set(threading.enumerate())
    store = await open_store(file)
    await store.create()
    await store.list()
    workers = [thread for thread in threading.enumerate() if thread not in before and "worker" in thread.name]
    assert workers
    await store.aclose()
    await store.aclose()

    for worker in workers:
        worker.join(10)
    assert not [worker for worker in workers if worker.is_alive()]
