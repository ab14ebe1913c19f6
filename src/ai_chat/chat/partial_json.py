"""A JSON object while it is being written: what has come of it, read anew only now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

FEWEST = 16
"""Characters that come before it is read again."""
SHARE = 1 / 8
"""Or this share of all that has come, if that is more: all the reading together stays within a few times the length."""
SECONDS = 0.05
"""Whatever has come is read after this long."""
SPARED = 20
"""But never so often that reading takes more than one part in so many of the time."""


class PartialJson:
    """Takes the pieces of a text and gives the object in it as far as it has come."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Hold nothing.

        Args:
            clock: gives seconds.
        """
        self._clock = clock
        self._pieces: list[str] = []
        self._unread = 0
        self._length = 0
        self._read_at = clock()
        self._pause = SECONDS
        self.value: Any = None
        """What was read last; None before there is anything."""

    def add(self, piece: str) -> bool:
        """Take a piece; whether there is a new `value` now."""
        self._pieces.append(piece)
        self._unread += len(piece)
        self._length += len(piece)
        now = self._clock()
        if self._unread < max(FEWEST, self._length * SHARE) and now - self._read_at < self._pause:
            return False
        before = self.value
        self._read()
        self._read_at = self._clock()
        self._pause = max(SECONDS, SPARED * (self._read_at - now))
        self._unread = 0
        return bool(self.value != before)

    def _read(self) -> None:
        text = "".join(self._pieces)
        self._pieces = [text]
        thought = text.rfind("</think")
        start = text.find("{", thought + 1)
        if start >= 0 and (thought >= 0 or not text.lstrip().startswith("<think")):
            try:
                self.value = from_json(text[start:].encode(errors="replace"), allow_partial="trailing-strings")
            except ValueError:
                return  # words behind it, or no JSON: whoever has all of it will judge
