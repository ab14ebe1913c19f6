"""The process that the embedded engine runs in: it loads one model, serves it on loopback, and ends with its parent.

`engine.py` runs this file as a script. It imports nothing of the package, so it starts fast, and no module of this
folder can stand in for one of the standard library's.

The first line of standard input is a JSON object with the options and the key, which so stand in no command line and no
environment. The answer is one line on standard output: `{"ready": address}`, `{"missing": library}` or
`{"failed": reason}`. What else the engine says goes to standard error. Standard input then stays open for as long as
the parent lives.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1


def main() -> NoReturn:
    """Serve until the parent ends or closes our standard input."""
    end_with_parent()
    options = json.loads(sys.stdin.buffer.readline() or b"null")
    if options is None:
        os._exit(0)  # the parent has gone already
    answers = os.dup(1)
    os.dup2(2, 1)  # native code may print what it likes: it lands in the log
    threading.Thread(target=leave_at_end_of_input, daemon=True).start()
    try:
        server = load(options)  # it serves as long as this object lives
        told = {"ready": str(server.listening_address)}
    except ModuleNotFoundError as error:
        told = {"missing": error.name or "?"}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent wants to know
        told = {"failed": f"{type(error).__name__}: {error}"}
    os.write(answers, json.dumps(told).encode() + b"\n")
    if "ready" not in told:
        sys.stderr.flush()
        os._exit(1)
    while True:
        threading.Event().wait()


def end_with_parent() -> None:
    """Ask the kernel to kill us when the thread that started us ends. Only Linux can; see `leave_at_end_of_input`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def leave_at_end_of_input() -> NoReturn:
    """End the process when the parent closes our standard input, which the kernel does for it however it ends."""
    while os.read(0, 4096):
        pass
    os._exit(0)


def load(options: dict[str, Any]) -> Any:
    """Load the model and serve it; give the server once it can answer."""
    import xllamacpp  # noqa: PLC0415 - after the kernel knows to end us with our parent

    params = xllamacpp.CommonParams()
    params.model.path = options["path"]
    params.model_alias = {options["name"]}  # else answers name the file's path
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [options["key"]]
    # Each slot has a window of its own. One window for all (`kv_unified`) ends every answer in progress when together
    # they fill it.
    params.n_ctx = options["context"] * options["parallel"]
    params.n_parallel = options["parallel"]
    params.kv_unified = False
    params.cpuparams.n_threads = options["threads"]
    params.cpuparams_batch.n_threads = options["batch_threads"]
    params.n_batch = params.n_ubatch = options["batch"]
    params.cache_ram_mib = options["cache_mib"]
    params.sleep_idle_seconds = options["sleep_after"]
    params.sse_ping_interval = -1  # a ping is no sign of life of the model, and would end the wait for its first token
    params.offline = True
    params.ui = False
    params.endpoint_slots = False  # it shows what other callers ask
    params.verbosity = 1  # errors
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
