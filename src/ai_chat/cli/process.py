"""How the command runs: one loop in the main thread, signals that cancel its work, failures as sentences and codes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

from ..core.errors import BadRequest, ChatError, SettingsError
from .printing import OutputClosed, OutputFailed, say

FAILED = 1
MISUSED = 2
INTERRUPTED = 130
PIPE_CLOSED = 141
"""What a shell shows for a tool whose reader has gone, as in `ai-chat ask … | head -1`."""
CLOSING_SECONDS = 10.0
"""How long everything may take to close after a signal; then the process just ends."""

Work = Callable[["Interrupts"], Coroutine[Any, Any, int]]


class Leave(Exception):
    """The person wants to leave."""

    def __init__(self, code: int = 0) -> None:
        """Leave with that exit code."""
        super().__init__(code)
        self.code = code


class Interrupts:
    """What SIGINT, SIGTERM and SIGHUP do: the first cancels the work, so that all is closed; the next ends at once."""

    def __init__(self) -> None:
        """Nothing is caught yet."""
        self.code: int | None = None
        """The exit code that a signal asked for; None while none has come."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[int] | None = None
        self._smaller: Callable[[], object] | None = None
        self._blocked = False

    @contextmanager
    def cancelling(self, work: asyncio.Task[int]) -> Iterator[None]:
        """Have signals cancel `work` while this is open."""
        self._loop, self._work = work.get_loop(), work
        numbers = [signal.SIGINT, signal.SIGTERM]
        hangup = getattr(signal, "SIGHUP", None)  # not on Windows
        if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:  # which nohup has set
            numbers.append(hangup)
        before = {number: signal.signal(number, self._handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def diverted(self, stop: Callable[[], object]) -> Iterator[None]:
        """Have one SIGINT call `stop` instead, as long as this is open; a second one ends the work all the same."""
        self._smaller = stop
        try:
            yield
        finally:
            self._smaller = None

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Let signals break into a system call that may block for ever, such as a write to a pipe nobody reads.

        Raises:
            CancelledError: one did.
        """
        try:
            self._blocked = True
            yield
        except KeyboardInterrupt:
            raise asyncio.CancelledError from None
        finally:
            self._blocked = False

    def _handle(self, number: int, _: FrameType | None) -> None:
        stop: Callable[[], object] = self._cancel
        if number == signal.SIGINT and self._smaller is not None:
            stop, self._smaller = self._smaller, None
        elif self.code is None:
            self.code = 128 + number
            self._later(self._bound_closing)
        else:
            _end_at_once(self.code)
            return
        if self._blocked:
            raise KeyboardInterrupt  # which cancels by itself
        self._later(stop)

    def _later(self, action: Callable[[], object]) -> None:
        """Do it on the loop: a handler runs between any two lines."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(action)

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _bound_closing(self) -> None:
        if self._loop is not None:
            self._loop.call_later(CLOSING_SECONDS, _end_at_once, self.code or INTERRUPTED)


def run(work: Work) -> int:
    """Run the work on a loop of its own and give its exit code; what it raises is told in a sentence."""
    interrupts = Interrupts()

    async def caught() -> int:
        with interrupts.cancelling(cast("asyncio.Task[int]", asyncio.current_task())):
            try:
                return await work(interrupts)
            except KeyboardInterrupt:  # at the edge of `blocking`
                raise asyncio.CancelledError from None
            except Exception as error:  # noqa: BLE001 - this is the last place where anything can be told
                return report(error)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            code = runner.run(caught())
        except asyncio.CancelledError:
            code = interrupts.code or INTERRUPTED
        if interrupts.code is not None:
            # All of ours is closed. What is left are threads in the system's resolver, which nobody can interrupt.
            _end_at_once(interrupts.code)
        return code


def report(error: Exception) -> int:
    """Tell what went wrong, in one sentence on stderr, and give the exit code."""
    if isinstance(error, OutputClosed):
        return PIPE_CLOSED
    if isinstance(error, ChatError):
        say(error.message)
        return MISUSED if isinstance(error, (BadRequest, SettingsError)) else FAILED
    if isinstance(error, OutputFailed):
        say(str(error))
        return FAILED
    if isinstance(error, ModuleNotFoundError) or sys.flags.dev_mode:
        raise error  # what is missing is told where the command starts
    say(f"This is a fault of ai-chat ({type(error).__name__}); please report what PYTHONDEVMODE=1 shows of it.")
    return FAILED


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


def _end_at_once(code: int) -> None:
    """End now. The embedded model's child sees its input close and ends too."""
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(2, b"\x1b[?25h")  # a progress bar hides the cursor
    os._exit(code)
