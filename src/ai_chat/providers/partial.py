"""A file on its way: it grows, knows its hash so far, and outlives whoever writes it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from .file_work import BLOCK, Stopped, clear, in_thread, rename, write_all

SYNC_BYTES = 2**26
"""Bytes after which what was written is pressed to the disk, so that the last push at the end is a short one."""


class Partial:
    """The beginning of a file. One process at a time writes it; see `FileLock`."""

    def __init__(self, path: Path) -> None:
        """Name it; nothing is opened yet."""
        self.path = path
        self.size = 0
        """Bytes it holds, once opened."""
        self._digest = hashlib.sha256()
        self._file: io.FileIO | None = None
        self._unsynced = 0

    def length(self) -> int:
        """Give the bytes on the disk."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    async def open(self, keep: Callable[[int], int] = lambda length: length) -> None:
        """Open it, new or where it was left, and hash what is there; `keep` says how many of its bytes to go on from.

        Raises:
            OSError: the folder is read-only, or the disk broken.
        """
        self.close()
        await in_thread(lambda stop: self._open(keep, stop))

    def _open(self, keep: Callable[[int], int], stop: threading.Event) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        file = io.FileIO(os.open(self.path, flags, 0o644), "r+b")
        try:
            length = os.fstat(file.fileno()).st_size
            kept = keep(length)
            if kept < length:
                file.truncate(kept)
            digest = _hash_first(file, kept, stop)
        except BaseException:
            file.close()
            raise
        self._file, self._digest, self.size, self._unsynced = file, digest, kept, 0

    async def append(self, data: bytes | bytearray) -> None:
        """Add bytes.

        Raises:
            OSError: the disk is full, or broken.
        """
        if data:
            await in_thread(lambda _: self._write(data))

    async def append_all(self, reader: Callable[[], AbstractContextManager[IO[bytes]]]) -> None:
        """Add all that a reader gives; it is opened, read and closed in the thread.

        Raises:
            OSError: the disk is full, or broken.
            Exception: whatever the reader raises. What it had given stays in the file: open it anew.
        """

        def copy(stop: threading.Event) -> None:
            with reader() as source:
                while block := source.read(BLOCK):
                    if stop.is_set():
                        raise Stopped
                    self._write(block)

        await in_thread(copy)

    def _write(self, data: bytes | bytearray) -> None:
        file = self._opened()
        write_all(file, data)
        self._digest.update(data)
        self.size += len(data)
        self._unsynced += len(data)
        if self._unsynced >= SYNC_BYTES:
            os.fsync(file.fileno())
            self._unsynced = 0

    def _opened(self) -> io.FileIO:
        if self._file is None:
            raise RuntimeError(f"{self.path.name} is not open")
        return self._file

    async def restart(self) -> None:
        """Throw away what it holds and begin again."""
        await self.open(keep=lambda _: 0)

    def sha256(self) -> str:
        """Give the hash of what it holds, in hex."""
        return self._digest.hexdigest()

    async def settle(self, target: Path) -> None:
        """End it: press it to the disk and give it its name, in place of whatever had that."""

        def end(_: threading.Event) -> None:
            os.fsync(self._opened().fileno())
            self.close()
            rename(self.path, target)
            self._note_path.unlink(missing_ok=True)

        await in_thread(end)

    async def discard(self) -> None:
        """Close and remove it."""
        self.close()
        await in_thread(lambda _: clear(self.path))
        self._note_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; what it holds stays for the next one."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    @property
    def _note_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def note(self) -> Mapping[str, str]:
        """Give what was noted about where the bytes come from; empty if nothing readable was."""
        try:
            note = json.loads(self._note_path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in note.items()} if isinstance(note, dict) else {}

    def write_note(self, note: Mapping[str, str]) -> None:
        """Note something for whoever goes on with this file."""
        self._note_path.write_text(json.dumps(dict(note)), "utf-8")


def _hash_first(file: io.FileIO, size: int, stop: threading.Event) -> hashlib._Hash:
    digest = hashlib.sha256()
    while size and (block := file.read(min(BLOCK, size))):
        if stop.is_set():
            raise Stopped
        digest.update(block)
        size -= len(block)
    return digest
