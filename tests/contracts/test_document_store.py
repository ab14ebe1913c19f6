"""What every store of documents does with documents, whatever database is below it."""

import asyncio
import dataclasses
import random

import pytest
from tests.conversations import decode, encode
from tests.documents import any_unit, by_vector, by_words, make_chunks, make_document, put, texts_of, unit

from ai_chat.core.errors import BadRequest, Conflict
from ai_chat.core.knowledge import Chunk, Collection, Scope
from ai_chat.stores.document_rows import AT_ONCE, PIECE
from ai_chat.stores.opening import open_stores

TEXTS = {
    "plain": "hello",
    "chinese": "用一句话介绍北京",
    "astral": "👩‍👩‍👧 𠮷",
    "nul": "a\0b",
    "half a surrogate pair": "x\ud83dy",
    "the mark of escaped texts": "\ufdd0x",
    "quotes": "'; DROP TABLE documents; -- \" \\ %",
    "a path": "folder/子文件夹/ä file.md",
}


# --- kept -----------------------------------------------------------------------------------------------------------


async def test_what_is_kept_is_given_back(documents):
    """A document, its text and its chunks are read as they were put."""
    text = "# Weather\n\nRain in 北京.\n\nSun."
    chunks = [
        Chunk(position=0, start=11, end=22, text="Rain in 北京.", heading=("Weather", "今天"), page=1),
        Chunk(position=1, start=24, end=28, text="Sun.", heading=(), page=None),
    ]
    document = make_document("weather.md", text, chunks, kind="md", pages=3, title="Weather", collection="c")

    await documents.put(document, text, chunks, [unit(1), unit(0, 1)])

    assert await documents.get(document.id) == document
    assert await documents.find("c", "weather.md") == document
    assert await documents.list() == (document,)
    assert await documents.text(document.id) == text
    assert await documents.chunks(document.id) == tuple(chunks)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_any_text_survives(documents, text):
    """Names, collections, titles, headings and texts come back character for character, and are found by name."""
    whole, chunks = make_chunks(text, text + text, heading=(text, text))
    document = make_document(text, whole, chunks, collection=text, title=text, embedding=text)
    await documents.put(document, whole, chunks, [unit(1), unit(2, 1)])

    assert await documents.find(text, text) == document
    assert await documents.text(document.id) == whole
    assert await documents.chunks(document.id) == tuple(chunks)
    assert await documents.collections() == (Collection(name=text, documents=1, chunks=2, embeddings={text: 1}),)
    assert await documents.list(collection=text) == (document,)
    assert await by_vector(documents, unit(1), embedding=text, scope=Scope(collections=[text])) == [text, text + text]


@pytest.mark.parametrize("name", ["", "x" * 201, "a\0b", "\ud800"], ids=["empty", "long", "nul", "surrogate"])
async def test_an_id_must_be_plain(documents, name):
    """An id that a database cannot hold is refused when it is put and not found when it is looked for."""
    with pytest.raises(BadRequest, match="id"):
        await put(documents, "a", "text", id=name)
    assert await documents.get(name) is None
    assert await documents.text(name) is None
    assert await documents.chunks(name) == ()
    assert await documents.remove(name) is False
    assert await documents.by_words("text", limit=5, scope=Scope(documents=[name])) == ()


async def test_what_is_not_there(documents):
    """Nothing is found in an empty store, and nothing that is not there is an error."""
    assert await documents.get("no") is None
    assert await documents.find("default", "no") is None
    assert (await documents.list(), await documents.collections()) == ((), ())
    assert (await documents.text("no"), await documents.chunks("no")) == (None, ())
    assert await documents.remove("no") is False
    assert await documents.by_words("word", limit=5) == ()
    assert await documents.by_vector(unit(1), embedding="model-a", limit=5) == ()
    assert await documents.passages([1, 0, -1, 2**63, 2**70]) == {}


async def test_a_document_without_text(documents):
    """Nothing can be kept too: no text, no chunks."""
    document = make_document("empty", "", [])
    await documents.put(document, "", [], [])

    assert await documents.get(document.id) == document
    assert await documents.text(document.id) == ""
    assert await documents.chunks(document.id) == ()
    assert await documents.by_words("empty", limit=5) == ()
    assert await documents.by_vector(unit(1), embedding="model-a", limit=5) == ()


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, None), (0, 0), (0, 1), (PIECE - 1, PIECE + 1), (PIECE, PIECE), (5, 2), (-9, 3), (3 * PIECE, None),
     (2 * PIECE - 3, 3 * PIECE + 3), (10**6, None), (10**6, 10**7), (0, 10**12)],
)  # fmt: skip
async def test_a_stretch_of_a_text(documents, start, end):
    """Any stretch is given as a slice gives it, across the pieces that a text is kept in."""
    text = "".join(chr(0x4E00 + n % 9999) if n % 3 else "\0" for n in range(3 * PIECE + 77))
    document = make_document("long", text, [])
    await documents.put(document, text, [], [])

    assert await documents.text(document.id, start, end) == text[max(start, 0) : end]


async def test_chunks_anywhere(documents):
    """Chunks that lie across pieces, overlap, are empty, or leave gaps come back as they are, and in portions."""
    text = "".join(chr(0x4E00 + n) for n in range(3 * PIECE + 7))
    places = [(0, 5), (3, PIECE), (PIECE - 1, PIECE + 1), (PIECE, 2 * PIECE), (9, 9), (PIECE, PIECE),
              (1, 3 * PIECE + 7), (3 * PIECE + 7, 3 * PIECE + 7)]  # fmt: skip
    chunks = [Chunk(position=n, start=a, end=b, text=text[a:b]) for n, (a, b) in enumerate(places)]
    document = make_document("long", text, chunks)
    await documents.put(document, text, chunks, [unit(1, n) for n in range(len(chunks))])

    assert await documents.chunks(document.id) == tuple(chunks)
    assert await documents.chunks(document.id, limit=3, offset=2) == tuple(chunks[2:5])
    assert await documents.chunks(document.id, limit=9, offset=7) == tuple(chunks[7:])
    assert await documents.chunks(document.id, limit=0) == ()
    assert await documents.chunks(document.id, limit=-1, offset=-1) == ()
    hits = await documents.by_vector(unit(1), embedding="model-a", limit=9)
    assert await texts_of(documents, hits) == [chunk.text for chunk in chunks]


async def test_what_does_not_fit_together_is_refused(documents):
    """Chunks without vectors, vectors of two sizes and chunks that are not what stands there are errors of ours."""
    text, chunks = make_chunks("one", "two")
    document = make_document("a", text, chunks)
    moved = [chunks[0], dataclasses.replace(chunks[1], start=3)]
    for broken in (
        (document, text, chunks, [unit(1)]),
        (document, text, chunks, [unit(1), unit(1)[:-4]]),
        (document, text, chunks, [unit(1)[:-1], unit(1)[:-1]]),
        (document, text, chunks, [b"", b""]),
        (document, text, moved, [unit(1), unit(1)]),
        (document, text, chunks[::-1], [unit(1), unit(1)]),
        (document, text + "!", chunks, [unit(1), unit(1)]),
        (document, text, chunks[:1], [unit(1)]),
    ):
        with pytest.raises(ValueError, match="document 'a'"):
            await documents.put(*broken)
    assert await documents.list() == ()


async def test_lists(documents):
    """Documents are listed by collection and name as Unicode orders them, in pages, of one collection or of all."""
    for collection, name in [("b", "x"), ("a", "ä"), ("a", "Z"), ("a", "a"), ("a", "中"), ("B", "y")]:
        await put(documents, name, "text", collection=collection)

    def named(found):
        return [document.collection + document.name for document in found]

    assert named(await documents.list()) == ["By", "aZ", "aa", "aä", "a中", "bx"]
    assert named(await documents.list(limit=2, offset=3)) == ["aä", "a中"]
    assert named(await documents.list(collection="a", offset=1)) == ["aa", "aä", "a中"]
    assert named(await documents.list(collection="A")) == []
    assert await documents.list(limit=0) == ()
    assert await documents.list(limit=-1, offset=-1) == ()


async def test_collections(documents):
    """A collection tells how much is in it and which models made its vectors; without documents there is none."""
    first = await put(documents, "a", "1", "2", collection="one")
    await put(documents, "b", "3", collection="one", embedding="model-b")
    await put(documents, "a", "4", collection="two")

    assert await documents.collections() == (
        Collection(name="one", documents=2, chunks=3, embeddings={"model-a": 1, "model-b": 1}),
        Collection(name="two", documents=1, chunks=1, embeddings={"model-a": 1}),
    )
    await documents.remove(first.id)
    assert (await documents.collections())[0] == Collection(
        name="one", documents=1, chunks=1, embeddings={"model-b": 1}
    )


# --- replaced and removed -------------------------------------------------------------------------------------------


async def test_a_newer_content_takes_the_place_of_the_old(documents):
    """It keeps the id and what the caller says of its age; nothing of the old one is found, by words or vectors."""
    old = await put(documents, "a", "alpha", "beta 北京", vectors=[unit(1), unit(0, 1)])
    hits = await documents.by_words("alpha", limit=5)
    text, chunks = make_chunks("gamma")
    new = make_document("a", text, chunks, id=old.id, added=old.added)

    await documents.put(new, text, chunks, [unit(0, 0, 1)])

    assert await documents.get(old.id) == new
    assert await documents.list() == (new,)
    assert await documents.text(old.id) == "gamma"
    assert await documents.chunks(old.id) == tuple(chunks)
    assert await documents.by_words("alpha beta 北京 京", limit=5) == ()
    assert await by_words(documents, "gamma") == ["gamma"]
    assert await by_vector(documents, unit(1, 1)) == ["gamma"]
    assert await documents.passages([hit.chunk for hit in hits]) == {}


async def test_the_same_content_put_again(documents):
    """It is found once."""
    for _ in range(3):
        await put(documents, "a", "alpha alpha 北京北京", id="d")

    assert len(await documents.by_words("alpha", limit=5)) == 1
    assert len(await documents.by_words("京", limit=5)) == 1
    assert len(await documents.by_vector(unit(1), embedding="model-a", limit=5)) == 1


async def test_a_document_can_be_moved(documents):
    """Under its id it may come back in another collection and under another name."""
    await put(documents, "old", "text", id="d", collection="one")
    await put(documents, "new", "text", id="d", collection="two")

    assert await documents.find("one", "old") is None
    assert (await documents.find("two", "new")).id == "d"
    assert [found.name for found in await documents.collections()] == ["two"]
    assert await documents.by_words("old", limit=5) == ()


async def test_what_is_removed_is_gone(documents):
    """Nothing of it is found, and all else stays."""
    gone = await put(documents, "a", "alpha", "北京")
    await put(documents, "b", "alpha beta")

    assert await documents.remove(gone.id) is True
    assert await documents.remove(gone.id) is False
    assert await documents.get(gone.id) is None
    assert await documents.text(gone.id) is None
    assert await by_words(documents, "alpha 北京") == ["alpha beta"]
    assert await by_vector(documents, unit(1)) == ["alpha beta"]


async def test_numbers_are_never_given_again(documents):
    """A hit that was found before a change finds nothing afterwards, never another chunk."""
    seen: set[int] = set()
    for n in range(4):
        document = await put(documents, "a", "alpha", "alpha", id="d")
        numbers = {hit.chunk for hit in await documents.by_words("alpha", limit=5)}
        assert len(numbers) == 2
        assert not numbers & seen
        seen |= numbers
        if n % 2:
            await documents.remove(document.id)
            assert await documents.passages(sorted(seen)) == {}


async def test_a_name_is_there_once(documents):
    """Another document of the same name in the same collection is refused, and the first one stays whole."""
    first = await put(documents, "a", "alpha", collection="c")

    with pytest.raises(Conflict, match="'a' came into the collection 'c'"):
        await put(documents, "a", "beta", collection="c")

    assert await documents.list() == (first,)
    assert await documents.by_words("beta", limit=5) == ()
    other = await put(documents, "b", "gamma", collection="c")
    with pytest.raises(Conflict):
        await put(documents, "a", "delta", collection="c", id=other.id)
    assert await by_words(documents, "alpha gamma delta") == ["alpha", "gamma"]
    assert (await documents.get(other.id)) == other


async def test_many_add_the_same_name_at_once(documents):
    """One of them gets it; the others are told."""
    results = await asyncio.gather(
        *(put(documents, "a", f"word{n}", collection="c") for n in range(8)), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 7 + ["Document"]
    (winner,) = await documents.list()
    assert await by_words(documents, " ".join(f"word{n}" for n in range(8))) == [await documents.text(winner.id)]


async def test_many_replace_the_same_document_at_once(stores, database_url):
    """The last one wins whole, also between processes: one text, and its words and vectors alone are found."""
    others = await open_stores(database_url, encode=encode, decode=decode)
    try:
        await put(stores.documents, "a", "first", id="d")
        await asyncio.gather(
            *(
                put(store.documents, "a", *[f"word{n}"] * (n + 1), id="d")
                for n in range(8)
                for store in (stores, others)
            )
        )
        text = await stores.documents.text("d")
        parts = text.split("\n")
        for store in (stores.documents, others.documents):
            assert await by_words(store, " ".join(f"word{n}" for n in range(8)) + " first") == parts
            assert await by_vector(store, unit(1)) == parts
    finally:
        await others.aclose()


async def test_new_vectors(documents):
    """A document gets vectors of another model; its words, its chunks and their numbers stay."""
    document = await put(documents, "a", "alpha", "beta", vectors=[unit(1), unit(0, 1)])
    before = await documents.by_words("alpha beta", limit=5)
    renewed = dataclasses.replace(document, embedding="model-b")
    assert await by_vector(documents, unit(1)) == ["alpha", "beta"]

    assert await documents.replace_vectors(renewed, [any_unit(1, 4), any_unit(2, 4)]) is True

    assert await documents.get(document.id) == renewed
    assert await documents.by_words("alpha beta", limit=5) == before
    assert await by_vector(documents, unit(1)) == []
    assert await by_vector(documents, any_unit(2, 4), embedding="model-b") == ["beta", "alpha"]
    assert await documents.replace_vectors(renewed, [any_unit(2, 4), any_unit(1, 4)]) is True
    assert await by_vector(documents, any_unit(2, 4), embedding="model-b") == ["alpha", "beta"]


async def test_new_vectors_for_what_has_changed(documents):
    """Vectors of a content that is not there any more are not taken."""
    document = await put(documents, "a", "alpha", id="d")
    renewed = dataclasses.replace(document, embedding="model-b")
    changed = await put(documents, "a", "beta", id="d")

    assert await documents.replace_vectors(renewed, [unit(1)]) is False
    assert await documents.get("d") == changed
    assert await by_vector(documents, unit(1)) == ["beta"]
    await documents.remove("d")
    assert await documents.replace_vectors(renewed, [unit(1)]) is False
    with pytest.raises(ValueError, match="one for each"):
        await documents.replace_vectors(renewed, [])


# --- whole or not at all --------------------------------------------------------------------------------------------


async def test_a_put_that_is_cancelled_leaves_what_was_there(documents):
    """Wherever it is cancelled, the old content stands whole, or the new one does."""
    dice = random.Random(1)  # noqa: S311
    kept = ["old alpha"] * 3
    await put(documents, "a", *kept, id="d")
    outcomes = set()
    for n in range(12):
        parts = [f"new{n} beta {number}" for number in range(2 * AT_ONCE)]
        task = asyncio.create_task(put(documents, "a", *parts, id="d"))
        await asyncio.wait({task}, timeout=dice.random() * 0.4)
        task.cancel()
        await asyncio.wait({task})
        outcomes.add(task.cancelled())

        text = await documents.text("d")
        if not task.cancelled() or text == "\n".join(parts):
            kept = parts  # it may have been too late to take it back
        assert text == "\n".join(kept)
        found = await documents.by_words("alpha beta", limit=10_000)
        assert sorted(await texts_of(documents, found)) == sorted(kept)
        assert len(await documents.by_vector(unit(1), embedding="model-a", limit=10_000)) == len(kept)
    assert True in outcomes


async def test_a_reader_sees_one_content(documents):
    """While a document is replaced again and again, a search finds all of one content and nothing of another."""

    async def replace():
        for n in range(20):
            await put(documents, "a", *[f"common part{n}"] * 5, id="d")

    await put(documents, "a", *["common part"] * 5, id="d")
    task = asyncio.create_task(replace())
    looked = 0
    while not task.done() or not looked:
        words = await documents.by_words("common", limit=50)
        vectors = await documents.by_vector(unit(1), embedding="model-a", limit=50)
        for hits in (words, vectors):
            assert len({hit.chunk >> 20 for hit in hits}) == 1
            assert len(hits) == 5
            assert len(set(await texts_of_present(documents, hits))) <= 1
        looked += 1
    await task


async def texts_of_present(store, hits):
    passages = await store.passages([hit.chunk for hit in hits])
    return [passage.chunk.text for passage in passages.values()]


async def test_what_another_process_writes_is_found(stores, database_url):
    """Two stores over one database see what the other one adds, replaces and removes."""
    theirs = await open_stores(database_url, encode=encode, decode=decode)
    ours = stores.documents
    try:
        await put(ours, "a", "alpha", vectors=[unit(1)], id="a")
        assert await by_vector(theirs.documents, unit(1)) == ["alpha"]
        await put(theirs.documents, "b", "beta", vectors=[unit(1, 0.1)], id="b")
        assert await by_vector(ours, unit(1)) == await by_words(ours, "alpha beta") == ["alpha", "beta"]
        changed = await put(theirs.documents, "a", "gamma", vectors=[unit(1, 1)], id="a")
        assert await by_vector(ours, unit(1)) == ["beta", "gamma"]
        assert await by_words(ours, "alpha beta gamma") == ["beta", "gamma"]
        renewed = dataclasses.replace(changed, embedding="model-a")
        assert await theirs.documents.replace_vectors(renewed, [unit(1)])
        assert await by_vector(ours, unit(1)) == ["gamma", "beta"]
        await theirs.documents.remove("a")
        assert await by_vector(ours, unit(1)) == await by_words(ours, "gamma beta") == ["beta"]
    finally:
        await theirs.aclose()
