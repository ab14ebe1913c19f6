"""`/api/knowledge`, over a real connection: real files, the real embedding model, a real database."""

from __future__ import annotations

import asyncio
import io
import time
from dataclasses import replace

import pytest
from tests.knowledge.documents import MANUAL_EN, archive, lines, pdf, word, word_xml
from tests.server.conftest import serving
from tests.server.test_chat_api import chat, text_in
from tests.upstream import streamed

from ai_chat.core.errors import LocalModelFailed
from ai_chat.server import knowledge_api

LEAVE = "# Handbook\n\n## Leave\n\nEvery employee has 25 days of annual leave.\n"
CHINESE = "员工每年有二十五天年假。病假需要医生证明，三天以上还需要经理批准。\n"
FILLER = "Nothing about machines is said on this page; it has other words only."
BYTES = {"content-type": "application/octet-stream"}
JSON = {"content-type": "application/json"}
LONG = "\n\n".join(f"Paragraph {n} is about the number {n} and what it means to people. " * 6 for n in range(3000))


async def send(server, name, data, collection="default", **options):
    """Send a file."""
    params = {"name": name, "collection": collection}
    data = io.BytesIO(data) if isinstance(data, bytes) else data
    return await server.ask("POST", "/api/knowledge/files", params=params, data=data, **{"headers": BYTES, **options})


async def ended(server, got):
    """Wait for the end of the ingest that was begun."""
    assert got.status == 202, got.body
    job = got.body["job"]
    while job["state"] == "running":
        job = (await server.get(f"/api/knowledge/jobs/{job['id']}?wait=20")).body
    return job


async def added(server, name, data, collection="default"):
    """Send a file, and give what became of it."""
    job = await ended(server, await send(server, name, data, collection))
    assert job["state"] == "finished", job
    [outcome] = job["outcomes"]
    return outcome


async def found(server, query, **where):
    """Search, and give what was found."""
    got = await server.ask("POST", "/api/knowledge/search", json={"query": query, **where})
    assert got.status == 200, got.body
    return got.body["data"]


# --- adding ---------------------------------------------------------------------------------------------------------


async def test_from_a_file_to_a_passage(server):
    """What is sent can be listed, read, found and removed."""
    outcome = await added(server, "handbook.md", LEAVE.encode())
    document = outcome["document"]
    where = f"/api/knowledge/documents/{document['id']}"
    assert (outcome["state"], document["kind"], document["collection"]) == ("added", "md", "default")
    assert (await server.get(where)).body == document
    assert (await server.get("/api/knowledge/documents")).body["data"] == [document]

    text = (await server.get(f"{where}/text")).body
    assert (text["text"], text["end"]) == (LEAVE, text["characters"])
    assert (await server.get(f"{where}/text?start=2&end=10")).body["text"] == "Handbook"
    [chunk] = (await server.get(f"{where}/chunks")).body["data"]
    assert "25 days" in chunk["text"]

    [passage] = await found(server, "How many days of annual leave?", top_k=3)
    assert (passage["name"], passage["text"]) == ("handbook.md", chunk["text"])
    assert 0 < passage["similarity"] <= 1
    around = (await server.get(f"{where}/passage?start=12&end=20")).body
    assert (around["before"], around["passage"], around["after"]) == (LEAVE[:12], "## Leave", LEAVE[20:])

    removed = (await server.ask("DELETE", where)).body
    assert removed == {"id": document["id"], "collection": "default", "name": "handbook.md", "deleted": True}
    assert (await server.get(where)).status == 404
    assert await found(server, "annual leave") == []
    assert (await server.get("/api/knowledge")).body["collections"] == []


async def test_pasted_text(server):
    """It is added under its name, as Markdown unless that says otherwise."""
    body = {"collection": "notes", "name": "policy", "text": LEAVE}
    job = await ended(server, await server.ask("POST", "/api/knowledge/documents", json=body))
    assert (job["collection"], job["done"], job["counts"]["added"]) == ("notes", 1, 1)
    [document] = (await server.get("/api/knowledge/documents?collection=notes")).body["data"]
    assert (document["name"], document["kind"], document["title"]) == ("policy.md", "md", "Handbook")
    [passage] = await found(server, "annual leave")
    assert passage["heading"][0] == "Handbook"


@pytest.mark.parametrize(
    ("name", "data", "query", "kind", "place"),
    [
        ("年假.txt", CHINESE.encode("gb18030"), "年假有几天？", "txt", None),
        ("manual.pdf", pdf(lines(*[FILLER] * 40), lines(*[MANUAL_EN] * 20)), "reset the coffee machine", "pdf", 2),
        ("a/manual.docx", word(lambda new: new.add_paragraph(MANUAL_EN)), "reset the coffee machine", "docx", None),
    ],
    ids=["GBK", "PDF", "docx"],
)
async def test_kinds_of_files(server, name, data, query, kind, place):
    """Text in an encoding of China's, a PDF and a document of Word are read and found."""
    outcome = await added(server, name, data)
    assert (outcome["name"], outcome["document"]["kind"]) == (name, kind)
    passage = (await found(server, query))[0]
    assert (passage["name"], passage["page"]) == (name, place)
    assert ("二十五天" if kind == "txt" else "red button") in passage["text"]


async def test_what_is_not_taken(server):
    """Each is refused with its code and a sentence that names it; the others are not held up."""
    bad = {
        "locked.pdf": (pdf(lines("secret"), password="open sesame"), "encrypted"),
        "empty.txt": (b"", "empty"),
        "blank.md": (b" \n\n ", "empty"),
        "noise.txt": (bytes(range(256)) * 40, "binary"),
        "bomb.docx": (archive({"word/document.xml": word_xml("") + b" " * (80 * 2**20)}), "too_large"),
        "cut.pdf": (pdf(lines("Hello"))[:200], "damaged"),
        "photo.png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "unsupported"),
    }
    begun = {name: await send(server, name, data) for name, (data, _) in bad.items()}
    good = await send(server, "good.md", LEAVE.encode())
    for name, got in begun.items():
        job = await ended(server, got)
        [outcome] = job["outcomes"]
        assert (job["state"], outcome["state"], outcome["document"]) == ("finished", "refused", None)
        assert outcome["refusal"] == bad[name][1], outcome
        assert repr(name) in outcome["reason"]
    assert (await ended(server, good))["counts"] == {"added": 1, "replaced": 0, "unchanged": 0, "refused": 0}
    assert len((await server.get("/api/knowledge/documents")).body["data"]) == 1


async def test_a_second_time(server):
    """The same bytes change nothing; others under that name take the place of the old ones, under its id."""
    first = await added(server, "handbook.md", LEAVE.encode())
    again = await added(server, "handbook.md", LEAVE.encode())
    other = await added(server, "handbook.md", LEAVE.replace("25", "30").encode())
    elsewhere = await added(server, "handbook.md", LEAVE.encode(), "another")
    assert [one["state"] for one in (first, again, other, elsewhere)] == ["added", "unchanged", "replaced", "added"]
    assert other["document"]["id"] == first["document"]["id"] != elsewhere["document"]["id"]
    texts = {passage["collection"]: passage["text"] for passage in await found(server, "annual leave")}
    assert "30 days" in texts["default"]
    assert "25 days" in texts["another"]


async def test_two_collections(server):
    """Each is searched for itself, or all at once, or one document alone; one that is not there is named."""
    one = (await added(server, "handbook.md", LEAVE.encode(), "work"))["document"]
    await added(server, "shop.md", b"The shop opens at nine. It has no annual leave.", "town")
    overview = (await server.get("/api/knowledge")).body
    assert [(row["name"], row["documents"]) for row in overview["collections"]] == [("town", 1), ("work", 1)]
    assert (overview["outdated"], overview["collections"][0]["embeddings"]) == (0, {overview["embedding"]: 1})
    assert [job["counts"]["added"] for job in overview["jobs"]] == [1, 1]

    async def names(**where):
        return {passage["name"] for passage in await found(server, "annual leave", **where)}

    assert await names() == await names(collections=["*"]) == {"handbook.md", "shop.md"}
    assert await names(collections=["town"]) == {"shop.md"}
    assert await names(documents=[one["id"]]) == {"handbook.md"}
    assert await names(documents=[one["id"]], collections=["town"]) == await names(collections=[]) == set()
    got = await server.ask("POST", "/api/knowledge/search", json={"query": "x", "collections": ["village"]})
    assert (got.status, got.error["param"]) == (404, "collections")
    assert "'town', 'work'" in got.error["message"]


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_a_file_that_is_too_large(no_leaks, told, clean_environment):
    """It is refused before it is read, or as soon as it is too long; nothing of it stays."""
    size = 3 * 2**20

    async def in_pieces():
        for _ in range(size // 2**16):
            yield bytes(2**16)

    async with serving(knowledge={"max_file_mb": 2}, server={"max_body_mb": 1}) as server:
        got = await send(server, "a.txt", bytes(size) if told else in_pieces())
        assert (got.status, got.error["code"]) == (413, "request_too_large")
        assert "AI_CHAT_KNOWLEDGE__MAX_FILE_MB" in got.error["message"]
        fits = await send(server, "a.txt", b"word " * (300 * 1024))  # more than other bodies may have
        assert fits.status == 202
        await server.ask("POST", f"/api/knowledge/jobs/{fits.body['job']['id']}/cancel", headers=JSON)
        uploads = server.services.data_dir() / "uploads"
        assert await gone(uploads)


async def gone(folder):
    """Wait until a folder is empty: what an ingest held is removed in a thread."""
    for _ in range(200):
        if not list(folder.iterdir()):
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.parametrize("kind", [None, "text/plain", "application/json", "multipart/form-data; boundary=x"])
async def test_a_file_has_a_media_type_that_no_form_can_send(server, kind):
    """So a page of another site has to ask first, and is not let in."""
    got = await send(server, "a.md", LEAVE.encode(), headers={"content-type": kind} if kind else {},
                     skip_auto_headers={"content-type"})  # fmt: skip
    assert (got.status, got.error["code"]) == (415, "unsupported_media_type")
    assert "application/octet-stream" in got.error["message"]
    other = await server.ask("POST", "/api/knowledge/search", data=b"{}", headers=BYTES)
    assert (other.status, other.error["code"]) == (415, "unsupported_media_type")


async def test_a_page_of_another_site(server):
    """It may neither send a file nor be told that it could."""
    foreign = {**BYTES, "origin": "https://evil.example"}
    assert (await send(server, "a.md", b"x", headers=foreign)).status == 403
    asking = {"origin": "https://evil.example", "access-control-request-method": "POST",
              "access-control-request-headers": "content-type"}  # fmt: skip
    assert (await server.ask("OPTIONS", "/api/knowledge/files", headers=asking)).status == 403
    rebound = {**BYTES, "host": "evil.example"}
    assert (await send(server, "a.md", b"x", headers=rebound)).status == 403


async def test_a_sender_that_leaves(server):
    """Half a file is no file, and does not stay."""
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = "POST /api/knowledge/files?name=a.md HTTP/1.1\r\nContent-Type: application/octet-stream\r\n"
    writer.write(f"{head}Host: {host}\r\nContent-Length: 99999\r\n\r\n".encode() + bytes(500))
    await writer.drain()
    uploads = server.services.data_dir() / "uploads"
    while not (uploads.is_dir() and list(uploads.iterdir())):
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    assert await gone(uploads)
    assert (await server.get("/api/knowledge/jobs")).body == {"data": []}


@pytest.mark.parametrize(
    ("method", "path", "options", "param"),
    [
        ("POST", "/files", {"headers": BYTES, "data": b"x"}, "name"),
        ("POST", "/files?name=..", {"headers": BYTES, "data": b"x"}, "file"),
        ("POST", "/files?name=a&collection=%20", {"headers": BYTES, "data": b"x"}, "collection"),
        ("POST", "/files?name=a&colection=b", {"headers": BYTES, "data": b"x"}, "colection"),
        ("POST", "/documents", {"json": {"name": "a"}}, "text"),
        ("POST", "/documents", {"json": {"name": "a", "text": "b", "kind": "md"}}, "kind"),
        ("POST", "/documents", {"json": {"name": "a", "text": "b", "collection": "*"}}, "collection"),
        ("POST", "/search", {"json": {"query": " "}}, "query"),
        ("POST", "/search", {"json": {}}, "query"),
        ("POST", "/search", {"json": {"query": "x", "top_k": 0}}, "top_k"),
        ("POST", "/search", {"json": {"query": "x", "limit": 3}}, "limit"),
        ("POST", "/reindex", {"json": {"colection": None}}, "colection"),
        ("GET", "/documents?limit=0", {}, "limit"),
        ("GET", "/documents?q=x", {}, "q"),
        ("GET", "/documents/x/text?start=-1", {}, "start"),
        ("GET", "/documents/x/passage?start=5&end=4", {}, "end"),
        ("GET", "/documents/x/passage?start=5", {}, "end"),
        ("GET", "/jobs/x?wait=nan", {}, "wait"),
    ],
)
async def test_what_cannot_be_used(server, method, path, options, param):
    """The error names the field; nothing is begun."""
    got = await server.ask(method, f"/api/knowledge{path}", **options)
    assert (got.status, got.error["param"], got.error["type"]) == (400, param, "invalid_request_error")
    assert server.services.knowledge.jobs in ((), [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/documents/x"),
        ("GET", "/documents/x/text"),
        ("GET", "/documents/x/chunks"),
        ("GET", "/documents/x/passage?start=0&end=1"),
        ("DELETE", "/documents/x"),
        ("GET", "/jobs/x"),
        ("POST", "/jobs/x/cancel"),
        ("GET", "/nothing"),
    ],
)
async def test_what_there_is_not(server, method, path):
    """It is a 404 in the same form as everywhere."""
    got = await server.ask(method, f"/api/knowledge{path}", headers={} if method == "GET" else JSON)
    assert (got.status, got.error["code"]) == (404, "not_found")


async def test_characters_that_nobody_can_store(server):
    """Half characters and NUL in names, ids and texts are no fault of the server."""
    half = b'{"name": "a\\ud800\\u0000.md", "text": "Leave \\ud800 is \\u0000 granted.", "collection": "c"}'
    job = await ended(server, await server.ask("POST", "/api/knowledge/documents", data=half, headers=JSON))
    assert [outcome["name"] for outcome in job["outcomes"]] == ["a.md"]
    got = await server.ask("POST", "/api/knowledge/search", data=b'{"query": "leave \\ud800\\u0000"}', headers=JSON)
    assert "a.md" in [passage["name"] for passage in got.body["data"]]
    wrong = b'{"query": "leave", "documents": ["\\ud800\\u0000"]}'
    assert (await server.ask("POST", "/api/knowledge/search", data=wrong, headers=JSON)).status in {200, 400}
    assert (await server.get("/api/knowledge/documents/%00%ff")).status in {400, 404}
    assert (await server.get("/api/knowledge/documents?collection=%00")).status in {200, 400}


async def test_a_query_of_100_kilobytes(server):
    """Its beginning is searched for."""
    await added(server, "handbook.md", LEAVE.encode())
    query = "annual leave " * 8000
    assert len(query) > 100_000
    assert len(await found(server, query)) == 1


# --- ingests ---------------------------------------------------------------------------------------------------------


async def test_cancel(server):
    """What is done stays, what is being done is undone, and the next one begins."""
    first = await send(server, "long.txt", LONG.encode())
    second = await send(server, "handbook.md", LEAVE.encode())
    where = f"/api/knowledge/jobs/{first.body['job']['id']}"
    job = first.body["job"]
    while not job["chunks_done"]:
        job = (await server.get(f"{where}?wait=20")).body
    assert (job["state"], job["current"], job["files"]) == ("running", "long.txt", 1)
    assert job["chunks"] > job["chunks_done"]
    # All else goes on meanwhile.
    before = time.perf_counter()
    assert (await server.get("/api/knowledge")).body["collections"] == []
    assert await found(server, "paragraph") == []
    assert time.perf_counter() - before < 5

    cancelled = (await server.ask("POST", f"{where}/cancel", headers=JSON)).body
    assert (cancelled["state"], cancelled["outcomes"]) == ("cancelled", [])
    assert (await ended(server, second))["counts"]["added"] == 1
    again = (await server.ask("POST", f"{where}/cancel", headers=JSON)).body
    assert again["state"] == "cancelled"
    assert [row["name"] for row in (await server.get("/api/knowledge/documents")).body["data"]] == ["handbook.md"]
    assert await gone(server.services.data_dir() / "uploads")
    jobs = (await server.get("/api/knowledge/jobs")).body["data"]
    assert [(job["state"], job["done"]) for job in jobs] == [("finished", 1), ("cancelled", 0)]


async def test_a_server_that_stops(no_leaks, upstream):
    """Whoever waits for news or sends a file is let go of at once; what was sent whole is gone on with."""
    gate = asyncio.Event()

    async def half():
        yield b"half of a file"
        await gate.wait()

    async with serving() as server:
        job = (await send(server, "long.txt", LONG[:600_000].encode())).body["job"]
        while not job["chunks"]:
            job = (await server.get(f"/api/knowledge/jobs/{job['id']}?wait=20")).body
        begun = await send(server, "handbook.md", LEAVE.encode())
        where = f"/api/knowledge/jobs/{begun.body['job']['id']}"
        looking = asyncio.create_task(server.get(f"{where}?wait=30"))
        sending = asyncio.create_task(send(server, "half.md", half()))
        await asyncio.sleep(0.3)
        before = time.perf_counter()
        server.stopping.set()
        assert (await looking).body["state"] == "running"
        assert time.perf_counter() - before < 2
        gate.set()
        got = await sending
        assert (got.status, got.error["code"]) == (503, "service_unavailable")
        assert time.perf_counter() - before < 3

    async with serving() as server:
        jobs = (await server.get("/api/knowledge/jobs")).body["data"]
        for job in jobs:
            while job["state"] == "running":
                job = (await server.get(f"/api/knowledge/jobs/{job['id']}?wait=20")).body  # noqa: PLW2901
        rows = (await server.get("/api/knowledge/documents")).body["data"]
        assert sorted(row["name"] for row in rows) == ["handbook.md", "long.txt"]


async def test_without_the_key_of_the_embedding_model(no_leaks, upstream):
    """What there is can still be looked at, and a search says what is missing."""
    async with serving(knowledge={"embedding": "deepseek/vectors"}) as server:
        overview = (await server.get("/api/knowledge")).body
        assert (overview["embedding"], overview["outdated"]) == ("deepseek/vectors", None)
        got = await server.ask("POST", "/api/knowledge/search", json={"query": "x"})
        assert got.status >= 400
        assert "DEEPSEEK_API_KEY" in got.error["message"]


async def test_a_document_that_is_removed_while_it_is_replaced(server):
    """Whatever comes first, the database stays whole."""
    old = (await added(server, "long.txt", b"A short text about bees."))["document"]
    got = await send(server, "long.txt", LONG[:400_000].encode())
    job = got.body["job"]
    while not job["chunks"]:
        job = (await server.get(f"/api/knowledge/jobs/{job['id']}?wait=20")).body
    assert (await server.ask("DELETE", f"/api/knowledge/documents/{old['id']}")).status == 200
    job = await ended(server, got)
    assert job["state"] == "finished"
    assert [passage["name"] for passage in await found(server, "number 7", top_k=1)] == ["long.txt"]


async def test_a_look_that_waits(server, monkeypatch):
    """It answers when there is news, at the latest after its time; of an ingest that has ended, at once."""
    first = await send(server, "long.txt", LONG.encode())
    second = await send(server, "handbook.md", LEAVE.encode())
    where = f"/api/knowledge/jobs/{second.body['job']['id']}"
    before = time.perf_counter()
    with monkeypatch.context() as patched:
        patched.setattr(knowledge_api, "LONGEST_WAIT", 0.5)
        waiting = (await server.get(f"{where}?wait=1000")).body
    assert (waiting["state"], waiting["current"], waiting["outcomes"]) == ("running", None, [])
    assert 0.4 < time.perf_counter() - before < 10
    await server.ask("POST", f"/api/knowledge/jobs/{first.body['job']['id']}/cancel", headers=JSON)

    job = await ended(server, second)
    before = time.perf_counter()
    assert (await server.get(f"{where}?wait=30")).body == job
    assert (await server.get(f"{where}?wait=30&after=0")).body["outcomes"] == job["outcomes"]
    assert (await server.get(f"{where}?wait=30&after=1")).body == {**job, "outcomes": []}
    assert time.perf_counter() - before < 10


async def test_reindex(no_leaks, upstream):
    """Documents whose vectors another model made are counted, and get new ones."""
    async with serving() as server:
        document = (await added(server, "handbook.md", LEAVE.encode()))["document"]
        store = await server.services.storage.documents()
        [chunk] = await store.chunks(document["id"])
        found_there = await server.services.knowledge.document(document["id"])
        await store.put(replace(found_there, embedding="other/model"), LEAVE, [chunk], [bytes(2048)])
        assert (await server.get("/api/knowledge")).body["outdated"] == 1
        got = await server.ask("POST", "/api/knowledge/search", json={"query": "leave"})
        assert (got.body["outdated"], got.body["data"][0]["similarity"]) == (1, None)
        missing = await server.ask("POST", "/api/knowledge/reindex", json={"collection": "x"})
        assert (missing.status, missing.error["param"]) == (404, "collections")

        job = await ended(server, await server.ask("POST", "/api/knowledge/reindex", json={}))
        assert (job["kind"], job["counts"]["replaced"]) == ("reindex", 1)
        assert (await server.get("/api/knowledge")).body["outdated"] == 0
        assert (await found(server, "leave"))[0]["similarity"] is not None


async def test_words_alone(server, monkeypatch):
    """If the embedding model fails, words are searched, and it is said why."""
    await added(server, "handbook.md", LEAVE.encode())

    async def fail(_):
        raise LocalModelFailed("The embedding model is out of order.")

    monkeypatch.setattr(server.services.knowledge._embedder, "embed", fail)
    got = await server.ask("POST", "/api/knowledge/search", json={"query": "leave"})
    assert (got.body["words_only"], len(got.body["data"])) == ("The embedding model is out of order.", 1)


# --- asking ----------------------------------------------------------------------------------------------------------


async def test_an_answer_from_documents(server, upstream):
    """It is asked with what was found, cites that, and what it made up is taken out; the conversation keeps it."""
    await added(server, "handbook.md", LEAVE.encode(), "work")
    upstream.replies = [streamed("25 days [1], they say [9].")]
    events = await chat(server, "How many days of leave?", collections=["work"])
    assert text_in(events) == "25 days [1], they say."
    [result] = [data for _, kind, data in events if kind == "tool_result"]
    assert [source["name"] for source in result["sources"]] == ["handbook.md"]
    assert "25 days of annual leave" in upstream.chats[0]["messages"][-1]["content"]

    run = events[0][2]
    where = f"/api/conversations/{run['conversation_id']}"
    row = (await server.get(where)).body
    assert (row["collections"], row["tools"]) == (["work"], [])
    [_, answer] = (await server.get(f"{where}/messages")).body["data"]
    assert [(source["number"], source["name"]) for source in answer["sources"]] == [(1, "handbook.md")]

    upstream.replies = [streamed("Still 25 [1].")]
    more = await chat(server, "And for managers?", conversation_id=run["conversation_id"])
    assert text_in(more) == "Still 25 [1]."
    await chat(server, "Thanks", conversation_id=run["conversation_id"], collections=[])
    assert (await server.get(where)).body["collections"] == []
    assert "tools" not in upstream.chats[-1]


async def test_nothing_was_found(server, upstream):
    """An answer can cite nothing then, whatever the model makes up."""
    await added(server, "handbook.md", LEAVE.encode(), "work")
    await added(server, "shop.md", b"The shop opens at nine.", "town")
    upstream.replies = [streamed("Nobody knows [1].")]
    document = (await server.get("/api/knowledge/documents?collection=town")).body["data"][0]
    run = (await chat(server, "hi", collections=["town"]))[0][2]
    await server.ask("DELETE", f"/api/knowledge/documents/{document['id']}")
    upstream.replies = [streamed("Nobody knows [1].")]
    events = await chat(server, "When does it open?", conversation_id=run["conversation_id"])
    assert text_in(events) == "Nobody knows."


async def test_collections_that_there_are_not(server, upstream):
    """They are named, and no conversation begins."""
    got = await server.ask("POST", "/api/chat/stream", json={"message": "hi", "collections": ["nope"]})
    assert (got.status, got.error["param"]) == (404, "collections")
    assert "there are no documents yet" in got.error["message"]
    assert (await server.get("/api/conversations")).body["data"] == []
    assert upstream.requests == []


async def test_postgres(no_leaks, upstream, postgres_url):
    """All of it with the other database."""
    async with serving(database=postgres_url) as server:
        await added(server, "年假.txt", CHINESE.encode("gbk"))
        document = (await added(server, "handbook.md", LEAVE.encode(), "work"))["document"]
        assert (await added(server, "handbook.md", LEAVE.encode(), "work"))["state"] == "unchanged"
        assert (await found(server, "年假有几天"))[0]["name"] == "年假.txt"
        assert [passage["name"] for passage in await found(server, "leave", collections=["work"])] == ["handbook.md"]
        upstream.replies = [streamed("25 [1] [9]")]
        assert text_in(await chat(server, "How many days of leave?", collections=["work"])) == "25 [1]"
        await test_characters_that_nobody_can_store(server)
        assert (await server.ask("DELETE", f"/api/knowledge/documents/{document['id']}")).status == 200
        assert [row["name"] for row in (await server.get("/api/knowledge")).body["collections"]] == ["c", "default"]
