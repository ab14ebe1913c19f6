"""`ai-chat usage`: what the books say."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.cli.child import run
from tests.upstream import Upstream, failing, streamed


@pytest.fixture
async def used(env):
    """The environment of a user whose books have two answers and a refusal."""
    async with Upstream(streamed("Hello"), streamed("Hello"), failing(429)) as upstream:
        theirs = {**env, "OPENAI_BASE_URL": upstream.url}
        assert (await run("ask", "hi", "-m", "m", "-c", "c1", env=theirs)).code == 0
        assert (await run("ask", "hi", "-m", "m", env=theirs)).code == 0
        assert (await run("ask", "hi", "-m", "m", env=theirs)).code == 1
        yield theirs


async def test_what_was_used(used):
    """Each day has a line with its calls and tokens, and all of them a sum; a price that nobody knows is unknown."""
    ended = await run("usage", env=used)
    head, day, total = ended.out.splitlines()
    assert (ended.code, head.split()) == (0, ["day", "calls", "in", "cached", "out", "cost"])
    assert day.split()[1:5] == total.split()[1:5] == ["3", "10", "0", "14"]
    assert "unknown" in total


async def test_for_programs(used):
    """JSON and CSV have every figure, under the same names."""
    answer = json.loads((await run("usage", "--by", "model", "--json", env=used)).out)
    (row,) = answer["rows"]
    assert (row["key"], row["calls"], row["failed"], row["output_tokens"]) == ("openai/m", 3, 1, 14)
    (line,) = csv.DictReader(io.StringIO((await run("usage", "--by", "model", "--csv", env=used)).out))
    assert line == {name: "" if value is None else str(value) for name, value in row.items()}


async def test_by_conversation(used):
    """A conversation is called by its title; what belongs to none stands apart."""
    out = (await run("usage", "--by", "conversation", "--since", "today", env=used)).out
    assert any(line.startswith("hi (c1)") for line in out.splitlines())
    assert any(line.startswith("-") for line in out.splitlines())


async def test_nothing_yet(env):
    """An empty book is told in a sentence."""
    ended = await run("usage", env=env)
    assert (ended.code, ended.out, ended.err) == (0, "", "Nothing has been used yet.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--by", "year"), "must be one of day, model, conversation, caller"), (("--since", "x"), "'x' is no moment")],
)
async def test_what_there_is_not(env, arguments, words):
    """A sum or a moment that there is not is named."""
    ended = await run("usage", *arguments, env=env)
    assert (ended.code, words in ended.sentence) == (2, True)


async def test_a_budget_holds_from_one_command_to_the_next(env):
    """What was spent before is known before anything is asked."""
    async with Upstream(streamed("Hello")) as upstream:
        budgets = '[{"limit": 20, "unit": "tokens"}]'
        theirs = {**env, "OPENAI_BASE_URL": upstream.url, "AI_CHAT_BUDGETS": budgets, "AI_CHAT_MAX_TOKENS": "8"}
        assert (await run("ask", "hi", "-m", "m", env=theirs)).code == 0
        ended = await run("ask", "hi", "-m", "m", env={**theirs, "AI_CHAT_MAX_TOKENS": "9"})
    assert (ended.code, ended.out) == (1, "")
    assert "20 tokens has 8 left" in ended.err
