"""OpenAI's own client against the server: what it sends is understood, what it gets is what it expects."""

from __future__ import annotations

import asyncio
import json
from typing import Literal

import openai
import pytest
from pydantic import BaseModel
from tests.server.conftest import serving
from tests.upstream import Reply, Upstream, calling, failing, of_json, offering, streamed, whole

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture
async def upstream(no_leaks, monkeypatch):
    """The upstream behind the server."""
    async with Upstream() as behind:
        monkeypatch.setenv("OPENAI_BASE_URL", behind.url)
        yield behind


@pytest.fixture
async def server(upstream):
    """A server in front of that upstream."""
    async with serving() as running:
        yield running


@pytest.fixture
async def client(server):
    """The official client, which asks once."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as asking:
        yield asking


HEAD = {"id": "chatcmpl-1", "created": 1, "model": "m"}


def two_whole():
    """An answer with two choices."""
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for index, text in enumerate(("one", "two"))
    ]
    return of_json({**HEAD, "object": "chat.completion", "choices": choices})


def two_in_pieces():
    """The same in pieces that interleave."""
    steps = []
    for delta in ({"role": "assistant", "content": ""}, {"content": "on"}, {"content": "e"}, None):
        for index in (0, 1):
            choice = {"index": index, "delta": delta or {}, "finish_reason": None if delta else "stop"}
            chunk = {**HEAD, "object": "chat.completion.chunk", "choices": [choice]}
            steps.append(b"data: %b\n\n" % json.dumps(chunk).encode())
    return Reply(steps=(*steps, b"data: [DONE]\n\n"), headers={"Content-Type": "text/event-stream"})


# --- answers ---------------------------------------------------------------------------------------------------------


async def test_a_whole_answer(client, upstream):
    """Text, usage and the id of the request."""
    upstream.replies = [whole("Hello")]
    answer = await client.chat.completions.create(model="m", messages=HI)
    assert answer.choices[0].message.content == "Hello"
    assert answer.usage.total_tokens == 12
    assert len(answer._request_id) == 32


async def test_the_sync_client(server, upstream):
    """It works the same, on a thread of its own."""

    def ask():
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
            upstream.replies = [whole("Hello")]
            answer = client.chat.completions.create(model="m", messages=HI)
            upstream.replies = [streamed("Hello", " there")]
            pieces = client.chat.completions.create(model="m", messages=HI, stream=True)
            return answer.choices[0].message.content, "".join(piece.choices[0].delta.content or "" for piece in pieces)

    assert await asyncio.to_thread(ask) == ("Hello", "Hello there")


@pytest.mark.parametrize("asked", [True, False])
async def test_a_stream_and_its_usage(client, upstream, asked):
    """The pieces add up; usage comes last, and only if it was asked for."""
    upstream.replies = [streamed("Hello", " there")]
    options = {"stream_options": {"include_usage": True}} if asked else {}
    stream = await client.chat.completions.create(model="m", messages=HI, stream=True, **options)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there"
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == ([12] if asked else [])
    assert [chunk.choices for chunk in chunks if not chunk.choices] == ([[]] if asked else [])
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks[: -2 if asked else -1])


async def test_the_helper_that_gathers_a_stream(client, upstream):
    """What the client's own accumulator makes of the pieces is a whole completion."""
    upstream.replies = [streamed("Hello", " there")]
    async with client.chat.completions.stream(model="m", messages=HI) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.content == "Hello there"


async def test_two_choices_whole(client, upstream):
    """Both are there."""
    upstream.replies = [two_whole()]
    answer = await client.chat.completions.create(model="m", messages=HI, n=2)
    assert upstream.chats[0]["n"] == 2
    assert [choice.message.content for choice in answer.choices] == ["one", "two"]


async def test_two_choices_in_a_stream(client, upstream):
    """The pieces of both come with the number of theirs, and both end."""
    upstream.replies = [two_in_pieces()]
    texts, ends = {0: "", 1: ""}, {}
    async for chunk in await client.chat.completions.create(model="m", messages=HI, n=2, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.finish_reason:
                ends[choice.index] = choice.finish_reason
    assert (texts, ends) == ({0: "one", 1: "one"}, {0: "stop", 1: "stop"})


async def test_a_tool_call_in_pieces(client, upstream):
    """A client's own tools pass through untouched, and the pieces of a call put together are the call."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    pieces = [{"tool_calls": [call]}]
    pieces += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in ('{"ci', 'ty": "上', '海"}')]
    upstream.replies = [streamed(*pieces, finish="tool_calls")]
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    stream = await client.chat.completions.create(model="m", messages=HI, tools=[tool], stream=True)
    deltas = [chunk.choices[0].delta.tool_calls[0] async for chunk in stream if chunk.choices[0].delta.tool_calls]
    assert (deltas[0].id, deltas[0].function.name) == ("call_1", "weather")
    assert [delta.function.arguments for delta in deltas] == ["", '{"ci', 'ty": "上', '海"}']
    assert upstream.chats[0]["tools"] == [tool]


async def test_a_tool_call_whole(client, upstream):
    """The same in one piece, and its result goes back as it came."""
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "上海"}'}}
    upstream.replies = [whole(None, finish="tool_calls", tool_calls=[call]), whole("Sunny")]
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    answer = await client.chat.completions.create(model="m", messages=HI, tools=[tool])
    message = answer.choices[0].message
    assert message.tool_calls[0].function.arguments == '{"city": "上海"}'
    result = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
    await client.chat.completions.create(model="m", messages=[*HI, message, result], tools=[tool])
    assert upstream.chats[1]["messages"][2] == result


async def test_models(client, upstream):
    """The list and each of its entries are read."""
    upstream.models = offering("org/one")
    names = [model.id async for model in client.models.list()]
    assert names == ["local", "openai/org/one"]
    assert (await client.models.retrieve("openai/org/one")).id == "openai/org/one"


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (failing(400, "maximum context length"), openai.BadRequestError, "context_length_exceeded"),
        (failing(401), openai.AuthenticationError, "invalid_api_key"),
        (failing(403), openai.PermissionDeniedError, "permission_denied"),
        (failing(404, "The model `m` does not exist"), openai.NotFoundError, "model_not_found"),
        (failing(429, headers={"Retry-After": "7"}), openai.RateLimitError, "rate_limit_exceeded"),
        (failing(500), openai.InternalServerError, "server_error"),
        (failing(503), openai.InternalServerError, "service_unavailable"),
    ],
    ids=["400", "401", "403", "404", "429", "500", "503"],
)  # fmt: skip
async def test_errors_have_their_types(client, upstream, reply, error, code, stream):
    """Each failure of the upstream is the error class that a client catches for it."""
    upstream.replies = [reply]
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model="m", messages=HI, stream=stream)
    assert caught.value.code == code
    assert caught.value.response.headers.get("retry-after") == ("7" if error is openai.RateLimitError else None)
    assert len(caught.value.request_id) == 32


async def test_a_request_of_ones_own_that_is_wrong(client, upstream):
    """The error names the parameter."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="m", messages=HI, temperature=9)
    assert caught.value.param == "temperature"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nothing")
    with pytest.raises(openai.NotFoundError):
        await client.embeddings.create(model="m", input="x")


async def test_an_upstream_that_is_not_there(no_leaks, monkeypatch):
    """An address where nobody listens is an error of the server's side."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    async with (
        serving() as server,
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="m", messages=HI)
    assert caught.value.code == "connection_error"


async def test_a_retry_of_the_client_waits_and_succeeds(server, upstream):
    """With its retries on, the client honours the wait and gets its answer."""
    upstream.replies = [failing(429, headers={"Retry-After": "1"}), whole("Hello")]
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=1) as client:
        answer = await client.chat.completions.create(model="m", messages=HI)
    assert answer.choices[0].message.content == "Hello"


async def test_a_stream_that_breaks_is_an_error(client, upstream):
    """A part is never taken for a whole answer."""
    upstream.replies = [streamed("Hel", "lo").cut_after(2)]
    stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
    assert [(await anext(stream)).choices[0].delta.content for _ in range(2)] == ["", "Hel"]
    with pytest.raises(openai.APIError) as caught:
        await anext(stream)
    assert caught.value.code == "stream_broken"


# --- leaving ---------------------------------------------------------------------------------------------------------


async def test_a_client_that_leaves_closes_the_upstream(client, upstream):
    """Closing the stream stops the model."""
    upstream.replies = [streamed("Hello").stalled_after(2)]
    stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
    await anext(aiter(stream))
    assert not upstream.left.is_set()
    await stream.close()
    assert await asyncio.wait_for(upstream.left.wait(), 5)


async def test_a_client_that_gives_up_waiting_closes_the_upstream(client, upstream):
    """So does a timeout of the client's, before anything has come."""
    upstream.replies = [Reply(end="stall")]
    with pytest.raises(openai.APITimeoutError):
        await client.chat.completions.create(model="m", messages=HI, timeout=0.3)
    await asyncio.wait_for(upstream.left.wait(), 5)


async def test_a_hundred_streams_at_once(client, upstream):
    """They do not mix, and those that are left do not disturb the others."""
    upstream.replies = [streamed(*"abcdefghij")]

    async def ask(number: int) -> str:
        text = ""
        stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
        async with stream:
            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""
                if number % 4 == 0 and len(text) > 3:
                    break
        return text

    texts = await asyncio.gather(*(ask(number) for number in range(100)))
    assert len(upstream.chats) == 100
    assert all(text == "abcdefghij" for number, text in enumerate(texts) if number % 4)


# --- its helpers ------------------------------------------------------------------------------------------------------


class Review(BaseModel):
    """What a review says."""

    sentiment: Literal["positive", "negative"]
    keywords: list[str]


class Weather(BaseModel):
    """Ask for the weather."""

    city: str


async def test_its_parse_helper(client, upstream):
    """A pydantic model goes as its schema, and comes back as a value; streamed too."""
    good = '{"sentiment": "positive", "keywords": ["好吃"]}'
    upstream.replies = [whole(good)]
    parsed = await client.chat.completions.parse(model="m", messages=HI, response_format=Review)
    assert parsed.choices[0].message.parsed == Review(sentiment="positive", keywords=["好吃"])
    assert upstream.chats[0]["response_format"]["json_schema"]["strict"] is True

    upstream.replies = [streamed(good[:20], good[20:])]
    async with client.chat.completions.stream(model="m", messages=HI, response_format=Review) as stream:
        async for _ in stream:
            pass
        final = await stream.get_final_completion()
    assert final.choices[0].message.parsed == Review(sentiment="positive", keywords=["好吃"])


async def test_its_tool_helper(client, upstream):
    """A pydantic model as a tool: the call's arguments come back as a value."""
    upstream.replies = [calling(("Weather", '{"city": "上海"}'))]
    answer = await client.chat.completions.parse(model="m", messages=HI, tools=[openai.pydantic_function_tool(Weather)])
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.parsed_arguments == Weather(city="上海")
    assert upstream.chats[0]["tools"][0]["function"]["strict"] is True
