"""Whole answers, to and from the completion objects of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.errors import BadRequest, ServerFailed
from ..core.messages import Message
from ..core.result import ChatResult, Choice, Logprobs
from ..core.usage import NOTHING
from .failures import decode_error_in_answer, excerpt
from .leniency import (
    arguments_text,
    call_id,
    dumps_answer,
    loads,
    reason_on_the_wire,
    seconds,
    texts_of_parts,
    without_nulls,
)
from .messages import decode_message, encode_message
from .shapes import unknown, unknown_within, with_extra, with_extra_within
from .usage import decode_usage, encode_usage

_REPLY_FIELDS = frozenset({"id", "object", "created", "model", "choices", "usage"})
_CHOICE_FIELDS = frozenset({"index", "message", "finish_reason", "logprobs"})
_LOGPROBS_FIELDS = frozenset({"content", "refusal"})


def decode_completion(data: bytes) -> ChatResult:
    """Read a whole answer. Fields that nobody here knows are kept at every level.

    Raises:
        ChatError: the answer holds an error.
        ServerFailed: it is no completion.
    """
    body, _ = loads(data, "The answer")
    error = decode_error_in_answer(body)
    if error is not None:
        raise error
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _no_completion(data, "it has no choices")
    reply = _text(body.get("id"))
    try:
        decoded = tuple(_decode_choice(choice, position, reply) for position, choice in enumerate(choices))
    except BadRequest as wrong:  # the codec of messages is the clients' too
        raise _no_completion(data, wrong.message.rstrip(".")) from None
    return ChatResult(
        id=reply,
        model=_text(body.get("model")),
        created=seconds(body.get("created")),
        choices=decoded,
        usage=decode_usage(body.get("usage")),
        extra=without_nulls(unknown(body, _REPLY_FIELDS)),
    )


def encode_completion(result: ChatResult) -> bytes:
    """Write a whole answer with every field that the schema requires.

    Raises:
        ServerFailed: something in it cannot be written as JSON.
    """
    body: dict[str, Any] = {
        "id": result.id,
        "object": "chat.completion",
        "created": result.created,
        "model": result.model,
        "choices": [_encode_choice(choice) for choice in result.choices],
    }
    if result.usage is not None:
        body["usage"] = encode_usage(result.usage)
    return dumps_answer(with_extra(body, result.extra))


def _no_completion(data: bytes, why: str) -> ServerFailed:
    return ServerFailed(
        f'The answer is no chat completion, since {why} ("{excerpt(data)[:200]}"); check that the base URL points to a '
        "chat API."
    )


def _decode_choice(value: object, position: int, reply: str) -> Choice:
    if not isinstance(value, dict) or not isinstance(value.get("message"), dict):
        raise BadRequest(f"choices[{position}] has no message.")
    given = value.get("index")
    index = given if type(given) is int else position
    message = _decode_answer(value["message"], index, reply)
    reason = _text(value.get("finish_reason")) or ("tool_calls" if message.tool_calls else "stop")
    logprobs, unknown_logprobs = _decode_logprobs(value.get("logprobs"))
    return Choice(
        index=index,
        message=message,
        finish_reason=reason,
        logprobs=logprobs,
        extra=unknown_within(value, _CHOICE_FIELDS, "logprobs", unknown_logprobs),
    )


def _decode_answer(message: Mapping[str, Any], index: int, reply: str) -> Message:
    """Read a message whose model may have written it a little differently."""
    fields = dict(without_nulls(message))
    fields["role"] = fields.get("role") or "assistant"
    if isinstance(fields.get("content"), list):
        fields["content"], thinking = texts_of_parts(fields["content"])
        if thinking is not None:
            fields.setdefault("reasoning_content", thinking)
    calls = fields.get("tool_calls")
    if isinstance(calls, list):
        fields["tool_calls"] = [
            _mended_call(call, call_id(reply, index, number)) if isinstance(call, dict) else call
            for number, call in enumerate(calls)
        ]
    return decode_message(fields, f"choices[{index}].message")


def _mended_call(call: Mapping[str, Any], made_up_id: str) -> dict[str, Any]:
    fields = {**call, "id": call.get("id") or made_up_id}
    function = call.get("function")
    if isinstance(function, dict):
        fields["function"] = {**function, "arguments": arguments_text(function.get("arguments"))}
    return fields


def _decode_logprobs(value: object) -> tuple[Logprobs | None, Mapping[str, Any]]:
    if not isinstance(value, dict):
        return None, NOTHING
    content, refusal = value.get("content"), value.get("refusal")
    logprobs = Logprobs(
        content=tuple(content) if isinstance(content, list) else None,
        refusal=tuple(refusal) if isinstance(refusal, list) else None,
    )
    return logprobs, unknown(value, _LOGPROBS_FIELDS)


def _encode_choice(choice: Choice) -> dict[str, Any]:
    message = choice.message
    if isinstance(message.content, tuple):  # an answer's content is text by the schema
        message = replace(message, content=message.text)
    logprobs = choice.logprobs
    body: dict[str, Any] = {
        "index": choice.index,
        "message": {"role": message.role, "content": None, "refusal": None, **encode_message(message)},
        "logprobs": None if logprobs is None else {"content": logprobs.content, "refusal": logprobs.refusal},
        **reason_on_the_wire(choice.finish_reason),
    }
    return with_extra_within(body, choice.extra, "logprobs")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
