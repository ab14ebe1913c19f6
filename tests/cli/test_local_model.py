"""The command with the real embedded model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from tests.cli.child import Child, run


@pytest.fixture
def local_env(data_dir_with_weights, clean_environment) -> dict[str, str]:
    """The environment of a child that has the weights and no key."""
    names = ("AI_CHAT_DATA_DIR", "AI_CHAT_LOCAL__MODEL")
    return {"HOME": str(clean_environment), **{name: os.environ[name] for name in names}}


def members(session: int) -> list[str]:
    """Give the processes of a session that are alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, number = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(number) == session and state != "Z":
                found.append(folder.name)
    return found


async def test_the_first_answer(local_env):
    """Without any key, a question is answered by the model on this machine, with true figures."""
    ended = await run("ask", "--json", "--max-tokens", "20", "用一句话介绍北京", env=local_env)
    answer = json.loads(ended.out)
    assert ended.code == 0
    assert any("\u4e00" <= letter <= "\u9fff" for letter in answer["content"])
    assert answer["model"].startswith("local")
    assert 0 < answer["usage"]["output_tokens"] <= 20
    assert answer["usage"]["estimated"] is False
    assert 0 < answer["timings"]["first_token_ms"] <= answer["timings"]["total_ms"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("shown", [("err", "Loading"), ("out", "")], ids=["loading", "answering"])
async def test_no_child_is_left_behind(local_env, number, shown):
    """Whatever ends the command, while it loads or answers, the engine ends with it."""
    where, text = shown
    async with Child("ask", "Count from 1 to 500.", env=local_env, start_new_session=True) as child:
        await child.shows(text, on=where)
        child.interrupt(number)
        ended = await child.ended()
        while members(child.process.pid):
            await asyncio.sleep(0.05)
    assert ended.code == (-number if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in ended.err


async def test_a_message_beyond_the_window(local_env):
    """Ten megabytes are refused with both numbers, and the engine is not even started."""
    ended = await run("ask", env=local_env, stdin=b"a" * 10**7)
    assert ended.code == 2
    assert "the model's window leaves room for" in ended.sentence
