"""What the suite promises of itself, seen in a small suite that stands on the same ground."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parent.parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider")
"""On the ground of the real suite."""

SUITE = """
import asyncio, os, socket, subprocess, sys
import pytest
import tests.conftest

tests.conftest.SETTLE_SECONDS = 0.05
HERE = ("127.0.0.1", 0)
kept = []

def test_skips():
    pytest.skip("for a reason")

@pytest.mark.xfail
def test_is_expected_to_fail():
    assert False

def test_reaches_out_and_hides_it():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=5)

def test_looks_a_name_up_and_hides_it():
    with pytest.raises(OSError):
        socket.getaddrinfo("example.com", 80)

def test_reaches_out_and_says_so(unplugged):
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=5)
    assert unplugged == ["192.0.2.1"]

def test_reaches_itself():
    with socket.create_server(HERE) as server:
        socket.create_connection(server.getsockname()).close()
        socket.create_connection(("localhost", server.getsockname()[1])).close()

async def test_awaits_itself():
    async with await asyncio.start_server(lambda *_: None, *HERE) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.close()

def test_sees_nothing_of_the_developer():
    assert not {"OPENAI_API_KEY", "HTTPS_PROXY", "AI_CHAT_MODEL", "XDG_DATA_HOME", "OLLAMA_HOST"} & set(os.environ)
    assert os.environ["HOME"] != "/a/home" and not os.listdir()

def test_closes_all(no_leaks):
    subprocess.run([sys.executable, "-c", ""], check=True)
    with socket.create_server(HERE):
        pass

async def test_leaves_a_task(no_leaks):
    kept.append(asyncio.create_task(asyncio.Event().wait()))

def test_leaves_a_child(no_leaks):
    kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

def test_leaves_a_socket(no_leaks):
    kept.append(socket.create_server(HERE))

def test_clears_up():
    kept[1].communicate()
    kept[2].close()
"""


@functools.cache
def _outcomes(ci: str) -> dict[str, str]:
    """Run the small suite with a developer's environment; give each test's outcome."""
    theirs = {"OPENAI_API_KEY": "sk-1", "HTTPS_PROXY": "http://proxy", "AI_CHAT_MODEL": "m", "OLLAMA_HOST": "h"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_small.py").write_text(SUITE)
        Path(folder, "test_skipped_whole.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
        report = Path(folder, "report.xml")
        options = ("-o", "asyncio_mode=auto", "--continue-on-collection-errors", f"--junitxml={report}")
        subprocess.run(
            [*PYTEST, *options, folder],
            cwd=folder,
            env={**os.environ, **theirs, "PYTHONPATH": str(ROOT), "HOME": "/a/home", "AI_CHAT_CI": ci},
            check=False,
        )
        return {_name(case): _outcome(case) for case in ET.parse(report).iter("testcase")}  # noqa: S314 - our own


def _name(case: ET.Element) -> str:
    return case.get("name", "").rpartition(".")[2]


def _outcome(case: ET.Element) -> str:
    kinds = [child.tag if child.get("type") != "pytest.xfail" else "xfailed" for child in case]
    return next((kind for kind in kinds if kind in {"failure", "error", "skipped", "xfailed"}), "passed")


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("test_skips", "failure"),
        ("test_skipped_whole", "error"),
        ("test_is_expected_to_fail", "xfailed"),
        ("test_reaches_out_and_hides_it", "error"),
        ("test_looks_a_name_up_and_hides_it", "error"),
        ("test_reaches_out_and_says_so", "passed"),
        ("test_reaches_itself", "passed"),
        ("test_awaits_itself", "passed"),
        ("test_sees_nothing_of_the_developer", "passed"),
        ("test_closes_all", "passed"),
        ("test_leaves_a_task", "error"),
        ("test_leaves_a_child", "error"),
        ("test_leaves_a_socket", "error"),
        ("test_clears_up", "passed"),
    ],
)
def test_outcomes_in_ci(test: str, outcome: str) -> None:
    """In CI no skip passes; anywhere no reaching out and no leak does."""
    assert _outcomes("1")[test] == outcome


@pytest.mark.parametrize("test", ["test_skips", "test_skipped_whole"])
def test_a_skip_elsewhere_is_a_skip(test: str) -> None:
    """Without AI_CHAT_CI=1 a test may be skipped for what the machine lacks."""
    assert _outcomes("")[test] == "skipped"


HANGS = """
import time
import tests.conftest

tests.conftest.GRACE_SECONDS = 0.5

def test_swallows_what_would_end_it():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


def test_what_hangs_is_ended(tmp_path: Path) -> None:
    """A test that its time limit cannot end takes its process along, and the report says where it hung."""
    tmp_path.joinpath("test_hangs.py").write_text(HANGS)
    ended = subprocess.run(
        [*PYTEST, "-o", "timeout=1", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "in test_swallows_what_would_end_it" in ended.stderr
