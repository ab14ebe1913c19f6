"""Free memory, read from made-up kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_chat.providers.memory import free_memory

MEMINFO = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n"}
V2 = {"proc/self/cgroup": "0::/a/b\n"}
V1 = {"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a\n"}
NO_LIMIT = str(2**63 - 4096)


@pytest.mark.parametrize(
    ("files", "free"),
    [
        pytest.param({}, None, id="nothing known"),
        pytest.param(MEMINFO, 8_192_000, id="the machine alone"),
        pytest.param(
            {**MEMINFO, **V2, "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "5\n"},
            8_192_000,
            id="v2, no limit",
        ),
        pytest.param(
            {
                **MEMINFO,
                **V2,
                "sys/fs/cgroup/a/memory.max": "1000\n",
                "sys/fs/cgroup/a/memory.current": "700\n",
                "sys/fs/cgroup/a/memory.stat": "anon 600\ninactive_file 50\n",
            },
            350,
            id="v2, a group above is tight",
        ),
        pytest.param(
            {**MEMINFO, **V2, "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1200\n"},
            0,
            id="v2, inside a container, over its limit",
        ),
        pytest.param(
            {
                **MEMINFO,
                **V1,
                "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n",
                "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "400\n",
                "sys/fs/cgroup/memory/a/memory.stat": "inactive_file 1\ntotal_inactive_file 100\n",
            },
            700,
            id="v1",
        ),
        pytest.param(
            {
                **MEMINFO,
                **V1,
                "sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT,
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "400\n",
            },
            8_192_000,
            id="v1, no limit",
        ),
        pytest.param({"proc/meminfo": "rubbish", "proc/self/cgroup": "0::/../..\nrubbish"}, None, id="rubbish"),
    ],
)
def test_free_memory(tmp_path: Path, files: dict[str, str], free: int | None) -> None:
    """The tightest of the machine and every group around us counts; what cannot be read does not."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert free_memory(tmp_path) == free


def test_free_memory_here() -> None:
    """A real machine tells something sensible, or nothing."""
    free = free_memory()
    assert free is None or 0 <= free < 2**50
