"""The embedded model with a real engine and real weights: what it can do, and that it stops when it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.conftest import TEST_MODEL
from tests.doubles import ask
from tests.grammar import all_events, check_grammar
from tests.sources import read_into

from ai_chat.core.errors import BadRequest, ContextTooLong, StreamBroken
from ai_chat.core.events import Batch, TextDelta
from ai_chat.core.folding import Folder, fold
from ai_chat.core.messages import Message, ToolCall
from ai_chat.core.request import Call, ChatRequest, ResponseFormat, Sampling, Timeouts, ToolSpec, Trail
from ai_chat.core.result import ChatResult
from ai_chat.core.stream import EventStream
from ai_chat.providers.engine import Engine, EngineOptions
from ai_chat.providers.http import Http
from ai_chat.providers.local import LocalProvider
from ai_chat.providers.weights import Weights

# One engine for all tests that do not kill it: the loop it lives on must be theirs too.
pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

PATIENT = Timeouts(first_token=None, between_tokens=None, total=None)
"""The machine may be busy with anything."""
GREEDY = Sampling(temperature=0.0)
COLOUR = {
    "type": "object",
    "properties": {"name": {"enum": ["red", "green"]}, "share": {"type": "integer"}},
    "required": ["name", "share"],
    "additionalProperties": False,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(weights: Path) -> AsyncIterator[LocalProvider]:
    """The provider over an engine with two windows of 2048 tokens."""
    http = Http()
    provider = LocalProvider(Weights(weights, http), model=TEST_MODEL, options=EngineOptions(context=2048))
    yield provider
    await provider.aclose()
    await http.aclose()


async def stream(local: LocalProvider, call: Call) -> EventStream:
    """Ask."""
    return EventStream(await local.open(call, "", PATIENT))


async def answer(local: LocalProvider, text: str, **fields) -> ChatResult:
    """Ask for a whole answer, a short one if nothing else is said."""
    return await fold(await stream(local, ask(text, **{"max_tokens": 12, **fields})))


async def read_a_little(opened: EventStream) -> None:
    """Read up to the first text."""
    async for batch in opened:
        if any(isinstance(event, TextDelta) and event.text for event in all_events([batch])):
            return


# --- what it can do ------------------------------------------------------------------------------------------------


async def test_it_answers_in_pieces_with_the_engines_own_usage(local):
    """The answer keeps the grammar, says which model made it, and counts its tokens itself."""
    got: list[Batch] = []
    await read_into(got, await stream(local, ask("Write a long story.", max_tokens=12)))
    check_grammar(all_events(got))
    folder = Folder()
    for batch in got:
        folder.add(batch)
    result = folder.result()
    assert len(got) > 5
    assert result.model == f"local/{TEST_MODEL}"
    assert result.extra.keys() == {"system_fingerprint", "timings"}
    assert (result.usage.output_tokens, result.usage.estimated, result.finish_reason) == (12, False, "length")


async def test_a_whole_answer_is_the_streamed_one(local):
    """Whether the reader wants it in pieces changes when it comes, not what."""
    sampling = GREEDY
    whole = await answer(local, "Name three fruits.", stream=False, sampling=sampling)
    pieces = await answer(local, "Name three fruits.", stream=True, sampling=sampling)
    assert whole.text == pieces.text


async def test_a_second_turn_reads_the_first_from_the_cache(local):
    """A conversation that only grows is not read anew."""
    first = "Remember the number 4711 and the word heliotrope. " * 5
    reply = await answer(local, first)
    messages = (Message(role="user", content=first), reply.message, Message(role="user", content="Which number?"))
    request = ChatRequest(model="local", messages=messages, max_tokens=4)
    again = await fold(await stream(local, Call(request=request, trail=Trail(trace_id="t"))))
    assert again.usage.cached_input_tokens > reply.usage.input_tokens - 10


async def test_json_is_json(local):
    """With `json_object` the answer is an object."""
    form = ResponseFormat(type="json_object")
    result = await answer(local, "Name one colour.", max_tokens=80, sampling=GREEDY, response_format=form)
    assert isinstance(json.loads(result.text), dict)


async def test_a_schema_is_kept(local):
    """With `json_schema` the answer is of that shape, whatever was asked."""
    form = ResponseFormat(type="json_schema", name="colour", schema=COLOUR, strict=True)
    result = await answer(local, "Tell me a story.", max_tokens=60, sampling=GREEDY, response_format=form)
    made = json.loads(result.text)
    assert (made.keys(), made["name"] in {"red", "green"}) == ({"name", "share"}, True)


async def test_a_schema_that_is_none_is_refused(local):
    """The engine says what is wrong with it, and goes on."""
    form = ResponseFormat(type="json_schema", name="x", schema={"type": "nonsense"})
    with pytest.raises(BadRequest, match="nonsense"):
        await answer(local, "Hello", response_format=form)


async def test_logprobs_are_those_of_the_tokens(local):
    """One entry per token, with as many rivals as were asked for."""
    result = await answer(local, "Say hello.", max_tokens=4, logprobs=True, top_logprobs=3)
    tokens = result.choices[0].logprobs.content
    assert "".join(token["token"] for token in tokens) == result.text
    assert all(len(token["top_logprobs"]) == 3 and token["logprob"] <= 0 for token in tokens)


async def test_a_stop_ends_the_answer_before_it(local):
    """The text that ends it is not part of it."""
    result = await answer(local, "Write a long story.", stop=("#", " "))
    assert " " not in result.text
    assert result.finish_reason == "stop"


async def test_a_seed_gives_the_same_answer_again(local):
    """Though it is a wild one, and though the prompt is in the engine's cache the second time."""
    question = {"text": "Invent a name.", "n": 2, "sampling": Sampling(temperature=1.5, seed=4)}
    first, second = await answer(local, **question), await answer(local, **question)
    assert first.choices == second.choices


async def test_several_choices_differ_and_share_one_usage(local):
    """Each has its own index and words; the prompt counts once, the output of all adds up."""
    one = await answer(local, "Invent a name.")
    sampling = Sampling(temperature=1.5, seed=4)
    three = await answer(local, "Invent a name.", n=3, sampling=sampling)
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert len({choice.message.text for choice in three.choices}) == 3
    assert three.usage.input_tokens == one.usage.input_tokens
    assert three.usage.output_tokens > one.usage.output_tokens


async def test_tools_that_must_not_be_called_are_not_shown(local):
    """The model is not tempted to write a call as text: its prompt is the one without tools."""
    plain = await answer(local, "Hello")
    tools = (ToolSpec(name="weather", parameters={"type": "object", "properties": {}}),)
    assert (
        await answer(local, "Hello", tools=tools, tool_choice="none")
    ).usage.input_tokens == plain.usage.input_tokens


async def test_a_prompt_that_is_too_long_is_refused_with_both_numbers(local):
    """The engine counts, and goes on."""
    with pytest.raises(ContextTooLong, match=r"2,048 tokens.*3,0\d\d"):
        await answer(local, "x " * 3000)


async def test_two_long_answers_at_once_do_not_break_each_other(weights):
    """Each has a window of its own: together they hold more tokens than one."""
    http = Http()
    local = LocalProvider(Weights(weights, http), model=TEST_MODEL, options=EngineOptions(context=256))
    long = "Tell me more about this. " * 20
    both = await asyncio.gather(*(answer(local, f"{number} {long}", max_tokens=60) for number in (1, 2)))
    assert all(result.usage.input_tokens > 256 / 2 for result in both)
    await local.aclose()
    await http.aclose()


# --- tools and forms --------------------------------------------------------------------------------------------------

SUM = ToolSpec(
    name="calculate",
    description="Work out an arithmetic expression.",
    parameters={
        "type": "object",
        "properties": {"expression": {"type": "string", "description": "Such as (1 + 2) * 3."}},
        "required": ["expression"],
        "additionalProperties": False,
    },
)


async def test_a_tool_that_must_be_called(local):
    """The call is built by the engine's grammar: its arguments fit, and it ends as a model's own call does."""
    result = await answer(local, "What is 12 * 34?", tools=(SUM,), tool_choice="required", max_tokens=64)
    (call,) = result.message.tool_calls[:1]
    assert (call.name, result.finish_reason, result.message.text) == ("calculate", "tool_calls", "")
    assert set(json.loads(call.arguments)) == {"expression"}
    assert result.usage.output_tokens > 0


async def test_a_tool_that_nobody_needs(local):
    """The answer comes in words, and the usage has the question about tools as well."""
    plain = await answer(local, "Hello!", max_tokens=8)
    result = await answer(local, "Hello!", tools=(SUM,), max_tokens=8)
    assert (result.message.tool_calls, bool(result.text)) == ((), True)
    assert result.usage.input_tokens > plain.usage.input_tokens


async def test_the_result_of_a_tool_is_read(local):
    """A history with a call and its result is answered."""
    call = ToolCall(id="call_1", name="calculate", arguments='{"expression": "12 * 34"}')
    messages = (
        Message(role="user", content="What is 12 * 34? Answer with the number."),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", content='{"result": "408"}', tool_call_id="call_1"),
    )
    request = ChatRequest(model="local", messages=messages, max_tokens=24, sampling=GREEDY)
    result = await fold(await stream(local, Call(request=request, trail=Trail(trace_id="t"))))
    assert "408" in result.text


# --- stopping and dying --------------------------------------------------------------------------------------------


async def test_leaving_an_answer_stops_it(weights):
    """With one turn only, a second call is answered though the first one had a thousand tokens to go."""
    http = Http()
    local = LocalProvider(Weights(weights, http), model=TEST_MODEL, options=EngineOptions(parallel=1, context=2048))
    opened = await stream(local, ask("Count from 1 to 1000.", max_tokens=1500))
    await read_a_little(opened)
    await opened.aclose()
    second = await answer(local, "Hello", max_tokens=2)
    # Had the first one run on, the window would have been full of it before the second one came.
    assert second.usage.output_tokens == 2
    await local.aclose()
    await http.aclose()


async def test_leaving_while_the_prompt_is_read_stops_that(local):
    """Who asks with a long prompt is told that reading takes a while, and may leave in the middle of it."""
    told = asyncio.Event()
    call = ask("x " * 1500)
    call.on_notice = lambda notice: told.set() if notice.kind == "reading" else None
    opened = await stream(local, call)
    reading = asyncio.create_task(fold(opened))
    await told.wait()
    reading.cancel()
    assert (await answer(local, "Hello", max_tokens=2)).usage.output_tokens == 2
    assert opened.upstream == "cancelled"


async def test_a_killed_engine_is_named_and_started_again(weights):
    """The answer that was being made fails clearly; the next call gets a new engine."""
    http = Http()
    engines: list[Engine] = []

    def make_engine(path: Path, row: object) -> Engine:
        engines.append(Engine(path, options=EngineOptions(context=512)))
        return engines[-1]

    local = LocalProvider(Weights(weights, http), model=TEST_MODEL, make_engine=make_engine)
    opened = await stream(local, ask("Count from 1 to 1000.", max_tokens=400))
    await read_a_little(opened)
    os.kill(engines[0]._process.pid, signal.SIGKILL)
    with pytest.raises(StreamBroken, match="engine was ended by SIGKILL in the middle"):
        await fold(opened)
    assert (await answer(local, "Hello", max_tokens=2)).usage.output_tokens == 2
    await local.aclose()
    await http.aclose()
