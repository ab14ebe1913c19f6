"""Answers in which the model calls tools and goes on with what they gave."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal

import pytest
from tests.doubles import Words, to

from ai_chat.chat.answer import complete
from ai_chat.chat.counting import Counts
from ai_chat.chat.session import Session, SessionParts
from ai_chat.chat.tool_loop import ToolUse
from ai_chat.core.errors import BadRequest, RateLimited, ServerFailed
from ai_chat.core.events import ChoiceFinished, Finished, Started, TextDelta, ToolEnded, ToolStarted, UsageReported
from ai_chat.core.messages import Message, ToolCall, ToolResult, check_order
from ai_chat.core.request import Call, ChatRequest, Timeouts, ToolSpec, Trail
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted, call_steps

WEATHER = call_steps(("weather", '{"city": "Oslo"}'))


class Box:
    """Tools that say what they were asked, some slowly."""

    def __init__(self, *, seconds: float = 0.0, careful: bool = False) -> None:
        self.seconds = seconds
        self.careful = careful
        self.ran: list[str] = []
        self.cancelled: list[str] = []

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return (ToolSpec(name="weather", parameters={"type": "object"}),)

    def asks_first(self, name: str) -> bool:
        return self.careful

    async def run(self, call: ToolCall) -> ToolResult:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(call.id)
            raise
        self.ran.append(call.arguments)
        return ToolResult(call_id=call.id, name=call.name, content=f"told {call.arguments}", seconds=self.seconds)


def talking(*scripts, box: Box | None = None, window: int | None = None, **use) -> Session:
    scripted = Scripted(*scripts)
    handler = pipeline.build(
        Dispatch(to(scripted), timeouts=Timeouts(), counter=Words(), price=lambda *_: Decimal("0.5")), log=None
    )
    parts = SessionParts(
        handler=handler,
        make_call=lambda request, on_notice: Call(request=request, trail=Trail(trace_id="t"), on_notice=on_notice),
        counts=Counts(Words(), str),
        window_of=lambda _: window,
    )
    template = ChatRequest(model="m", messages=(Message(role="user", content="-"),))
    session = Session(parts, template, tools=ToolUse(box=box or Box(), **use))
    session.scripted = scripted
    return session


async def test_a_tool_is_run_and_the_answer_goes_on(no_leaks):
    """The result is sent back behind its call, and the answer has the usage, the cost and the tries of both rounds."""
    session = talking(WEATHER, "It is cold")
    result = await session.complete("Weather in Oslo?")

    first, second = session.scripted.requests
    assert (first.tools, second.tools) == (Box().specs, Box().specs)
    assert [message.role for message in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[2].content == 'told {"city": "Oslo"}'
    assert result.text == "It is cold"
    assert (result.usage.input_tokens, result.usage.output_tokens) == (4, 4)
    assert (result.report.tries, result.report.cost) == (2, Decimal("1.0"))
    (step,) = result.steps
    assert (step.message.tool_calls[0].name, step.results[0].content) == ("weather", 'told {"city": "Oslo"}')


async def test_what_was_said_is_kept_with_calls_and_results(no_leaks):
    """The next question is sent with all of it, and every call has its result."""
    session = talking(WEATHER, "It is cold", "Bye")
    await session.complete("Weather in Oslo?")
    await session.complete("Thanks")
    sent = session.scripted.requests[-1].messages
    assert [message.role for message in sent] == ["user", "assistant", "tool", "assistant", "user"]
    check_order(sent)


async def test_a_stream_begins_and_ends_once(no_leaks):
    """To its reader it is one answer: its text, its tools, one end, one usage."""
    session = talking(call_steps(("weather", "{}"), text="Let me look."), "It is cold")
    async with session.stream("Weather?") as answer:
        events = [event async for event in answer]
    kinds = [type(event) for event in events]
    for kind in (Started, ChoiceFinished, UsageReported, Finished, ToolStarted, ToolEnded):
        assert kinds.count(kind) == 1
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Let me look.It is cold"
    assert kinds.index(ToolStarted) < kinds.index(ToolEnded) < kinds.index(ChoiceFinished)
    assert answer.whole
    assert answer.result.steps[0].message.text == "Let me look."


async def test_the_calls_of_a_round_run_at_once(no_leaks):
    """Five that take a while take no longer than one, and stand in the order of the calls."""
    box = Box(seconds=0.2)
    session = talking(call_steps(*(("weather", f'{{"city": {n}}}') for n in range(5))), "ok", box=box)
    began = time.perf_counter()
    result = await session.complete("All five?")
    assert time.perf_counter() - began < 0.8
    assert [json.loads(call.arguments)["city"] for call in result.steps[0].message.tool_calls] == [0, 1, 2, 3, 4]
    assert [found.content for found in result.steps[0].results] == [f'told {{"city": {n}}}' for n in range(5)]


async def test_a_model_that_calls_for_ever(no_leaks):
    """At the bound of rounds it is asked once without tools; if it still calls, that is an error with what there is."""
    session = talking(WEATHER, WEATHER, WEATHER, "Enough", most_rounds=3)
    result = await session.complete("Weather?")
    assert (result.text, len(result.steps)) == ("Enough", 3)
    assert [request.tool_choice for request in session.scripted.requests] == [None, None, None, "none"]

    stubborn = talking(WEATHER, most_rounds=2)
    answer = stubborn.stream("Weather?")
    with pytest.raises(ServerFailed, match="further tools"):
        await complete(answer)
    assert len(answer.result.steps) == 2
    check_order(stubborn.messages)


async def test_more_calls_than_may_be_made(no_leaks):
    """Those beyond the bound are not run, the model is told, and it must answer."""
    box = Box()
    session = talking(call_steps(*[("weather", "{}")] * 5), "ok", box=box, most_calls=3)
    result = await session.complete("Go")
    assert len(box.ran) == 3
    assert [found.error for found in result.steps[0].results] == [None, None, None, "declined", "declined"]
    assert session.scripted.requests[-1].tool_choice == "none"


async def test_stop_in_the_middle_of_a_tool(no_leaks):
    """The tool is cancelled at once, and what there is stands with its calls answered."""
    box = Box(seconds=60)
    session = talking(WEATHER, "never", box=box)
    async with session.stream("Weather?") as answer:
        async for event in answer:
            if isinstance(event, ToolStarted):
                break
        reading = asyncio.create_task(anext(answer))
        await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.wait({reading})
    assert box.cancelled == ["call_weather_0"]
    assert [step.results for step in answer.result.steps] == [()]
    assert not answer.whole
    check_order(session.messages)
    assert [message.role for message in session.messages] == ["user", "assistant", "tool", "assistant"]


async def test_an_error_in_a_later_round(no_leaks):
    """It is raised, and the steps before it are not lost."""
    session = talking(WEATHER, [RateLimited("Too many.", retry_after=3.0)])
    answer = session.stream("Weather?")
    with pytest.raises(RateLimited):
        await complete(answer)
    assert len(answer.result.steps) == 1
    check_order(session.messages)


@pytest.mark.parametrize(("word", "ran"), [(True, 1), (False, 0), (None, 0)])
async def test_a_tool_with_side_effects_asks_first(no_leaks, word, ran):
    """It runs on a person's word only; without anybody to ask it does not run, and the model is told."""
    box = Box(careful=True)

    async def confirm(call: ToolCall) -> bool:
        assert call.name == "weather"
        return bool(word)

    session = talking(WEATHER, "ok", box=box, confirm=None if word is None else confirm)
    result = await session.complete("Weather?")
    assert len(box.ran) == ran
    assert result.steps[0].results[0].error == (None if word else "declined")


async def test_calls_without_names_of_their_own(no_leaks):
    """Ids that are missing or stand twice are made different: each result belongs to one call."""
    alike = [
        event if getattr(event, "id", None) in {None, "chatcmpl-scripted"} else type(event)(**_renamed(event))
        for event in call_steps(("weather", "{}"), ("weather", "[]"))
    ]
    session = talking(alike, "ok")
    result = await session.complete("Weather?")
    names = [call.id for call in result.steps[0].message.tool_calls]
    assert len(set(names)) == 2
    assert [found.call_id for found in result.steps[0].results] == names


def _renamed(event):
    return {"index": event.index, "id": "same", "name": event.name, "arguments": event.arguments}


async def test_the_window_never_parts_a_call_from_its_result(no_leaks):
    """Old turns go, the present one stays whole, in every round."""
    session = talking("one", WEATHER, "two", window=300)
    await session.complete("word " * 150)
    await session.complete("word " * 100)
    assert len(session.scripted.requests[-1].messages) == 3
    check_order(session.scripted.requests[-1].messages)


async def test_several_choices_cannot_have_tools(no_leaks):
    """It is refused before anything is sent."""
    session = talking("one")
    session._template = ChatRequest(model="m", messages=(Message(role="user", content="-"),), n=2)
    with pytest.raises(BadRequest, match="n is 2"):
        session.stream("Hi")
