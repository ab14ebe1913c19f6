"""How many processors may be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ai_chat.providers.processors import usable_processors


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lets us run on four processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("files", "count"),
    [
        pytest.param({}, 4, id="no control groups"),
        pytest.param({"cpu.max": "max 100000\n"}, 4, id="no quota"),
        pytest.param({"cpu.max": "200000 100000\n"}, 2, id="two of them"),
        pytest.param({"cpu.max": "150000 100000\n"}, 2, id="one and a half"),
        pytest.param({"cpu.max": "1000 100000\n"}, 1, id="a hundredth"),
        pytest.param({"cpu.max": "1600000 100000\n"}, 4, id="more than there are"),
        pytest.param({"cpu.max": "nonsense"}, 4, id="nonsense"),
        pytest.param({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1, id="version 1"),
        pytest.param({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4, id="version 1, no quota"),
    ],
)
def test_a_containers_quota_counts(tmp_path: Path, files, count):
    """A process in a container takes what the container has, not what the machine has."""
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert usable_processors(tmp_path) == count


def test_where_nobody_says_the_machine_is_asked(tmp_path, monkeypatch):
    """Systems without affinities have a count of processors, or one at least."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_processors(tmp_path) == 1
