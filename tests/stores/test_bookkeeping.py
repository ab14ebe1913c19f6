"""Who writes the books, with a database that is away, slow or back, and processes that die."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time

import orjson
import pytest

from ai_chat.core.errors import StorageFailed
from ai_chat.core.messages import Message
from ai_chat.core.request import Attempt, Call, ChatRequest, Trail
from ai_chat.stores import bookkeeping, journal
from ai_chat.stores.bookkeeping import Books
from ai_chat.stores.journal import Journal

REQUEST = ChatRequest(model="m", messages=(Message(role="user", content="x"),))


def made_call(number: int) -> Call:
    trail = Trail(trace_id=f"call-{number}", ended=time.perf_counter(), outcome="finished")
    trail.attempts.append(Attempt(target="t/m", started=trail.started, ended=trail.ended, outcome="finished"))
    return Call(request=REQUEST, trail=trail)


class Ledger:
    """A database as seen from the books: it can be away, hang, or take rows and then say that it did not."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.away = False
        self.hangs = False
        self.lies = False
        self.batches = 0

    async def write(self, entries) -> None:
        if self.away:
            raise StorageFailed("away")
        if self.hangs:
            await asyncio.Event().wait()
        self.batches += 1
        for table, row in entries:
            name = row[0] if table == "calls" else f"{row[0]}/{row[1]}"
            self.rows[name] = self.rows.get(name, 0) + 1
        if self.lies:
            raise StorageFailed("lost in the moment of its commit")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(bookkeeping, "BATCH_SECONDS", 0.005)
    monkeypatch.setattr(bookkeeping, "AWAY_SECONDS", 0.05)
    monkeypatch.setattr(bookkeeping, "PATIENCE", 0.05)
    monkeypatch.setattr(bookkeeping, "STUCK", 0.2)


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
async def books(no_leaks, ledger, tmp_path):
    made = new_books(ledger, tmp_path)
    yield made
    await made.aclose()


def new_books(ledger, folder, owner="me", alive=("me",)) -> Books:
    async def opened():
        return ledger

    return Books(opened, Journal(folder / "journal", owner), owner=owner, is_alive=lambda name: name in alive)


def take(books, *numbers) -> None:
    for number in numbers:
        books.closed(made_call(number))


async def until_all(ledger, count, folder) -> None:
    async with asyncio.timeout(10):
        while len(ledger.rows) < 2 * count or list(folder.glob("journal/*")):
            await asyncio.sleep(0.01)


async def test_rows_go_together(books, ledger):
    """A thousand calls at once are a few writes, and each row is there once."""
    take(books, *range(1000))
    await books.flush()
    assert set(ledger.rows.values()) == {1}
    assert len(ledger.rows) == 2000
    assert ledger.batches <= 3


async def test_a_database_that_is_away(books, ledger, tmp_path):
    """Rows wait in the journal and none in memory; when it is back, all are put in and the journal is gone."""
    ledger.away = True
    take(books, *range(50))
    await books.flush()
    assert (ledger.rows, books.waiting) == ({}, 0)
    assert list(tmp_path.glob("journal/*"))
    ledger.away = False
    take(books, 50)
    await until_all(ledger, 51, tmp_path)


async def test_a_database_that_hangs(books, ledger, tmp_path):
    """It is waited for once, and not by any call; while it hangs the writer waits, and does not try without end."""
    tried = []
    replay = books._replay
    books._replay = lambda: (tried.append(1), replay())[1]
    ledger.hangs = True
    began = time.perf_counter()
    take(books, *range(500))
    assert time.perf_counter() - began < 1
    await books.flush()
    await asyncio.sleep(0.3)
    assert len(tried) < 10
    ledger.hangs = False
    await until_all(ledger, 500, tmp_path)


async def test_a_commit_that_nobody_hears_of(books, ledger, tmp_path):
    """Rows that may or may not be in are put in again: the database has to know them, and does."""
    ledger.lies = True
    take(books, *range(10))
    await books.flush()
    ledger.lies = False
    await until_all(ledger, 10, tmp_path)
    assert set(ledger.rows) == {f"call-{n}" for n in range(10)} | {f"call-{n}/1" for n in range(10)}


async def test_nothing_is_lost_at_the_end(ledger, tmp_path, no_leaks):
    """Closing writes what waits; with the database away, the next process puts it in."""
    ledger.away = True
    first = new_books(ledger, tmp_path, owner="first")
    take(first, *range(20))
    await first.aclose()
    ledger.away = False
    second = new_books(ledger, tmp_path)
    second.catch_up()
    await until_all(ledger, 20, tmp_path)
    take(second, 20)
    await second.aclose()
    assert len(ledger.rows) == 42


async def test_the_journal_of_a_living_process_is_left_alone(ledger, tmp_path, no_leaks):
    """Each puts in its own."""
    Journal(tmp_path / "journal", "other").append(bookkeeping.entries_of(made_call(1), owner="other"))
    ours = new_books(ledger, tmp_path, alive=("me", "other"))
    ours.catch_up()
    await asyncio.sleep(0.05)
    await ours.aclose()
    assert not ledger.rows
    assert len(list(tmp_path.glob("journal/*"))) == 1


async def test_a_line_that_was_cut(ledger, tmp_path, no_leaks):
    """Half a row at the end of a file, as a killed process leaves it, does no harm to the others."""
    Journal(tmp_path / "journal", "dead").append(bookkeeping.entries_of(made_call(1), owner="dead"))
    (file,) = tmp_path.glob("journal/*")
    with file.open("ab") as end:
        end.write(b'["calls",["call-2",17')
    ours = new_books(ledger, tmp_path)
    ours.catch_up()
    await until_all(ledger, 1, tmp_path)
    await ours.aclose()
    assert set(ledger.rows) == {
        entry[1][0] if entry[0] == "calls" else f"{entry[1][0]}/{entry[1][1]}"
        for entry in bookkeeping.entries_of(made_call(1), owner="dead")
    }


async def test_neither_database_nor_disk(books, ledger, monkeypatch, tmp_path, caplog):
    """Rows stay in memory up to a bound, which says that no more calls should come; later all are written."""
    monkeypatch.setattr(journal, "MOST_BYTES", 0)
    monkeypatch.setattr(bookkeeping, "WAITING", 20)
    ledger.away = True
    take(books, *range(5))
    assert not books.full
    take(books, *range(5, 10))
    assert books.full
    await asyncio.sleep(0.05)
    assert books.full
    assert "neither the database nor the journal" in caplog.text
    ledger.away = False
    await books.flush()
    await until_all(ledger, 10, tmp_path)


async def test_a_long_time_away(books, ledger, tmp_path, monkeypatch):
    """However many rows there are, memory holds few of them, and files have a size; each row comes in once."""
    monkeypatch.setattr(journal, "FILE_BYTES", 200_000)
    ledger.away = True
    for begin in range(0, 6000, 500):
        take(books, *range(begin, begin + 500))
        await books.flush()
        assert books.waiting == 0
    sizes = [file.stat().st_size for file in (tmp_path / "journal").iterdir()]
    assert len(sizes) > 2
    assert max(sizes) < 2 * 200_000 < sum(sizes)
    ledger.away = False
    await until_all(ledger, 6000, tmp_path)
    assert set(ledger.rows.values()) == {1}


KILLED = """
import asyncio, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.stores.test_bookkeeping import Ledger, made_call, new_books

async def main():
    ledger = Ledger()
    ledger.away = True
    books = new_books(ledger, Path(sys.argv[1]), owner="dead")
    for number in range(1000000):
        books.closed(made_call(number))
        print(number, flush=True)
        await asyncio.sleep(0.001)

asyncio.run(main())
"""


async def test_a_killed_process_loses_the_last_moment(ledger, tmp_path, no_leaks, request):
    """What it had taken a moment before it was killed is all there; on a busy machine that is half a second."""
    code = KILLED.format(root=str(request.config.rootpath))
    with subprocess.Popen(  # noqa: ASYNC220 - the test waits for nothing else
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        taken = []
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            taken.append((time.monotonic(), int(child.stdout.readline())))
        killed = time.monotonic()
        child.send_signal(signal.SIGKILL)
        child.wait()
    safe = [number for moment, number in taken if moment < killed - 0.5]
    ours = new_books(ledger, tmp_path)
    ours.catch_up()
    async with asyncio.timeout(10):
        while list(tmp_path.glob("journal/*")):
            await asyncio.sleep(0.01)
    await ours.aclose()
    assert safe
    assert {f"call-{number}" for number in safe} <= set(ledger.rows)


def test_a_journal_is_lines_of_json(tmp_path):
    """Any tool can read it."""
    kept = Journal(tmp_path, "me")
    kept.append(bookkeeping.entries_of(made_call(1), owner="me"))
    (file,) = kept.files()
    assert [orjson.loads(line)[0] for line in file.read_bytes().splitlines()] == ["calls", "attempts"]
