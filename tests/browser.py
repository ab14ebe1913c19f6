"""A real browser in front of the real program, for tests of what people see."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest

playwright = pytest.importorskip(
    "playwright.async_api", reason="the page is tested with playwright: uv sync installs it"
)

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
SLOW = 40_000
"""Milliseconds that what is fast may take on a machine that is not."""
DESKTOP = {"width": 1280, "height": 850}
PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    """Give a browser with nothing in it."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"the page is tested with a browser: install one of {', '.join(CHROMIUM)}")
    playwright.expect.set_options(timeout=SLOW)
    async with playwright.async_playwright() as player:
        browser = await player.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


class Program:
    """`ai-chat` as a process, which can be killed and begun anew at the same place; use it in `async with`."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        """Begin it in a folder, with these arguments and variables of the environment."""
        self.url = ""
        self._home = home
        self._arguments = arguments
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **settings}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end(signal.SIGTERM)

    async def start(self) -> None:
        """Begin it, where it was before."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "ai_chat", *self._arguments, "--port", port]
        self._process = await asyncio.create_subprocess_exec(
            *command, stderr=asyncio.subprocess.PIPE, env=self._environment, cwd=self._home
        )
        assert self._process.stderr is not None
        said = (await self._process.stderr.readline()).decode()
        found = re.search(r"http://[\d.:]+", said)
        assert found, said + (await self._process.stderr.read()).decode()
        self.url = found[0]
        self._reading = asyncio.create_task(self._process.stderr.read())  # else a full pipe would stop it

    async def kill(self) -> None:
        """End it without a word."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals) -> str:
        """End it, and give what it has said."""
        assert self._process is not None
        assert self._reading is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.wait()
        return (await self._reading).decode()
