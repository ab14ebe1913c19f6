"""What tests of downloads share: a bad server, and the way out to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ai_chat.providers.http import Http

from .file_server import FileServer, serving


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    """A server that ends with the test."""
    async with serving() as files:
        yield files


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """The way out, closed at the end."""
    http = Http()
    yield http
    await http.aclose()
