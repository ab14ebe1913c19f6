"""The folder of models: which files are in it, which of them were checked, and whether another one fits."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.errors import BadRequest, DiskFull, LocalModelFailed, WeightsCorrupt
from .file_lock import FileLock
from .file_work import clear, hash_file, in_thread
from .weight_rows import WORKING_MEMORY, WeightsRow

SPARE_BYTES = 200_000_000
"""Room that is left on the disk for everything else."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def nobody() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is remembered of a checked file, beside it, so that a start need not hash it again."""

    name: str
    file: str
    size: int
    mtime_ns: int
    sha256: str
    origin: str
    """Where it came from: a host, or `file`."""


class ModelFolder:
    """Files of weights at rest. Only `verified` takes long, and that in a thread."""

    def __init__(self, path: Path, shipped: tuple[WeightsRow, ...]) -> None:
        """Name the folder, which is made when something is put in, and the rows that are known beforehand."""
        self.path = path
        self.shipped = shipped

    def file(self, row: WeightsRow) -> Path:
        """Where a row's file is, or will be."""
        return self.path / row.file

    def file_size(self, row: WeightsRow) -> int:
        """Bytes of a row's file as it is.

        Raises:
            OSError: there is none.
        """
        return self.file(row).stat().st_size

    def partial(self, file: str) -> Path:
        """Where a file is while it comes."""
        return self.path / f"{file}.partial"

    def admit(self, need: int, name: str) -> None:
        """Check that so many more bytes fit.

        Raises:
            DiskFull: they do not.
        """
        have = shutil.disk_usage(self.path).free
        if need + SPARE_BYTES > have:
            raise DiskFull(
                f"The disk of {self.path} has {gigabytes(have)} free and {name} needs {gigabytes(need + SPARE_BYTES)}; "
                "free some space, or set AI_CHAT_DATA_DIR to a folder on another disk."
            )

    @asynccontextmanager
    async def reserved(self, file: str, waiting: Callable[[], None]) -> AsyncIterator[None]:
        """Make or change a file alone among all processes, `waiting` (or giving up by raising there) for one that does.

        Raises:
            DiskFull: the disk became full meanwhile.
            LocalModelFailed: the folder cannot be written.
        """
        with self._usable():
            self.path.mkdir(parents=True, exist_ok=True)
            async with FileLock(self.path / f".{file}.lock").held(waiting):
                yield

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Turn the disk's refusals into sentences."""
        try:
            yield
        except ConnectionError:  # of whoever is told, a closed pipe; no disk says that
            raise
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(
                    f"The disk of {self.path} became full; free some space and ask again to go on from there, "
                    "or set AI_CHAT_DATA_DIR to a folder on another disk."
                ) from error
            raise LocalModelFailed(
                f"The folder {self.path} cannot keep weights ({error.strerror or error}); "
                "set AI_CHAT_DATA_DIR to a folder that you can write to."
            ) from error

    async def verified(self, row: WeightsRow, hashing: Callable[[], None] = nobody) -> Path | None:
        """Give a row's file if it is here and its bytes are the right ones.

        It is hashed (and `hashing` called first) only if that was not done since it was last changed.

        Raises:
            WeightsCorrupt: they are others.
        """
        path = self.file(row)
        try:
            if self._remembered(row):
                return path
            size, digest = self.file_size(row), None
            if size == row.size:
                hashing()
                digest = await in_thread(lambda stop: hash_file(path, stop))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LocalModelFailed(
                f"The weights {path} cannot be read ({error.strerror or error}); check who owns them, or fetch them "
                f"anew with `ai-chat models remove {row.name}` and `ai-chat models pull {row.name}`."
            ) from error
        if digest != row.sha256:
            what = f"{size:,} bytes instead of {row.size:,}"
            if digest is not None:
                what = f"sha256 {digest[:12]}… instead of {row.sha256[:12]}…"
            raise WeightsCorrupt(
                f"The weights {path} are not what they were published as ({what}); take them away with "
                f"`ai-chat models remove {row.name}` and fetch them anew with `ai-chat models pull {row.name}`."
            )
        with suppress(OSError):  # a folder that is only read: it is hashed again next time
            self.remember(row.name, row.file, row.sha256, origin="file")
        return path

    def _remembered(self, row: WeightsRow) -> bool:
        status = self.file(row).stat()
        record = self.record(row.file)
        now = (status.st_size, status.st_mtime_ns, row.sha256)
        return record is not None and (record.size, record.mtime_ns, record.sha256) == now

    def remember(self, name: str, file: str, sha256: str, *, origin: str) -> None:
        """Write down that a file was checked as it is now."""
        status = (self.path / file).stat()
        record = Record(
            name=name, file=file, size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256, origin=origin
        )
        draft = self.path / f".{file}.json"
        draft.write_text(json.dumps(asdict(record), indent=1), "utf-8")
        draft.replace(self._record_path(file))

    def record(self, file: str) -> Record | None:
        """Give what is remembered of a file, if anything sensible."""
        try:
            record = Record(**json.loads(self._record_path(file).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        numbers, words = (record.size, record.mtime_ns), (record.name, record.sha256, record.origin)
        sound = all(type(number) is int for number in numbers) and all(type(word) is str for word in words)
        return record if sound and record.file == file else None

    def _record_path(self, file: str) -> Path:
        return self.path / f"{file}.json"

    def place(self, name: str, sha256: str) -> tuple[str, str]:
        """Give the name and the file under which bytes belong: a shipped row's if they are its, else those asked for.

        Raises:
            BadRequest: there are other bytes.
        """
        for row in self.shipped:
            if row.sha256 == sha256:
                return row.name, row.file
        file = f"{name}.gguf"
        record = self.record(file)
        if (self.path / file).exists() and (record is None or record.sha256 != sha256):
            raise BadRequest(
                f"There is already a model {name!r}; choose another name with `--name`, "
                f"or take it away with `ai-chat models remove {name}`.",
                param="name",
            )
        return name, file

    def users_rows(self) -> tuple[WeightsRow, ...]:
        """Give a row for each file that was added and is still there, by name."""
        known = {row.file for row in self.shipped}
        records = [self.record(path.name.removesuffix(".json")) for path in self.path.glob("*.gguf.json")]
        rows = [_users_row(record) for record in records if record is not None and record.file not in known]
        return tuple(sorted((row for row in rows if self.file(row).exists()), key=lambda row: row.name))

    def take_away(self, file: str) -> None:
        """Remove a file and all that belongs to it, a download under way included."""
        for name in ("{}.json", "{}", "{}.partial", "{}.partial.json", "{}.partial.parts", ".{}.adding", ".{}.json"):
            clear(self.path / name.format(file))


def _users_row(record: Record) -> WeightsRow:
    return WeightsRow(
        name=record.name,
        file=record.file,
        size=record.size,
        sha256=record.sha256,
        memory=record.size + WORKING_MEMORY,
    )


def gigabytes(size: int) -> str:
    """Write a number of bytes for people."""
    return f"{size / 1e9:.1f} GB" if size >= 10**8 else f"{size / 1e6:.1f} MB"
