"""Files are read: their text and its chunks, or one sentence that says why there is none."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..core.errors import ClientMisused
from ..core.knowledge import Chunk, Extract, Section
from .child import Child, ChildEnded
from .cut import Cut
from .refusals import Unreadable, empty, refused, too_large

SCRIPT = Path(__file__).with_name("reading_child.py")
MOST_BYTES = 64 * 2**20
MOST_CHARACTERS = 5_000_000
SECONDS = 60.0
MEMORY_BYTES = 2**30
IDLE_SECONDS = 60.0
MOST_FILES = 200
"""Files that one child reads: libraries that read damaged files may keep some memory of each."""
LARGE_BYTES = 16 * 2**20
"""A file of so many bytes is the last of its child, which does not give the memory back that it took."""
CUT = Cut()
KILLED = "was ended by SIGKILL"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a file."""

    extract: Extract
    chunks: tuple[Chunk, ...]


class Reader:
    """Reads files in a child process, one at a time: a bad file can neither take us down nor hold up the loop."""

    def __init__(
        self,
        *,
        most_bytes: int = MOST_BYTES,
        most_characters: int = MOST_CHARACTERS,
        seconds: float = SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        idle_seconds: float = IDLE_SECONDS,
        cut: Cut = CUT,
        script: Path = SCRIPT,
    ) -> None:
        """Start nothing yet.

        Args:
            most_bytes: of a file.
            most_characters: of the text that is taken out of it.
            seconds: how long one file may take.
            memory_bytes: by how much reading may let the child's address space grow; only Linux keeps to it.
            idle_seconds: how long the child waits for the next file before it ends.
            cut: how large chunks are.
            script: what the child runs; it answers as `reading_child.py` does.
        """
        self._most_bytes = most_bytes
        self._most_characters = most_characters
        self._seconds = seconds
        self._cut = asdict(cut)
        self._child = Child(script, idle_seconds=idle_seconds, memory_bytes=memory_bytes)
        self._turn = asyncio.Lock()
        self._files = 0
        self._closed = False

    def check(self, path: Path, *, name: str) -> int:
        """Look whether a file can be read at all, without opening it.

        Args:
            path: where it is.
            name: what it is called in the sentence of a refusal.

        Returns:
            Its size in bytes.

        Raises:
            DocumentRefused: it is not there, is no regular file, is empty or is too large.
        """
        try:
            return self._checked(path)
        except Unreadable as why:
            raise refused(name, why) from None

    async def read(self, path: Path, *, name: str) -> Reading:
        """Read a file and cut its text into chunks; who asks in the meantime gets in line.

        Args:
            path: where it is.
            name: what it is called: its suffix tells its kind, and it stands in the sentence of a refusal.

        Raises:
            DocumentRefused: no text can be taken from it; the sentence says why and what to do.
            ClientMisused: the reader is closed.
        """
        size = await asyncio.to_thread(self.check, path, name=name)
        question = self._question(path, name)
        async with self._turn:
            if self._closed:
                raise ClientMisused("The reader of documents is closed; make a new one.")
            try:
                told, body = await self._ask(question, size)
            except Unreadable as why:
                raise refused(name, why) from None
        if "table_bytes" not in told:
            raise refused(name, _said(told))
        return await asyncio.to_thread(_reading, body, told["table_bytes"])

    async def aclose(self) -> None:
        """End the child. A file that is being read is refused."""
        self._closed = True
        await self._child.aclose()

    def _question(self, path: Path, name: str) -> dict[str, Any]:
        return {
            "path": str(path.absolute()),  # the child may have been started in another folder
            "name": name,
            "most_bytes": self._most_bytes,
            "most_characters": self._most_characters,
            "cut": self._cut,
        }

    def _checked(self, path: Path) -> int:
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Unreadable("unreadable", f"cannot be read ({why})", "check its path and add it again") from error
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("unreadable", "is no regular file", "add a file that is one")
        if status.st_size > self._most_bytes:
            raise too_large(status.st_size, self._most_bytes)
        if not status.st_size:
            raise empty()
        return status.st_size

    async def _ask(self, question: dict[str, Any], size: int) -> tuple[dict[str, Any], bytes]:
        """Ask the child, and see to it that none grows old."""
        self._files = self._files + 1 if self._child.alive else 1
        try:
            told, body = await self._child.ask(question, seconds=self._seconds)
        except TimeoutError:
            problem = f"was not read within {self._seconds:g} s"
            raise Unreadable("too_slow", problem, "split it, or save it in a simpler form and add that") from None
        except ChildEnded as ended:
            if self._closed:
                raise ClientMisused("The reader of documents was closed while it read.") from None
            raise _ended(ended) from None
        if self._files >= MOST_FILES or size >= LARGE_BYTES or "out_of_memory" in told:
            await self._child.end()
        return told, body


def _ended(ended: ChildEnded) -> Unreadable:
    """Say what it means that the child is gone. Only the system kills it like this, and only for its memory."""
    if ended.ending == KILLED:
        return _too_hungry()
    return Unreadable(
        "damaged",
        f"cannot be read, for its reader {ended.ending}",
        "it may be damaged: save it anew with the program it comes from and add it again",
    )


def _too_hungry() -> Unreadable:
    return Unreadable("too_slow", "takes more memory to read than there is for it", "split it and add the parts")


def _said(told: dict[str, Any]) -> Unreadable:
    if "out_of_memory" in told:
        return _too_hungry()
    return Unreadable(told["refusal"], told["problem"], told["mend"])


def _reading(body: bytes, table_bytes: int) -> Reading:
    """Make values of an answer."""
    table, text = json.loads(body[:table_bytes]), body[table_bytes:].decode()
    extract = Extract(
        text=text,
        sections=tuple(
            Section(start=start, end=end, heading=tuple(heading), page=page)
            for start, end, heading, page in table["sections"]
        ),
        kind=table["kind"],
        encoding=table["encoding"],
        title=table["title"],
        pages=table["pages"],
    )
    chunks = tuple(
        Chunk(position=position, start=start, end=end, text=text[start:end], heading=tuple(heading), page=page)
        for position, (start, end, heading, page) in enumerate(table["chunks"])
    )
    return Reading(extract, chunks)
