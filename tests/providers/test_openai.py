"""An upstream over HTTP: answers, refusals, time limits, and the connection's fate in each case."""

from __future__ import annotations

import asyncio

import pytest
from tests.doubles import ask
from tests.upstream import Reply, failing, of_json, offering, streamed, whole
from tests.upstream import Upstream as Server

from ai_chat.core.errors import (
    AuthenticationFailed,
    ClientMisused,
    ConnectionFailed,
    ContextTooLong,
    RateLimited,
    ServerFailed,
    StreamBroken,
    UpstreamTimeout,
)
from ai_chat.core.events import TextDelta, events_of
from ai_chat.core.folding import fold
from ai_chat.core.request import Timeouts
from ai_chat.core.stream import EventStream
from ai_chat.core.usage import Usage
from ai_chat.providers.http import Http
from ai_chat.providers.openai import OpenAIProvider, Upstream

KEY = "sk-test-0123456789"
PATIENT = Timeouts()


@pytest.fixture
async def http(no_leaks):
    """A door that is closed behind the test."""
    door = Http()
    yield door
    await door.aclose()


async def open_stream(http, server, call=None, timeouts=PATIENT):
    headers = (("authorization", f"Bearer {KEY}"),)
    provider = OpenAIProvider(Upstream(name="Test", base_url=server.url, headers=headers), http)
    return EventStream(await provider.open(call or ask(), "their-name", timeouts))


@pytest.mark.parametrize("block", [1, 7, 100_000], ids=["byte by byte", "in sevens", "at once"])
async def test_a_stream_is_read_however_it_is_cut(http, block):
    """The answer, its usage and its end do not depend on how the network cuts it."""
    async with Server(streamed("你", "好", " world").in_blocks(block)) as server:
        result = await fold(await open_stream(http, server))
    assert result.text == "你好 world"
    assert result.usage == Usage(input_tokens=5, output_tokens=7)
    assert result.finish_reason == "stop"


async def test_a_request_carries_the_model_the_key_and_asks_for_usage(http):
    """The upstream sees its own name for the model, and usage is always asked for."""
    async with Server(streamed("x")) as server:
        await fold(await open_stream(http, server))
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json["model"] == "their-name"
    assert request.json["stream_options"] == {"include_usage": True}


async def test_a_whole_answer_is_the_same_shape(http):
    """An answer in one piece comes as the same events."""
    async with Server(whole("all of it")) as server:
        result = await fold(await open_stream(http, server, ask(stream=False)))
    assert result.text == "all of it"
    assert "stream_options" not in server.chats[0]


async def test_an_upstream_that_does_not_stream_is_understood(http):
    """A server that answers a streamed request in one piece is read all the same."""
    async with Server(whole("all of it")) as server:
        assert (await fold(await open_stream(http, server))).text == "all of it"


async def test_a_missing_done_mark_is_forgiven_when_the_answer_is_whole(http):
    """The finish reason has come, so the answer is whole."""
    async with Server(streamed("x", done=False)) as server:
        assert (await fold(await open_stream(http, server))).text == "x"


async def test_connections_are_kept_after_whole_answers(http):
    """Ten streams one after the other need one connection."""
    async with Server(streamed("x")) as server:
        for _ in range(10):
            await fold(await open_stream(http, server))
        assert server.connections == 1


async def test_a_lost_connection_is_an_error_behind_the_text_that_came(http):
    """Every piece that came before the cut is given, then the error; a cut is never a short answer."""
    texts = []
    async with Server(streamed("a", "b", "c").cut_after(3)) as server:
        with pytest.raises(StreamBroken):  # noqa: PT012 - what comes before the error is what is tested
            async for batch in await open_stream(http, server):
                texts += [event.text for event in events_of(batch) if isinstance(event, TextDelta)]
    assert "".join(texts) == "ab"


async def test_an_end_without_finish_reason_is_a_broken_stream(http):
    """A stream that simply ends has not said that it is whole."""
    async with Server(streamed("a", finish=None, done=False)) as server:
        with pytest.raises(StreamBroken):
            await fold(await open_stream(http, server))


async def test_an_error_inside_a_stream_follows_the_text_before_it(http):
    """An error frame in mid-answer is raised with its own meaning, behind what came."""
    frame = b'data: {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}\n\n'
    reply = streamed("a")
    reply = Reply(steps=(b"".join((*reply.steps[:2], frame)),), headers=reply.headers)  # type: ignore[arg-type]
    async with Server(reply) as server:
        stream = await open_stream(http, server)
        assert [e.text for e in events_of(await anext(stream)) if isinstance(e, TextDelta)] == ["", "a"]
        with pytest.raises(RateLimited, match="slow down"):
            await anext(stream)


async def test_leaving_closes_the_upstream_at_once(http):
    """A reader who leaves does not let the upstream go on at its cost."""
    async with Server(streamed("a", asyncio.Event())) as server:
        async with await open_stream(http, server) as stream:
            await anext(stream)
        await asyncio.wait_for(server.left.wait(), 5)
        assert stream.end == "abandoned"


async def test_cancelling_closes_the_upstream_at_once(http):
    """So does a cancelled reader."""
    async with Server(streamed("a", asyncio.Event())) as server:

        async def read():
            await fold(await open_stream(http, server))

        task = asyncio.create_task(read())
        await server.stalled.wait()
        task.cancel()
        await asyncio.wait_for(server.left.wait(), 5)
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (failing(401, "bad key"), AuthenticationFailed),
        (failing(400, "too long", code="context_length_exceeded"), ContextTooLong),
        (failing(429, "wait", headers={"Retry-After": "7"}), RateLimited),
        (failing(500), ServerFailed),
        (Reply(steps=(b"<html>" + b"x" * 200_000,), status=502), ServerFailed),
        (of_json({"hello": 1}), ServerFailed),
        (Reply(steps=(b"no json",), framing="length"), ServerFailed),
        (Reply(steps=(b"data: {\n\n",), headers={"Content-Type": "text/event-stream"}), ServerFailed),
        (Reply(steps=(b"data: [DONE]\n\n",), headers={"Content-Type": "text/event-stream"}), ServerFailed),
    ],
    ids=["key", "context", "rate", "500", "html", "other json", "no json", "bad frame", "empty stream"],
)
async def test_refusals_and_nonsense_are_named(http, reply, error):
    """Each kind of refusal has its class, and nothing that is no answer passes for one."""
    async with Server(reply) as server:
        with pytest.raises(error) as caught:
            await fold(await open_stream(http, server))
    assert KEY not in str(caught.value)
    assert "\n" not in caught.value.message


async def test_retry_after_is_told(http):
    """The wait that an upstream asks for is kept."""
    async with Server(failing(429, headers={"Retry-After": "7"})) as server:
        with pytest.raises(RateLimited) as caught:
            await open_stream(http, server)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("reply", "limits", "phase"),
    [
        (streamed("a").stalled_after(0), {"first_token": 0.05}, "first_token"),
        (streamed("a", "b").stalled_after(2), {"between_tokens": 0.05}, "between_tokens"),
        (streamed(*(["a", 0.02] * 50)), {"total": 0.2}, "total"),
    ],
    ids=["first token", "between tokens", "total"],
)
async def test_each_time_limit_is_its_own(http, reply, limits, phase):
    """What ran out is said by name, with the setting that moves it."""
    async with Server(reply) as server:
        with pytest.raises(UpstreamTimeout, match=f"AI_CHAT_TIMEOUT__{phase.upper()}") as caught:
            await fold(await open_stream(http, server, timeouts=Timeouts(**limits)))
        await asyncio.wait_for(server.left.wait(), 5)
    assert caught.value.phase == phase


async def test_a_slow_reader_is_not_the_upstreams_fault(http):
    """Silence is counted while we wait for the upstream, not while we do something else."""
    async with Server(streamed("a", "b", "c").in_blocks(10)) as server:
        stream = await open_stream(http, server, timeouts=Timeouts(between_tokens=0.1))
        async for _ in stream:
            if stream.upstream == "open":
                await asyncio.sleep(0.03)
    assert stream.end == "finished"


async def test_an_unreachable_host_is_named(http):
    """Nobody listens: the sentence says where."""
    async with Server() as server:
        url = server.url
    provider = OpenAIProvider(Upstream(name="Test", base_url=url), http)
    with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:\d+ could not be reached"):
        await provider.open(ask(), "m", Timeouts())


async def test_models_are_listed_and_nonsense_is_refused(http):
    """A list is read; anything else is no list."""
    async with Server(models=offering("a", "b")) as server:
        provider = OpenAIProvider(Upstream(name="Test", base_url=server.url), http)
        assert [model.id for model in await provider.models()] == ["a", "b"]
    async with Server(models=of_json([1])) as server:
        provider = OpenAIProvider(Upstream(name="Test", base_url=server.url), http)
        with pytest.raises(ServerFailed, match="list of models"):
            await provider.models()


def test_the_key_is_in_no_repr():
    """A provider printed by accident gives nothing away."""
    upstream = Upstream(name="Test", base_url="http://x", headers=(("authorization", f"Bearer {KEY}"),))
    assert KEY not in repr(upstream) + repr(OpenAIProvider(upstream, Http()))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_key_goes_nowhere_but_where_it_was_sent(http, status):
    """A redirect is not followed: the sentence says where it leads, and nobody there has seen the key."""
    async with (
        Server() as elsewhere,
        Server(Reply(status=status, headers={"Location": f"{elsewhere.url}/chat/completions"})) as server,
    ):
        with pytest.raises(ServerFailed, match=r"sends us on to .*set its base URL"):
            await open_stream(http, server)
        assert elsewhere.requests == []


async def test_an_upstream_that_repeats_the_key_is_not_repeated(http):
    """Whatever a key looks like, it is in no message."""
    key = "mykey-of-no-known-form"
    async with Server(failing(401, f"Incorrect API key provided: {key}")) as server:
        upstream = Upstream(name="Test", base_url=server.url, headers=(("authorization", f"Bearer {key}"),))
        with pytest.raises(AuthenticationFailed) as caught:
            await OpenAIProvider(upstream, http).open(ask(), "m", PATIENT)
    assert key not in caught.value.message + str(caught.value)


@pytest.mark.parametrize("kind", ["Text/Event-Stream; charset=utf-8", "text/plain", "application/json"])
async def test_a_stream_under_another_name_is_a_stream(http, kind):
    """Proxies and small servers get the content type wrong; what the body begins with decides."""
    reply = streamed("a", "b")
    async with Server(Reply(steps=reply.steps, headers={"Content-Type": kind})) as server:
        assert (await fold(await open_stream(http, server))).text == "ab"


async def test_an_upstream_that_stands_still_behind_its_last_word_is_forgiven(http):
    """All has been said: the answer is whole, though its farewell never comes."""
    async with Server(streamed("a", usage=None).stalled_after(3)) as server:
        result = await fold(await open_stream(http, server, timeouts=Timeouts(between_tokens=0.05)))
    assert (result.text, result.finish_reason) == ("a", "stop")


async def test_a_door_on_another_loop_says_so(http):
    """A client belongs to the loop it was first used on."""
    async with Server(streamed("a")) as server:
        await fold(await open_stream(http, server))

        def elsewhere():
            return asyncio.run(open_stream(http, server))

        with pytest.raises(ClientMisused, match="another event loop"):
            await asyncio.to_thread(elsewhere)
