"""What a request may say: each bad value is refused in a sentence that names it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ai_chat.core.errors import BadRequest
from ai_chat.core.messages import ImagePart, Message
from ai_chat.core.request import ChatRequest, ResponseFormat, Sampling, ToolSpec
from ai_chat.wire.requests import decode_request, validate

HELLO = {"role": "user", "content": "hello"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}
ASKED = ChatRequest(model="m", messages=(Message(role="user", content="hello"),))


def messages(*given: Any) -> dict[str, Any]:
    return {"messages": list(given)}


def refused(fields: dict[str, Any]) -> BadRequest:
    """Give the error that a plain request with these fields changed is refused with."""
    with pytest.raises(BadRequest) as caught:
        decode_request(json.dumps({"model": "m", "messages": [HELLO], **fields}).encode())
    return caught.value


def cases(*rows: tuple[dict[str, Any], str, str]) -> Any:
    """Parametrise over fields, the place that is to be named, and a part of the sentence."""
    return pytest.mark.parametrize(
        ("fields", "param", "told"), rows, ids=[f"{param}: {told}" for _, param, told in rows]
    )


@cases(
    ({"temperature": 3}, "temperature", "is 3, and must be a number from 0 to 2"),
    ({"temperature": -0.1}, "temperature", "-0.1"),
    ({"temperature": True}, "temperature", "true"),
    ({"temperature": "hot"}, "temperature", '"hot"'),
    ({"temperature": float("nan")}, "temperature", "nan"),
    ({"top_p": 1.1}, "top_p", "from 0 to 1"),
    ({"presence_penalty": 2.5}, "presence_penalty", "from -2 to 2"),
    ({"frequency_penalty": -3}, "frequency_penalty", "from -2 to 2"),
    ({"n": 0}, "n", "from 1 to 128"),
    ({"n": 129}, "n", "from 1 to 128"),
    ({"n": 1.0}, "n", "integer"),
    ({"n": True}, "n", "integer"),
    ({"max_tokens": 0}, "max_tokens", "at least 1"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "at least 1"),
    ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens", "one limit"),
    ({"seed": 1.5}, "seed", "integer"),
    ({"seed": 2**64}, "seed", "64 bits"),
    ({"logprobs": 1}, "logprobs", "true or false"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "from 0 to 20"),
    ({"top_logprobs": 2}, "top_logprobs", "needs logprobs"),
    ({"stop": ["a"] * 5}, "stop", "holds 5 texts, and must hold at most 4"),
    ({"stop": 1}, "stop", "a string or an array of 1 to 4"),
    ({"stop": ["a", 1]}, "stop[1]", "a string"),
    ({"logit_bias": {"1": 101}}, "logit_bias.1", "from -100 to 100"),
    ({"logit_bias": {"1": None}}, "logit_bias.1", "null"),
    ({"logit_bias": []}, "logit_bias", "an object"),
    ({"metadata": {str(i): "" for i in range(17)}}, "metadata", "holds 17 pairs, and must hold at most 16"),
    ({"metadata": {"a": 1}}, "metadata.a", "a string"),
    ({"metadata": "a"}, "metadata", "an object"),
    ({"user": 1}, "user", "a string"),
    ({"reasoning_effort": 1}, "reasoning_effort", "a string"),
    ({"stream": "yes"}, "stream", "true or false"),
    ({"stream_options": True}, "stream_options", "an object"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "true or false"),
    ({"parallel_tool_calls": 0}, "parallel_tool_calls", "true or false"),
)
def test_a_parameter_out_of_range_is_refused(fields: dict[str, Any], param: str, told: str) -> None:
    """The error names the field and tells its value and its range."""
    error = refused(fields)

    assert error.param == param
    assert told in error.message


@cases(
    ({"model": None}, "model", "missing"),
    ({"model": ""}, "model", "the name of a model"),
    ({"model": 1}, "model", "the name of a model"),
    ({"messages": None}, "messages", "missing"),
    ({"messages": []}, "messages", "at least one"),
    ({"messages": {}}, "messages", "an array"),
    (messages("hello"), "messages[0]", "an object"),
    (messages({"content": "x"}), "messages[0].role", "missing"),
    (messages({"role": "robot", "content": "x"}), "messages[0].role", "one of developer, system, user"),
    (messages({"role": ["user"]}), "messages[0].role", "one of"),
    (messages({"role": "user"}), "messages[0].content", "missing"),
    (messages(HELLO, {"role": "assistant"}), "messages[1].content", "unless the message calls tools"),
    (messages({"role": "user", "content": 1}), "messages[0].content", "a string or an array of parts"),
    (messages({"role": "user", "content": []}), "messages[0].content", "at least one part"),
    (messages({"role": "user", "content": ["x"]}), "messages[0].content[0]", "an object"),
    (messages({"role": "user", "content": [{}]}), "messages[0].content[0].type", "missing"),
    (messages({"role": "user", "content": [{"type": "text"}]}), "messages[0].content[0].text", "missing"),
    (
        messages({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}),
        "messages[0].content[0].image_url.url",
        "missing",
    ),
    (
        messages({"role": "system", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}),
        "messages[0].content[0].type",
        "text: a system message holds nothing else",
    ),
    (messages({**HELLO, "name": 1}), "messages[0].name", "a string"),
    (messages({**HELLO, "tool_calls": [CALL]}), "messages[0].tool_calls", "only the assistant calls tools"),
    (messages({"role": "assistant", "tool_calls": {}}), "messages[0].tool_calls", "an array"),
    (
        messages({"role": "assistant", "tool_calls": [{**CALL, "id": None}]}),
        "messages[0].tool_calls[0].id",
        "a string",
    ),
    (messages({"role": "assistant", "tool_calls": [{**CALL, "id": ""}]}, RESULT), "messages[0].tool_calls[0].id", '""'),
    (messages({"role": "assistant", "tool_calls": [CALL, CALL]}, RESULT), "messages[0].tool_calls[1].id", "different"),
    (
        messages({"role": "assistant", "tool_calls": [{**CALL, "type": "x"}]}),
        "messages[0].tool_calls[0].type",
        "function or custom",
    ),
    (
        messages({"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}),
        "messages[0].tool_calls[0].function.arguments",
        "a string",
    ),
    (messages({"role": "tool", "content": "1"}), "messages[0].tool_call_id", "missing"),
    (messages({"role": "function", "content": "1"}), "messages[0].name", "missing"),
    (messages(RESULT), "messages[0].tool_call_id", "no assistant message"),
    (messages({"role": "assistant", "tool_calls": [CALL]}, HELLO), "messages[0].tool_calls", "no tool message"),
)
def test_a_message_of_the_wrong_shape_is_refused(fields: dict[str, Any], param: str, told: str) -> None:
    """The error names the place inside the messages."""
    error = refused(fields)

    assert error.param == param
    assert told in error.message


@cases(
    ({"tools": {}}, "tools", "an array"),
    ({"tools": ["f"]}, "tools[0]", "an object"),
    ({"tools": [{}]}, "tools[0].type", "missing"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "missing"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "digits, _ and -"),
    ({"tools": [{"type": "function", "function": {"name": "a" * 65}}]}, "tools[0].function.name", "1 to 64"),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": "{}"}}]},
        "tools[0].function.parameters",
        "JSON Schema",
    ),
    ({"tools": [{"type": "function", "function": {"name": "f", "strict": 1}}]}, "tools[0].function.strict", "true or"),
    ({"tool_choice": "any"}, "tool_choice", "none, auto, required"),
    ({"tool_choice": {}}, "tool_choice.type", "a string"),
    ({"response_format": "json"}, "response_format", "an object"),
    ({"response_format": {"type": ["text"]}}, "response_format.type", "text, json_object or json_schema"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing"),
    ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name", "missing"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": []}}},
        "response_format.json_schema.schema",
        "JSON Schema",
    ),
)
def test_a_tool_or_a_format_of_the_wrong_shape_is_refused(fields: dict[str, Any], param: str, told: str) -> None:
    """The error names the place inside the tools or the format."""
    error = refused(fields)

    assert error.param == param
    assert told in error.message


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"sampling": Sampling(temperature=9)}, "temperature"),
        ({"messages": ()}, "messages"),
        ({"messages": (Message(role="user", content="\ud800"),)}, "messages[0].content"),
        (
            {"messages": (Message(role="user", content=(ImagePart(url="\ud800"),)),)},
            "messages[0].content[0].image_url.url",
        ),
        ({"stop": ["a"]}, "stop"),
        ({"tools": (ToolSpec(name="a b"),)}, "tools[0].function.name"),
        ({"response_format": ResponseFormat(type="json_schema")}, "response_format.json_schema.name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_made_in_python_is_checked_alike(changes: dict[str, Any], param: str) -> None:
    """There is one set of rules, whoever made the request."""
    with pytest.raises(BadRequest) as caught:
        validate(replace(ASKED, **changes))

    assert caught.value.param == param
