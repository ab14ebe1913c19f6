"""What tests of the server share: the server itself, on loopback, with an upstream behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from tests.upstream import Upstream

from ai_chat.assembly import Services
from ai_chat.server.app import create_app
from ai_chat.server.presence import Stopping
from ai_chat.server.serving import address, listen, serve

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@dataclass(frozen=True, kw_only=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: Any
    """Decoded, if it is JSON."""

    @property
    def error(self) -> Any:
        """The error that it holds."""
        assert set(self.body["error"]) == {"message", "type", "param", "code"}
        return self.body["error"]


class Server:
    """A server that runs."""

    def __init__(self, url: str, services: Services, stopping: Stopping, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.services = services
        self.stopping = stopping
        self.session = session

    async def get(self, path: str, **options: Any) -> Got:
        """Ask for something."""
        return await self.ask("GET", path, **options)

    async def chat(self, **fields: Any) -> Got:
        """Put a question to a model."""
        return await self.ask("POST", "/v1/chat/completions", json=QUESTION | fields)

    async def ask(self, method: str, path: str, **options: Any) -> Got:
        """Send any request."""
        async with self.session.request(method, self.url + path, allow_redirects=False, **options) as reply:
            is_json = reply.content_type == "application/json"
            body = await (reply.json() if is_json else reply.text())
            return Got(status=reply.status, headers=reply.headers, body=body)


@asynccontextmanager
async def serving(*, ui: Any = None, **settings: Any) -> AsyncIterator[Server]:
    """Run a server with these settings."""
    services, stopping, begun = Services.open(**settings), Stopping(), asyncio.Event()
    listener = listen(0)
    url = address(listener)
    await services.start()
    app = create_app(services, ui=ui, stopping=stopping)
    running = asyncio.create_task(serve(app, listener, stopping=stopping, on_begun=begun.set))
    try:
        await begun.wait()
        async with aiohttp.ClientSession() as session:
            yield Server(url, services, stopping, session)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await services.aclose()


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    """An upstream that says Hello, as the default provider; a test gives it other `replies`."""
    async with Upstream() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


@pytest.fixture
async def server(no_leaks: None, upstream: Upstream) -> AsyncIterator[Server]:
    """A server in front of that upstream."""
    async with serving() as running:
        yield running
