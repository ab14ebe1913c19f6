"""What the benchmarks share: a fast upstream in C, CPU time of this process, a table."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MOCK = Path(__file__).parent / "upstream" / "mock.c"


@contextmanager
def mock_upstream() -> Iterator[str]:
    """Compile and run the mock on a free loopback port; give its base URL."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("this benchmark needs a C compiler (gcc) for its upstream; install one")
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "mock"
        subprocess.run([compiler, "-O2", "-o", binary, MOCK], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        child = subprocess.Popen([binary, str(port)])
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            child.kill()
            child.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit("the mock upstream did not start")


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
