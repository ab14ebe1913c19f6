"""How chunks are found by words and by vectors, whatever database is below."""

from __future__ import annotations

import array
import asyncio
import math
import re
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.conversations import decode, encode
from tests.documents import any_unit, by_vector, by_words, make_chunks, make_document, put, unit

from ai_chat.core.errors import StorageFailed
from ai_chat.core.knowledge import Scope
from ai_chat.stores import document_postgres, document_search
from ai_chat.stores.opening import open_stores

ROOT = Path(__file__).parents[2]
QUERIES = [
    "SQLite", "数据库", "怎么安装", "京", "模型", "an answer of the model", "PostgreSQL migrations", "retry",
    "embedded model without network", "本地 模型 download", "stream of server-sent events", "budget", "密钥放在哪里",
    "the", "的", "What is a run, and who reads it?", "python 3.11", "how are tokens counted and what does it cost",
]  # fmt: skip


def corpus() -> list[tuple[str, list[str]]]:
    """Give the paragraphs of this project's own pages, English and Chinese ones."""
    pages = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    return [
        (page.name, [part for part in page.read_text("utf-8").split("\n\n") if part.strip()][:150]) for page in pages
    ]


# --- by words -------------------------------------------------------------------------------------------------------


async def test_words_find(documents):
    """One Chinese character, two, or a run of them, and words in any case and width; one of several is enough."""
    wanted = "今天北京的天气很好，用 Python 写 get_user_name(3000) ガ 用户"
    await put(documents, "a", wanted, "other")
    await put(documents, "b", "something large, see JavaScript")

    queries = [
        "京",
        "北京",
        "北京的天气",
        "天气 北京",
        "好",
        "今",
        "户",
        "上海的天气",
        "python",
        "PYTHON",
        "Ｐｙｔｈｏｎ",
    ]
    queries += ["get_user", "user", "3000", "ｶﾞ", "ガ", "python and much else"]
    found = {query: await by_words(documents, query, limit=1) for query in queries}
    assert found == {query: [wanted] for query in queries}


async def test_words_do_not_find(documents):
    """Characters that are not neighbours, insides of words, what is nowhere, and queries without a word."""
    await put(documents, "a", "北京的天气 python", "上海", "rain rain rain")

    for query in ("京天", "thon", "py", "大", "", "  ", "*", '"', "，。", "\ud800\0", "no such word", "rain²"):
        assert (query, await documents.by_words(query, limit=5)) == (query, ())


SIGNS = [
    '"rain', "rain*", "rain AND", "NOT rain", "rain OR", "(rain", "rain)", "NEAR(rain)", "words:rain", "rain'",
    "'rain' & !", "rain:*", "<-> rain", "^rain", "rain -", "rain\0", "rain\ud800", "{rain}", "rain;--", "rain\\",
    "%rain%", ":asked rain", "$1 rain ?",
]  # fmt: skip


async def test_signs_in_a_query_mean_nothing(documents):
    """Operators and quotes of any query language are not obeyed and never an error."""
    await put(documents, "t", "near words rain", "sun")

    found = {query: await by_words(documents, query) for query in SIGNS}
    assert found == {query: ["near words rain"] for query in SIGNS}


async def test_headings_and_names_are_found_too(documents):
    """A chunk is found by the headings above it and by its document's name."""
    whole, chunks = make_chunks("nothing of it", heading=["年度报告", "Revenue"])
    document = make_document("quarterly/figures.pdf", whole, chunks)
    await documents.put(document, whole, chunks, [unit(1)])
    await put(documents, "b", "else")

    for query in ("年度报告", "revenue", "figures.pdf", "quarterly"):
        assert await by_words(documents, query) == ["nothing of it"]


async def test_rare_words_tell_more(documents):
    """Of two chunks that share one word each with a query the one with the rarer word comes first."""
    await put(documents, "a", *[f"common filler{n}" for n in range(20)], "rare filler", "常见", "常见", "罕见")

    assert (await by_words(documents, "common rare"))[0] == "rare filler"
    assert (await by_words(documents, "常见罕见"))[0] == "罕见"


async def test_more_of_a_word_tells_more(documents):
    """A word that comes often tells more than one that comes once, and in a short chunk more than in a long one."""
    once, twice, often = "apple b c d e f g h i j k l", "apple apple c d e f g h i j k l", "apple " * 6 + "g h i j k l"
    long = "apple " + " ".join(f"w{n}" for n in range(60))
    await put(documents, "a", long, once, often, twice, "猫坐着等着看着听着想着", "猫猫猫坐着等着看着听着")

    assert await by_words(documents, "apple") == [often, twice, once, long]
    assert (await by_words(documents, "猫"))[0] == "猫猫猫坐着等着看着听着"


async def test_more_of_the_query_tells_more(documents):
    """A chunk with all the words of a query comes before those with some."""
    await put(documents, "a", "red green", "red green blue", "blue sky", "red sea")

    assert (await by_words(documents, "red green blue"))[0] == "red green blue"


async def test_a_query_of_common_words_alone(documents, monkeypatch):
    """Words that are nearly everywhere are not looked for beside rarer ones, and found if there are no others."""
    monkeypatch.setattr(document_search, "CROWD", 10)
    await put(documents, "a", *["every thing"] * 30, "every needle")

    assert len(await documents.by_words("every thing", limit=100)) == 31
    assert await by_words(documents, "every needle") == ["every needle"]
    assert len(await documents.by_words("every nowhere", limit=100)) == 31


async def test_words_that_only_ask(documents):
    """They are left out beside others, in both languages, and looked for when alone; forms are one word."""
    await put(
        documents, "a", "What is the how of it?", "Retries wait longer each time.", "怎么办，怎么说", "重试要等待"
    )

    assert await by_words(documents, "How is a retry done?") == ["Retries wait longer each time."]
    assert await by_words(documents, "怎么重试") == ["重试要等待"]
    assert await by_words(documents, "what is the") == ["What is the how of it?"]
    assert await by_words(documents, "怎么") == ["怎么办，怎么说"]


async def test_a_paragraph_finds_its_like(documents):
    """A long text is a query as well: what shares the most with it comes first, whatever its length."""
    english = " ".join(f"word{n % 40} filler{n}" for n in range(300))
    chinese = "".join(chr(0x4E00 + n * 7 % 5000) for n in range(300))
    await put(documents, "a", english, chinese, "word1 alone", "丁一 alone")

    assert (await by_words(documents, english))[0] == english
    assert (await by_words(documents, chinese))[0] == chinese
    assert (await by_words(documents, chinese * 300 + english * 100))[0] == chinese
    assert await by_words(documents, "，" * 100_000) == []


async def test_a_long_query_looks_for_more_until_enough_is_found(documents):
    """If its rarest words are not where is searched, others are looked for."""
    await put(documents, "a", *(f"rare{n}" for n in range(60)))
    here = await put(documents, "b", "usual one", "usual two")
    await put(documents, "c", "usual three", "usual four")

    query = " ".join(f"rare{n}" for n in range(60)) + " usual"
    found = await by_words(documents, query, scope=Scope(documents=[here.id]))

    assert sorted(found) == ["usual one", "usual two"]


async def test_limits(documents):
    """No more is found than is asked for, and of equally good chunks the older ones."""
    await put(documents, "a", *["same"] * 5, vectors=[unit(1)] * 5)
    every = [hit.chunk for hit in await documents.by_words("same", limit=5)]

    assert every == sorted(every)
    for limit in (-1, 0, 1, 3, 100, 2**70):
        words = await documents.by_words("same", limit=limit)
        vectors = await documents.by_vector(unit(1), embedding="model-a", limit=limit)
        assert [hit.chunk for hit in words] == [hit.chunk for hit in vectors] == every[: max(limit, 0)]


async def test_a_chunk_of_any_size_can_be_found(documents):
    """A huge chunk of nothing but different words is kept, and its beginning can be found."""
    huge = "".join(map(chr, range(0x20000, 0x2A6D6))) * 3 + "".join(f" w{n}" for n in range(100_000))
    await put(documents, "a", huge, "é" * 300_000, "x " * 200_000)

    assert await by_words(documents, huge[100:104]) == [huge]
    assert await by_words(documents, "x") == ["x " * 200_000]


# --- by vectors -----------------------------------------------------------------------------------------------------


async def test_the_nearest_come_first(documents):
    """Chunks are ordered by the cosine of their vectors, which is their score."""
    vectors = {"east": unit(1, 0), "north": unit(0, 1), "north-east": unit(1, 1), "west": unit(-1, 0)}
    await put(documents, "a", *vectors, vectors=list(vectors.values()))

    hits = await documents.by_vector(unit(2, 1), embedding="model-a", limit=9)

    assert await by_vector(documents, unit(2, 1)) == ["north-east", "east", "north", "west"]
    assert [hit.score for hit in hits] == pytest.approx(
        [3 / math.sqrt(10), 2 / math.sqrt(5), 1 / math.sqrt(5), -2 / math.sqrt(5)], abs=1e-3
    )


async def test_models_stand_side_by_side(documents):
    """Vectors of one model are compared with each other alone, though their lengths differ from those of another."""
    await put(documents, "a", "one", vectors=[any_unit("one", 4)], embedding="small")
    await put(documents, "b", "two", vectors=[any_unit("two", 512)], embedding="large")
    await put(documents, "c", "three", vectors=[any_unit("three", 4)], embedding="other")

    assert await by_vector(documents, any_unit(0, 4), embedding="small") == ["one"]
    assert await by_vector(documents, any_unit(0, 512), embedding="large") == ["two"]
    assert await by_vector(documents, any_unit(0, 512), embedding="small") == []
    assert await by_vector(documents, any_unit(0, 4), embedding="nobody's") == []
    assert sorted(await by_words(documents, "one two three")) == ["one", "three", "two"]


async def test_one_model_that_changed_its_length(documents):
    """Vectors of one name and two lengths are an accident that makes neither of them unfindable."""
    await put(documents, "a", *["one"] * 3, vectors=[any_unit("one", 4)] * 3)
    await put(documents, "b", *["two"] * 2, vectors=[any_unit("two", 6)] * 2)

    assert await by_vector(documents, any_unit(0, 4)) == ["one"] * 3
    assert await by_vector(documents, any_unit(0, 6)) == ["two"] * 2


async def test_many_vectors(documents):
    """Many documents, some of them replaced and removed, are found as comparing each by hand does."""
    vectors = {}
    for n in range(30):
        given = {part: any_unit(part) for part in (f"d{n} c{m}" for m in range(n % 7))}
        vectors |= given
        await put(documents, f"d{n}", *given, vectors=list(given.values()), id=f"d{n}")
        await documents.by_vector(unit(1), embedding="model-a", limit=3)
    for n in range(0, 30, 3):
        vectors = {part: vector for part, vector in vectors.items() if not part.startswith(f"d{n} ")}
        await documents.remove(f"d{n}")
    await put(documents, "d1", "new", vectors=[unit(1, 2, 3)], id="d1")
    del vectors["d1 c0"]
    vectors["new"] = unit(1, 2, 3)

    query = any_unit("query")
    cosines = {part: _product(vector, query) for part, vector in vectors.items()}
    best = sorted(cosines, key=cosines.__getitem__, reverse=True)
    assert await by_vector(documents, query, limit=20) == best[:20]
    assert await by_vector(documents, query, limit=1000) == best


def _product(one: bytes, other: bytes) -> float:
    return sum(a * b for a, b in zip(array.array("f", one), array.array("f", other), strict=True))


# --- where ----------------------------------------------------------------------------------------------------------


async def test_a_scope_bounds_a_search(documents):
    """Both conditions must hold; the best of the scope are found, however much better others are; empty is nowhere."""
    await put(documents, "a", *["apple apple apple"] * 30, collection="big", vectors=[unit(1)] * 30)
    b = await put(documents, "b", "one apple", collection="small", vectors=[unit(1, 5)])
    c = await put(documents, "c", "apple pie", collection="small", vectors=[unit(1, 9)])

    for scope, names in [
        (Scope(collections=["small"]), {"one apple", "apple pie"}),
        (Scope(documents=[b.id]), {"one apple"}),
        (Scope(documents=[b.id, c.id, "no"]), {"one apple", "apple pie"}),
        (Scope(collections=["small", "no", "a\0"]), {"one apple", "apple pie"}),
        (Scope(collections=["small"], documents=[c.id]), {"apple pie"}),
        (Scope(collections=["big"], documents=[c.id]), set()),
        (Scope(collections=[]), set()),
        (Scope(documents=[]), set()),
        (Scope(collections=[], documents=[b.id]), set()),
        (Scope(documents=[f"no{n}" for n in range(40_000)] + [b.id]), {"one apple"}),
    ]:
        assert set(await by_words(documents, "apple", limit=2, scope=scope)) == names
        assert set(await by_vector(documents, unit(1), limit=2, scope=scope)) == names


# --- both databases -------------------------------------------------------------------------------------------------


async def test_both_databases_find_the_same(tmp_path, postgres_url):
    """The same chunks in the same order with the same scores, by words and by vectors, from a corpus of real pages."""
    found = []
    for url in (f"sqlite:///{tmp_path / 'a.db'}", postgres_url):
        stores = await open_stores(url, encode=encode, decode=decode)
        try:
            for name, parts in corpus():
                await put(stores.documents, name, *parts, vectors=[any_unit(part, 16) for part in parts])
            found.append([await stores.documents.by_words(query, limit=20) for query in QUERIES])
            found[-1] += [
                await stores.documents.by_vector(any_unit(query, 16), embedding="model-a", limit=20)
                for query in QUERIES
            ]
        finally:
            await stores.aclose()

    of_sqlite, of_postgres = found
    assert sum(bool(hits) for hits in of_sqlite) > 0.9 * len(of_sqlite)
    assert [[hit.chunk for hit in hits] for hits in of_sqlite] == [[hit.chunk for hit in hits] for hits in of_postgres]
    assert [[hit.score for hit in hits] for hits in of_sqlite] == [
        pytest.approx([hit.score for hit in hits], abs=2e-6) for hits in of_postgres
    ]


@pytest.fixture
async def as_guest(postgres_url):
    """Give the URL of a database in which a user may make tables, and nothing else."""
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in (
            "DROP ROLE IF EXISTS guest",
            "CREATE ROLE guest LOGIN",
            "GRANT ALL ON SCHEMA public TO guest",
        ):
            await connection.execute(text(statement))
        yield make_url(postgres_url).set(username="guest").render_as_string(hide_password=False)
        await connection.execute(text("DROP OWNED BY guest"))
        await connection.execute(text("DROP ROLE guest"))
    await engine.dispose()


async def refusals_without_pgvector(url):
    """Give the sentences by which all is refused that needs vectors; what needs none is served."""
    stores = await open_stores(url, encode=encode, decode=decode)
    documents = stores.documents
    whole, chunks = make_chunks("text")
    document = make_document("a", whole, chunks)
    refused = []
    try:
        for asked in (
            lambda: documents.put(document, whole, chunks, [unit(1)]),
            lambda: documents.replace_vectors(document, [unit(1)]),
            lambda: documents.by_vector(unit(1), embedding="model-a", limit=5),
        ):
            with pytest.raises(StorageFailed) as raised:
                await asked()
            refused.append(raised.value.message)
        assert await documents.list() == ()
        assert await documents.by_words("text", limit=5) == ()
        made = await stores.conversations.create(title="served all the same")
        assert await stores.conversations.get(made.id) == made
    finally:
        await stores.aclose()
    return refused


async def test_a_user_who_may_not_install_pgvector(as_guest, postgres_url):
    """Whoever keeps documents is told what the administrator has to do; conversations are served all the same."""
    refused = await refusals_without_pgvector(as_guest)
    assert len(refused) == 3
    for sentence in refused:
        assert "have them run CREATE EXTENSION vector" in sentence
        assert sentence.count(". ") == 0

    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE EXTENSION vector"))
    await engine.dispose()
    stores = await open_stores(as_guest, encode=encode, decode=decode)
    await put(stores.documents, "a", "text")
    assert await by_vector(stores.documents, unit(1)) == ["text"]
    await stores.aclose()


async def test_a_server_without_pgvector(postgres_url, monkeypatch):
    """Whoever keeps documents is told to install it; conversations are served all the same."""
    monkeypatch.setattr(document_postgres, "EXTENSION", text("CREATE EXTENSION no_such_extension"))

    refused = await refusals_without_pgvector(postgres_url)
    assert len(refused) == 3
    for sentence in refused:
        assert re.search("has no pgvector.* install it on the server", sentence)
        assert sentence.count(". ") == 0


async def test_many_processes_need_pgvector_at_once(postgres_url):
    """It is installed once."""
    stores = [await open_stores(postgres_url, encode=encode, decode=decode) for _ in range(4)]
    await asyncio.gather(*(put(store.documents, f"{n}", "text") for n, store in enumerate(stores)))
    assert len(await by_words(stores[0].documents, "text")) == 4
    for store in stores:
        await store.aclose()
