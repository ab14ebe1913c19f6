"""The weights of embedded models: which there are, where they lie, how they come and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..core.errors import BadRequest, LocalModelFailed, UnknownModel, WeightsCorrupt, WeightsUnavailable
from .fetching import Fetching, Progress, Teller
from .file_work import clear, copy, hash_file, in_thread, link, rename
from .http import Http
from .model_folder import ModelFolder, gigabytes
from .sources import MAGIC, UrlSource
from .weight_rows import WeightsRow, shipped_rows

NAME_LENGTH = 60
"""Letters of a name, of any script: three bytes each, and what is added to it, fit a file system's 255."""
SMALLEST = 64
"""Bytes below which a file is no model, whatever it begins with: its head alone is about as long."""
NAME = re.compile(rf"\w[\w.-]{{0,{NAME_LENGTH - 1}}}")


def silent(_: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A row whose file is here."""

    row: WeightsRow
    path: Path
    size: int
    """Bytes of the file as it is, which is wrong if they are not the row's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The row that suits this machine."""

    row: WeightsRow
    notice: str | None = None
    """One sentence to show if it is not the best one, or too much."""


class Weights:
    """All rows, shipped and the user's own, over one folder."""

    def __init__(self, folder: Path, http: Http, *, rows: Sequence[WeightsRow] | None = None) -> None:
        """Open nothing yet.

        Args:
            folder: where the files lie; made when the first one comes.
            http: the way out.
            rows: what to know instead of the shipped rows, the best first.
        """
        self._shipped = tuple(rows) if rows is not None else shipped_rows()
        self._folder = ModelFolder(folder, self._shipped)
        self._fetching = Fetching(self._folder, http)

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder.path

    def rows(self) -> tuple[WeightsRow, ...]:
        """Give every row, installed or not, the shipped ones first."""
        return self._shipped + self._folder.users_rows()

    def row(self, name: str) -> WeightsRow:
        """Give a row by its name.

        Raises:
            UnknownModel: there is none.
        """
        rows = self.rows()
        for row in rows:
            if row.name == name:
                return row
        there = ", ".join(row.name for row in rows)
        raise UnknownModel(
            f"There are no weights named {name!r}, but {there}; "
            "`ai-chat models add FILE` or `ai-chat models pull URL` brings others.",
            param="model",
        )

    def file(self, name: str) -> Path | None:
        """Give where the file of a row is, or would be if it is the user's; None for what can be no row's name."""
        if name != Path(name).name or not name:
            return None
        shipped = next((row.file for row in self._shipped if row.name == name), f"{name}.gguf")
        return self.folder / shipped

    def installed(self) -> tuple[Installed, ...]:
        """Give the rows whose files are here, checked or not."""
        files = ((row, self._folder.file(row)) for row in self.rows())
        return tuple(Installed(row=row, path=path, size=path.stat().st_size) for row, path in files if path.is_file())

    def choose(self, free_memory: int | None) -> Choice:
        """Pick the best shipped row for so many bytes of free memory; None is taken as enough."""
        best, smallest = self._shipped[0], self._shipped[-1]
        if free_memory is None or best.memory <= free_memory:
            return Choice(row=best)
        row = next((row for row in self._shipped if row.memory <= free_memory), smallest)
        short = f"Only {gigabytes(free_memory)} of memory is free and {best.name} needs {gigabytes(best.memory)}"
        if row.memory <= free_memory:
            return Choice(row=row, notice=f"{short}: taking the smaller {row.name}.")
        least = f"even {row.name} needs {gigabytes(row.memory)}" if row is not best else "there is no smaller one"
        return Choice(row=row, notice=f"{short}, {least}: it will be slow, or fail.")

    async def path(self, name: str) -> Path:
        """Give a file that is here and whole.

        Raises:
            UnknownModel: there is no such row.
            WeightsUnavailable: it is not here.
            WeightsCorrupt: its bytes are not the row's.
        """
        row = self.row(name)
        path = await self._folder.verified(row)
        if path is None:
            raise WeightsUnavailable(
                f"The weights {name} are not on this machine; fetch them with `ai-chat models pull {name}`."
            )
        return path

    async def fetch(self, name: str, *, progress: Callable[[Progress], None] = silent) -> Path:
        """Give a file, fetched first if it is not here. A fetch that was broken off is gone on with.

        Raises:
            UnknownModel: there is no such row.
            WeightsUnavailable: no source gave it.
            WeightsCorrupt: what is here, or what every source gave, are other bytes.
            DiskFull: there is no room.
            LocalModelFailed: the folder cannot be written.
        """
        row = self.row(name)
        tell = Teller(row.name, row.size, progress)
        path = await self._folder.verified(row, tell.checking)
        return path or await self._fetching.fetch(row, row.sources, tell)

    async def fetch_url(
        self, url: str, name: str | None = None, *, progress: Callable[[Progress], None] = silent
    ) -> WeightsRow:
        """Fetch a file from a URL. One that is named as a shipped row is checked as that row: so a mirror is used.

        Of any other the hash is only recorded; a note in the progress says so.

        Raises:
            BadRequest: the URL is none, or the name is taken or malformed.
            WeightsUnavailable: it did not give a GGUF file.
            WeightsCorrupt, DiskFull, LocalModelFailed: as `fetch`.
        """
        file = _file_name(url)
        source = UrlSource(url)
        row = self._shipped_as(name, file)
        if row is None:
            name = _checked(name) if name is not None else _name_of(file)
            return self.row(await self._fetching.fetch_unknown(source, name, Teller(name, None, progress)))
        tell = Teller(row.name, row.size, progress)
        if await self._folder.verified(row, tell.checking) is None:
            await self._fetching.fetch(row, (source,), tell)
        return row

    async def add(
        self, file: Path, name: str | None = None, *, progress: Callable[[Progress], None] = silent
    ) -> WeightsRow:
        """Take in a GGUF file of the user's, linked if it lies on the same disk, else copied.

        The bytes of a shipped row become that row, whatever the file's name.

        Raises:
            BadRequest: it is no GGUF file, or the name is taken or malformed.
            WeightsCorrupt: it is named as a shipped row and has other bytes.
            DiskFull, LocalModelFailed: as `fetch`.
        """
        source, size = await in_thread(lambda _: _readable(file))
        row = self._shipped_as(name, file.name)
        known_as = row.name if row is not None else _checked(name) if name is not None else _name_of(file.name)
        tell = Teller(known_as, size, progress)
        target = row.file if row is not None else f"{known_as}.gguf"
        async with self._folder.reserved(target, lambda: _busy(known_as)):
            draft = self._folder.path / f".{target}.adding"
            try:
                if not await in_thread(lambda _: link(source, draft)):
                    self._folder.admit(size, known_as)
                    await in_thread(lambda stop: copy(source, draft, stop))
                tell.checking()
                known_as = await self._settle(draft, known_as, row)
            finally:
                await in_thread(lambda _: clear(draft))
        tell.ended(size)
        return self.row(known_as)

    async def _settle(self, draft: Path, name: str, row: WeightsRow | None) -> str:
        """Hash a file in the folder and give it its place; give the name it is known by now."""
        digest = await in_thread(lambda stop: hash_file(draft, stop))
        if row is not None and digest != row.sha256:
            raise WeightsCorrupt(
                f"The file is not {name} as it was published (sha256 {digest[:12]}… instead of "
                f"{row.sha256[:12]}…); get it again, or add it under another name with `--name`."
            )
        name, file = self._folder.place(name, digest)
        await in_thread(lambda _: rename(draft, self._folder.path / file))
        self._folder.remember(name, file, digest, origin="file")
        return name

    async def remove(self, name: str) -> bool:
        """Take a file away with all that belongs to it, a broken-off download too; False if nothing was there.

        Raises:
            UnknownModel: there is no such row.
            LocalModelFailed: another process is fetching it, or the folder cannot be written.
        """
        known = {row.name: row.file for row in self.rows()}
        file = known.get(name, f"{name}.gguf")
        if name not in known and not (NAME.fullmatch(name) and self._folder.partial(file).exists()):
            self.row(name)
        there = (self._folder.path / file, self._folder.partial(file))
        if not any(path.exists() for path in there):
            return False
        async with self._folder.reserved(file, lambda: _busy(name)):
            await in_thread(lambda _: self._folder.take_away(file))
        return True

    def _shipped_as(self, name: str | None, file: str) -> WeightsRow | None:
        """Give the shipped row that is meant: the named one, or without a name the one whose file is called so."""
        for row in self._shipped:
            if name == row.name or (name is None and file in {row.file, f"{row.name}.gguf"}):
                return row
        return None


def _busy(name: str) -> None:
    raise LocalModelFailed(f"Another process is fetching {name} right now; let it end, or stop it, and ask again.")


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadRequest(
            f"{name[:100]!r} cannot be a model's name; take up to {NAME_LENGTH} letters, digits, dots and dashes.",
            param="name",
        )
    return name


def _name_of(file: str) -> str:
    """Make a model's name out of a file's."""
    name = re.sub(r"[^\w.-]+", "-", file.removesuffix(".gguf")).strip("-._")[:NAME_LENGTH]
    if not name:
        raise BadRequest(f"No name can be made of {file!r}; give one with `--name`.", param="name")
    return name


def _file_name(url: str) -> str:
    """Give the last part of a URL's path."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine:
        shown = re.sub(r"//.*@", "//", url)[:200]
        raise BadRequest(f"{shown!r} is no URL to fetch from; give one that begins with https://.", param="url")
    return unquote(parts.path).rpartition("/")[2]


def _readable(file: Path) -> tuple[Path, int]:
    """Give a file's real path and its size in bytes, if it can be read as weights."""
    try:
        path = file.expanduser().resolve(strict=True)
        if not path.is_file():  # a pipe would be waited for
            raise BadRequest(f"{str(file)!r} is no file; give the path of a GGUF file.")
        with path.open("rb") as opened:
            begins = opened.read(len(MAGIC))
        size = path.stat().st_size
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadRequest(f"The file {str(file)!r} cannot be read ({reason}); give the path of a GGUF file.") from error
    if begins != MAGIC:
        raise BadRequest(f"{str(file)!r} is no GGUF file, for it begins with {begins!r}; give the path of one.")
    if size < SMALLEST:
        raise BadRequest(f"{str(file)!r} has {size:,} bytes, too few for a model; give the path of a whole GGUF file.")
    return path, size
