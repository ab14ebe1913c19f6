"""The command `ai-chat`. Nothing dear is imported before it is known what is wanted."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

MISUSED = 2
"""Exit code for bad input and bad settings."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code: 0 fine, 1 the model failed, 2 bad input or settings, 130 Ctrl-C."""
    _open_standard_descriptors()
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, _leave)  # from here to the loop nothing is open yet that would have to be closed
    try:
        from .commands import run  # noqa: PLC0415 - it needs libraries that may be missing

        return run(list(sys.argv[1:] if arguments is None else arguments))
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name == "ai_chat":
            raise
        mend = 'pip install "ai-chat-app[app]"'
        sys.stderr.write(f"ai-chat: The command needs {name}, which is not installed; install it with: {mend}\n")
        return MISUSED
    finally:
        signal.signal(signal.SIGINT, before if arguments is not None else signal.SIG_DFL)  # no trace on the way out


def _open_standard_descriptors() -> None:
    """Let no file or socket of ours get the number of a standard stream that whoever started us has closed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _leave(*_: object) -> None:
    os._exit(130)
