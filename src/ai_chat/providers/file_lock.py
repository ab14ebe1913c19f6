"""A lock between processes that ends with its holder, however that ends."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

POLL_SECONDS = 0.2

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
LOCKLESS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""Some network file systems know no locks. There two downloads at once may spoil each other's partial file, which its
hash then shows; refusing to work would help nobody."""


class FileLock:
    """An exclusive lock on a small file that stays behind, empty."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Try to take the lock now.

        Raises:
            OSError: the file cannot be made.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno not in LOCKLESS:
                os.close(descriptor)
                if error.errno in TAKEN:
                    return False
                raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    @asynccontextmanager
    async def held(self, waiting: Callable[[], None]) -> AsyncIterator[None]:
        """Hold the lock, waiting for it as long as it takes; `waiting` is called before each further try."""
        while not self.take():
            waiting()
            await asyncio.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            self.release()
