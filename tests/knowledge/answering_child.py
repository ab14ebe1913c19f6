"""A child for tests of `Child`: it does what its question says."""

from __future__ import annotations

import os
import signal
import sys
import time

from ai_chat.knowledge.child_side import serve


def answer(header: dict, body: bytes) -> tuple[dict, bytes]:
    what = header["do"]
    if what == "sleep":
        time.sleep(header["seconds"])
    elif what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "raise":
        raise LookupError(header["words"])
    elif what == "fill":
        try:
            body = b"x" * header["bytes"]
        except MemoryError:
            return {"memory": "too little"}, b""
        return {"memory": len(body)}, b""
    elif what == "print":
        os.write(1, b"native chatter\n")
    return {"pid": os.getpid(), "arguments": sys.argv[1:], "echo": header}, body[::-1]


if __name__ == "__main__":
    serve(answer)
