"""Runs in which tools are called: what their readers see, and what the store keeps."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.chat.test_runs import home, read, running, text_in  # noqa: F401 - `home` is a fixture
from tests.chat.test_tool_loop import WEATHER, Box

from ai_chat.core.errors import BadRequest, NotFound
from ai_chat.core.messages import check_order
from ai_chat.providers.scripted import call_steps


def having(box):
    def toolbox(names):
        if list(names) != ["weather"]:
            raise BadRequest(f"There is no tool {names[0]!r}.", param="tools")
        return box

    return toolbox


async def test_each_call_is_an_event_and_is_kept(home):  # noqa: F811
    """Readers see it begin and end between the texts; the store has it with its arguments, result and time."""
    script = call_steps(("weather", '{"city": "Oslo"}'), text="Let me look.")
    async with running(home, script, "It is cold", toolbox=having(Box())) as runs:
        run = await runs.ask("Weather?", tools=["weather"])
        events = await read(runs, run)
    kinds = [event.kind for event in events]
    assert kinds == ["run", "text", "tool_call", "tool_result", "text", "usage", "done"]
    call, result = (event.data for event in events if event.kind.startswith("tool"))
    assert (call["name"], json.loads(call["arguments"])) == ("weather", {"city": "Oslo"})
    assert (result["id"], result["content"], result["error"]) == (call["id"], 'told {"city": "Oslo"}', None)

    answer = await home.turn(run.id)
    assert answer.text == text_in(events) == "Let me look.\n\nIt is cold"
    assert answer.steps[0].results[0].content == 'told {"city": "Oslo"}'
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (4, 4)


async def test_the_store_tells_the_same(home):  # noqa: F811
    """A reader that comes when the run is forgotten gets the same events from the store."""
    async with running(home, WEATHER, "It is cold", toolbox=having(Box())) as runs:
        run = await runs.ask("Weather?", tools=["weather"])
        events = await read(runs, run)
    async with running(home) as later:
        stored = await read(later, run)
    assert [event.kind for event in stored] == [event.kind for event in events]
    assert [event.data for event in stored if event.kind == "tool_result"] == [
        event.data for event in events if event.kind == "tool_result"
    ]


async def test_tools_stay_with_the_conversation(home):  # noqa: F811
    """They hold until they are changed, an empty choice takes them away, and what was called is sent again."""
    async with running(home, WEATHER, "cold", "a", "b", toolbox=having(Box())) as runs:
        run = await runs.ask("Weather?", tools=["weather"])
        await read(runs, run)
        for tools in (None, []):
            following = await runs.ask("And?", conversation=run.conversation, tools=tools)
            await read(runs, following)
        sent = runs.scripted.requests
    assert [bool(request.tools) for request in sent] == [True, True, True, False]
    assert [message.role for message in sent[2].messages] == ["user", "assistant", "tool", "assistant", "user"]
    check_order(sent[3].messages)


async def test_a_tool_that_is_not_there(home):  # noqa: F811
    """It is refused before anything is kept."""
    async with running(home, "a", toolbox=having(Box())) as runs:
        with pytest.raises(BadRequest, match="'rain'"):
            await runs.ask("Weather?", tools=["rain"])
    assert not await home.list()


async def test_stop_in_a_tool(home):  # noqa: F811
    """The tool ends, the call is kept without a result, and the conversation can go on."""
    box = Box(seconds=60)
    async with running(home, WEATHER, "fine", toolbox=having(box)) as runs:
        run = await runs.ask("Weather?", tools=["weather"])
        await until(lambda: run.log.newest("tool_call") is not None)
        assert await runs.stop(run.id) == "stopped"
        answer = await home.turn(run.id)
        again = await runs.ask("Never mind", conversation=run.conversation, tools=[])
        await read(runs, again)
        check_order(runs.scripted.requests[-1].messages)
    assert (answer.state, answer.text, len(box.cancelled)) == ("stopped", "", 1)
    assert [len(step.results) for step in answer.steps] == [0]
    assert (await home.turn(again.id)).text == "fine"


@pytest.mark.parametrize("allow", [True, False])
async def test_a_tool_that_asks_first(home, allow):  # noqa: F811
    """The readers are told, and somebody's word decides."""
    box = Box(careful=True)
    async with running(home, WEATHER, "ok", toolbox=having(box)) as runs:
        run = await runs.ask("Weather?", tools=["weather"])
        await until(lambda: bool(run.asking))
        (call,) = run.asking
        notice = run.log.newest("notice")
        assert (notice.data["kind"], notice.data["data"]) == ("confirm", {"call": call})
        runs.decide(run.id, call, allow=allow)
        await read(runs, run)
        with pytest.raises(NotFound):
            runs.decide(run.id, call, allow=allow)
    assert len(box.ran) == allow


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
