"""The list of models."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.conftest import serving
from tests.upstream import Reply, Upstream, failing, offering

from ai_chat import model_list


async def names(server):
    """The ids in the list."""
    got = await server.get("/v1/models")
    assert (got.status, got.body["object"]) == (200, "list")
    for row in got.body["data"]:
        assert row["object"] == "model"
        assert type(row["created"]) is int
        assert row["owned_by"]
    return [row["id"] for row in got.body["data"]]


async def test_what_upstreams_offer_is_listed_and_remembered(server, upstream):
    """The list holds what can be asked for; an upstream is asked once in some minutes."""
    upstream.models = offering("org/one", "two")
    assert await names(server) == ["local", "openai/org/one", "openai/two"]
    assert await names(server) == ["local", "openai/org/one", "openai/two"]
    assert len(upstream.requests) == 1


async def test_aliases_that_are_set_are_listed(no_leaks):
    """They can be asked for by their names."""
    async with serving(model="local", fast_model="openai/x") as server:
        assert await names(server) == ["default", "fast", "local"]


@pytest.mark.parametrize("models", [failing(500), failing(401), Reply(end="stall"), Reply(steps=(b"[1]",))],
                         ids=["500", "401", "silent", "no list"])  # fmt: skip
async def test_an_upstream_that_does_not_answer(no_leaks, monkeypatch, models):
    """It is left out, and holds nobody up for long."""
    async with Upstream(models=models) as upstream:
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
        async with serving() as server:
            assert await asyncio.wait_for(names(server), model_list.LISTING_SECONDS + 2) == ["local"]
            assert await asyncio.wait_for(names(server), 1) == ["local"]


async def test_a_providers_default_model_is_known_without_asking(no_leaks, monkeypatch, unplugged):
    """With a key and no network, the catalog's own model of the provider is listed."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-0123456789")
    async with serving() as server:
        assert await names(server) == ["local", "deepseek/deepseek-chat"]


@pytest.mark.parametrize("name", ["openai/org/one", "org/one", "local"])
async def test_one_model(server, upstream, name):
    """A name may hold slashes; one of the default provider may leave the provider out."""
    upstream.models = offering("org/one")
    got = await server.get(f"/v1/models/{name}")
    assert (got.status, got.body["object"]) == (200, "model")
    assert got.body["id"].endswith(name)


@pytest.mark.parametrize("name", ["nothing", "nobody/nothing", "openai/nothing", "fast", "local/nothing"])
async def test_a_model_that_is_not_there(server, name):
    """It is told as OpenAI tells it."""
    got = await server.get(f"/v1/models/{name}")
    assert (got.status, got.error["code"], got.error["param"]) == (404, "model_not_found", "model")
