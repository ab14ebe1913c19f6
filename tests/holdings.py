"""What this process holds at a moment: tasks, threads of ours, children, TCP sockets."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
"""Where there is none, children and sockets are not seen."""


def now() -> set[str]:
    """Name everything that is held, each thing the same way as long as it lives."""
    return {*_tasks(), *_threads(), *_children(), *_sockets()}


def _tasks() -> Iterator[str]:
    current = asyncio.current_task()
    for task in asyncio.all_tasks():
        if task is not current:
            yield f"task {task.get_name()}: {task.get_coro()}"


def _threads() -> Iterator[str]:
    for thread in threading.enumerate():
        if thread.name.startswith("ai-chat"):
            yield f"thread {thread.name} ({thread.ident})"


def _children() -> Iterator[str]:
    """Children that have ended but were never waited for count too."""
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError):  # it may end while we look
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid():
                command = (folder / "cmdline").read_text().replace("\0", " ").strip()
                yield f"child {folder.name}: {command or 'ended, not waited for'}"


def _sockets() -> Iterator[str]:
    addresses = dict(_tcp())
    for link in (PROC / "self/fd").glob("*"):
        with suppress(OSError):
            inode = str(link.readlink()).removeprefix("socket:[").removesuffix("]")
            if inode in addresses:
                yield f"socket {inode}: {addresses[inode]}"


def _tcp() -> Iterator[tuple[str, str]]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "self/net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                yield fields[9], f"{_port(fields[1])} to {_port(fields[2])}"


def _port(address: str) -> str:
    return f"port {int(address.rpartition(':')[2], 16)}"
