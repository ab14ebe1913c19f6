"""Tools on the embedded model: what it is asked, and what its choice is read as."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ai_chat.core.errors import BadRequest
from ai_chat.core.events import Finished, ToolCallDelta, UsageReported, events_of
from ai_chat.core.folding import Folder
from ai_chat.core.messages import Message, ToolCall
from ai_chat.core.request import ChatRequest, ToolSpec
from ai_chat.providers.local_schemas import completed, example_of, loosened, signature
from ai_chat.providers.local_tool_source import ToolSource
from ai_chat.providers.local_tools import MOST_CALLS, choice_request, chosen, wanted, with_results
from ai_chat.providers.scripted import ScriptedSource, text_steps

WEATHER = ToolSpec(
    name="weather",
    description="Get the weather of a city. It is fresh.",
    parameters={
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Which city."},
            "unit": {"anyOf": [{"enum": ["c", "f"]}, {"type": "null"}]},
        },
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
    strict=True,
)
CLOCK = ToolSpec(name="clock", description="报时。", parameters={"type": "object", "properties": {}})
ASKED = ChatRequest(
    model="local", messages=(Message(role="user", content="Weather in Oslo?"),), tools=(WEATHER, CLOCK), stream=True
)


def choice(*calls: tuple[str, dict]) -> str:
    return json.dumps({"calls": [{"tool": name, "arguments": arguments} for name, arguments in calls]})


def items(request: ChatRequest) -> dict:
    return request.response_format.schema["properties"]["calls"]


# --- what it is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "asks"), [({}, True), ({"tool_choice": "none"}, False), ({"tools": None}, False)])
def test_when_it_is_asked(fields, asks):
    """Only if there are tools, and they may be called."""
    assert wanted(replace(ASKED, **fields)) is asks


def test_the_question_is_asked_with_the_tools_in_the_order_of_their_names():
    """However a client orders them, the engine reads the same beginning, and has it still."""
    one, other = choice_request(ASKED), choice_request(replace(ASKED, tools=(CLOCK, WEATHER)))
    assert one == replace(other, tools=one.tools)
    system, *examples, question = one.messages
    assert system.text.index("- clock()") < system.text.index("- weather(")
    assert question.text == "Weather in Oslo?"
    assert (one.sampling.temperature, one.response_format.type) == (0.0, "json_schema")
    assert [message.role for message in examples] == ["user", "assistant"] * (len(examples) // 2)


def test_examples_are_made_of_the_tools_that_are_there():
    """Their words come from descriptions, and each fits the schema that the answer must fit."""
    examples = choice_request(ASKED).messages[1:-1]
    said = " ".join(message.text for message in examples if message.role == "user")
    assert "Get the weather of a city." in said
    assert "报时。" in said
    called = [call["tool"] for message in examples[1::2] for call in json.loads(message.text)["calls"]]
    assert called == ["clock", "weather"]


@pytest.mark.parametrize(
    ("fields", "least", "most", "names"),
    [
        ({}, 0, MOST_CALLS, ["clock", "weather"]),
        ({"tool_choice": "required"}, 1, MOST_CALLS, ["clock", "weather"]),
        ({"parallel_tool_calls": False}, 0, 1, ["clock", "weather"]),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, 1, 1, ["weather"]),
    ],
)
def test_what_may_be_chosen(fields, least, most, names):
    """As the request says: any, at least one, one at most, or a certain one."""
    schema = items(choice_request(replace(ASKED, **fields)))
    assert (schema["minItems"], schema["maxItems"]) == (least, most)
    assert [tool["properties"]["tool"]["const"] for tool in schema["items"]["anyOf"]] == names


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": (ToolSpec(name="x", type="custom"),)}, "tools\\[0\\] is of type 'custom'"),
        ({"tool_choice": {"type": "function", "function": {"name": "rain"}}}, "names 'rain'"),
    ],
)
def test_what_cannot_be_chosen(fields, words):
    """It is refused with the name of the field."""
    with pytest.raises(BadRequest, match=words):
        choice_request(replace(ASKED, **fields))


def test_what_was_said_and_called_before_is_told():
    """A question that leans on the one before can be understood, and what was called is not called again."""
    call = ToolCall(id="1", name="weather", arguments='{"city": "Oslo"}')
    messages = (
        Message(role="system", content="Be kind."),
        Message(role="user", content="Hello"),
        Message(role="assistant", content="Hi!"),
        Message(role="user", content="Oslo and Rome?"),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", content="cold", tool_call_id="1"),
    )
    question = choice_request(replace(ASKED, messages=messages)).messages[-1].text
    assert question.index("user: Hello\nassistant: Hi!") < question.index("Oslo and Rome?")
    assert 'weather({"city": "Oslo"}) gave cold' in question


# --- what is read -----------------------------------------------------------------------------------------------------


def test_calls_are_built():
    """Each has a name of its own, and what a strict schema wants filled in is null."""
    first, second = chosen(choice(("weather", {"city": "Oslo"}), ("weather", {"city": "Rome", "unit": "f"})), ASKED)
    assert json.loads(first.arguments) == {"city": "Oslo", "unit": None}
    assert json.loads(second.arguments) == {"city": "Rome", "unit": "f"}
    assert first.id != second.id


@pytest.mark.parametrize(
    "text",
    ['{"calls": []}', "", "null", "[]", '{"calls": 3}', '{"calls": [{"tool": "rain", "arguments": {}}]}', "{" * 5000],
)
def test_no_calls(text):
    """None are chosen, or nothing that can be read as one."""
    assert chosen(text, ASKED) == ()


def test_a_choice_that_was_cut_off():
    """What is whole of it counts."""
    text = choice(("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"}))
    assert [json.loads(call.arguments)["city"] for call in chosen(text[:-20], ASKED)] == ["Oslo"]


def test_the_same_call_is_made_once():
    """Not twice in one choice, and not again when its result is there."""
    twice = choice(("weather", {"city": "Oslo", "unit": None}), ("weather", {"city": "Oslo"}))
    calls = chosen(twice, ASKED)
    assert len(calls) == 1
    done = (*ASKED.messages, Message(role="assistant", tool_calls=calls))
    assert chosen(twice, replace(ASKED, messages=done)) == ()
    asked_again = (*done, Message(role="user", content="And now?"))
    assert len(chosen(twice, replace(ASKED, messages=asked_again))) == 1


# --- schemas ----------------------------------------------------------------------------------------------------------


def test_a_tool_in_one_line():
    """Name, arguments, what may be left out, and what it does."""
    assert signature(WEATHER) == (
        '- weather(city: string (Which city.), unit?: "c"|"f"): Get the weather of a city. It is fresh.'
    )
    assert signature(ToolSpec(name="bare")) == "- bare(): "


def test_a_strict_schema_is_loosened_and_filled_again():
    """What may be null may be missing, at any depth; the nulls come back."""
    inner = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}, "b": {"enum": ["x", None]}},
        "required": ["a", "b"],
    }
    schema = {"type": "object", "properties": {"in": inner}, "required": ["in"]}
    loose = loosened(schema)["properties"]["in"]
    assert (loose["required"], loose["properties"]) == ([], {"a": {"type": "string"}, "b": {"enum": ["x"]}})
    assert completed({"in": {}}, schema) == {"in": {"a": None, "b": None}}
    assert completed("no object", schema) == "no object"


def test_arguments_are_made_up_for_examples():
    """The required ones, in their kinds."""
    properties = {
        "n": {"type": "integer", "minimum": 7},
        "s": {"type": "array", "items": {"type": "string"}},
        "o": {"type": "object", "properties": {"flag": {"type": "boolean"}}},
        "left": {"type": "string"},
    }
    tool = ToolSpec(name="t", parameters={"type": "object", "properties": properties, "required": ["n", "s", "o"]})
    assert example_of(tool) == {"n": 7, "s": ["<s>"], "o": {"flag": True}}


# --- the answer -------------------------------------------------------------------------------------------------------


async def read(source: ToolSource) -> list:
    events = []
    while (batch := await source.read()) is not None:
        events += events_of(batch)
        if any(isinstance(event, Finished) for event in events):
            break
    return events


async def test_chosen_calls_are_the_answer():
    """They come as from a model that makes them itself, and nobody is asked for words."""
    source = ToolSource(ScriptedSource(text_steps(choice(("clock", {})))), ASKED, answer=None)
    folder = Folder()
    folder.add([*_chunks(await read(source))])
    (call,) = folder.result().message.tool_calls
    assert (call.name, call.arguments, folder.result().choices[0].finish_reason) == ("clock", "{}", "tool_calls")


async def test_without_calls_the_answer_comes_in_words():
    """It is streamed, and what the choice took is counted with it."""
    spoken = ScriptedSource(text_steps("one two three"))

    async def answer():
        return spoken

    choosing = ScriptedSource(text_steps('{"calls": []}'))
    source = ToolSource(choosing, ASKED, answer=answer)
    events = await read(source)
    assert choosing.closed
    assert not any(isinstance(event, ToolCallDelta) for event in events)
    (usage,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert (usage.input_tokens, usage.output_tokens) == (2 + 3, 2 + 3)
    source.close()
    assert spoken.closed


async def test_a_choice_that_is_cut_short():
    """It is told as an answer that was cut short."""
    source = ToolSource(ScriptedSource(text_steps("{")[:2]), ASKED, answer=None)
    assert await source.read() is None


def _chunks(events):
    from ai_chat.core.events import Chunk

    return [Chunk(tuple(events))]


def test_results_are_put_before_the_question_as_data():
    """The present question's only; what failed is said to have failed, and the calls are gone."""
    call = ToolCall(id="1", name="weather", arguments='{"city": "Oslo"}')
    turn = (
        Message(role="user", content="Oslo?"),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", content="cold", tool_call_id="1"),
    )
    first = with_results(replace(ASKED, messages=turn))
    assert [message.role for message in first.messages] == ["user"]
    assert first.messages[0].text.startswith('Data:\n1. weather({"city": "Oslo"}) = cold\n\nQuestion: Oslo?')
    later = (*turn, Message(role="assistant", content="It is cold"), Message(role="user", content="Thanks"))
    assert with_results(replace(ASKED, messages=later)).messages == later
    failed = (*turn[:2], replace(turn[2], content="Error: no such city"))
    assert "Say that there was an error." in with_results(replace(ASKED, messages=failed)).messages[0].text
