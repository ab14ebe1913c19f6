"""Whether the server lives, and whether it can answer."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_a_server_that_runs(server, upstream, path, method):
    """It lives and is ready, and asks nobody to know it."""
    got = await server.ask(method, path)
    assert (got.status, got.headers["cache-control"]) == (200, "no-store")
    assert method == "HEAD" or got.body == {"status": "ok"}
    assert not upstream.requests


async def test_a_server_that_stops(server):
    """It lives, but whoever asks should go elsewhere."""
    server.stopping.set()
    assert (await server.get("/health/live")).status == 200
    got = await server.get("/health/ready")
    assert (got.status, got.error["code"]) == (503, "service_unavailable")


async def test_a_server_whose_store_is_closed(server):
    """The reason is told in a sentence."""
    await server.services.aclose()
    got = await server.get("/health/ready")
    assert got.status == 503
    assert got.error["message"].endswith(".")
