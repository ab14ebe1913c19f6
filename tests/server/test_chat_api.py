"""`/api`: asking, reading on, stopping, and the conversations, over a real connection."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from tests.server.conftest import Server, serving
from tests.upstream import failing, streamed

from ai_chat.server import run_stream
from ai_chat.wire.sse import SSEDecoder

FOREVER = 1000.0


@asynccontextmanager
async def asked(server: Server, method: str = "POST", path: str = "/api/chat/stream", **options):
    """Ask for a stream, and give an iterator of its events as `(number, kind, data)`."""
    async with server.session.request(method, server.url + path, **options) as reply:
        assert reply.status == 200, await reply.text()
        assert reply.content_type == "text/event-stream"
        yield _events(reply)


async def _events(reply) -> AsyncIterator[tuple[int, str, dict]]:
    decoder = SSEDecoder()
    async for data in reply.content.iter_any():
        for frame in decoder.feed(data):
            yield int(frame.id or 0), frame.event, json.loads(frame.data)


async def whole(server: Server, **options) -> list[tuple[int, str, dict]]:
    async with asked(server, **options) as events:
        return [event async for event in events]


async def chat(server: Server, message: str = "hi", **fields) -> list[tuple[int, str, dict]]:
    return await whole(server, json={"message": message, **fields})


def text_in(events) -> str:
    return "".join(data["text"] for _, kind, data in events if kind == "text")


async def begun(server: Server, upstream, *, said: str = "one", then=(FOREVER,)) -> dict:
    """Begin an answer that goes on, leave it, and give its first event."""
    upstream.replies = [streamed(said, *then), streamed("two")]
    async with asked(server, json={"message": "hi"}) as events:
        async for _, kind, data in events:
            if kind == "run":
                run = data
            elif kind == "text":
                break
    return run


# --- asking -------------------------------------------------------------------------------------------------------


async def test_a_question_is_answered(server, upstream):
    """Events are numbered without a gap; the answer is in the conversation that the first one names."""
    upstream.replies = [streamed("one ", "two")]
    events = await chat(server)
    numbers, kinds = [number for number, _, _ in events], [kind for _, kind, _ in events]
    run = events[0][2]

    assert numbers == sorted(numbers)
    assert (kinds[0], kinds[-2:], text_in(events)) == ("run", ["usage", "done"], "one two")
    assert events[-1][2] == {"status": "finished", "finish_reason": "stop"}
    assert events[-2][2]["output_tokens"] == 7
    listed = await server.get(f"/api/conversations/{run['conversation_id']}/messages")
    question, answer = listed.body["data"]
    assert (question["message"]["content"], answer["message"]["content"]) == ("hi", "one two")
    assert (answer["id"], answer["parent_id"], answer["state"]) == (run["message_id"], question["id"], "finished")


async def test_a_conversation_is_gone_on_with(server, upstream):
    """With its id the next question is sent with what was said before."""
    first = (await chat(server))[0][2]
    await chat(server, "more", conversation_id=first["conversation_id"])
    sent = [message["content"] for message in upstream.chats[1]["messages"]]
    assert sent == ["hi", "Hello", "more"]


async def test_another_answer(server, upstream):
    """`regenerate` adds a sibling; both can be read and the branch be chosen."""
    run = (await chat(server))[0][2]
    upstream.replies = [streamed("Bye")]
    events = await whole(server, json={"regenerate": run["message_id"]})
    where = f"/api/conversations/{run['conversation_id']}"
    found = (await server.get(f"{where}/messages/{run['message_id']}/siblings")).body["data"]
    assert [row["message"]["content"] for row in found] == ["Hello", "Bye"]
    assert text_in(events) == "Bye"

    await server.ask("PATCH", where, json={"leaf": run["message_id"]})
    shown = (await server.get(f"{where}/messages")).body["data"]
    assert [row["message"]["content"] for row in shown] == ["hi", "Hello"]


async def test_what_goes_wrong_is_an_event(server, upstream):
    """A refusal of the upstream comes as an event with its code, and `done` says that it failed."""
    upstream.replies = [failing(429, "slow down", headers={"Retry-After": "7"})]
    events = await chat(server)
    assert [kind for _, kind, _ in events][-2:] == ["error", "done"]
    assert (events[-2][2]["code"], events[-2][2]["retry_after"]) == ("rate_limit_exceeded", 7.0)
    assert events[-1][2]["status"] == "failed"


# --- reading on ---------------------------------------------------------------------------------------------------


async def test_an_answer_goes_on_without_its_reader(server, upstream):
    """Leaving does not stop it; another reader goes on behind any number, and gets what the first one missed."""
    gate = asyncio.Event()
    upstream.replies = [streamed("one", gate, " two", " three")]
    async with asked(server, json={"message": "hi"}) as events:
        async for event in events:
            number, kind, data = event
            if kind == "run":
                run = data["run_id"]
            if kind == "text":
                break
    gate.set()
    rest = await whole(server, method="GET", path=f"/api/chat/runs/{run}/stream?after={number}")
    by_header = await whole(
        server, method="GET", path=f"/api/chat/runs/{run}/stream", headers={"Last-Event-ID": str(number)}
    )
    assert text_in(rest) == text_in(by_header) == " two three"
    assert rest[-1][1] == "done"
    assert text_in(await whole(server, method="GET", path=f"/api/chat/runs/{run}/stream")) == "one two three"
    ended = await server.get(f"/api/chat/runs/{run}/stream?after={rest[-1][0]}")
    assert (ended.status, ended.body) == (204, "")


async def test_two_hundred_readers(server, upstream):
    """All get the whole text, and a request in between is answered at once."""
    gate = asyncio.Event()
    words = [f"w{n} " for n in range(50)]
    run = (await begun(server, upstream, said=words[0], then=[*words[1:10], gate, *words[10:]]))["run_id"]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        crowd = Server(server.url, server.services, server.stopping, session)
        path = f"/api/chat/runs/{run}/stream"
        readers = [asyncio.create_task(whole(crowd, method="GET", path=path)) for _ in range(200)]
        await asyncio.sleep(0.3)
        assert (await asyncio.wait_for(server.get("/health/live"), 5)).status == 200
        gate.set()
        texts = {text_in(events) for events in await asyncio.gather(*readers)}
    assert texts == {"".join(words)}


async def test_a_quiet_stream_is_kept_open(server, upstream, monkeypatch):
    """Where nothing happens a comment is sent, and sent again."""
    monkeypatch.setattr(run_stream, "PING_SECONDS", 0.05)
    run = await begun(server, upstream)
    async with server.session.get(f"{server.url}/api/chat/runs/{run['run_id']}/stream") as reply:
        data = b""
        while data.count(b": ping\n\n") < 3:
            more = await asyncio.wait_for(reply.content.readany(), 5)
            assert more, "the stream ended"
            data += more
        assert b"event: done" not in data


@pytest.mark.parametrize(("after", "status"), [("99", 400), ("-1", 400), ("x", 400), ("9" * 30, 400), ("1", 200)])
async def test_a_number_that_cannot_be(server, upstream, after, status):
    """A number that no reader can have got is named, with what there is."""
    run = await begun(server, upstream)
    async with server.session.get(f"{server.url}/api/chat/runs/{run['run_id']}/stream?after={after}") as reply:
        assert reply.status == status
        if status != 200:
            assert "after is" in (await reply.json())["error"]["message"]


# --- stopping -----------------------------------------------------------------------------------------------------


async def test_stop_keeps_the_part(server, upstream):
    """The upstream is left at once, the part stays, and stopping again changes nothing."""
    run = await begun(server, upstream)
    row = (await server.get("/api/conversations")).body["data"][0]
    assert row["running"] == [run["run_id"]]
    for _ in range(2):
        got = await server.ask("POST", f"/api/chat/runs/{run['run_id']}/stop", json={})
        assert got.body == {"run_id": run["run_id"], "status": "stopped"}
    await asyncio.wait_for(upstream.left.wait(), 5)
    events = await whole(server, method="GET", path=f"/api/chat/runs/{run['run_id']}/stream")
    assert (text_in(events), events[-1][2]["status"]) == ("one", "stopped")
    assert (await server.get(f"/api/chat/runs/{run['run_id']}")).body["status"] == "stopped"


async def test_the_server_ends(no_leaks, upstream):
    """A reader is told that the answer was interrupted; the next server has the part."""
    async with serving() as server:
        upstream.replies = [streamed("one", FOREVER)]
        async with asked(server, json={"message": "hi"}) as events:
            async for _, kind, data in events:
                if kind == "run":
                    run = data["run_id"]
                if kind == "text":
                    server.stopping.set()
                last = kind, data
    assert last == ("done", {"status": "interrupted", "finish_reason": None})
    async with serving() as server:
        events = await whole(server, method="GET", path=f"/api/chat/runs/{run}/stream")
        assert (text_in(events), events[-1][2]["status"]) == ("one", "interrupted")


# --- what is asked wrongly ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "message is missing"),
        ({"message": " "}, 400, "message is empty"),
        ({"message": 7}, 400, "message is '7'"),
        ({"message": "hi", "conversationId": "x"}, 400, "conversationId"),
        ({"message": "hi", "mode": "pirate"}, 400, "mode is 'pirate'"),
        ({"message": "hi", "conversation_id": "none"}, 404, "no conversation 'none'"),
        ({"message": "hi", "regenerate": "x"}, 400, "regenerate"),
        ({"regenerate": "none"}, 404, "no message 'none'"),
        ([1], 400, "body"),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
async def test_a_question_that_cannot_be_used(server, body, status, words):
    """One sentence names the field and the mend, and nothing is begun."""
    got = await server.ask("POST", "/api/chat/stream", json=body)
    assert got.status == status
    assert words in got.error["message"]
    assert (await server.get("/api/conversations")).body == {"data": []}


async def test_a_message_that_is_being_answered(server, upstream):
    """A second question waits for the answer, or stops it: it is told so."""
    run = await begun(server, upstream)
    got = await server.ask(
        "POST", "/api/chat/stream", json={"message": "more", "conversation_id": run["conversation_id"]}
    )
    assert (got.status, got.error["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/chat/runs/none/stream"), ("POST", "/api/chat/runs/none/stop"), ("GET", "/api/chat/runs/none"),
     ("GET", "/api/conversations/none"), ("DELETE", "/api/conversations/none"), ("PATCH", "/api/conversations/none"),
     ("POST", "/api/conversations/none/restore"), ("GET", "/api/conversations/none/messages"),
     ("GET", "/api/conversations/none/messages/x/siblings"), ("GET", "/api"), ("GET", "/api/nothing")],
)  # fmt: skip
async def test_what_there_is_not(server, method, path):
    """It is a 404 in JSON, as everywhere."""
    got = await server.ask(method, path, json={} if method in {"POST", "PATCH"} else None)
    assert (got.status, got.error["code"]) == (404, "not_found")


async def test_a_message_of_ten_megabytes(server, upstream, monkeypatch):
    """It is kept, and the answer says that it does not fit; meanwhile others are served."""
    monkeypatch.setenv("AI_CHAT_MODEL", "local")
    async with serving() as other:
        body = io.BytesIO(json.dumps({"message": "字" * 3_500_000}, ensure_ascii=False).encode())
        asking = asyncio.create_task(whole(other, data=body, headers={"content-type": "application/json"}))
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(server.get("/health/live"), 5)).status == 200
        events = await asking
        assert events[-2][2]["code"] == "context_length_exceeded"
        where = f"/api/conversations/{events[0][2]['conversation_id']}/messages"
        assert len((await other.get(where)).body["data"][0]["message"]["content"]) == 3_500_000


# --- conversations ------------------------------------------------------------------------------------------------


async def test_a_conversation_from_its_beginning_to_its_end(server):
    """It is begun, renamed, found, deleted and taken back."""
    made = await server.ask("POST", "/api/conversations", json={"title": "First"})
    assert made.status == 201
    where = f"/api/conversations/{made.body['id']}"
    renamed = await server.ask("PATCH", where, json={"title": "天气预报", "system": "Be brief."})
    assert (renamed.body["title"], renamed.body["system"]) == ("天气预报", "Be brief.")
    assert [row["id"] for row in (await server.get("/api/conversations?q=天气")).body["data"]] == [made.body["id"]]
    assert (await server.get("/api/conversations?q=First")).body["data"] == []

    assert (await server.ask("DELETE", where)).body == {"id": made.body["id"], "deleted": True}
    assert (await server.get("/api/conversations")).body["data"] == []
    assert (await server.get(where)).status == 404
    restored = await server.ask("POST", f"{where}/restore", json={})
    assert restored.body["title"] == "天气预报"


async def test_a_list_in_parts(server):
    """Pages follow each other, the newest first; a wrong bound is named."""
    for n in range(5):
        await server.ask("POST", "/api/conversations", json={"title": f"t{n}"})
    titles = [row["title"] for row in (await server.get("/api/conversations?limit=2&offset=1")).body["data"]]
    assert titles == ["t3", "t2"]
    got = await server.get("/api/conversations?limit=0")
    assert (got.status, "limit is '0'" in got.error["message"]) == (400, True)


async def test_deleting_stops_what_runs(server, upstream):
    """A conversation that is put away costs nothing more."""
    run = await begun(server, upstream)
    await server.ask("DELETE", f"/api/conversations/{run['conversation_id']}")
    await asyncio.wait_for(upstream.left.wait(), 5)
    assert await server.services.runs.stop(run["run_id"]) == "stopped"
