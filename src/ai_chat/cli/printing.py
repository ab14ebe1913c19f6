"""What people see: answers on stdout, everything about them on stderr."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from ..core.events import Notice

TELL_EVERY = 10
"""Percent of a download between two lines where there is no terminal for a bar."""
VISIBLE: dict[int, int | None] = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    **dict.fromkeys(range(127, 160), 0xFFFD),
    ord("\r"): None,
}
"""Control characters as pictures: a model must not be able to steer the terminal of whoever reads it."""


class OutputClosed(Exception):
    """Whoever read our stdout has gone."""


class OutputFailed(Exception):
    """Our stdout cannot be written; the message is a sentence."""


class Output:
    """Text on stdout as it comes."""

    def __init__(self, blocking: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Write to stdout; `blocking` is put around each write, which may wait for a slow reader."""
        self._blocking = blocking
        self._at_line_start = True
        self._encoding = _encoding()
        self.terminal = sys.stdout is not None and sys.stdout.isatty()
        """Whether a person is likely to see it as it comes."""

    def text(self, text: str) -> None:
        """Write text at once. What stdout's encoding does not know is replaced.

        Raises:
            OutputClosed: the reader has gone.
            OutputFailed: the disk is full, or stdout is closed.
        """
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        self.data((text.translate(VISIBLE) if self.terminal else text).encode(self._encoding, "replace"))

    def end_line(self) -> None:
        """Write a newline unless the last one was written behind everything."""
        if not self._at_line_start:
            self.text("\n")

    def data(self, data: bytes) -> None:
        """Write bytes at once; raises as `text`."""
        if sys.stdout is None:
            raise OutputFailed("Standard output is closed; give it somewhere to go.")
        try:
            with self._blocking():
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
        except OSError as error:
            raise output_failure(error) from error


def output_failure(error: OSError) -> OutputClosed | OutputFailed:
    """Give what it means that stdout could not be written; what its buffer still holds is lost."""
    _forget(1)
    if isinstance(error, BrokenPipeError):
        return OutputClosed()
    return OutputFailed(f"Standard output cannot be written ({error.strerror or error}).")


class Voice:
    """What is said on stderr beside the answer."""

    def __init__(self) -> None:
        """Say nothing yet."""
        self._bar: DownloadBar | None = None
        self._told = -TELL_EVERY
        self._in_reasoning = False
        self.terminal = sys.stderr is not None and sys.stderr.isatty()
        """Whether a person is likely to see it as it comes."""

    def notice(self, notice: Notice) -> None:
        """Tell what happens before the answer or beside it."""
        done, total = notice.data.get("done"), notice.data.get("total")
        if notice.kind == "download" and isinstance(done, int):
            self.download(notice.text, done, total if isinstance(total, int) else None)
        else:
            self.line(notice.text)

    def line(self, sentence: str) -> None:
        """Say something of less weight than the answer."""
        self.quiet()
        self._dim(sentence)

    def reasoning(self, text: str) -> None:
        """Show the model thinking, to people only."""
        if self.terminal:
            self.quiet(keep_reasoning=True)
            self._in_reasoning = True
            self._dim(text, end="")

    def download(self, what: str, done: int, total: int | None) -> None:
        """Show how far a download is; `done` and `total` are bytes."""
        if self.terminal:
            if self._bar is None:
                self._bar = DownloadBar(self._console)
            self._bar.show(what, done, total)
            return
        percent = done * 100 // total if total else 0
        if percent >= self._told + TELL_EVERY or (percent < self._told and done):
            self._told = percent - percent % TELL_EVERY
            of = f" {percent} % of {size(total)}" if total else ""
            say(f"{what}{of}", prefix="")

    def quiet(self, *, keep_reasoning: bool = False) -> None:
        """Take away what moves, before anything else is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if self._in_reasoning and not keep_reasoning:
            self._in_reasoning = False
            self._dim("")

    def _dim(self, text: str, end: str = "\n") -> None:
        if not self.terminal:
            say(text, prefix="", end=end)
            return
        with suppress(OSError):
            self._console.print(
                text.translate(VISIBLE),
                end=end,
                style="dim",
                markup=False,
                highlight=False,
                emoji=False,
                soft_wrap=True,
            )

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console  # noqa: PLC0415 - 60 ms that a plain answer need not pay

        return Console(stderr=True)


class DownloadBar:
    """A bar with bytes, speed and the time that remains."""

    def __init__(self, console: Console) -> None:
        """Show it from now on."""
        from rich import progress  # noqa: PLC0415 - needed for downloads only

        self._progress: Progress = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            auto_refresh=False,  # it moves when there is news, without a thread
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        self._task: TaskID | None = None
        self._progress.start()

    def show(self, what: str, done: int, total: int | None) -> None:
        """Move it."""
        if self._task is None:  # what was there before is not part of the speed
            self._task = self._progress.add_task(what, total=total, completed=done)
        self._progress.update(self._task, description=what, completed=done, total=total, refresh=True)

    def close(self) -> None:
        """Take it away."""
        with suppress(OSError):
            self._progress.stop()


def say(sentence: str, *, prefix: str = "ai-chat: ", end: str = "\n") -> None:
    """Say a sentence on stderr, if there is one."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{prefix}{sentence.translate(VISIBLE) if sys.stderr.isatty() else sentence}{end}")
        sys.stderr.flush()
    except OSError:
        _forget(2)
    except UnicodeEncodeError:  # an encoding that was set with strict handling
        sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        say(sentence, prefix=prefix, end=end)


def size(count: int) -> str:
    """Write a number of bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e6:.1f} MB"


def table(rows: list[tuple[Any, ...]]) -> str:
    """Put rows into columns; the last one is as long as it likes."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    return "".join(f"{line}\n" for line in lines)


def _columns(text: str) -> int:
    """Give how many columns of a terminal a text takes: characters of Chinese take two."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(character) in {"W", "F"} else not combining(character) for character in text)


def _encoding() -> str:
    """Give stdout's encoding; UTF-8 in place of ASCII, which is only what nobody has set."""
    name = getattr(sys.stdout, "encoding", None) or "utf-8"
    return "utf-8" if codecs.lookup(name).name == "ascii" else name


def _forget(descriptor: int) -> None:
    """Let what is left in a buffer go nowhere, so that the interpreter does not complain on its way out."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
