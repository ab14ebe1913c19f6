"""Which processes still write what they began. A process holds a lock that ends with it, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ..core.errors import StorageFailed
from .ids import new_id

SILENT_SECONDS = 30.0
"""How long the process of another machine may not have been seen before it counts as gone."""
MOST_FILES = 1000
"""That are looked at in one go."""


class Lock(Protocol):
    """A lock between processes."""

    def take(self) -> bool:
        """Try to take it now."""
        ...

    def release(self) -> None:
        """Let go."""
        ...


class Owners:
    """The processes that share a database, seen from one of them."""

    def __init__(self, folder: Path, lock: Callable[[Path], Lock]) -> None:
        """Keep the locks of this machine's processes in `folder`."""
        self._folder = folder
        self._make_lock = lock
        self._lock: Lock | None = None
        self.name = new_id()
        """This process."""

    def enter(self) -> None:
        """Show the others that this process lives.

        Raises:
            StorageFailed: the folder cannot be written.
        """
        lock = self._make_lock(self._file(self.name))
        try:
            self._folder.mkdir(exist_ok=True)
            lock.take()
        except OSError as error:
            raise StorageFailed(
                f"The folder {str(self._folder)!r} cannot be written ({error.strerror}); make it writable."
            ) from error
        self._lock = lock

    def is_alive(self, owner: str | None, seen: float | None) -> bool:
        """Say whether a process still writes.

        Args:
            owner: its name; None wrote nothing that goes on.
            seen: seconds since it was last seen.
        """
        if owner is None:
            return False
        if owner == self.name:
            return True
        file = self._file(owner)
        if file.exists():
            return not self._is_free(file)
        return seen is not None and seen < SILENT_SECONDS  # on another machine

    def clear(self) -> None:
        """Remove what dead processes left here, when all that they wrote is marked."""
        for file in sorted(self._folder.glob("*.lock"))[:MOST_FILES]:
            if self._is_free(file):
                file.unlink(missing_ok=True)

    def leave(self) -> None:
        """Take this process out, when nothing of it runs any more."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
            with suppress(OSError):
                self._file(self.name).unlink(missing_ok=True)

    def _file(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _is_free(self, file: Path) -> bool:
        lock = self._make_lock(file)
        try:
            free = lock.take()
        except OSError:
            return False  # not ours to look at: its owner's time decides
        if free:
            lock.release()
        return free
