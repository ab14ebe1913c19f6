"""How the server runs: ports, signals that are not its own, its end."""

from __future__ import annotations

import asyncio
import signal

import pytest
from tests.server.conftest import serving

from ai_chat.core.errors import SettingsError
from ai_chat.server.presence import Stopping
from ai_chat.server.serving import address, listen, serve


async def nothing(scope, receive, send):
    """An application."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def test_a_port_in_use():
    """It is told before anything is begun, with the way out."""
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port} is in use.*--port"):
            listen(port)


def test_only_this_machine_is_served():
    """The socket is loopback's, and its address is the one to open."""
    with listen(0) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert address(listener) == f"http://127.0.0.1:{port}"


async def test_signals_stay_the_callers(no_leaks):
    """The server's library installs no handlers of its own."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serving():
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


async def test_a_cancel_ends_it(no_leaks):
    """It tells the streams first, then lets the port go."""
    stopping, begun = Stopping(), asyncio.Event()
    listener = listen(0)
    port = listener.getsockname()[1]
    running = asyncio.create_task(serve(nothing, listener, stopping=stopping, on_begun=begun.set))
    await begun.wait()
    assert not stopping.is_set()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stopping.is_set()
    listen(port).close()


async def test_a_page_that_cannot_start(no_leaks):
    """What goes wrong before the first request reaches the caller as it is."""

    class Broken:
        async def __aenter__(self):
            raise SettingsError("No.")

        async def __aexit__(self, *_):
            """Never entered."""

    with listen(0) as listener, pytest.raises(SettingsError, match="No"):
        await serve(nothing, listener, stopping=Stopping(), on_begun=lambda: None, page=Broken())
