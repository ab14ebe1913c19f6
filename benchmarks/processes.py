"""What the benchmarks of servers share: CPU and memory of a process tree from /proc, ports."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_of(pid: int) -> float:
    """Give the seconds of CPU, user and system, that a process and those it started have used."""
    return sum(int(fields[11]) + int(fields[12]) for fields in map(_stat, _tree(pid))) / TICKS


def memory_of(pid: int) -> float:
    """Give the MB (2^20 bytes) that they hold."""
    return sum(int(fields[21]) for fields in map(_stat, _tree(pid))) * PAGE / 2**20


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, name: str) -> None:
    """Wait until something listens there."""
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"{name} did not start")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _stat(pid: int) -> list[str]:
    """Give the fields behind the name; the first is the state (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
