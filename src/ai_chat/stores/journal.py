"""The journal: rows that the database could not take yet, in files that are only ever appended to.

A file belongs to one process, which its name begins with. Nothing is taken out of a file: when all of its rows are in
the database, it is removed. So after a crash at any moment a row may be put in twice, which the database makes once,
and is never lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import orjson

from ..core.errors import StorageFailed
from .ledger_rows import Entry

MOST_BYTES = 256 * 2**20
"""Of all files together: about half a million calls."""
FILE_BYTES = 8 * 2**20
"""When the next file is begun."""
CHUNK = 2_000
"""Rows that are read at once."""
ENDING = ".journal"


class Journal:
    """The files of a data folder, seen from one process. All of it does file work: call it in a thread."""

    def __init__(self, folder: Path, owner: str) -> None:
        """Make nothing yet."""
        self._folder = folder
        self._owner = owner
        self._file: Path | None = None
        self._number = 0
        self._bytes = 0

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep rows.

        Raises:
            StorageFailed: there is no room for them.
        """
        data = b"".join(_line(entry) for entry in entries)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if sum(file.stat().st_size for file in self.files()) + len(data) > MOST_BYTES:
                raise StorageFailed(f"The journal in {str(self._folder)!r} is full; bring the database back.")
            if self._file is None or self._bytes > FILE_BYTES:
                self._file = self._next()
            with _open(self._file) as file:
                file.write(data)
            self._bytes += len(data)
        except OSError as error:
            self._file = None  # what was written in part is the end of a file, where it does no harm
            raise StorageFailed(
                f"The journal in {str(self._folder)!r} cannot be written ({error.strerror}); free some space there."
            ) from error

    def files(self) -> list[Path]:
        """Give every process's files, the oldest first."""
        return sorted(self._folder.glob(f"*{ENDING}")) if self._folder.is_dir() else []

    def mine(self, is_alive: Callable[[str], bool]) -> list[Path]:
        """Give the files that this process puts into the database: its own, and those of processes that have gone."""
        owners = {file: file.name.rpartition(".")[0].rpartition("-")[0] for file in self.files()}
        return [file for file, owner in owners.items() if owner == self._owner or not is_alive(owner)]

    def close_file(self) -> None:
        """Begin another file with the next row, so that the present one can be read to its end."""
        self._file = None

    def chunks(self, file: Path) -> Iterator[list[Entry]]:
        """Read a file. A last line that was cut when the process died is left out: its row never was kept."""
        entries: list[Entry] = []
        with file.open("rb") as lines:
            for line in lines:
                entry = _entry(line)
                if entry is not None:
                    entries.append(entry)
                if len(entries) >= CHUNK:
                    yield entries
                    entries = []
        if entries:
            yield entries

    def _next(self) -> Path:
        self._number += 1
        self._bytes = 0
        return self._folder / f"{self._owner}-{self._number:06}{ENDING}"


def _open(file: Path) -> BinaryIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _line(entry: Entry) -> bytes:
    try:
        data = orjson.dumps(entry)
    except TypeError:  # half a character in a name that a client made up
        data = json.dumps(entry).encode()
    return data + b"\n"


def _entry(line: bytes) -> Entry | None:
    """Read a line; None if it is only the beginning of one."""
    if not line.endswith(b"\n"):
        return None
    try:
        table, row = json.loads(line)
    except ValueError:
        return None
    return table, tuple(row)
