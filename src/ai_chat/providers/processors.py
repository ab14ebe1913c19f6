"""How many processors this process may use, as the kernel and the container see it."""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable_processors(root: Path = Path("/")) -> int:
    """Give how many processors can work for us at once: a container's quota counts, not the machine it is on."""
    try:
        there = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        there = os.cpu_count() or 1
    quota = _quota(root)
    return max(1, there if quota is None else min(there, math.ceil(quota)))


def _quota(root: Path) -> float | None:
    """Give the processors that the control group is allowed; None is no limit."""
    groups = root / "sys/fs/cgroup"
    words = _read(groups / "cpu.max").split()
    if not words:  # the first version of control groups
        words = [_read(groups / "cpu/cpu.cfs_quota_us"), _read(groups / "cpu/cpu.cfs_period_us")]
    try:
        quota, period = float(words[0]), float(words[1])
    except (ValueError, IndexError):
        return None
    return quota / period if quota > 0 and period > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
