"""Files that came over the network, kept until they are added: an ingest goes on where a killed process left it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import StorageFailed
from .ingest import File

MANIFEST = "manifest.json"
FREE_BYTES = 64 * 2**20
"""Room that is left on the disk for the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Files that wait to be added, in a folder of their own."""

    folder: Path
    collection: str
    files: tuple[File, ...]

    def remove(self) -> None:
        """Remove the folder; nothing happens if that cannot be, but that it is looked at again after the next start."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Uploads:
    """The folder where they wait. Everything here blocks: call it in a thread."""

    def __init__(self, folder: Path, *, owner: str, new_id: Callable[[], str]) -> None:
        """Keep what comes in `folder`, under the name of this process."""
        self._folder = folder
        self._owner = owner
        self._new_id = new_id

    def keep(self, collection: str, files: Sequence[tuple[str, bytes | Path]]) -> Upload:
        """Keep files, each its name and its bytes, or a file that is moved here.

        Raises:
            StorageFailed: there is no room, or they cannot be written.
        """
        folder = self.place(sum(len(data) for _, data in files if isinstance(data, bytes)))
        try:
            with self.guarded():
                kept = [self._put(folder, number, name, data) for number, (name, data) in enumerate(files)]
                manifest = {"collection": collection, "names": [file.name for file in kept]}
                # Last: a folder without it was never whole.
                (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Upload(folder=folder, collection=collection, files=tuple(kept))

    def place(self, needed: int = 0) -> Path:
        """Give an empty folder for so many bytes; at a later start it is removed, if this process leaves it behind.

        Raises:
            StorageFailed: there is no room, or it cannot be written.
        """
        folder = self._folder / f"{self._owner}.{self._new_id()}"
        with self.guarded():
            self._folder.mkdir(parents=True, exist_ok=True)
            _check_room(self._folder, needed)
            folder.mkdir()
        return folder

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Say in a sentence why nothing can be written here.

        Raises:
            StorageFailed: nothing can.
        """
        try:
            yield
        except OSError as error:
            raise StorageFailed(
                f"The uploads cannot be kept in {str(self._folder)!r} ({error.strerror}); make room there, or make it "
                "writable."
            ) from error

    def left(self, is_alive: Callable[[str], bool]) -> Iterator[Upload]:
        """Give what processes that have gone left here; what they had not received whole is removed."""
        folders = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        for folder in folders:
            owner = folder.name.partition(".")[0]
            if owner == self._owner or is_alive(owner):
                continue
            mine = folder.with_name(f"{self._owner}.{self._new_id()}")
            try:
                folder.rename(mine)  # of two processes that start at once, one gets it
            except OSError:
                continue
            upload = _read(mine)
            if upload is None:
                shutil.rmtree(mine, ignore_errors=True)
            else:
                yield upload

    @staticmethod
    def _put(folder: Path, number: int, name: str, data: bytes | Path) -> File:
        # Never under its own name: that came from somebody else.
        path = folder / f"{number:06d}"
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            shutil.move(data, path)
        return File(path=path, name=name)


def _read(folder: Path) -> Upload | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        files = [File(path=folder / f"{number:06d}", name=str(name)) for number, name in enumerate(manifest["names"])]
        return Upload(folder=folder, collection=str(manifest["collection"]), files=tuple(files))
    return None


def _check_room(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed + FREE_BYTES:
        raise StorageFailed(f"There is no room for {needed:,} bytes of uploads in {str(folder)!r}; make room there.")
