"""Runs the application on the loop of whoever calls: a socket that is ours, signals that are not the library's."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext

import uvicorn
from starlette.types import ASGIApp

from ..core.errors import SettingsError
from .presence import Stopping

HOST = "127.0.0.1"
KEEP_ALIVE_SECONDS = 65
"""For how long a quiet connection is kept: longer than proxies and clients in front keep theirs."""
GRACE_SECONDS = 3
"""How long answers and websockets may take to end when the server stops."""
BACKLOG = 2048


def listen(port: int) -> socket.socket:
    """Take the port, before anything else is begun; 0 takes a free one.

    Raises:
        SettingsError: it is taken, or not ours to take.
    """
    try:
        return socket.create_server((HOST, port), backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"The port {port} is in use, maybe by another ai-chat; name another one with --port."
            ) from error
        raise SettingsError(
            f"The port {port} cannot be used ({error.strerror}); name another one with --port."
        ) from error


def address(listener: socket.socket) -> str:
    """Give the URL of what listens there."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    stopping: Stopping,
    on_begun: Callable[[], object],
    page: AbstractAsyncContextManager[object] | None = None,
) -> None:
    """Serve until this is cancelled; then let every answer end, for some seconds at most.

    Args:
        app: what `create_app` made.
        listener: where to listen; it is closed in the end.
        stopping: set first of all when it ends; the one that `app` has.
        on_begun: called as soon as requests are answered.
        page: what the page needs to run, if there is one; entered before the first request, left after the last.
    """
    server = _Server(
        uvicorn.Config(
            app,
            interface="asgi3",
            http="auto",  # httptools, where it is installed
            ws="none" if page is None else "auto",
            lifespan="off",  # it would turn an error on the way into an exit without a word
            log_config=None,
            log_level="critical",  # what fails is logged by the application
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=BACKLOG,
        ),
        on_begun,
    )
    async with page or nullcontext():
        running = asyncio.create_task(server.serve(sockets=[listener]), name="ai-chat server")
        try:
            await asyncio.shield(running)
        finally:
            stopping.set()
            server.should_exit = True
            await running


class _Server(uvicorn.Server):
    """Leaves the signals to the command, which cancels `serve`."""

    def __init__(self, config: uvicorn.Config, on_begun: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_begun = on_begun

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_begun()
