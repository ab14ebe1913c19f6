"""A child process that answers questions, one at a time, as its parent sees it."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..core.children import ending_of, keep_tail, last_words, spawn

FRAME = struct.Struct(">II")
"""What goes before a question and an answer: the bytes of its header, which is JSON, and of its body."""
KILL_SECONDS = 10.0
"""How long the system may take to bury a killed process."""


class ChildEnded(Exception):
    """The child ended, or could not be started, before it had answered."""

    def __init__(self, ending: str, last_words: str = "") -> None:
        """Keep how it ended, and the last that it wrote."""
        super().__init__(f"The child {ending}{last_words}.")
        self.ending = ending
        """To go on a sentence that begins with its name, such as `was ended by SIGKILL`."""
        self.last_words = last_words
        """The last line of its log as a remark in a sentence; empty if there is none."""


class Child:
    """A script that is run when it is asked something, and that ends when nobody asks it for a while.

    The script answers by `child_side.serve`. It ends with this process, however that ends. Ask it on a thread that
    lives as long as it shall: the kernel takes the end of that thread for the end of us.
    """

    def __init__(
        self, script: Path, *, arguments: Sequence[str] = (), idle_seconds: float, memory_bytes: int | None = None
    ) -> None:
        """Start nothing yet.

        Args:
            script: what is run, by the Python that runs us.
            arguments: of the script, as `sys.argv[1:]` has them.
            idle_seconds: how long it waits for the next question before it ends and gives its memory back.
            memory_bytes: how far its address space may grow beyond what it has at its start; None is without limit. It
                holds on Linux only, elsewhere nothing limits it.
        """
        # -P: the folder of the script stays off the path. Its modules may have names that libraries have too.
        self._command = (sys.executable, "-P", str(script), *arguments)
        self._idle_seconds = idle_seconds
        self._memory_bytes = memory_bytes
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._log = bytearray()
        self._listening: asyncio.Task[None] | None = None
        self._burials: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The process that runs; None if none does."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def log_tail(self) -> str:
        """The last that the child wrote on standard error, for a person who looks for a fault."""
        return self._log.decode(errors="replace")

    async def ask(
        self, header: Mapping[str, Any], body: bytes = b"", *, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Ask and wait for the answer; who asks in the meantime gets in line.

        A question that is given up in its middle, by its asker or by the limit, ends the child: its late answer must
        never be taken for that of the next question.

        Args:
            header: what fits into JSON.
            body: raw bytes that go with it.
            seconds: how long the answer may take from the question's turn on, with the start of the child.

        Returns:
            The answer's header and body.

        Raises:
            ChildEnded: it ended instead of answering, could not be started, or was closed.
            TimeoutError: it took longer; the child was killed.
        """
        async with self._turn:
            self._stop_waiting()
            try:
                async with asyncio.timeout(seconds):
                    answer = await self._exchange(await self._running(), header, body)
            except BaseException:
                self._kill()
                raise
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._kill)
            return answer

    async def end(self) -> None:
        """End the child and wait until it is gone; the next question starts a new one. A question under way fails."""
        self._kill()
        if self._burials:
            await asyncio.wait(self._burials)

    async def aclose(self) -> None:
        """End the child for good and wait until it is gone."""
        self._closed = True
        self._kill()
        async with self._turn:  # who is just starting one, or stands in line, learns that it is closed
            await self.end()

    async def _running(self) -> asyncio.subprocess.Process:
        """Give the child that runs, or start one."""
        if self._closed:
            raise ChildEnded("was closed")
        if self._process is not None and self.alive:
            return self._process
        self._kill()  # what is left of one that ended by itself
        try:
            process = await spawn(self._command)
        except OSError as error:
            raise ChildEnded(f"could not be run ({error.strerror or error})") from error
        self._process = process
        self._log = log = bytearray()
        self._listening = asyncio.create_task(keep_tail(process, log), name="child's log")
        if self._closed:
            raise ChildEnded("was closed")
        await _send(process, {"memory_bytes": self._memory_bytes}, b"")
        return process

    async def _exchange(
        self, process: asyncio.subprocess.Process, header: Mapping[str, Any], body: bytes
    ) -> tuple[dict[str, Any], bytes]:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        await _send(process, header, body)
        try:
            head_bytes, body_bytes = FRAME.unpack(await process.stdout.readexactly(FRAME.size))
            told = json.loads(await process.stdout.readexactly(head_bytes))
            return told, await process.stdout.readexactly(body_bytes)
        except asyncio.IncompleteReadError:
            await process.wait()
            if self._listening is not None:
                await asyncio.wait([self._listening], timeout=1.0)
            raise ChildEnded(ending_of(process.returncode), last_words(self.log_tail)) from None

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _kill(self) -> None:
        """End the child at once; somebody else waits until it is gone. It keeps nothing that could be lost."""
        self._stop_waiting()
        process, listening = self._process, self._listening
        self._process = self._listening = None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
        burial = asyncio.get_running_loop().create_task(_bury(process, listening), name="end of a child")
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)


async def _send(process: asyncio.subprocess.Process, header: Mapping[str, Any], body: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    head = json.dumps(header).encode()
    with suppress(ConnectionError):  # it has ended; its exit code says why
        process.stdin.write(FRAME.pack(len(head), len(body)) + head)
        if body:
            process.stdin.write(body)
        await process.stdin.drain()


async def _bury(process: asyncio.subprocess.Process, listening: asyncio.Task[None] | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(KILL_SECONDS):
            await process.wait()
    if listening is not None:
        # Its pipes end with it, unless a process that it left behind holds them.
        await asyncio.wait([listening], timeout=1.0)
        listening.cancel()
