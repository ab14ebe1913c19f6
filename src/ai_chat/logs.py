"""The log of calls: lines of JSON, written by a thread of their own so that no call waits for a disk."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson

from .core.errors import SettingsError

WAITING_LINES = 10_000
"""Lines that may wait for the disk; when it is slower than that, further ones are dropped and counted."""


class CallLog:
    """Takes lines and never waits. `dropped` says how many were lost."""

    def __init__(self, where: str | None) -> None:
        """Open the log.

        Args:
            where: `stderr`, a file's path to append to, or None to keep no log.

        Raises:
            SettingsError: the file cannot be opened.
        """
        self.dropped = 0
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(WAITING_LINES)
        self._thread: threading.Thread | None = None
        if where is None:
            return
        try:
            self._file: IO[bytes] = sys.stderr.buffer if where == "stderr" else Path(where).open("ab")  # noqa: SIM115 - closed by its thread
        except OSError as error:
            raise SettingsError(
                f"AI_CHAT_LOG is {where!r}, which cannot be written ({error.strerror}); name another file, or stderr."
            ) from error
        self._thread = threading.Thread(target=self._write, name="ai-chat-log", daemon=True)
        self._thread.start()

    def __call__(self, line: Mapping[str, Any]) -> None:
        """Take one line's fields."""
        if self._thread is None:
            return
        try:
            self._queue.put_nowait({"time": datetime.now(UTC), **line})
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits and close the file; a disk that hangs is waited for two seconds."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(timeout=2.0)

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                self._file.write(orjson.dumps(line, default=str) + b"\n")
                if self._queue.empty():
                    self._file.flush()
            except (OSError, ValueError):
                self.dropped += 1
        with suppress(OSError, ValueError):  # a full disk: what could not be written is lost, and nothing else
            self._file.flush()
        if self._file is not sys.stderr.buffer:
            with suppress(OSError, ValueError):
                self._file.close()
