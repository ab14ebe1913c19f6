"""Vectors from an upstream, over real HTTP: what is asked, what is made of the answer, what is booked."""

from __future__ import annotations

import array
import base64
import json
import math

import pytest
from tests.upstream import Reply, failing, of_json
from tests.upstream import Upstream as Server

from ai_chat.core.errors import AuthenticationFailed, RateLimited, ServerFailed
from ai_chat.core.request import Timeouts
from ai_chat.core.usage import Usage
from ai_chat.providers.embeddings import UpstreamEmbedder
from ai_chat.providers.http import Http
from ai_chat.providers.openai import OpenAIProvider, Upstream

KEY = "sk-test-0123456789"


@pytest.fixture
async def http(no_leaks):
    door = Http()
    yield door
    await door.aclose()


def embedder(http, server, report=None):
    provider = OpenAIProvider(
        Upstream(name="Test", base_url=server.url, headers=(("authorization", f"Bearer {KEY}"),)), http
    )
    return UpstreamEmbedder(provider, "small", name="test/small", timeouts=Timeouts(), report=report)


def vectors(*rows, usage=True) -> Reply:
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
    body = {"object": "list", "data": data, "model": "small"}
    return of_json({**body, "usage": {"prompt_tokens": 7, "total_tokens": 7}} if usage else body)


async def test_vectors_get_the_length_one(http):
    """They come in the order of the texts, and what was used is told."""
    booked = []
    async with Server(vectors([3.0, 4.0], [0.0, 2.0])) as server:
        made = await embedder(http, server, lambda usage, error: booked.append((usage, error))).embed(["a", "二"])
        (request,) = server.requests
    assert [list(array.array("f", vector)) for vector in made] == [pytest.approx([0.6, 0.8]), [0.0, 1.0]]
    assert booked == [(Usage(input_tokens=7, output_tokens=0), None)]
    sent = json.loads(request.body)
    assert (sent["model"], sent["input"], request.path) == ("small", ["a", "二"], "/v1/embeddings")
    assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_order_is_that_of_the_indexes(http):
    """Some upstreams answer out of order, and some in base64."""
    text = base64.b64encode(array.array("f", [0.0, 5.0]).tobytes()).decode()
    reply = of_json({"data": [{"index": 1, "embedding": text}, {"index": 0, "embedding": [1, 0]}]})
    async with Server(reply) as server:
        made = await embedder(http, server).embed(["a", "b"])
    assert [list(array.array("f", vector)) for vector in made] == [[1.0, 0.0], [0.0, 1.0]]


async def test_many_texts_are_several_requests(http):
    """Each is bounded, and together they give every text its vector."""
    async with Server(*[vectors(*[[1.0, float(place)] for place in range(size)]) for size in (64, 64, 2)]) as server:
        made = await embedder(http, server).embed([f"text {number}" for number in range(130)])
        sizes = [len(json.loads(request.body)["input"]) for request in server.requests]
    assert (len(made), sizes) == (130, [64, 64, 2])
    assert all(math.isclose(math.hypot(*array.array("f", vector)), 1.0, abs_tol=1e-6) for vector in made)


@pytest.mark.parametrize(
    "reply",
    [
        of_json({"data": []}),
        of_json({"data": [{"index": 0, "embedding": [0, 0]}]}),
        of_json({"data": [{"index": 0, "embedding": ["x"]}]}),
        of_json({"data": [{"index": 0}]}),
        of_json([]),
        Reply(steps=(b"<html>",)),
    ],
    ids=["none", "no direction", "no numbers", "no vector", "a list", "a page"],
)
async def test_what_is_no_answer(http, reply):
    """It is an error that names the upstream, and never a vector."""
    booked = []
    async with Server(reply) as server:
        with pytest.raises(ServerFailed, match="Test"):
            await embedder(http, server, lambda usage, error: booked.append((usage, error))).embed(["a"])
    assert booked[0][0] is None


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationFailed), (429, RateLimited)])
async def test_refusals_are_those_of_the_tree(http, status, kind):
    """The same as of a chat, without the key."""
    async with Server(failing(status, f"no {KEY}")) as server:
        with pytest.raises(kind) as told:
            await embedder(http, server).embed(["a"])
    assert KEY not in str(told.value)
