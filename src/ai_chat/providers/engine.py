"""The embedded engine as its parent sees it: a child process that serves one model on loopback."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.children import ending_of, keep_tail, last_words, spawn
from ..core.errors import LocalModelFailed
from .processors import usable_processors

CHILD = Path(__file__).with_name("engine_child.py")
NOT_INSTALLED = 'The embedded engine is not installed; install it with `pip install "ai-chat-app[local]"`.'
MAGIC = b"GGUF"
LOAD_SECONDS = 600.0
"""How long loading may take: a large model on a slow disk needs minutes, one that needs longer hangs."""
KILL_SECONDS = 10.0
"""How long the system may take to bury a killed process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How a model is run."""

    threads: int | None = None
    """Threads that make tokens; None is one less than the processors, for a thread that has to share its processor
    holds up all others."""
    batch_threads: int | None = None
    """Threads that read prompts; None is one for each processor."""
    context: int = 8192
    """Tokens of one answer's window, prompt and answer together."""
    parallel: int = 2
    """Answers it works on at once. Each has a window of its own, whose memory is taken when the model is loaded."""
    batch: int = 32
    """Tokens of a prompt that are read in one step, 32 at least. A cancelled call is not noticed within a step: on a
    slow processor one of 128 tokens takes two seconds, and reading is only a tenth faster for it."""
    cache_mib: int = 256
    """MiB of memory for prompts of earlier conversations."""
    sleep_after: int = 300
    """Seconds without a call after which the engine gives its memory back; it takes a second to wake. -1 is never."""


class Engine:
    """One run of the engine. Start it once, stop it once; it ends with this process, however that ends.

    Start it on a thread that lives as long as it shall: the kernel takes the end of that thread for the end of us.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "local",
        options: EngineOptions = EngineOptions(),
        command: Sequence[str] | None = None,
        load_seconds: float = LOAD_SECONDS,
    ) -> None:
        """Start nothing yet.

        Args:
            path: a GGUF file.
            name: what the model is called in its answers.
            options: how it is run.
            command: what to run instead of the engine; it must speak as `engine_child.py` does.
            load_seconds: how long loading may take.
        """
        self.path = path
        self.name = name
        self.key = secrets.token_urlsafe(32)
        """What a request must bring as its bearer token."""
        self.address = ""
        """Where it listens, such as `http://127.0.0.1:40123`; empty before it has started."""
        self._options = options
        # -P: the folder of the script stays off the path. Its modules have names that the standard library has too.
        self._command = tuple(command) if command is not None else (sys.executable, "-P", str(CHILD))
        self._load_seconds = load_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._log = bytearray()
        self._listening: asyncio.Task[None] | None = None
        self._stopped = False

    def __repr__(self) -> str:
        return f"Engine({self.name!r}, alive={self.alive})"

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def crashed(self) -> bool:
        """Whether it ended by itself after it had been started."""
        return self._process is not None and not self.alive and not self._stopped

    @property
    def log_tail(self) -> str:
        """The last that the engine wrote about itself, for a person who looks for a fault."""
        return self._log.decode(errors="replace")

    @property
    def last_words(self) -> str:
        """The last line of the log as a remark in a sentence; empty if there is none."""
        return last_words(self.log_tail)

    @property
    def ending(self) -> str:
        """How it ended, to go on a sentence that begins with its name."""
        return ending_of(None if self._process is None else self._process.returncode)

    async def start(self) -> None:
        """Run the child and wait until the model can be asked.

        Raises:
            LocalModelFailed: it cannot be; the sentence says why.
        """
        _check_file(self.path)
        try:
            await self._spawn()
            async with asyncio.timeout(self._load_seconds):
                told = await self._answer()
        except TimeoutError:
            await self.stop()
            raise LocalModelFailed(
                f"The embedded model {self.name} was not loaded within {self._load_seconds:g} s; "
                "close other programs, or take a smaller model."
            ) from None
        except BaseException:
            await self.stop()
            raise
        if "ready" in told:
            self.address = str(told["ready"])
            return
        self._stopped = bool(told)  # it gave up and said so, which is no crash
        await self.stop()
        raise LocalModelFailed(self._failure(told))

    async def wait(self, seconds: float) -> bool:
        """Wait until it has ended, but not longer; whether it has."""
        if self._process is None:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        return not self.alive

    async def stop(self) -> None:
        """End the child and wait until it is gone. It keeps nothing that could be lost, so it is not asked first."""
        process = self._process
        if process is None:
            return
        if self.alive:
            self._stopped = True
            with suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await self.wait(KILL_SECONDS)
        if self._listening is not None:
            # Its pipes end with it, unless a process that it left behind holds them.
            await asyncio.wait([self._listening], timeout=1.0)
            self._listening.cancel()

    async def _spawn(self) -> None:
        try:
            process = await spawn(self._command)
        except OSError as error:
            raise LocalModelFailed(
                f"The embedded engine could not be run ({error.strerror or error}); check {self._command[0]}."
            ) from error
        self._process = process
        self._listening = asyncio.create_task(keep_tail(process, self._log), name="engine log")

    async def _answer(self) -> dict[str, Any]:
        """Hand the options over and wait for the one line that the child says; empty if it ended without."""
        process = self._process
        assert process is not None  # noqa: S101 - it was spawned just before
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        with suppress(ConnectionError):  # it ended at once; the exit code says why
            process.stdin.write(self._handed_over())
            await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            await process.wait()
            if self._listening is not None:
                await asyncio.wait([self._listening], timeout=1.0)
            return {}
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        return told if isinstance(told, dict) else {"failed": f"it said {line[:200]!r}"}

    def _handed_over(self) -> bytes:
        options, processors = self._options, usable_processors()
        fields = {
            "path": str(self.path),
            "name": self.name,
            "key": self.key,
            "threads": options.threads or max(1, processors - 1),
            "batch_threads": options.batch_threads or processors,
            "context": options.context,
            "parallel": options.parallel,
            "batch": options.batch,
            "cache_mib": options.cache_mib,
            "sleep_after": options.sleep_after,
        }
        return json.dumps(fields).encode() + b"\n"

    def _failure(self, told: dict[str, Any]) -> str:
        """Say why it did not start."""
        if told.get("missing") == "xllamacpp":
            return NOT_INSTALLED
        reason = re.search(r"error loading model: (.+)", self.log_tail)
        why = reason[1].strip() if reason else str(told.get("failed") or told.get("missing") or "it gave no reason")
        if told:
            return (
                f"The embedded model {self.name} could not be loaded ({why}); its file may be damaged, of a kind the "
                f"engine does not know, or too large for the memory: remove {self.path.name} and fetch it again, or "
                "take another model."
            )
        return (
            f"The embedded engine {self.ending} while it loaded {self.name}{self.last_words}; if memory ran out, close "
            "other programs or take a smaller model."
        )


def check_installed() -> None:
    """Check that there is an engine, before a gigabyte is fetched for it.

    Raises:
        LocalModelFailed: there is none.
    """
    if find_spec("xllamacpp") is None:
        raise LocalModelFailed(NOT_INSTALLED)


def _check_file(path: Path) -> None:
    """Look at what can be told apart here: to the engine a missing file and a wrong one are the same."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(MAGIC))
    except OSError as error:
        raise LocalModelFailed(
            f"The weights {str(path)!r} cannot be read ({error.strerror}); fetch them again with `ai-chat models pull`."
        ) from error
    if begins != MAGIC:
        raise LocalModelFailed(
            f"The weights {str(path)!r} are no GGUF file, for they begin with {begins!r}; remove the file and fetch it "
            "again with `ai-chat models pull`."
        )
