"""JSON from a web service: what is asked, what comes, and the bounds of it."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import pytest
from tests.upstream import Reply, Upstream, of_json

from ai_chat.core.errors import ConnectionFailed, ServerFailed, StreamBroken, UpstreamFailed, UpstreamTimeout
from ai_chat.providers.fetching_json import JsonFetch, with_query
from ai_chat.providers.http import Http


def text(data: bytes, **fields) -> Reply:
    """Any bytes."""
    return Reply(steps=(data,), **fields)


@pytest.fixture
async def http(no_leaks):
    """A door that is closed behind the test."""
    door = Http()
    yield door
    await door.aclose()


async def get(http, reply, parameters=None, *, limit=1_000, seconds=5.0):
    """Get what a service answers; give it with the request that was sent."""
    async with Upstream(models=reply) as service:
        value = await JsonFetch(http, limit=limit)(f"{service.url}/models", parameters or {}, timeout=seconds)
        return value, service.requests[0]


@pytest.mark.parametrize("value", [{"北京": [1, 2.5, None, True]}, [], "text", 0, None], ids=str)
async def test_any_json_value_is_given(http, value):
    """What came is what is given, decoded."""
    assert (await get(http, of_json(value)))[0] == value


async def test_parameters_arrive_as_they_are(http):
    """Whatever stands in a value, it stays one value: nothing of it becomes syntax of the URL."""
    value = "北京 +&=?#%20/é,'\""
    _, request = await get(http, of_json({}), {"name": value, "latitude": 39.9, "count": 10})
    assert dict(parse_qsl(request.path.partition("?")[2])) == {"name": value, "latitude": "39.9", "count": "10"}
    assert request.method == "GET"
    assert request.headers["accept"] == "application/json"


def test_parameters_are_added_to_a_query():
    """A URL may have one already, or need none."""
    assert with_query("http://a/b?c=1", {"d": "e f"}) == "http://a/b?c=1&d=e%20f"
    assert with_query("http://a/b", {}) == "http://a/b"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_a_refusal_is_told_with_its_reason(http, status):
    """The status and the beginning of what the service says of it are in the error."""
    with pytest.raises(UpstreamFailed, match=f"status {status}.*out of range") as caught:
        await get(http, of_json({"error": True, "reason": "out of range"}, status=status))
    assert caught.value.upstream_status == status


async def test_a_long_refusal_is_told_in_part(http):
    """An error page is no message."""
    with pytest.raises(UpstreamFailed) as caught:
        await get(http, text(b"<p>" * 200, status=500))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [b"", b"<html>", b"{", b"NaN", b'"\xff"'], ids=repr)
async def test_what_is_no_json_is_no_answer(http, data):
    """A page of HTML, half a value and broken text are refused alike."""
    with pytest.raises(ServerFailed, match="no JSON"):
        await get(http, text(data, framing="length"))


async def test_an_answer_is_bounded(http):
    """One byte too many is too many, however it comes."""
    body = b'"' + b"x" * 998 + b'"'
    assert len((await get(http, text(body), limit=1_000))[0]) == 998
    for framing in ("length", "chunked"):
        with pytest.raises(ServerFailed, match="longer than 999 bytes"):
            await get(http, text(body, framing=framing).in_blocks(100), limit=999)


async def test_an_endless_answer_is_cut_off(http):
    """It is not read to an end that never comes."""
    with pytest.raises(ServerFailed, match="longer"):
        await get(http, Reply(steps=(b"[" * 600,) * 2, end="stall"))


@pytest.mark.parametrize("steps", [(), (b"[1, ", b"2")], ids=["nothing", "a part"])
async def test_time_is_bounded(http, steps):
    """The limit is on the whole of it, and is named."""
    with pytest.raises(UpstreamTimeout, match=r"within 0\.1 s") as caught:
        await get(http, Reply(steps=steps, end="stall"), seconds=0.1)
    assert caught.value.seconds == 0.1


async def test_a_silent_service_is_given_up(http, no_leaks):
    """Also if it does not even send a head."""
    heard = asyncio.Event()

    async def listen(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        heard.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamTimeout, match=r"within 0\.2 s"):
            await JsonFetch(http)(f"http://127.0.0.1:{port}/", {}, timeout=0.2)
        assert heard.is_set()
        await http.aclose()


async def test_nobody_there_is_a_failed_connection(http):
    """The other end is out of reach."""
    async with Upstream() as service:
        url = service.url
    with pytest.raises(ConnectionFailed):
        await JsonFetch(http)(f"{url}/models", {}, timeout=5.0)


async def test_a_lost_connection_is_no_answer(http):
    """A part of an answer is not taken for the whole."""
    with pytest.raises(StreamBroken):
        await get(http, Reply(steps=(b"[1, ", b"2]")).cut_after(1))


async def test_one_connection_serves_many_requests(http):
    """It is kept between them, after a refusal too."""
    async with Upstream(models=of_json({}, status=404)) as service:
        fetch = JsonFetch(http)
        for _ in range(3):
            with pytest.raises(UpstreamFailed):
                await fetch(f"{service.url}/models", {}, timeout=5.0)
        assert service.connections == 1
