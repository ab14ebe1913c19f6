"""Runs as values: an answer that is made in the background, as numbered events for any number of readers.

A run's log keeps no queue for anybody. A reader has a position, and gets all that came behind it; what one who reads
slowly has missed comes to him in larger pieces, so a thousand readers cost no more memory than one.
"""

from __future__ import annotations

import io
import threading
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .usage import NOTHING

RunState = Literal["running", "finished", "stopped", "failed", "interrupted"]
"""`stopped`: by its reader. `interrupted`: the process ended under it. The part that came is kept in every case."""

EventKind = Literal["run", "text", "reasoning", "tool_call", "tool_result", "usage", "retry", "notice", "error", "done"]
"""`run` comes first, and exactly one `done` comes last."""

WRITTEN = frozenset({"text", "reasoning"})
"""Kinds whose events are pieces of one text."""
LATEST = frozenset({"notice", "retry"})
"""Kinds of which only the newest in a row matters: nobody wants to see a download's progress again."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run."""

    number: int
    """1 for the first; a reader who has it has all before it."""
    kind: EventKind
    data: Mapping[str, Any] = NOTHING
    """JSON. Of `text` and `reasoning`: `text`, the piece; and `whole`, true if it stands for all that came before."""


class _Text:
    """Pieces of text in a row. Their numbers follow each other, so a number tells where its piece ends."""

    __slots__ = ("_ends", "_text", "first", "kind", "size")

    def __init__(self, kind: EventKind, first: int) -> None:
        self.kind = kind
        self.first = first
        self.size = 0
        self._text = io.StringIO()
        self._ends = array("I")

    @property
    def last(self) -> int:
        return self.first + len(self._ends) - 1

    def add(self, piece: str) -> None:
        self._text.seek(0, io.SEEK_END)
        self._text.write(piece)
        self.size += len(piece)
        self._ends.append(self.size)

    def behind(self, number: int) -> RunEvent:
        """Give all that came after the event of that number, as one event."""
        begin = self._ends[number - self.first] if number >= self.first else 0
        self._text.seek(begin)
        return RunEvent(self.last, self.kind, {"text": self._text.read()})

    def whole(self) -> str:
        return self._text.getvalue()


class _Single:
    """One event."""

    __slots__ = ("data", "kind", "last")

    def __init__(self, kind: EventKind, last: int, data: Mapping[str, Any]) -> None:
        self.kind = kind
        self.last = last
        self.data = data

    def behind(self, _: int) -> RunEvent:
        return RunEvent(self.last, self.kind, self.data)


class RunLog:
    """The events of one run. One task writes, anybody reads, from any thread."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._entries: list[_Text | _Single] = []
        self._changed = threading.Condition()
        self.last = 0
        """The newest event's number."""
        self.size = 0
        """Characters of text so far."""

    @property
    def entries(self) -> int:
        """How many things are kept; pieces of one text in a row are one."""
        return len(self._entries)

    def add(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Add an event."""
        with self._changed:
            self.last += 1
            newest = self._entries[-1] if self._entries else None
            if kind in WRITTEN:
                piece: str = data["text"]
                if not isinstance(newest, _Text) or newest.kind != kind:
                    newest = _Text(kind, self.last)
                    self._entries.append(newest)
                newest.add(piece)
                self.size += len(piece)
            else:
                if kind in LATEST and newest is not None and newest.kind == kind:
                    self._entries.pop()
                self._entries.append(_Single(kind, self.last, data))
            self._changed.notify_all()

    def after(self, number: int) -> list[RunEvent]:
        """Give what came after the event of that number, pieces of text in a row as one."""
        with self._changed:
            found: list[RunEvent] = []
            for entry in reversed(self._entries):
                if entry.last <= number:
                    break
                found.append(entry.behind(number))
            found.reverse()
            return found

    def text(self, kind: EventKind = "text") -> str:
        """Give all text of a kind so far."""
        with self._changed:
            return "".join(entry.whole() for entry in self._entries if isinstance(entry, _Text) and entry.kind == kind)

    def newest(self, *kinds: EventKind) -> RunEvent | None:
        """Give the newest event of these kinds, a text's as a whole."""
        with self._changed:
            for entry in reversed(self._entries):
                if entry.kind in kinds:
                    return entry.behind(0)
            return None

    def wait(self, number: int, seconds: float) -> bool:
        """Wait in a thread until there is something after that number, but not longer; whether there is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.last > number, seconds)
