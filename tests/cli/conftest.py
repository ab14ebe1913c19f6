"""What tests of the command share: an upstream, and the environment in which it is the one to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cli.child import environment
from tests.upstream import Upstream


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """An upstream that says Hello; a test gives it other `replies`."""
    async with Upstream() as server:
        yield server


@pytest.fixture
def env(clean_environment: Path, upstream: Upstream) -> dict[str, str]:
    """The environment of a child whose default model is the upstream's."""
    return environment(clean_environment, OPENAI_BASE_URL=upstream.url)


@pytest.fixture
def settings(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The same environment in this process."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return env
