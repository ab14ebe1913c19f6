"""Reading and writing requests: what is refused and how it is told, what is left out, what wins."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from ai_chat.core.errors import BadRequest
from ai_chat.core.messages import ImagePart, Message, OtherPart, TextPart, ToolCall
from ai_chat.core.request import ChatRequest
from ai_chat.wire.requests import decode_message, decode_request, encode_message, encode_request

HELLO = {"role": "user", "content": "hello"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}
ASKED = ChatRequest(model="m", messages=(Message(role="user", content="hello"),))


def body(**fields: Any) -> bytes:
    """A plain request with some fields changed; None of the changes is checked here."""
    return json.dumps({"model": "m", "messages": [HELLO], **fields}).encode()


def messages(*given: Any) -> dict[str, Any]:
    return {"messages": list(given)}


def refused(data: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        decode_request(data)
    return caught.value


def written(request: ChatRequest, **options: Any) -> dict[str, Any]:
    return orjson.loads(encode_request(request, **{"model": "m", "stream": False, **options}))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "The body is empty", id="empty"),
        pytest.param(b"[]", "an empty array, and must be a JSON object", id="an array"),
        pytest.param(b'"hello"', '"hello", and must be a JSON object', id="a text"),
        pytest.param(b'{"model": }', "not JSON: unexpected character", id="broken"),
        pytest.param(b'{"model":"m"', "line 1, column", id="cut"),
        pytest.param(b'{"model":"\xff"}', "not UTF-8: byte 10 is 0xFF", id="not UTF-8"),
        pytest.param(b"[" * 2000, "depth limit", id="too deep to read"),
        pytest.param(body(x=json.loads("[" * 400 + "]" * 400)), "250 levels", id="too deep to write"),
        pytest.param(body(temperature=float("inf")), "temperature is inf", id="infinite"),
        pytest.param(body(x={"y": ["\ud83d"]}), "x.y[0] holds half of a surrogate pair (U+D83D)", id="half a pair"),
        pytest.param(
            body(**messages({**HELLO, "content": "a\udc00"})), "messages[0].content holds half", id="the other half"
        ),
        pytest.param(body(x={"\ud83d": 1}), "x holds half", id="half a pair in a name"),
        pytest.param(b'{"model":"a","model":"b"}', '"model" stands twice', id="a field twice"),
        pytest.param(b'{"model":"m","x":[{"a":1,"a":2}]}', '"a" stands twice', id="a field twice inside"),
    ],
)
def test_a_body_that_is_no_request_is_refused_in_one_sentence(data: bytes, told: str) -> None:
    """What the parser alone would call malformed is told so that it can be mended."""
    error = refused(data)

    assert told in error.message
    assert error.message.endswith(".")
    assert len(error.message) < 400


def test_a_sentence_repeats_little_of_a_long_value() -> None:
    """A picture where a role belongs does not come back as an error of megabytes."""
    error = refused(body(**messages({"role": "x" * 10**6}), metadata={"k" * 10**6: 1}))
    named = refused(body(metadata={"k" * 10**6: 1}))

    assert "1,000,000 characters" in error.message
    assert len(named.message) < 500


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"stop": [], "tools": [], "temperature": None, "stream": None, "n": None}, id="empty or null"),
        pytest.param({"temperature": 0, "top_p": 1, "n": 128, "stop": ["a"] * 4}, id="at the edges"),
        pytest.param({"functions": [{"name": "f"}], "function_call": "auto"}, id="the deprecated forms"),
        pytest.param(messages({"role": "function", "name": "f", "content": None}), id="a function's result"),
        pytest.param(messages({"role": "assistant", "content": None, "function_call": {"name": "f"}}), id="its call"),
        pytest.param(messages({"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT), id="a call"),
        pytest.param({"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}, id="its own tool"),
    ],
)
def test_what_the_reference_allows_is_taken(fields: dict[str, Any]) -> None:
    """Nulls are absent, edges belong to the range, and old forms and foreign kinds pass."""
    request = decode_request(body(**fields))

    assert (request.stop, request.tools) == (None, None) or fields.get("stop") or fields.get("tools")
    assert decode_request(encode_request(request, model="m", stream=False)) == request


def test_unknown_fields_reach_the_upstream_where_they_stood() -> None:
    """A gateway that is older than its upstream does not stand in the way."""
    call = {**CALL, "x": 1, "function": {**CALL["function"], "y": 2}}
    asked = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "x", "cache": 1}], "mood": "good"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            RESULT,
        ],
        "stream": True,
        "stream_options": {"include_usage": True, "pace": 2},
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "x": 1}, "y": 2},
        "tools": [{"type": "function", "function": {"name": "f", "x": 1}, "y": 2}],
        "top_k": 5,
    }

    request = decode_request(orjson.dumps(asked))

    assert orjson.loads(encode_request(request, model="m", stream=True)) == asked


def test_what_was_not_asked_is_left_out() -> None:
    """An upstream's defaults are its own."""
    assert encode_request(ASKED, model="up", stream=False) == (
        b'{"model":"up","messages":[{"role":"user","content":"hello"}],"stream":false}'
    )


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, {"max_tokens": 5}), ("max_completion_tokens", {"max_completion_tokens": 5})],
    ids=["the provider's name", "the client's name"],
)
def test_the_bound_goes_by_the_name_the_client_gave(own: Any, expected: dict[str, int]) -> None:
    """Its two names mean different things to some models, so a client's choice is kept."""
    sent = written(replace(ASKED, max_tokens=5, max_tokens_field=own), max_tokens_field="max_tokens")

    assert {key: sent[key] for key in sent if key.startswith("max")} == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"stream": True}, {"include_usage": True, "pace": 2}, id="forced"),
        pytest.param({"stream": True, "include_usage": False}, {"pace": 2}, id="an upstream that cannot"),
        pytest.param({"stream": False}, None, id="no stream"),
    ],
)
def test_usage_is_asked_for_in_every_stream(options: dict[str, bool], expected: dict[str, Any] | None) -> None:
    """Whether the client gets to see it is decided on its side."""
    request = replace(ASKED, include_usage=False, stream_options={"pace": 2})

    assert written(request, **options).get("stream_options") == expected


def test_known_fields_win_over_unknown_ones_of_that_name() -> None:
    """Nobody slips another model past the route by way of the extra fields."""
    sent = written(replace(ASKED, extra={"model": "other", "messages": [], "top_k": 1}))

    assert (sent["model"], len(sent["messages"]), sent["top_k"]) == ("m", 1, 1)


@pytest.mark.parametrize(
    ("extra", "told"),
    [({"x": ["\ud800"]}, "x[0] holds half"), ({"x": 2**70}, "64-bit"), ({"x": {1, 2}}, "serializable: set")],
    ids=["half a pair", "a huge integer", "no JSON"],
)
def test_a_request_that_cannot_be_written_is_refused(extra: dict[str, Any], told: str) -> None:
    """A request made in Python fails with a sentence too."""
    with pytest.raises(BadRequest, match=r"JSON|half") as caught:
        encode_request(replace(ASKED, extra=extra), model="m", stream=False)

    assert told in caught.value.message


def test_writing_changes_nothing_of_the_request() -> None:
    """A request is sent again after a failure, to another upstream."""
    request = decode_request(
        body(
            stream=True,
            stream_options={"pace": 1},
            tools=[{"type": "function", "function": {"name": "f", "x": 1}}],
            x=1,
        )
    )
    before = repr(request)

    encode_request(request, model="a", stream=True)

    assert repr(request) == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"role": "user", "content": [{"type": "image_url", "image_url": "u"}]},
            Message(role="user", content=(ImagePart(url="u"),)),
            id="a picture's bare address",
        ),
        pytest.param(
            {"role": "user", "content": [{"type": "file", "file": {}}]},
            Message(role="user", content=(OtherPart(type="file", data={"type": "file", "file": {}}),)),
            id="another kind of part",
        ),
        pytest.param(
            {"role": "assistant", "content": "x", "reasoning": "r"},
            Message(role="assistant", content="x", reasoning="r"),
            id="the other name of thinking",
        ),
        pytest.param(
            {"role": "assistant", "content": "x", "reasoning": {"a": 1}, "reasoning_content": "r"},
            Message(role="assistant", content="x", reasoning="r", extra={"reasoning": {"a": 1}}),
            id="two kinds of thinking",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "c", "input": "i"}}]},
            Message(role="assistant", tool_calls=(ToolCall(id="a", name="c", arguments="i", type="custom"),)),
            id="a custom tool",
        ),
    ],
)
def test_a_message_is_read_in_each_of_its_forms(given: dict[str, Any], message: Message) -> None:
    """One value stands for what the wire writes in several ways, and is written in one."""
    assert decode_message(given, "message") == message
    assert decode_message(encode_message(message), "message") == message


def test_a_stored_message_need_not_be_one_that_may_be_sent() -> None:
    """An answer that was stopped before its first word is kept like any other."""
    message = Message(role="assistant", content=None)

    assert decode_message(encode_message(message), "message") == message
    assert encode_message(Message(role="user", content=(TextPart(text="x"),)))["content"] == [
        {"type": "text", "text": "x"}
    ]
