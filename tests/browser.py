"""A real browser in front of the real program, for tests of what people see."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
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
END_SECONDS = 60.0
"""How long a program may take to end that was told to."""
DESKTOP = {"width": 1280, "height": 850}
PHONE = {"width": 390, "height": 844}
TURNS = """SELECT conversation, id, parent, state, error, substr(message, 1, 300) FROM turns
    ORDER BY number DESC LIMIT 12"""


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
        self.said = ""
        """What it has written so far behind its address; mostly its log."""
        self._home = home
        self._arguments = arguments
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PYTHONFAULTHANDLER": "1",
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

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
            *command, stderr=asyncio.subprocess.PIPE, env=self._environment, cwd=self._home, start_new_session=True
        )
        assert self._process.stderr is not None
        said = (await self._process.stderr.readline()).decode()
        found = re.search(r"http://[\d.:]+", said)
        assert found, said + (await self._process.stderr.read()).decode()
        self.url = found[0]
        self._reading = asyncio.create_task(self._read(self._process.stderr))  # else a full pipe would stop it

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(65_536):
            self.said += piece.decode(errors="replace")

    async def kill(self) -> None:
        """End it without a word."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals) -> str:
        """End it, and give what it has said. It fails if the program, or a child of it, is not gone in time."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        if not await self._gone(END_SECONDS):
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGABRT)  # it says where each of its threads stands
            await self._gone(5.0)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._gone(5.0)
            raise AssertionError(f"the program, or a child of it, did not end: {self.said}")
        return self.said

    async def _gone(self, seconds: float) -> bool:
        """Wait until it has ended and nobody writes to its log any more."""
        assert self._process is not None
        assert self._reading is not None
        ending = asyncio.gather(self._process.wait(), asyncio.shield(self._reading))
        with suppress(TimeoutError):
            await asyncio.wait_for(ending, seconds)
            return True
        return False

    def stored(self) -> list[str]:
        """Say in a line each which turns were stored last, for a report."""
        lines: list[str] = []
        for path in Path(self._environment.get("AI_CHAT_DATA_DIR", self._home)).rglob("ai-chat.db"):
            try:
                with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
                    rows = database.execute(TURNS).fetchall()
            except sqlite3.Error as error:
                lines.append(f"{path}: {error}")
            else:
                lines += [" ".join(map(str, row)) for row in reversed(rows)]
        return lines


async def scene(tab: Any, program: Program, console: Sequence[str]) -> str:
    """Say what a tab shows and what the program has of it: what one wants to know of a test that has failed."""
    lines = [f"address: {tab.url}"]
    try:
        app = tab.get_by_test_id("stApp")
        lines.append(f"script: {await app.get_attribute('data-test-script-state', timeout=2_000)}")
        lines.append(f"connection: {await app.get_attribute('data-test-connection-state', timeout=2_000)}")
        lines += ["--- the page", await tab.locator("body").inner_text(timeout=2_000)]
    except playwright.Error as error:
        lines.append(f"the page does not answer: {error}")
    lines += ["--- its console", *console, "--- stored turns", *program.stored()]
    return "\n".join([*lines, "--- the program", program.said])
