"""CPU that importing the library and asking the command for help take, over an empty interpreter in the same run.

    uv run python benchmarks/startup.py

Bytecode is warm. Aims: `import ai_chat` 120 ms over the empty interpreter, `ai-chat --help` 400 ms in all.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from floors import table

ROUNDS = 9
HEAVY = ("sqlalchemy", "fastapi", "streamlit", "numpy", "openai", "xllamacpp")
COMMAND = str(Path(sys.executable).with_name("ai-chat"))
CASES = {
    "empty interpreter": (sys.executable, "-c", "pass"),
    "import ai_chat": (sys.executable, "-c", "import ai_chat"),
    "from ai_chat import Chat": (sys.executable, "-c", "from ai_chat import Chat"),
    "ai-chat --version": (COMMAND, "--version"),
    "ai-chat --help": (COMMAND, "--help"),
}


def measure(command: tuple[str, ...]) -> tuple[float, float]:
    """Give CPU and wall milliseconds of one run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu * 1000, (ended - began) * 1000


def heavy_imports() -> list[str]:
    """Give the heavy modules that loading the client pulls in."""
    code = f"import sys; from ai_chat import Chat; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run((sys.executable, "-c", code), check=True, capture_output=True, text=True)
    return [found.stdout.strip()]


def main() -> None:
    """Measure in turns, so that noise meets all alike."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for number in range(ROUNDS + 1):
        for name, command in CASES.items():
            figure = measure(command)
            if number:  # the first round writes bytecode
                times[name].append(figure)
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in times.items()}
    floor = medians["empty interpreter"]
    table(
        "start-up, ms",
        ("what", "CPU", "over empty", "wall"),
        [(name, f"{cpu:.0f}", f"{cpu - floor[0]:.0f}", f"{wall:.0f}") for name, (cpu, wall) in medians.items()],
    )
    print("heavy modules loaded with the client:", *heavy_imports())


if __name__ == "__main__":
    main()
