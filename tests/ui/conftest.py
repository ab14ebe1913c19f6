"""A house on a loop of its own, and the page's script run in it without a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest
from tests.doubles import Words, to

from ai_chat.assembly import House, Services, settle
from ai_chat.core.ports import ConversationStore, Provider
from ai_chat.core.request import Call, Timeouts
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.ui.asgi import SCRIPT

SECONDS = 20.0
PRICE = Decimal("0.0125")
"""USD of every call."""


class Home:
    """A house with one model, as the page finds it."""

    def __init__(self, provider: Provider, data_dir: Path) -> None:
        """Start its loop and open it."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="house", daemon=True)
        self._thread.start()
        dispatch = Dispatch(to(provider), timeouts=Timeouts(), counter=Words(), price=lambda *_: PRICE)

        def book(call: Call) -> None:
            self.services.storage.books.closed(call)

        handler = pipeline.build(dispatch, book=book)
        self.services = self.do(self._open(handler, data_dir))
        settle(House(self.services, self._loop))

    async def _open(self, handler: Any, data_dir: Path) -> Services:
        services = Services.open(handler=handler, data_dir=data_dir)
        await services.start()
        return services

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something on its loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    @property
    def store(self) -> ConversationStore:
        """Where its conversations are."""
        return self.do(self.services.conversations())

    def ask(self, text: str, **where: Any) -> Any:
        """Ask, wait for the answer, and give its run."""

        async def asked() -> Any:
            run = await self.services.runs.ask(text, **where)
            await run.over()
            return run

        return self.do(asked())

    def close(self) -> None:
        """Close it and end its loop."""
        settle(None)
        self.do(self.services.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Callable[[Provider], Home]]:
    """Open a house with a given model."""
    homes: list[Home] = []

    def opened(provider: Provider) -> Home:
        homes.append(Home(provider, tmp_path))
        return homes[-1]

    yield opened
    for each in homes:
        each.close()


@pytest.fixture
def page() -> AppTest:
    """The page, not drawn yet."""
    return AppTest.from_file(str(SCRIPT), default_timeout=SECONDS)
