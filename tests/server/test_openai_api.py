"""`/v1/chat/completions` as it goes over the wire."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from tests.server.conftest import QUESTION, serving
from tests.upstream import Reply, failing, of_json, streamed, whole

PATH = "/v1/chat/completions"


def frames(text: str) -> list[str]:
    """The data of a stream's events."""
    assert text.endswith("\n\n")
    return [frame.removeprefix("data: ") for frame in text.removesuffix("\n\n").split("\n\n")]


# --- whole answers ---------------------------------------------------------------------------------------------------


async def test_a_whole_answer(server, upstream):
    """An answer in one piece is a completion, named by its trace."""
    upstream.replies = [whole("Hello")]
    got = await server.chat()
    assert (got.status, got.body["object"]) == (200, "chat.completion")
    assert got.body["choices"][0]["message"]["content"] == "Hello"
    assert got.body["usage"]["total_tokens"] == 12
    assert len(got.headers["x-request-id"]) == 32


async def test_defaults_of_the_settings_fill_what_is_left_open(no_leaks, upstream):
    """A temperature and a bound that the settings name go upstream, unless the client says otherwise."""
    upstream.replies = [whole("Hello")]
    async with serving(temperature=0.5, max_tokens=9) as server:
        await server.chat()
        await server.chat(temperature=1, max_tokens=5)
    first, second = upstream.chats
    assert (first["temperature"], first["max_completion_tokens"]) == (0.5, 9)
    assert (second["temperature"], second["max_tokens"]) == (1, 5)
    assert "max_completion_tokens" not in second


async def test_fields_that_nobody_knows_pass_both_ways(server, upstream):
    """What this version does not know reaches the upstream, and comes back."""
    upstream.replies = [of_json({**json.loads(whole("x").steps[0]), "x_news": {"a": 1}})]
    got = await server.chat(x_asked=[1])
    assert upstream.chats[0]["x_asked"] == [1]
    assert got.body["x_news"] == {"a": 1}


# --- streams ---------------------------------------------------------------------------------------------------------


async def test_a_stream(server, upstream):
    """The pieces come as events, `[DONE]` ends them, and nothing on the way may keep or hold them."""
    upstream.replies = [streamed("Hello", " there")]
    got = await server.chat(stream=True)
    assert got.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-accel-buffering"] == "no"
    assert len(got.headers["x-request-id"]) == 32
    *chunks, done = frames(got.body)
    deltas = [json.loads(chunk)["choices"][0]["delta"].get("content") for chunk in chunks]
    assert "".join(filter(None, deltas)) == "Hello there"
    assert done == "[DONE]"


@pytest.mark.parametrize("asked", [True, False, None])
async def test_usage_comes_to_those_who_asked(server, asked):
    """The last chunk holds the usage if it was asked for, and else no chunk does."""
    options = {} if asked is None else {"stream_options": {"include_usage": asked}}
    got = await server.chat(stream=True, **options)
    *chunks, _ = map(json.loads, frames(got.body)[:-1])
    usages = [chunk["usage"] for chunk in map(json.loads, frames(got.body)[:-1]) if chunk.get("usage")]
    assert [usage["total_tokens"] for usage in usages] == ([12] if asked else [])
    assert all(chunk["choices"] for chunk in chunks)


async def test_pieces_come_as_they_are_made(server, upstream):
    """A piece does not wait for the next one."""
    go_on = asyncio.Event()
    upstream.replies = [streamed("first", go_on, "second")]
    async with server.session.post(server.url + PATH, json=QUESTION | {"stream": True}) as reply:
        came = b""
        while b"first" not in came:
            came += await reply.content.readany()
        assert b"second" not in came
        go_on.set()
        assert (await reply.content.read()).endswith(b"data: [DONE]\n\n")


async def test_a_chunk_that_nobody_changed_is_passed_on_byte_for_byte(server, upstream):
    """What the upstream wrote is what the client reads."""
    upstream.replies = [streamed("你好", usage=None)]
    got = await server.chat(stream=True)
    assert got.body.encode() == b"".join(upstream.replies[0].steps)


async def test_a_stream_that_breaks_ends_with_an_error_and_no_done(server, upstream):
    """After the first piece there is no status left: the last event says what went wrong."""
    upstream.replies = [streamed("Hel", "lo").cut_after(2)]
    got = await server.chat(stream=True)
    assert got.status == 200
    *_, last = frames(got.body)
    assert "Hel" in got.body
    assert json.loads(last)["error"]["code"] == "stream_broken"
    assert "[DONE]" not in got.body


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (failing(429, headers={"Retry-After": "7"}), 429, "rate_limit_exceeded"),
        (failing(404, "The model `m` does not exist"), 404, "model_not_found"),
        (failing(500), 502, "server_error"),
        (Reply(steps=(), end="cut"), 502, "connection_error"),
    ],
    ids=["429", "404", "500", "gone"],
)
async def test_an_error_before_the_first_piece_has_its_status(server, upstream, reply, status, code, stream):
    """What goes wrong before anything was sent is told by the status, also to those who asked for a stream."""
    upstream.replies = [reply]
    got = await server.chat(stream=stream)
    if reply.end == "cut" and got.error["code"] == "stream_broken":
        code = "stream_broken"
    assert (got.status, got.error["code"]) == (status, code)
    assert got.headers.get("retry-after") == ("7" if status == 429 else None)
    assert len(got.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("fields", "param"), [({"n": 0}, "n"), ({"messages": []}, "messages"), ({"model": 1}, "model")]
)
async def test_a_request_that_cannot_be_used(server, upstream, fields, param):
    """The error names the field, and nothing goes upstream."""
    got = await server.chat(**fields)
    assert (got.status, got.error["param"], got.error["type"]) == (400, param, "invalid_request_error")
    assert not upstream.chats


async def test_a_fault_of_ours_is_told_without_what_it_was(no_leaks, caplog):
    """An exception that nobody expected is a 500; the log alone says more."""

    async def broken(_):
        raise ValueError("sk-secret")

    async with serving() as server:
        server.services.handler = broken
        got = await server.chat()
    assert (got.status, got.error["code"]) == (500, "internal_error")
    assert "sk-secret" not in got.error["message"]
    assert got.headers["x-request-id"] in caplog.text


async def test_another_method(server):
    """Only POST asks; the answer says so."""
    got = await server.get(PATH)
    assert (got.status, got.error["code"], got.headers["allow"]) == (405, "method_not_allowed", "POST")


# --- leaving ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_closes_the_upstream(server, upstream, stream):
    """The model stops writing as soon as nobody reads, whether a piece has come or not."""
    upstream.replies = [streamed("Hello").stalled_after(2) if stream else Reply(end="stall")]
    post = server.session.post(server.url + PATH, json=QUESTION | {"stream": stream})
    asking = asyncio.ensure_future(post.__aenter__())
    await upstream.stalled.wait()
    if stream:
        (await asking).close()
    else:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert await asyncio.wait_for(upstream.left.wait(), 5)


async def test_a_server_that_stops_ends_its_streams(server, upstream):
    """A stream ends at once, with an error that says why."""
    upstream.replies = [streamed("Hello").stalled_after(2)]
    async with server.session.post(server.url + PATH, json=QUESTION | {"stream": True}) as reply:
        await reply.content.readany()
        server.stopping.set()
        rest = (await asyncio.wait_for(reply.content.read(), 5)).decode()
    assert json.loads(frames(rest)[-1])["error"]["code"] == "service_unavailable"
    await upstream.left.wait()


@pytest.mark.parametrize("stream", [True, False])
async def test_a_server_that_stops_ends_what_has_not_begun(server, upstream, stream):
    """Where nothing has come yet, the status says it."""
    upstream.replies = [Reply(end="stall")]
    asking = asyncio.create_task(server.chat(stream=stream))
    await upstream.stalled.wait()
    server.stopping.set()
    got = await asyncio.wait_for(asking, 5)
    assert (got.status, got.error["code"]) == (503, "service_unavailable")
    await upstream.left.wait()


async def test_a_request_while_the_server_stops(server):
    """A request that comes after the end has begun is not begun."""
    server.stopping.set()
    got = await server.chat()
    assert (got.status, got.error["code"]) == (503, "service_unavailable")


# --- a slow reader ---------------------------------------------------------------------------------------------------

PIECE = "x" * 10_000
PIECES = 1_500


async def test_a_slow_reader_slows_the_upstream_down(no_leaks, upstream):
    """What is not read stays where it is made: 15 MB do not pile up, and no time limit of the upstream's runs."""
    between = 0.5
    middle = asyncio.Event()
    middle.set()
    upstream.replies = [streamed(*[PIECE] * PIECES, middle, *[PIECE] * PIECES)]
    async with (
        serving(timeout={"between_tokens": between}) as server,
        server.session.post(server.url + PATH, json=QUESTION | {"stream": True}, read_bufsize=2**12) as reply,
    ):
        begin = await reply.content.readany()
        await asyncio.sleep(4 * between)
        assert not upstream.stalled.is_set()  # it is not in the middle yet
        rest = await reply.content.read()
    assert (begin + rest).count(b"data: ") == 2 * PIECES + 3
    assert rest.endswith(b"data: [DONE]\n\n")


async def test_many_questions_over_one_connection(server, upstream):
    """A connection serves one request after the other, streams included."""
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for number in range(20):
            body = QUESTION | {"stream": number % 2 == 0}
            async with session.post(server.url + PATH, json=body) as reply:
                assert reply.status == 200
                assert "Hello" in await reply.text()
    assert len(upstream.chats) == 20
