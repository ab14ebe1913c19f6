"""Processes of our own making, as their parent sees them: how they are begun, and what is known of their end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

LOG_BYTES = 16 * 1024
"""How much of a child's last words is kept."""
LINE_BYTES = 2**20
CREATE_NO_WINDOW = 0x0800_0000
"""Windows: no console pops up, and Ctrl-C in ours does not reach the child."""


async def spawn(command: Sequence[str]) -> asyncio.subprocess.Process:
    """Begin a child with pipes to all it reads and writes. Ctrl-C is meant for us and does not reach it.

    Raises:
        OSError: it cannot be run.
    """
    extra: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        extra = {"creationflags": CREATE_NO_WINDOW}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=LINE_BYTES, **extra
    )


async def keep_tail(process: asyncio.subprocess.Process, log: bytearray) -> None:
    """Keep the end of what a child writes on standard error; unread, it would make the child wait for us."""
    assert process.stderr is not None  # noqa: S101 - `spawn` asked for it
    while data := await process.stderr.read(4096):
        log += data
        del log[:-LOG_BYTES]


def last_words(log: str) -> str:
    """Give the last line of a log as a remark in a sentence; empty if there is none."""
    last = next((line.strip() for line in reversed(log.split("\n")) if line.strip()), "")
    return f" (its last words: {last[:200]!r})" if last else ""


def ending_of(code: int | None) -> str:
    """Say how a child ended, to go on a sentence that begins with its name; `code` is its return code."""
    if code is None:
        return "has not ended"
    if code >= 0:
        return f"ended with code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
