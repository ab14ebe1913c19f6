"""Getting one file of weights: sources tried in turn, the hash compared, the file put in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..core.errors import WeightsCorrupt, WeightsUnavailable
from .http import Http
from .model_folder import ModelFolder
from .partial import Partial
from .sources import Source, SourceFailed, Wanted
from .weight_rows import WeightsRow

TELL_SECONDS = 0.1
"""At least so long between two words on how far a download is."""
MENDS = (
    "set OPENAI_API_KEY to use an upstream, or bring the file with `ai-chat models add FILE` "
    "or from a mirror with `ai-chat models pull URL`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the fetching of a file is."""

    name: str
    """The row's."""
    stage: Literal["waiting", "trying", "downloading", "checking", "done"]
    """`waiting` is for another process that fetches the same file."""
    done: int = 0
    """Bytes that are here."""
    total: int | None = None
    """Bytes of the whole; None is not known yet."""
    source: str = ""
    """Where the bytes come from."""
    note: str = ""
    """One sentence worth showing: why a source was given up, that nobody vouches for a file."""


class Teller:
    """Tells one reader about one file, not too often."""

    def __init__(self, name: str, total: int | None, reader: Callable[[Progress], None]) -> None:
        """Name the file, its size in bytes if it is known, and whom to tell."""
        self._name = name
        self._total = total
        self._reader = reader
        self._source = ""
        self._done = 0
        self._next = 0.0

    def trying(self, source: str, note: str = "") -> None:
        """A source is asked; `note` says why the one before was given up."""
        self._source = source
        self._tell("trying", note)

    def coming(self, done: int, total: int | None) -> None:
        """Bytes are here."""
        self._done, self._total = done, total
        now = asyncio.get_running_loop().time()
        if now >= self._next or done == total:
            self._next = now + TELL_SECONDS
            self._tell("downloading")

    def waiting(self, done: int) -> None:
        """Another process fetches the file and has so many bytes."""
        self._done = done
        self._tell("waiting")

    def checking(self) -> None:
        """The file is hashed."""
        self._tell("checking")

    def ended(self, size: int, note: str = "") -> None:
        """The file is in its place."""
        self._done = self._total = size
        self._tell("done", note)

    def _tell(self, stage: Literal["waiting", "trying", "downloading", "checking", "done"], note: str = "") -> None:
        self._reader(
            Progress(name=self._name, stage=stage, done=self._done, total=self._total, source=self._source, note=note)
        )


class Fetching:
    """Downloads into one folder."""

    def __init__(self, folder: ModelFolder, http: Http) -> None:
        """Take the folder and the way out."""
        self._folder = folder
        self._http = http

    async def fetch(self, row: WeightsRow, sources: Sequence[Source], tell: Teller) -> Path:
        """Fetch a row's file, unless another process has just done so; see `Weights.fetch` for what it raises."""
        partial = Partial(self._folder.partial(row.file))
        async with self._folder.reserved(row.file, lambda: tell.waiting(partial.length())):
            path = await self._folder.verified(row, tell.checking)
            if path is not None:
                return path
            self._folder.admit(row.size - partial.length(), row.name)
            try:
                source = await self._from_any(row, sources, partial, tell)
                path = self._folder.file(row)
                await partial.settle(path)
            finally:
                partial.close()
            self._folder.remember(row.name, row.file, row.sha256, origin=source)
        tell.ended(row.size)
        return path

    async def _from_any(self, row: WeightsRow, sources: Sequence[Source], partial: Partial, tell: Teller) -> str:
        """Fill the partial file with the right bytes; give the label of the source that had them."""
        failed: list[str] = []
        wrong = False
        for source in sources:
            tell.trying(source.label, f"The weights go on from the next source: {failed[-1]}." if failed else "")
            try:
                if await self._from(source, row, partial, tell):
                    return source.label
                wrong = True
                failed.append(f"{source.label} sent other bytes than the publisher's")
            except SourceFailed as error:
                failed.append(str(error))
        reasons = "; ".join(failed)
        if wrong:
            raise WeightsCorrupt(
                f"The weights {row.name} could not be had as they were published, and nothing wrong was kept "
                f"({reasons}); try again later, {MENDS}."
            )
        raise WeightsUnavailable(f"The weights {row.name} could not be fetched ({reasons}); {MENDS}.")

    async def _from(self, source: Source, row: WeightsRow, partial: Partial, tell: Teller) -> bool:
        """Try one source; False if its bytes are wrong, which are gone then."""
        wanted = Wanted(size=row.size, report=tell.coming, admit=self._admitting(row.name))
        for _ in range(2):
            began = partial.length()
            await source.fill(self._http, partial, wanted)
            if partial.sha256() == row.sha256:
                return True
            await partial.discard()
            if not began:
                break  # else the wrong bytes may be those of an earlier source: once more from the beginning
        return False

    async def fetch_unknown(self, source: Source, name: str, tell: Teller) -> str:
        """Fetch a file whose bytes nobody vouches for; give the name it is known by now."""
        file = f"{name}.gguf"
        partial = Partial(self._folder.partial(file))
        async with self._folder.reserved(file, lambda: tell.waiting(partial.length())):
            self._folder.place(name, "")  # a name that is taken is better said now than after an hour
            tell.trying(source.label)
            wanted = Wanted(size=None, report=tell.coming, admit=self._admitting(name))
            try:
                await source.fill(self._http, partial, wanted)
                size, digest = partial.size, partial.sha256()
                name, file = self._folder.place(name, digest)
                await partial.settle(self._folder.path / file)
            except SourceFailed as error:
                raise WeightsUnavailable(
                    f"The weights {name} could not be fetched ({error}); check the URL, "
                    "or bring the file with `ai-chat models add FILE`."
                ) from error
            finally:
                partial.close()
            self._folder.remember(name, file, digest, origin=source.label)
        tell.ended(size, f"Nobody vouches for the bytes of {name}; their sha256 is {digest}.")
        return name

    def _admitting(self, name: str) -> Callable[[int], None]:
        return lambda size: self._folder.admit(size, name)
