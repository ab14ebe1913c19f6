"""Stands in for the engine's library in a child: it does what the model's file says, behind the first four bytes."""

import http.client  # noqa: F401 - the folder of the child's script has a module of that name
import json
import os
import sys
import time
from pathlib import Path


class _Fields:
    """Takes any field, as the library's parameters take theirs."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class CommonParams(_Fields):
    def __init__(self):
        super().__init__(model=_Fields(), cpuparams=_Fields(), cpuparams_batch=_Fields())


class Server:
    listening_address = "http://127.0.0.1:1"

    def __init__(self, params):
        what = Path(params.model.path).read_text()[4:].strip()
        os.write(1, b"the library prints where it likes\n")
        if what == "tell":
            told = {name: value for name, value in vars(params).items() if isinstance(value, (int, list))}
            told |= {"argv": sys.argv, "environ": dict(os.environ), "threads": params.cpuparams.n_threads}
            os.write(2, json.dumps(told).encode())
        elif what == "chatter":
            os.write(2, b"x" * 500_000 + b"the last words")
        elif what == "fail":
            os.write(2, b"0.00 E llama_model_load: error loading model: tensor 'a' is not within the file bounds\n")
            raise RuntimeError("Failed to init server, please check the input params.")
        elif what == "fail silently":
            raise RuntimeError("Failed to init server, please check the input params.")
        elif what == "load for ever":
            os.write(2, b"loading")
            time.sleep(3600)
        elif what == "lack":
            raise ModuleNotFoundError("No module named 'xllamacpp'", name="xllamacpp")
        elif what == "crash":
            os.write(2, b"GGML_ASSERT(something) failed\n\n")
            os.abort()
