"""What is written, against a small schema of our own of what OpenAI's clients need."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import orjson
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.errors import ChatError
from ai_chat.core.events import Chunk
from ai_chat.core.folding import unfold
from ai_chat.core.request import ChatRequest
from ai_chat.core.result import ChatResult
from ai_chat.wire.chunks import ChunkEncoder
from ai_chat.wire.completions import encode_completion
from ai_chat.wire.failures import encode_error
from ai_chat.wire.requests import encode_request

from . import values

TEXT = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}
REASONS = ["stop", "length", "tool_calls", "content_filter", "function_call"]


def shape(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """The schema of an object."""
    return {"type": "object", "required": list(required), "properties": {**required, **optional}}


def some(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


LOGPROBS = maybe(shape({"content": maybe(some({"type": "object"})), "refusal": maybe(some({"type": "object"}))}))
USAGE = shape(
    {"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT},
    prompt_tokens_details={"type": "object"},
    completion_tokens_details={"type": "object"},
)
FUNCTION_CALL = shape({"type": {"const": "function"}, "function": shape({"name": TEXT, "arguments": TEXT})})
CUSTOM_CALL = shape({"type": {"const": "custom"}, "custom": shape({"name": TEXT, "input": TEXT})})
CALL = {"allOf": [shape({"id": TEXT}), {"oneOf": [FUNCTION_CALL, CUSTOM_CALL]}]}
ANSWER = shape(
    {"role": {"const": "assistant"}, "content": TEXT_OR_NULL, "refusal": TEXT_OR_NULL}, tool_calls=some(CALL)
)
COMPLETION_CHOICE = shape({"index": COUNT, "message": ANSWER, "finish_reason": {"enum": REASONS}, "logprobs": LOGPROBS})
DELTA = shape(
    {},
    role={"const": "assistant"},
    content=TEXT_OR_NULL,
    refusal=TEXT_OR_NULL,
    tool_calls=some(shape({"index": COUNT}, id=TEXT, function=shape({}, name=TEXT, arguments=TEXT))),
)
CHUNK_CHOICE = shape({"index": COUNT, "delta": DELTA, "finish_reason": {"enum": [*REASONS, None]}}, logprobs=LOGPROBS)
REPLY = {"id": TEXT, "created": COUNT, "model": TEXT}
MESSAGE = shape({"role": TEXT, "content": {"type": ["string", "array", "null"]}}, tool_calls=some(CALL))

completion = jsonschema_rs.validator_for(
    shape({**REPLY, "object": {"const": "chat.completion"}, "choices": some(COMPLETION_CHOICE)}, usage=USAGE)
)
chunk = jsonschema_rs.validator_for(
    shape({**REPLY, "object": {"const": "chat.completion.chunk"}, "choices": some(CHUNK_CHOICE)}, usage=maybe(USAGE))
)
request = jsonschema_rs.validator_for(
    shape(
        {"model": TEXT, "messages": {**some(MESSAGE), "minItems": 1}},
        stream={"type": "boolean"},
        temperature={"type": "number", "minimum": 0, "maximum": 2},
        n={"type": "integer", "minimum": 1, "maximum": 128},
        stop={"anyOf": [TEXT, {**some(TEXT), "minItems": 1, "maxItems": 4}]},
        tools=some(shape({"type": TEXT})),
        response_format=shape({"type": {"enum": ["text", "json_object", "json_schema"]}}),
        stream_options=shape({"include_usage": {"const": True}}),
        metadata={"type": "object", "additionalProperties": TEXT},
    )
)
failure = jsonschema_rs.validator_for(
    shape({"error": shape({"message": TEXT, "type": TEXT, "param": TEXT_OR_NULL, "code": TEXT_OR_NULL})})
)


def faults(schema: jsonschema_rs.Validator, body: bytes) -> list[str]:
    """Say what of a body does not fit a schema."""
    return [error.message for error in schema.iter_errors(orjson.loads(body))]


def test_a_body_that_does_not_fit_is_noticed() -> None:
    """The schemas say something."""
    assert faults(failure, b'{"error": {"message": "m", "type": "t", "param": null}}')
    assert faults(completion, b"{}")
    assert faults(chunk, b'{"id": "i"}')
    assert faults(request, b'{"model": "m", "messages": []}')


@given(values.requests())
def test_a_request_keeps_the_schema(asked: ChatRequest) -> None:
    """An upstream that checks takes it."""
    assert faults(request, encode_request(asked, model="m", stream=asked.stream)) == []


@given(values.results())
def test_an_answer_keeps_the_schema(result: ChatResult) -> None:
    """A client that checks takes it."""
    assert faults(completion, encode_completion(result)) == []


@given(values.results(), st.booleans())
def test_chunks_keep_the_schema(result: ChatResult, include_usage: bool) -> None:  # noqa: FBT001
    """Every one, with usage or without."""
    bodies = ChunkEncoder(include_usage=include_usage).encode(Chunk(unfold(result)))
    assert bodies
    assert [fault for body in bodies for fault in faults(chunk, body)] == []


@given(values.texts, values.optional(values.texts))
def test_an_error_keeps_the_schema(message: str, param: str | None) -> None:
    """All four fields are there, whatever they hold."""
    assert faults(failure, encode_error(ChatError(message, param=param))[1]) == []
