"""Why a file is not taken, in one sentence that names it, what is wrong with it and the mend."""

from __future__ import annotations

from ..core.errors import DocumentRefused
from ..core.knowledge import Refusal

SAVE_AGAIN = "save it anew with the program it comes from and add it again"
MIB = 2**20


class Unreadable(Exception):
    """What a parser says of bytes that it cannot read; it does not know what their file is called."""

    def __init__(self, refusal: Refusal, problem: str, mend: str) -> None:
        """Keep the parts of the sentence.

        Args:
            refusal: the code.
            problem: to go on a sentence that begins with the file, such as `is locked with a password`.
            mend: what to do about it, as an order.
        """
        super().__init__(problem, mend)
        self.refusal = refusal
        self.problem = problem
        self.mend = mend


def sentence(name: str, problem: str, mend: str) -> str:
    """Put the parts together; a name is shown so that no character of it can break the line."""
    return f"The file {name!r} {problem}; {mend}."


def refused(name: str, why: Unreadable) -> DocumentRefused:
    """Make the error that callers get."""
    return DocumentRefused(sentence(name, why.problem, why.mend), refusal=why.refusal)


def damaged(problem: str) -> Unreadable:
    """Say that a file is not whole."""
    return Unreadable("damaged", problem, SAVE_AGAIN)


def too_long(most_characters: int) -> Unreadable:
    """Say that there is more text in a file than is taken."""
    return Unreadable(
        "too_long", f"holds more than the {most_characters:,} characters that are taken", "split it into several files"
    )


def too_large(size: int, most_bytes: int) -> Unreadable:
    """Say that a file has more bytes than are taken."""
    return Unreadable(
        "too_large",
        f"has {_mebibytes(size)} and files may have {_mebibytes(most_bytes)}",
        "split it, or save its text as a file of its own",
    )


def empty() -> Unreadable:
    """Say that there is no text in a file."""
    return Unreadable("empty", "holds no text", "add a file that has some")


def _mebibytes(size: int) -> str:
    return f"{size / MIB:,.1f} MiB" if size >= MIB // 10 else f"{size:,} bytes"
