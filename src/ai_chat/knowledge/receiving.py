"""A file that comes over the network in blocks, on its way to the disk: no memory holds all of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

from .uploads import Uploads


@asynccontextmanager
async def received(uploads: Uploads, blocks: AsyncIterable[bytes]) -> AsyncIterator[Path]:
    """Give a file that holds all that comes. In the end it is removed, if nobody has moved it away.

    Raises:
        StorageFailed: there is no room, or it cannot be written.
    """
    folder = await asyncio.to_thread(uploads.place)
    try:
        path = folder / "received"
        file = await asyncio.to_thread(FileIO, path, "x")
        try:
            async for block in blocks:
                with uploads.guarded():
                    await asyncio.to_thread(_write, file, block)
        finally:
            file.close()
        yield path
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _write(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]
