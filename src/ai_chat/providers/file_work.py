"""Long work on files: in threads, block by block, and ended within a block when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

BLOCK = 2**20
"""Bytes between two looks at whether to stop: a millisecond or two of work."""


class Stopped(Exception):
    """A thread's work was given up because its reader was cancelled."""


async def in_thread(work: Callable[[threading.Event], Result]) -> Result:
    """Run blocking work in a thread. When cancelled, set the event that the work was given and wait until it has ended.

    So no thread ever writes to a file that its owner has closed.
    """
    stop = threading.Event()
    job = asyncio.get_running_loop().run_in_executor(None, work, stop)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        stop.set()
        while not job.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([job])
        job.exception()  # looked at, or the loop would complain of it
        raise


def hash_file(path: Path, stop: threading.Event) -> str:
    """Give a file's SHA-256 in hex."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            if stop.is_set():
                raise Stopped
            digest.update(block)
    return digest.hexdigest()


def link(source: Path, target: Path) -> bool:
    """Put a second name on a file; False where the file system cannot. `target` is replaced."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def copy(source: Path, target: Path, stop: threading.Event) -> None:
    """Copy a file down to the disk; `target` is replaced."""
    with source.open("rb", buffering=0) as reader, io.FileIO(target, "wb") as writer:
        while block := reader.read(BLOCK):
            if stop.is_set():
                raise Stopped
            write_all(writer, block)
        os.fsync(writer.fileno())


def write_all(file: io.FileIO, data: bytes | bytearray) -> None:
    """Write every byte to an unbuffered file, whose own `write` may stop early on a disk that is nearly full."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def rename(path: Path, target: Path) -> None:
    """Give a file another name at once, in place of what had it, and so that a power cut does not undo it."""
    path.replace(target)
    path.unlink(missing_ok=True)  # two names of one file: then `replace` does nothing
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def clear(path: Path) -> None:
    """Remove a file or a folder with all it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
