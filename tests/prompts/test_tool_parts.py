"""Prompts for models with tools, made from what the tools say of themselves."""

from __future__ import annotations

import json

import pytest

from ai_chat.core.messages import check_order
from ai_chat.core.request import ToolSpec
from ai_chat.prompts.tool_parts import thinking_with_tools, tool_examples, tool_guidance
from ai_chat.prompts.tool_signatures import example_arguments, purpose, tool_lines
from ai_chat.tools.arguments import read_arguments

WEATHER = ToolSpec(
    name="weather",
    description="Tells the weather of a place. Needs a network.",
    parameters={
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Its name,\n in any language"},
            "unit": {"enum": ["celsius", "fahrenheit"], "default": "celsius"},
            "days": {"type": "integer", "minimum": 1, "maximum": 2},
        },
        "required": ["city", "days"],
    },
)
CLOCK = ToolSpec(name="now", description="告诉现在的时间。可以指定时区。")
BOOKING = ToolSpec(
    name="book",
    parameters={
        "type": "object",
        "properties": {
            "who": {"$ref": "#/$defs/Person"},
            "when": {"type": "string", "format": "date"},
            "seats": {"type": "array", "items": {"type": ["string", "null"]}, "minItems": 2},
            "code": {"type": "string", "minLength": 10, "maxLength": 12},
            "kind": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "price": {"type": "number", "exclusiveMinimum": 4},
            "mode": {"const": "fast"},
            "free": {},
        },
        "required": ["who", "when", "seats", "code", "kind", "price", "mode", "free"],
        "$defs": {
            "Person": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "friend": {"$ref": "#/$defs/Person"}},
                "required": ["name"],
            }
        },
    },
)
TOOLS = (WEATHER, CLOCK)
PROMPTS = [pytest.param(tool_guidance, id="guidance"), pytest.param(thinking_with_tools, id="thinking")]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_names_each_tool_with_its_purpose(prompt, language):
    """In both languages, and with nothing left to fill in."""
    text = prompt(TOOLS, language)
    assert "- weather: Tells the weather of a place.\n- now: 告诉现在的时间。\n" in text
    assert "{" not in text
    assert ("工具" in text) == (language == "zh")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", ["over your memory", "honestly", "Never invent", "ask the user"], id="en"),
        pytest.param("zh", ["而不是你的记忆", "如实", "绝不编造", "询问用户"], id="zh"),
    ],
)
def test_the_guidance_says_what_matters(language, words):
    """Results over memory, honesty about failures, nothing made up, questions in place of guesses."""
    text = tool_guidance(TOOLS, language)
    assert [word for word in words if " ".join(word.split()) not in " ".join(text.split())] == []


@pytest.mark.parametrize("prompt", [*PROMPTS, pytest.param(tool_examples, id="examples")])
def test_without_tools_there_is_nothing_to_say(prompt):
    """No part mentions tools that are not there."""
    assert not prompt((), "en")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("tools", [(WEATHER,), TOOLS, (BOOKING, CLOCK)], ids=["one", "two", "odd"])
def test_examples_are_proper_messages(tools, language):
    """Each call is of a tool that is there, has its result, and arguments that fit the tool's schema."""
    messages = tool_examples(tools, language)
    check_order(messages)
    assert (messages[0].role, messages[-1].role) == ("user", "assistant")
    calls = [call for message in messages for call in message.tool_calls]
    assert [call.name for call in calls] == [tools[0].name, tools[-1].name]
    assert len({call.id for call in calls}) == 2
    parameters = {tool.name: tool.parameters for tool in tools}
    for call in calls:
        read_arguments(call.arguments, parameters[call.name])


def test_examples_show_a_failure_and_a_chat():
    """One tool fails and the answer says so; one question needs no tool."""
    messages = tool_examples(TOOLS, "en")
    assert messages[0].text == ('Tells the weather of a place. Use these values: {"city": "<city>", "days": 1}')
    assert messages[3].text == "According to weather: <what weather found>."
    assert messages[4].text.startswith("Hello")
    assert not messages[5].tool_calls
    assert messages[8].text.startswith("Error")
    assert "did not answer" in messages[9].text


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        pytest.param(
            WEATHER,
            "- weather(city: string (Its name, in any language), "
            'unit?: "celsius"|"fahrenheit" (default "celsius"), days: integer): '
            "Tells the weather of a place. Needs a network.",
            id="ordinary",
        ),
        pytest.param(CLOCK, "- now(): 告诉现在的时间。可以指定时区。", id="no arguments"),
        pytest.param(ToolSpec(name="x", description="Choose:"), "- x(): Choose:", id="a colon of its own"),
        pytest.param(ToolSpec(name="x", parameters={"properties": {"a": True}}), "- x(a?: any)", id="anything"),
        pytest.param(ToolSpec(name="x", parameters={"properties": "?"}), "- x()", id="no schema"),
    ],
)
def test_a_tool_in_a_line(tool, line):
    """Its name, its arguments with what they are, and what it does."""
    assert tool_lines((tool,)) == line


def test_nested_schemas_in_a_line():
    """What a schema refers to stands in its place, and one that holds itself has an end."""
    line = tool_lines((BOOKING,))
    assert "who: {name: string, friend?: {name: string, friend?:" in line
    assert "seats: (string|null)[]" in line
    assert 'kind: null|boolean, price: number, mode: "fast", free: any' in line


def test_made_up_arguments():
    """They have the types and bounds of the schema."""
    made = example_arguments(BOOKING)
    assert json.loads(json.dumps(made)) == {
        "who": {"name": "<name>"},
        "when": "2025-01-31",
        "seats": ["<seats>", "<seats>"],
        "code": "<code>....",
        "kind": True,
        "price": 5,
        "mode": "fast",
        "free": "<free>",
    }


def test_the_purpose_of_a_tool_that_says_nothing():
    """It is its name."""
    assert purpose(ToolSpec(name="send_mail")) == "send mail."
