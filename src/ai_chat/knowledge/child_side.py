"""What runs in a child process that `child.py` asks: it answers one question after the other and ends with its parent.

Standard library only, so that a script which imports this starts fast.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

FRAME = struct.Struct(">II")
"""As `child.py` has it."""
PR_SET_PDEATHSIG = 1
Question = tuple[dict[str, Any], bytes]
Answer = Callable[[dict[str, Any], bytes], Question]


def serve(answer: Answer) -> NoReturn:
    """Answer every question, on this thread, until the parent is gone.

    Whatever is slow to load is best loaded by the first question: only from here on it is certain that this process
    ends with its parent, and only from here on its memory is limited.

    Args:
        answer: gets a question's header and body and gives the answer's. What it raises ends the process with code 1
            and a traceback in the log.
    """
    _end_with_parent()
    # Native code may print what it likes: it lands in the log.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(questions,), daemon=True).start()
    try:
        first, _ = questions.get()
        limit_memory(first["memory_bytes"])
        while True:
            told, body = answer(*questions.get())
            head = json.dumps(told).encode()
            answers.write(FRAME.pack(len(head), len(body)) + head)
            answers.write(body)
            answers.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, the process ends here
        traceback.print_exc()
        sys.stderr.flush()
    # The other thread still reads, and Python's own way out would wait for it.
    os._exit(1)


def limit_memory(grow_bytes: int | None) -> None:
    """Let the address space grow by so many bytes and no further. Only Linux can; elsewhere it does nothing.

    What needs more then gets a `MemoryError`, or ends by a signal where native code knows no other way.

    Args:
        grow_bytes: None is without limit.
    """
    if sys.platform != "linux" or grow_bytes is None:
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + grow_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _end_with_parent() -> None:
    """Ask the kernel to kill us when the thread that started us ends. Only Linux can; see `_read`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _read(questions: queue.SimpleQueue[Question]) -> NoReturn:
    """Read questions. When there can be no more, the parent has gone, however it ended, and the process ends too."""
    stream = sys.stdin.buffer
    while len(sizes := stream.read(FRAME.size)) == FRAME.size:
        head_bytes, body_bytes = FRAME.unpack(sizes)
        head, body = stream.read(head_bytes), stream.read(body_bytes)
        if len(head) + len(body) < head_bytes + body_bytes:
            break
        questions.put((json.loads(head), body))
    os._exit(0)
