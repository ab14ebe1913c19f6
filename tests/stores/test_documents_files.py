"""Documents when things go wrong: full disks, killed processes, lost servers; and what a large document holds up."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.documents import any_unit, by_vector, by_words, make_chunks, make_document, put, texts_of, unit

from ai_chat.core.errors import StorageFailed
from ai_chat.stores import document_vectors
from ai_chat.stores.document_rows import AT_ONCE
from ai_chat.stores.opening import open_stores

ROOT = Path(__file__).parents[2]
WRITER = """
import asyncio, sys
from tests.documents import put
from ai_chat.stores.opening import open_stores

async def main():
    stores = await open_stores(sys.argv[1], encode=dict, decode=dict)
    for n in range(1_000_000):
        await put(stores.documents, "a", *[f"common part{n} {m}" for m in range(300)], id="d")
        print(n, flush=True)

asyncio.run(main())
"""

OPENER = """
import asyncio, sys
from ai_chat.stores.opening import open_stores

async def main():
    stores = await open_stores("sqlite:///a.db", encode=dict, decode=dict)
    await stores.documents.list()
    await stores.aclose()

asyncio.run(main())
print(*sys.modules)
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ai-chat.db'}"


@pytest.fixture
async def stores(url):
    stores = await open_stores(url, encode=dict, decode=dict)
    yield stores
    await stores.aclose()


async def check_whole(documents, parts):
    """The document d has these chunks, and its words and vectors are theirs and no others."""
    assert await documents.text("d") == "\n".join(parts)
    words = await documents.by_words("common", limit=100_000)
    vectors = await documents.by_vector(unit(1), embedding="model-a", limit=100_000)
    assert sorted(await texts_of(documents, words)) == sorted(parts)
    assert sorted(await texts_of(documents, vectors)) == sorted(parts)


async def test_a_full_disk(stores):
    """What does not fit is not kept at all: the old content stands and is found, and is replaced when there is room."""
    documents = stores.documents
    old = [f"common old {n}" for n in range(20)]
    await put(documents, "a", *old, id="d")
    async with documents._database.writing() as connection:
        pages = await connection.scalar(text("PRAGMA page_count"))
    for more in (1, 20, 60, 200, 400):
        async with documents._database.writing() as connection:
            await connection.execute(text(f"PRAGMA max_page_count = {pages + more}"))
        with pytest.raises(StorageFailed, match="disk has no room"):
            await put(documents, "a", *[f"common new {n} " + "x" * 2000 for n in range(2000)], id="d")
        await check_whole(documents, old)
    async with documents._database.writing() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1000000"))
    await put(documents, "a", "common new", id="d")
    await check_whole(documents, ["common new"])


async def test_a_process_that_is_killed(url):
    """Killed while it replaces a document over and over, it leaves one content whole."""
    for _ in range(3):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, url, cwd=ROOT, stdout=subprocess.PIPE
        )
        last = [int(await writer.stdout.readline()) for _ in range(3)][-1]
        await asyncio.sleep(0.05)
        writer.kill()
        last = int(((await writer.communicate())[0].split() or [last])[-1])

        stores = await open_stores(url, encode=dict, decode=dict)
        whole = await stores.documents.text("d")
        written = int(whole.split()[1].removeprefix("part"))
        assert written in {last, last + 1}
        await check_whole(stores.documents, [f"common part{written} {m}" for m in range(300)])
        await stores.aclose()


async def test_the_words_of_what_is_removed_leave_the_index(stores, tmp_path):
    """SQLite's index forgets the words of replaced and removed documents, and stays in order."""
    documents = stores.documents
    for n in range(5):
        await put(documents, f"报告{n % 2}.md", f"北京 rain rain\ud800 {n}", "\0 天气" * n, id=f"d{n % 2}")
    await documents.remove("d0")
    await documents.remove("d1")

    with closing(sqlite3.connect(tmp_path / "ai-chat.db")) as connection:
        for word in ('"北京"', '"rain"', '"rain²"', '"报"*', '"md"'):
            assert (
                connection.execute("SELECT rowid FROM chunk_words WHERE chunk_words MATCH ?", (word,)).fetchall() == []
            )
        connection.execute("INSERT INTO chunk_words (chunk_words) VALUES ('integrity-check')")
        left = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("documents", "document_texts", "chunks", "chunk_vectors")
        }
    assert set(left.values()) == {0}


async def test_vectors_are_given_up_when_nobody_searches(stores, monkeypatch):
    """Their memory is given back after a while, and they are read again when somebody does."""
    monkeypatch.setattr(document_vectors, "UNUSED_SECONDS", 0.01)
    await put(stores.documents, "a", "text")
    await stores.documents.by_vector(unit(1), embedding="model-a", limit=1)
    assert stores.documents._index._vectors._loaded

    while stores.documents._index._vectors._loaded:
        await asyncio.sleep(0.01)

    assert await by_vector(stores.documents, unit(1)) == ["text"]


async def test_a_search_that_is_cancelled_leaves_the_vectors_in_order(stores):
    """Searches that are given up at any moment of the reading of vectors change nothing for later ones."""
    documents = stores.documents
    parts = [f"common {n}" for n in range(20 * AT_ONCE)]
    await put(documents, "a", *parts, vectors=[any_unit(n % 97) for n in range(len(parts))], id="d")
    for n in range(10):
        documents.close()
        task = asyncio.create_task(documents.by_vector(unit(1), embedding="model-a", limit=5))
        await asyncio.sleep(0.002 * n)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        hits = await documents.by_vector(unit(1), embedding="model-a", limit=10**6)
        assert len({hit.chunk for hit in hits}) == len(hits) == len(parts)


async def test_searches_at_once(stores):
    """Searches, additions and removals at the same time do not get into each other's way."""
    documents = stores.documents
    await put(documents, "kept", *["common"] * 50, id="kept")

    async def change(n):
        for _ in range(5):
            await put(documents, f"d{n}", *["other"] * 20, id=f"d{n}")
            await documents.remove(f"d{n}")

    async def search():
        for _ in range(20):
            hits = await documents.by_vector(unit(1), embedding="model-a", limit=1000)
            assert len(hits) >= 50
            assert len({hit.chunk for hit in hits}) == len(hits)
            assert len(await by_words(documents, "common", limit=100)) == 50

    await asyncio.gather(*map(change, range(3)), *(search() for _ in range(3)))


async def test_a_large_document_does_not_hold_up_the_loop(stores):
    """While a document of thousands of chunks is put, the loop goes round: no step waits for the whole."""
    parts = [f"{n} 北京的天气很好 and some words of rain {n * 7}" for n in range(6000)]
    vectors = [unit(1, n) for n in range(len(parts))]
    whole, chunks = make_chunks(*parts)
    document = make_document("large", whole, chunks)
    task = asyncio.create_task(stores.documents.put(document, whole, chunks, vectors))
    rounds = 0
    while not task.done():
        await asyncio.sleep(0.001)
        rounds += 1
    await task
    assert rounds > len(parts) / AT_ONCE


async def test_a_server_that_goes_away(postgres_url):
    """A put whose connection is lost leaves the old content whole, and the next one succeeds."""
    stores = await open_stores(postgres_url, encode=dict, decode=dict)
    documents = stores.documents
    old = [f"common old {n}" for n in range(20)]
    await put(documents, "a", *old, id="d")
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    task = asyncio.create_task(put(documents, "a", *[f"common new {n}" for n in range(3000)], id="d"))
    async with engine.connect() as connection:
        lost = False
        while not lost and not task.done():
            query = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database() AND query LIKE '%INTO chunk_words%'"
            )
            lost = bool((await connection.execute(text(query))).all())
    await engine.dispose()

    with pytest.raises(StorageFailed):
        await task
    await check_whole(documents, old)
    await put(documents, "a", "common new", id="d")
    await check_whole(documents, ["common new"])
    await stores.aclose()


def test_numpy_is_loaded_by_the_first_search_and_not_before():
    """Whoever keeps no documents does not wait for it."""
    loaded = subprocess.run([sys.executable, "-c", OPENER], check=True, capture_output=True, text=True).stdout.split()

    assert "ai_chat.stores.documents" in loaded
    assert "numpy" not in loaded
