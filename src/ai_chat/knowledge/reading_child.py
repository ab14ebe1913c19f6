"""The process in which files are read and cut: whatever a file does to it, it does to nothing else.

`reading.py` runs this file as a script and asks it for one file after the other.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from ai_chat.core.knowledge import Chunk, Extract
from ai_chat.knowledge.child_side import serve
from ai_chat.knowledge.cut import Cut
from ai_chat.knowledge.parsing import parse
from ai_chat.knowledge.refusals import Unreadable, damaged, too_large

READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Without blocking: a pipe that took the file's place would never open."""


INSTALL = 'install it with `pip install "ai-chat-app[knowledge]"` and add it again'


def answer(question: dict[str, Any], _: bytes) -> tuple[dict[str, Any], bytes]:
    """Read the file of a question; the answer holds the text, or why there is none."""
    try:
        data = contents(question["path"], question["most_bytes"])
        extract = parse(data, name=question["name"], most_characters=question["most_characters"])
        del data
        from ai_chat.knowledge.chunking import chunks_of  # noqa: PLC0415 - after the first file that needs it

        return told(extract, chunks_of(extract, Cut(**question["cut"])))
    except Unreadable as why:
        return refusal(why)
    except MemoryError:
        return {"out_of_memory": True}, b""
    except ModuleNotFoundError as error:
        return refusal(Unreadable("unsupported", f"needs {error.name}, which is not installed", INSTALL))
    except (RecursionError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError) as error:
        # A parser that trips over a file. What else it raises ends this process, and is told as that.
        return refusal(damaged(f"cannot be read ({type(error).__name__})"))


def refusal(why: Unreadable) -> tuple[dict[str, Any], bytes]:
    """Give a refusal as it is sent."""
    return {"refusal": why.refusal, "problem": why.problem, "mend": why.mend}, b""


def contents(path: str, most_bytes: int) -> bytes:
    """Read a regular file.

    Raises:
        Unreadable: it is none, cannot be read or is too large.
    """
    try:
        with open(os.open(path, READ), "rb") as file:  # noqa: PTH123 - a path would be opened in a blocking way
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("unreadable", "is no regular file", "add a file that is one")
            if status.st_size > most_bytes:
                raise too_large(status.st_size, most_bytes)
            return file.read(most_bytes)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unreadable("unreadable", f"cannot be read ({why})", "check that it is there and may be read") from error


def told(extract: Extract, chunks: tuple[Chunk, ...]) -> tuple[dict[str, Any], bytes]:
    """Give an answer as it is sent: numbers and headings in one table, and behind it the text, once."""
    table = {
        "kind": extract.kind,
        "encoding": extract.encoding,
        "title": extract.title,
        "pages": extract.pages,
        "sections": [(s.start, s.end, s.heading, s.page) for s in extract.sections],
        "chunks": [(c.start, c.end, c.heading, c.page) for c in chunks],
    }
    head = json.dumps(table, ensure_ascii=False).encode()
    return {"table_bytes": len(head)}, head + extract.text.encode()


if __name__ == "__main__":
    serve(answer)
