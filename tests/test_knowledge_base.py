"""The knowledge base from end to end: real files, the real model of vectors, both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from tests.knowledge.documents import MANUAL_EN, MANUAL_ZH, lines, pdf

from ai_chat.assembly import Services
from ai_chat.core.errors import BadRequest, NotFound, StorageFailed
from ai_chat.core.knowledge import Scope
from ai_chat.knowledge.embedding import NAME
from ai_chat.providers.scripted import Scripted

ENGLISH = pdf(lines("Leave", "Every employee has 26 days of paid leave a year."), lines(MANUAL_EN), title="Handbook")
CHINESE = pdf(lines("保修", "蓝鲸X2 的保修期为 18 个月。"), lines(MANUAL_ZH))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'knowledge.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def services(database, tmp_path, no_leaks):
    made = opened(database, tmp_path)
    yield made
    await made.aclose()


def opened(database, tmp_path, *answers, **settings):
    return Services.open(
        handler=Scripted(*answers) if answers else None, data_dir=tmp_path / "data", database=database, **settings
    )


async def added(services, *files, collection="default"):
    job = await services.knowledge.add_uploads(files, collection)
    progress = await job.over()
    assert (progress.state, progress.error) == ("finished", None)
    return progress.outcomes


def states(outcomes):
    return [(outcome.name, outcome.state, outcome.refusal) for outcome in outcomes]


async def test_documents_are_found_and_followed(services):
    """Two PDFs are asked in both languages; the newer one of the same name takes the older one's place."""
    knowledge = services.knowledge
    outcomes = await added(services, ("handbook.pdf", ENGLISH), ("手册.pdf", CHINESE))
    assert states(outcomes) == [("handbook.pdf", "added", None), ("手册.pdf", "added", None)]

    [leave, *_] = await knowledge.search("How many days of holiday do I get?", top_k=3)
    assert (leave.name, leave.chunk.page) == ("handbook.pdf", 1)
    assert "26 days" in leave.chunk.text
    [warranty, *_] = await knowledge.search("保修多久", top_k=3)
    assert (warranty.name, warranty.chunk.page) == ("手册.pdf", 1)
    [reset, *_] = await knowledge.search("咖啡机怎么重置？", top_k=3, scope=Scope(documents=[leave.document]))
    assert (reset.name, reset.chunk.page) == ("handbook.pdf", 2)
    before, text, behind = await knowledge.around(leave.document, leave.chunk.start, leave.chunk.end)
    assert text == leave.chunk.text
    assert before + text + behind == await knowledge.text(leave.document)

    newer = pdf(lines("Leave", "Every employee has 30 days of paid leave a year."))
    assert states(await added(services, ("handbook.pdf", newer))) == [("handbook.pdf", "replaced", None)]
    assert states(await added(services, ("handbook.pdf", newer))) == [("handbook.pdf", "unchanged", None)]
    found = await knowledge.search("How many days of holiday do I get?", top_k=5)
    assert "30 days" in found[0].chunk.text
    assert not any("26 days" in passage.chunk.text for passage in found)
    assert (await knowledge.document(leave.document)).digest != leave.digest

    removed = await knowledge.remove(leave.document)
    assert removed.name == "handbook.pdf"
    assert {p.name for p in await knowledge.search("days of paid leave", top_k=5)} <= {"手册.pdf"}
    with pytest.raises(NotFound):
        await knowledge.document(leave.document)


async def test_bad_files_are_refused_one_by_one(services, tmp_path):
    """Each with its reason, and the good ones among them are added."""
    outcomes = await added(
        services,
        ("locked.pdf", pdf(lines("secret"), password="hunter2")),
        ("empty.txt", b""),
        ("blank.md", b" \n\n "),
        ("noise.txt", bytes(range(256)) * 40),
        ("half.pdf", ENGLISH[: len(ENGLISH) // 2]),
        ("tool.exe", b"MZ\x90\x00" + bytes(200)),
        ("旧文.txt", "国标码写的文件，也应当读得出来。".encode("gbk")),
    )
    assert states(outcomes) == [
        ("locked.pdf", "refused", "encrypted"),
        ("empty.txt", "refused", "empty"),
        ("blank.md", "refused", "empty"),
        ("noise.txt", "refused", "binary"),
        ("half.pdf", "refused", "damaged"),
        ("tool.exe", "refused", outcomes[5].refusal),
        ("旧文.txt", "added", None),
    ]
    assert outcomes[5].refusal in {"unsupported", "binary"}
    assert all(outcome.name in outcome.reason for outcome in outcomes[:6])
    [found] = await services.knowledge.search("国标码", top_k=1)
    assert found.chunk.text == "国标码写的文件，也应当读得出来。"
    assert [p.name for p in (tmp_path / "data" / "uploads").iterdir()] == []


async def test_a_file_that_is_still_being_written(services, tmp_path, monkeypatch):
    """It is refused, and added when it stands still."""
    path = tmp_path / "growing.md"
    path.write_text("The first half of a sentence")
    reader = services.knowledge._reader
    read = reader.read

    async def read_and_grow(path, *, name):
        reading = await read(path, name=name)
        path.write_text("The first half of a sentence and the second.")
        return reading

    monkeypatch.setattr(reader, "read", read_and_grow)
    [outcome] = (await (await services.knowledge.add_paths([path])).over()).outcomes
    assert (outcome.refusal, "changed while it was read" in outcome.reason) == ("damaged", True)
    assert not await services.knowledge.documents()
    monkeypatch.undo()
    [outcome] = (await (await services.knowledge.add_paths([path])).over()).outcomes
    assert outcome.state == "added"


async def test_answers_cite_what_was_found(database, tmp_path):
    """The library searches before it asks; the citation leads to the passage, and a made-up one is not shown."""
    services = opened(database, tmp_path, "You get 26 days [1] [7].", "Twice.")
    await added(services, ("handbook.pdf", ENGLISH), collection="staff")
    from ai_chat import AsyncChat

    async with AsyncChat(services=services) as chat:
        result = await chat.complete("How many days of leave?", collections=["staff"])
        assert result.text == "You get 26 days [1]."
        [source] = result.cited
        assert (source.number, source.passage.name, source.passage.chunk.page) == (1, "handbook.pdf", 1)
        session = chat.session(collections="*")
        assert (await session.complete("And how is the coffee machine reset?")).sources
        with pytest.raises(BadRequest, match="collections"):
            await chat.complete("?", collections=[1])
    await services.aclose()


async def test_a_model_of_vectors_that_was_changed(database, tmp_path):
    """It is noticed, words still find, and indexing anew makes it right again."""

    class Other:
        name = "other/model"

        async def embed(self, texts):
            return [b"\x00\x00\x80?" + bytes(8) for _ in texts]

        async def aclose(self):
            pass

    services = opened(database, tmp_path)
    await added(services, ("handbook.pdf", ENGLISH))
    assert await services.knowledge.outdated() == 0
    await services.aclose()

    services = opened(database, tmp_path)
    services.knowledge._make_embedder = Other
    knowledge = services.knowledge
    assert await knowledge.outdated() == 1
    [found, *_] = await knowledge.search("paid leave", top_k=1)
    assert (found.name, found.similarity) == ("handbook.pdf", None)
    progress = await (await knowledge.reindex()).over()
    assert [outcome.state for outcome in progress.outcomes] == ["replaced"]
    assert await knowledge.outdated() == 0
    [found, *_] = await knowledge.search("paid leave", top_k=1)
    assert found.similarity is not None
    [collection] = await knowledge.collections()
    assert collection.embeddings == {"other/model": 1}
    assert NAME != "other/model"
    await services.aclose()


async def test_what_a_killed_process_left_is_gone_on_with(tmp_path, database, monkeypatch):
    """Uploads outlive it; the next start adds them."""
    services = opened(database, tmp_path)
    knowledge = services.knowledge

    async def hang(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(knowledge._ingest, "add", hang)
    job = await knowledge.add_uploads([("handbook.pdf", ENGLISH)], "staff")
    await asyncio.sleep(0.05)
    await services.aclose()
    assert job.progress.state == "cancelled"

    services = opened(database, tmp_path)
    assert await services.knowledge.go_on() == 1
    await services.knowledge.job(services.knowledge.jobs[0].id).over()
    [collection] = await services.knowledge.collections()
    assert (collection.name, collection.documents) == ("staff", 1)
    await services.aclose()


async def test_a_full_disk_leaves_the_old_document_whole(tmp_path):
    """The newer one is not there in part: the ingest fails with a sentence, and the old one is found as before."""
    database = tmp_path / "knowledge.db"
    services = opened(f"sqlite+aiosqlite:///{database}", tmp_path)
    knowledge = services.knowledge
    await added(services, ("notes.md", b"# Leave\n\nEvery employee has 26 days of paid leave."))
    [before] = await knowledge.documents()
    await services.aclose()

    with closing(sqlite3.connect(database)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    services = opened(f"sqlite+aiosqlite:///{database}", tmp_path)
    from sqlalchemy import event

    store = await services.storage.documents()
    writer = store._database._writer

    @event.listens_for(writer.sync_engine, "begin")
    def full(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    text = "\n\n".join(f"# Part {number}\n\nA long text about number {number}. " * 5 for number in range(400))
    job = await services.knowledge.add_uploads([("notes.md", text.encode())])
    progress = await job.over()
    assert progress.state == "failed"
    assert "full" in progress.error
    assert await services.knowledge.documents() == [before] or list(await services.knowledge.documents()) == [before]
    [found] = await services.knowledge.search("paid leave", top_k=1)
    assert "26 days" in found.chunk.text
    assert await services.knowledge.search("number 77", top_k=5) in ([], ()) or all(
        "number 77" not in p.chunk.text for p in await services.knowledge.search("number 77", top_k=5)
    )
    await services.aclose()


async def test_names_that_cannot_be(services):
    """One sentence, and nothing is kept."""
    for collection in ("", "  ", "x" * 101, "a\nb"[:1] + "\x00" * 3 + "\x07"):
        if collection.strip() and len(collection) <= 100 and "\x00" not in collection:
            continue
        with pytest.raises(BadRequest, match="collection"):
            await services.knowledge.add_text("text", "name", collection)
    with pytest.raises(BadRequest, match="document"):
        await services.knowledge.add_text("text", "../..")
    [outcome] = await added(services, ("../../etc/passwd.md", b"root of the matter"))
    assert outcome.document.name == "etc/passwd.md"
    job = await services.knowledge.add_text("A pasted text about penguins.", "birds")
    [outcome] = (await job.over()).outcomes
    assert (outcome.document.name, outcome.document.kind) == ("birds.md", "md")


async def test_a_folder_is_gone_on_with(services, tmp_path):
    """Adding it again skips what is there; what nobody reads is counted, circles of links end."""
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.md").write_text("# A\n\nAbout apples.")
    (folder / "deep" / "b.txt").write_text("About bananas.")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n")
    (folder / "deep" / "circle").symlink_to(folder)
    for state in ("added", "unchanged"):
        job = await services.knowledge.add_paths([folder], "fruit")
        progress = await job.over()
        assert [(o.name, o.state) for o in progress.outcomes] == [("a.md", state), ("deep/b.txt", state)]
        assert progress.left_out == 1


async def test_a_database_that_is_away(tmp_path):
    """A search says so instead of finding nothing."""
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    services = opened(f"sqlite+aiosqlite:///{tmp_path / 'broken.db'}", tmp_path)
    with pytest.raises(StorageFailed):
        await services.knowledge.search("anything", top_k=1)
    await services.aclose()
