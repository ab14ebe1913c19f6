"""`ai-chat ask` with tools and with a schema, and `ai-chat tools`."""

from __future__ import annotations

import json

import pytest
from tests.cli.child import run
from tests.upstream import Upstream, calling, streamed, whole

REVIEW = {
    "type": "object",
    "properties": {"sentiment": {"enum": ["good", "bad"]}, "confidence": {"type": "number"}},
    "required": ["sentiment", "confidence"],
}


async def test_a_tool_is_run(env):
    """The answer is on stdout, what was called on stderr."""
    async with Upstream(calling(("calculate", '{"expression": "123*456"}')), streamed("It is", " 56088")) as upstream:
        ended = await run("ask", "123*456?", "--tools", "calculate", "-m", "m", env=at(env, upstream))
        sent = upstream.chats
    assert (ended.code, ended.out) == (0, "It is 56088\n")
    assert "calculate (" in ended.err
    assert "56088" in ended.err
    assert [tool["function"]["name"] for tool in sent[0]["tools"]] == ["calculate"]
    assert json.loads(sent[1]["messages"][-1]["content"])["result"] == "56088"


async def test_for_programs(env):
    """The JSON object has each call with its arguments, result and time, and the usage of all rounds."""
    async with Upstream(calling(("calculate", '{"expression": "1/0"}')), whole("No")) as upstream:
        ended = await run("ask", "1/0?", "--tools", "all", "--json", "--no-stream", "-m", "m", env=at(env, upstream))
    answer = json.loads(ended.out)
    (step,) = answer["steps"]
    assert (step["name"], step["error"]) == ("calculate", "failed")
    assert step["ms"] >= 0
    assert answer["usage"]["input_tokens"] == 10
    assert answer["tries"] == 2


async def test_calls_are_kept_with_the_conversation(env):
    """The next question is sent with them."""
    async with Upstream(calling(("calculate", '{"expression": "2+2"}')), whole("4"), whole("bye")) as upstream:
        theirs = at(env, upstream)
        await run("ask", "2+2?", "--tools", "calculate", "-c", "sums", "-m", "m", env=theirs)
        await run("ask", "Thanks", "-c", "sums", "-m", "m", env=theirs)
        roles = [message["role"] for message in upstream.chats[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


async def test_an_answer_that_fits_a_schema(env, tmp_path):
    """Only the JSON value is on stdout; what does not fit is asked for again."""
    (tmp_path / "review.json").write_text(json.dumps(REVIEW))
    good = '{"sentiment": "good", "confidence": 0.9}'
    async with Upstream(whole('{"sentiment": "so so"}'), whole(good)) as upstream:
        theirs = at(env, upstream)
        ended = await run("ask", "Lovely!", "--schema", str(tmp_path / "review.json"), "-m", "m", env=theirs)
        upstream.replies = [whole(good)]
        full = await run("ask", "Lovely!", "--schema", str(tmp_path / "review.json"), "--json", "-m", "m", env=theirs)
    assert (ended.code, json.loads(ended.out)) == (0, json.loads(good))
    assert json.loads(full.out)["parsed"] == json.loads(good)


async def test_no_answer_fits(env, tmp_path):
    """Nothing is printed, the exit code is 1, and the sentence says what was wrong."""
    (tmp_path / "review.json").write_text(json.dumps(REVIEW))
    async with Upstream(whole("I like it")) as upstream:
        theirs = at(env, upstream)
        ended = await run("ask", "Lovely!", "--schema", str(tmp_path / "review.json"), "-m", "m", env=theirs)
    assert (ended.code, ended.out) == (1, "")
    assert "3" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tools", "rain"), "no tool 'rain'"),
        (("--tools", ","), "--tools is empty"),
        (("--schema", "nowhere.json"), "cannot be read"),
    ],
)
async def test_what_there_is_not(env, arguments, words):
    """One sentence, exit code 2."""
    ended = await run("ask", "hi", *arguments, "-m", "openai/m", env=env)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_the_list_of_tools(env, tmp_path):
    """Those of the program, and those of the user's own files."""
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from ai_chat import Tools\n\ntools = Tools()\n\n\n@tools.tool(side_effects=True)\n"
        'def send(text: str) -> str:\n    """Send a text."""\n    return text\n'
    )
    theirs = {**env, "AI_CHAT_TOOLS__FILES": json.dumps([str(mine)])}
    found = json.loads((await run("tools", "--json", env=theirs)).out)
    assert [tool["name"] for tool in found] == [
        "get_current_weather",
        "calculate",
        "get_current_time",
        "search_knowledge_base",
        "send",
    ]
    assert [tool["asks_first"] for tool in found] == [False, False, False, False, True]
    assert "calculate" in (await run("tools", env=theirs)).out
    mine.write_text("boom")
    ended = await run("tools", env=theirs)
    assert (ended.code, ended.out) == (2, "")
    assert "cannot be loaded: NameError" in ended.err


def at(env, upstream):
    return {**env, "OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": "sk-test-0123456789"}
