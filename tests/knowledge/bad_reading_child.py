"""The child that reads files, but one that does what a file says: for tests of what files do to it."""

from __future__ import annotations

import os
import signal
import sys
import time

from ai_chat.core.knowledge import Extract
from ai_chat.knowledge import reading_child
from ai_chat.knowledge.child_side import serve
from ai_chat.knowledge.parsing import parse


def recurse(depth: int) -> int:
    return recurse(depth + 1)


def parse_or_do(data: bytes, *, name: str, most_characters: int) -> Extract:
    does = data.decode().removeprefix("DO ") if data.startswith(b"DO ") else ""
    if does == "sleep":
        time.sleep(600)
    elif does in {"abort", "kill"}:
        os.kill(os.getpid(), {"abort": signal.SIGABRT, "kill": signal.SIGKILL}[does])
    elif does == "exit":
        sys.stdout.flush()
        os._exit(3)
    elif does == "raise":
        raise OSError("a disk broke")
    elif does == "fill":
        return Extract(text=" " * (2**30), sections=(), kind="txt")
    elif does == "recurse":
        recurse(0)
    elif does == "miss":
        raise ModuleNotFoundError("No module named 'no_such_library'", name="no_such_library")
    return parse(data, name=name, most_characters=most_characters)


if __name__ == "__main__":
    reading_child.parse = parse_or_do
    serve(reading_child.answer)
