"""The real command in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

COMMAND = (sys.executable, "-c", "import sys; from ai_chat.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Ended:
    """How it ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said on stderr, if that was one line and no trace."""
        assert "Traceback" not in self.err
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("ai-chat: ").rstrip("\n")


class Child:
    """A command that is running; use it in `async with`."""

    def __init__(
        self, *arguments: str | bytes, env: Mapping[str, str], stdin: bytes | None = b"", **files: Any
    ) -> None:
        """Run with these arguments.

        Args:
            arguments: of the command.
            env: all of its environment beyond PATH.
            stdin: what is piped in; None keeps the pipe open.
            files: `stdout` or `stderr`, where it is not to be read here, and other options of the process.
        """
        self._arguments = arguments
        self._env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **env}
        self._stdin = stdin
        self._files: dict[str, int | IO[Any]] = {
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
            **files,
        }
        self._read: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
        self._readers: list[asyncio.Task[None]] = []
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *COMMAND, *self._arguments, env=self._env, stdin=asyncio.subprocess.PIPE, **self._files
        )
        for name, stream in (("out", self.process.stdout), ("err", self.process.stderr)):
            if stream is not None:
                self._readers.append(asyncio.create_task(self._follow(name, stream)))
        if self._stdin is not None:
            self.send(self._stdin)
            self.close_stdin()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    def send(self, data: bytes) -> None:
        """Write to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def close_stdin(self) -> None:
        """End its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def shows(self, text: str, *, on: str = "out") -> None:
        """Wait until it has written that text, or anything at all."""
        async with self._news:
            await self._news.wait_for(lambda: self._has(text, on) or all(reader.done() for reader in self._readers))
        assert self._has(text, on), self._read

    def _has(self, text: str, on: str) -> bool:
        return text.encode() in self._read[on] if text else bool(self._read[on])

    async def ended(self) -> Ended:
        """Wait until it has ended."""
        code = await self.process.wait()
        await asyncio.gather(*self._readers)
        return Ended(code, *(self._read[name].decode(errors="replace") for name in ("out", "err")))

    async def _follow(self, name: str, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(2**16):
            await self._add(name, data)
        await self._add(name, b"")

    async def _add(self, name: str, data: bytes) -> None:
        async with self._news:
            self._read[name] += data
            self._news.notify_all()


async def run(*arguments: str | bytes, env: Mapping[str, str], stdin: bytes = b"") -> Ended:
    """Run a command to its end."""
    async with Child(*arguments, env=env, stdin=stdin) as child:
        return await child.ended()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of a child that has nothing but an empty home."""
    folders = {"AI_CHAT_DATA_DIR": str(home / "data"), "AI_CHAT_CONFIG_DIR": str(home / "config")}
    return {"HOME": str(home), **folders, **more}
