"""`ai-chat models`."""

from __future__ import annotations

import json

import pytest
from tests.upstream import offering

from ai_chat.cli import models
from ai_chat.cli.process import Interrupts
from ai_chat.core.errors import BadRequest, UnknownModel, WeightsUnavailable

pytestmark = pytest.mark.usefixtures("settings")
NOBODY = Interrupts()


@pytest.fixture
def file(clean_environment):
    """A GGUF file of the user's."""
    path = clean_environment / "mine.gguf"
    path.write_bytes(b"GGUF" + bytes(1000))
    return path


async def listed(capsysbinary):
    await models.list_weights(NOBODY, as_json=True)
    return {row["name"]: row for row in json.loads(capsysbinary.readouterr().out)}


async def test_list_without_weights(capsysbinary):
    """Every known row is listed, with its size and which one `local` means; stdout is only the table."""
    assert await models.list_weights(NOBODY, as_json=False) == 0
    out, err = capsysbinary.readouterr()
    head, *rows = out.decode().splitlines()
    assert head.split() == ["NAME", "FILE", "MEMORY", "INSTALLED", "DEFAULT"]
    assert len(rows) >= 2
    assert sum(row.endswith("yes") for row in rows) == 1
    assert b"The first question fetches" in err


async def test_the_default_can_be_set(capsysbinary, monkeypatch):
    """The row that a setting names is shown as the default."""
    monkeypatch.setenv("AI_CHAT_LOCAL__MODEL", "qwen2.5-coder-0.5b")
    rows = await listed(capsysbinary)
    assert [name for name, row in rows.items() if row["default"]] == ["qwen2.5-coder-0.5b"]


async def test_a_file_of_ones_own(capsysbinary, file):
    """A file that is added is listed, found and removed by its name, with and without `local/`."""
    assert await models.add(NOBODY, file=file, name="toy") == 0
    assert capsysbinary.readouterr().out == b"local/toy\n"
    assert (await listed(capsysbinary))["toy"]["installed"] is True
    await models.path(NOBODY, name="local/toy")
    assert capsysbinary.readouterr().out.decode().rstrip("\n").endswith("toy.gguf")
    await models.remove(NOBODY, name="toy")
    assert capsysbinary.readouterr() == (b"", b"Removed toy.\n")
    assert "toy" not in await listed(capsysbinary)
    assert file.exists()


async def test_what_is_not_here(capsysbinary):
    """A row that is not here has no path, and removing it does nothing."""
    with pytest.raises(WeightsUnavailable):
        await models.path(NOBODY, name="qwen2.5-coder-0.5b")
    await models.remove(NOBODY, name="qwen2.5-coder-0.5b")
    assert capsysbinary.readouterr().err == b"Nothing of qwen2.5-coder-0.5b was here.\n"


@pytest.mark.parametrize("what", ["nothing-like-it", "a\ud800b"])
async def test_a_name_nobody_knows(what):
    """A name that is no row is refused with the names there are."""
    with pytest.raises((UnknownModel, BadRequest)):
        await models.pull(NOBODY, what=what, name=None)


async def test_a_name_for_a_row_that_has_one():
    """`--name` renames files of unknown origin only."""
    with pytest.raises(BadRequest, match="--name goes with a URL"):
        await models.pull(NOBODY, what="qwen2.5-coder-0.5b", name="mine")


async def test_what_a_provider_offers(capsysbinary, upstream):
    """A provider's models are listed as they are named here, in order."""
    upstream.models = offering("b", "a")
    await models.list_offered(NOBODY, provider="openai", as_json=False)
    assert capsysbinary.readouterr().out == b"openai/a\nopenai/b\n"
    await models.list_offered(NOBODY, provider="openai", as_json=True)
    assert json.loads(capsysbinary.readouterr().out)[0] == {"name": "openai/b", "context": None}
