"""Whole answers of many upstreams."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from ai_chat.core.errors import ChatError, RateLimited, ServerFailed
from ai_chat.core.messages import Message, TextPart, ToolCall
from ai_chat.core.result import ChatResult, Choice, Logprobs
from ai_chat.wire.completions import decode_completion, encode_completion

MESSAGE = {"role": "assistant", "content": "hi"}
ANSWER = ChatResult(
    id="c1",
    model="m",
    created=7,
    choices=(Choice(index=0, message=Message(role="assistant", content="hi"), finish_reason="stop"),),
)


def body(message: Any = MESSAGE, /, **choice: Any) -> bytes:
    """An answer with one choice, whose fields are changed."""
    choices = [{"index": 0, "message": message, "finish_reason": "stop", **choice}]
    return json.dumps(
        {"id": "c1", "object": "chat.completion", "created": 7, "model": "m", "choices": choices}
    ).encode()


def calling(**call: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function", **call}]}


def test_an_answer_is_written_with_all_that_the_schema_requires() -> None:
    """Also with what is null."""
    assert orjson.loads(encode_completion(ANSWER)) == {
        "id": "c1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"content": "hi"}, Message(role="assistant", content="hi"), id="no role"),
        pytest.param({"role": "assistant"}, Message(role="assistant"), id="no content"),
        pytest.param(
            {**MESSAGE, "reasoning": "r", "audio": None, "function_call": None, "tool_calls": None, "refusal": None},
            Message(role="assistant", content="hi", reasoning="r"),
            id="nulls that say nothing",
        ),
        pytest.param(
            {"content": [{"type": "thinking", "thinking": ["r"]}, {"type": "text", "text": "hi"}]},
            Message(role="assistant", content="hi", reasoning="r"),
            id="parts",
        ),
        pytest.param(
            calling(function={"name": "f", "arguments": {"x": 1}}),
            Message(role="assistant", tool_calls=(ToolCall(id="a", name="f", arguments='{"x":1}'),)),
            id="arguments as an object",
        ),
        pytest.param(
            {**MESSAGE, "function_call": {"name": "f", "arguments": "{}"}, "annotations": []},
            Message(
                role="assistant",
                content="hi",
                extra={"function_call": {"name": "f", "arguments": "{}"}, "annotations": []},
            ),
            id="other fields",
        ),
    ],
)
def test_a_message_is_read_in_each_of_its_forms(given: dict[str, Any], message: Message) -> None:
    """What upstreams leave out or write otherwise means the same."""
    assert decode_completion(body(given)).message == message


@pytest.mark.parametrize(
    ("message", "reason"),
    [(MESSAGE, "stop"), (calling(function={"name": "f", "arguments": ""}), "tool_calls")],
    ids=["text", "calls"],
)
@pytest.mark.parametrize("given", [None, ""])
def test_a_reason_that_was_not_told_is_the_likely_one(message: dict[str, Any], reason: str, given: str | None) -> None:
    """A caller that waits for `tool_calls` is not left waiting."""
    assert decode_completion(body(message, finish_reason=given)).finish_reason == reason


def test_a_call_without_an_id_gets_one() -> None:
    """Its result has to name it."""
    call = decode_completion(body(calling(id=None, function={"name": "f", "arguments": "{}"}))).message.tool_calls[0]

    assert 0 < len(call.id) <= 40


def test_fields_that_are_missing_at_the_top_are_empty() -> None:
    """An answer is not lost for want of an id."""
    result = decode_completion(orjson.dumps({"choices": [{"message": MESSAGE}]}))

    assert (result.id, result.model, result.created, result.choices[0].index) == ("", "", 0, 0)
    assert result.text == "hi"


def test_logprobs_are_kept_whole() -> None:
    """Unknown lists among them, too."""
    given = {"content": [{"token": "hi"}], "refusal": None, "x": [1]}

    result = decode_completion(body(logprobs=given))

    assert result.choices[0].logprobs == Logprobs(content=({"token": "hi"},))
    assert orjson.loads(encode_completion(result))["choices"][0]["logprobs"] == given


def test_parts_are_written_as_one_text() -> None:
    """An answer's content is a text by the schema."""
    message = Message(role="assistant", content=(TextPart(text="a"), TextPart(text="b")))
    result = ChatResult(id="", model="", created=0, choices=(Choice(index=0, message=message, finish_reason="stop"),))

    assert orjson.loads(encode_completion(result))["choices"][0]["message"]["content"] == "ab"


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        pytest.param(b"", ServerFailed, "no JSON object", id="empty"),
        pytest.param(b"<html>Welcome to nginx</html>", ServerFailed, "Welcome to nginx", id="a page"),
        pytest.param(b"[]", ServerFailed, "no JSON object", id="an array"),
        pytest.param(b'{"object":"list","data":[]}', ServerFailed, "no choices", id="another answer"),
        pytest.param(b'{"choices":[]}', ServerFailed, "no choices", id="no choice"),
        pytest.param(b'{"choices":[{}]}', ServerFailed, "choices[0] has no message", id="no message"),
        pytest.param(body({"role": "x"}), ServerFailed, "choices[0].message.role", id="an unknown role"),
        pytest.param(body({**MESSAGE, "tool_calls": [1]}), ServerFailed, "tool_calls[0]", id="a broken call"),
        pytest.param(b'{"error":{"message":"slow","code":429}}', RateLimited, "slow", id="an error"),
        pytest.param(b'{"code":"x","message":"went wrong"}', ServerFailed, "went wrong", id="an error of another form"),
        pytest.param(b"sk-abcdefghijklmnop", ServerFailed, '("***")', id="a secret"),
    ],
)
def test_what_is_no_answer_is_an_error_that_shows_it(given: bytes, kind: type[ChatError], told: str) -> None:
    """The reader sees the beginning of what came instead, and no key."""
    with pytest.raises(ChatError) as caught:
        decode_completion(given)

    assert type(caught.value) is kind
    assert told in caught.value.message
