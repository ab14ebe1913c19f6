"""How much memory a new model may take, as the kernel and the container see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

UNLIMITED = 2**60
"""The first version of control groups writes a number above this where there is no limit."""


def free_memory(root: Path = Path("/")) -> int | None:
    """Give the bytes that a process here can still take without swapping; None where nobody says."""
    found = [free for free in (_of_machine(root), *_of_groups(root)) if free is not None]
    return min(found) if found else None


def _of_machine(root: Path) -> int | None:
    match = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _of_groups(root: Path) -> Iterator[int | None]:
    """Look at each group from our own up to the top: any of them may be the one that is tight."""
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        top = mount / "memory" if controllers else mount
        group = top.joinpath(*[part for part in path.split("/") if part not in {"", ".."}])
        while True:
            yield _left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield _left(group, "memory.max", "memory.current", "inactive_file")
            if group == top:
                break
            group = group.parent


def _left(group: Path, limit: str, used: str, reclaimable: str) -> int | None:
    most, now = _read(group / limit).strip(), _read(group / used).strip()
    if not most.isdigit() or not now.isdigit() or int(most) >= UNLIMITED:
        return None
    match = re.search(rf"^{reclaimable} (\d+)$", _read(group / "memory.stat"), re.MULTILINE)
    return max(0, int(most) - int(now) + (int(match[1]) if match else 0))


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
