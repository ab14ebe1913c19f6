"""`ai-chat` and `ai-chat serve`: the page together with the API, and the API alone."""

from __future__ import annotations

import asyncio
import gc
import threading
import webbrowser
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from socket import socket
from typing import Any

from ..assembly import House, Services, settle
from ..server.app import create_app
from ..server.presence import Stopping
from ..server.serving import address, listen, serve
from .printing import say
from .process import Interrupts

COLLECT_EVERY = (10_000, 20, 20)
"""Thresholds of the garbage collector's three generations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is shown to people, if anything is."""

    app: Any
    """It speaks ASGI."""
    running: AbstractAsyncContextManager[object]
    """What it needs to run."""


async def serve_api(_: Interrupts, *, port: int) -> int:
    """Serve the API until a signal ends it."""
    with closing(listen(port)) as listener:
        url = address(listener)
        return await _serve(listener, None, lambda _: say(f"the API listens on {url} (Ctrl-C ends it)"))


async def serve_app(_: Interrupts, *, port: int, browser: bool) -> int:
    """Serve the page and the API until a signal ends it."""
    with closing(listen(port)) as listener:
        url = address(listener)

        def begun(services: Services) -> None:
            say(f"the app is at {url} (Ctrl-C ends it)")
            if browser and services.settings.has_display():
                threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()

        from ..ui.asgi import streamlit_app  # noqa: PLC0415 - half a second, which only the page needs

        app = streamlit_app()
        return await _serve(listener, Page(app=app, running=app.lifespan()(None)), begun)


async def _serve(listener: socket, page: Page | None, on_begun: Callable[[Services], object]) -> int:
    services, stopping = Services.open(books=True), Stopping()
    try:
        interrupted = await services.start()
        app = create_app(services, ui=page.app if page else None, stopping=stopping)
        settle(House(services, asyncio.get_running_loop()))

        def begun() -> None:
            _settle_garbage()
            on_begun(services)
            if interrupted:
                say(_of_interrupted(interrupted))

        await serve(app, listener, stopping=stopping, on_begun=begun, page=page.running if page else None)
    finally:
        stopping.set()
        settle(None)
        await services.aclose()
    return 0


def _settle_garbage() -> None:
    """Keep the collector off what stays for good: the libraries' objects, which it would look at again and again.

    Of what a request leaves behind next to nothing is in circles, so it is enough to look now and then.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)


def _of_interrupted(count: int) -> str:
    answers = "answer was" if count == 1 else f"{count} answers were"
    return f"{'One ' if count == 1 else ''}{answers} cut off when the program ended last; what had come is kept."
