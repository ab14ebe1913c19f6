"""Chat requests: read from a client, written for an upstream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..core.errors import BadRequest
from ..core.request import ChatRequest, ResponseFormat, Sampling, ToolSpec
from ..core.usage import NOTHING
from .messages import decode_message, encode_message
from .shapes import (
    bad,
    dumps,
    find_flaw,
    list_at,
    missing,
    object_at,
    shown,
    told,
    unknown,
    unknown_within,
    with_extra,
    with_extra_within,
)
from .validation import validate

__all__ = ["decode_message", "decode_request", "encode_message", "encode_request", "validate"]

_FUNCTION_FIELDS = frozenset({"name", "description", "parameters", "strict"})
_TOOL_FIELDS = frozenset({"type", "function"})
_SCHEMA_FIELDS = frozenset({"name", "description", "schema", "strict"})
_FORMAT_FIELDS = frozenset({"type", "json_schema"})


def decode_request(body: bytes) -> ChatRequest:
    """Read and check a client's request. Fields that nobody here knows are kept at every level.

    Raises:
        BadRequest: names the field, its value and what it must be.
    """
    request = _decode_fields(_decode_object(body))
    validate(request)
    return request


def encode_request(
    request: ChatRequest,
    *,
    model: str,
    stream: bool,
    max_tokens_field: str = "max_tokens",
    include_usage: bool = True,
) -> bytes:
    """Write a request for an upstream. What was not asked is left out.

    Args:
        request: what is asked.
        model: the model's name at that upstream.
        stream: whether the answer shall come as it is made.
        max_tokens_field: the upstream's name for the bound on an answer's length, if the request has none of its own.
        include_usage: whether to ask for usage at the end of a stream, which not every upstream can be asked for.

    Raises:
        BadRequest: a text or a field of the request is nothing that JSON can hold.
    """
    sampling = request.sampling
    fields = {
        "model": model,
        "messages": [encode_message(message) for message in request.messages],
        "stream": stream,
        "stream_options": _encode_stream_options(request, include_usage=include_usage) if stream else None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": sampling.seed,
        "logit_bias": sampling.logit_bias,
        request.max_tokens_field or max_tokens_field: request.max_tokens,
        "n": request.n,
        "stop": None if request.stop == () else request.stop,
        "response_format": request.response_format and _encode_response_format(request.response_format),
        "tools": [_encode_tool(tool) for tool in request.tools] if request.tools else None,
        "tool_choice": request.tool_choice,
        "parallel_tool_calls": request.parallel_tool_calls,
        "logprobs": request.logprobs,
        "top_logprobs": request.top_logprobs,
        "reasoning_effort": request.reasoning_effort,
        "metadata": request.metadata,
        "user": request.user,
    }
    body = with_extra(told(fields.items()), request.extra)
    try:
        return dumps(body)
    except TypeError as error:
        raise find_flaw(body, "") or BadRequest(f"The request cannot be written as JSON: {error}.") from error


def _decode_object(body: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _unreadable(body, error) from None
    if not isinstance(fields, dict):
        raise BadRequest(f"The body is {shown(fields)}, and must be a JSON object with model and messages.")
    try:
        written = orjson.dumps(fields)
    except TypeError:
        raise BadRequest("The body is nested more than 250 levels deep; make it flatter.") from None
    if written != body and _without_spaces(written) != _without_spaces(body):  # else nothing was dropped in reading
        json.loads(body, object_pairs_hook=_refuse_duplicates)
    return fields


def _without_spaces(body: bytes) -> bytes:
    """Take the spaces out that most clients write; those inside texts go on both sides of a comparison."""
    return body.replace(b": ", b":").replace(b", ", b",")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(
            f"The field {shown(twice)} stands twice in one object of the body; send it once.", param=twice[:64]
        )


def _unreadable(body: bytes, error: orjson.JSONDecodeError) -> BadRequest:
    """Say why a body is no JSON, naming the field if it is what others take for JSON."""
    if not body:
        return BadRequest("The body is empty, and must be a JSON object with model and messages.")
    try:
        flaw = find_flaw(json.loads(body.decode()), "")
    except UnicodeDecodeError as wrong:
        return BadRequest(f"The body is not UTF-8: byte {wrong.start} is 0x{body[wrong.start]:02X}; send it as UTF-8.")
    except (ValueError, RecursionError):
        flaw = None
    return flaw or BadRequest(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.")


def _decode_fields(fields: dict[str, Any]) -> ChatRequest:
    """Take the known fields out; what remains is unknown. Values are checked later, shapes here."""
    take = fields.pop
    model = take("model", None)
    if not isinstance(model, str):
        raise missing("model", "the name of a model") if model is None else bad("model", model, "the name of a model")
    messages = take("messages", None)
    if messages is None:
        raise missing("messages", "an array of at least one message")
    max_tokens, max_tokens_field = _take_max_tokens(fields)
    include_usage, stream_options = _decode_stream_options(take("stream_options", None))
    stream = take("stream", None)
    return ChatRequest(
        model=model,
        messages=tuple(
            [decode_message(message, f"messages[{i}]") for i, message in enumerate(list_at(messages, "messages"))]
        ),
        stream=False if stream is None else stream,
        include_usage=include_usage,
        sampling=Sampling(
            temperature=take("temperature", None),
            top_p=take("top_p", None),
            presence_penalty=take("presence_penalty", None),
            frequency_penalty=take("frequency_penalty", None),
            seed=take("seed", None),
            logit_bias=take("logit_bias", None),
        ),
        max_tokens=max_tokens,
        max_tokens_field=max_tokens_field,
        n=take("n", None),
        stop=_decode_stop(take("stop", None)),
        response_format=_decode_response_format(take("response_format", None)),
        tools=_decode_tools(take("tools", None)),
        tool_choice=take("tool_choice", None),
        parallel_tool_calls=take("parallel_tool_calls", None),
        logprobs=take("logprobs", None),
        top_logprobs=take("top_logprobs", None),
        reasoning_effort=take("reasoning_effort", None),
        metadata=take("metadata", None),
        user=take("user", None),
        stream_options=stream_options,
        extra=fields or NOTHING,
    )


def _take_max_tokens(fields: dict[str, Any]) -> tuple[Any, Any]:
    old, new = fields.pop("max_tokens", None), fields.pop("max_completion_tokens", None)
    if new is None:
        return old, None if old is None else "max_tokens"
    if old is not None:
        raise BadRequest(
            f"max_tokens is {shown(old)} and max_completion_tokens {shown(new)}; they are one limit, so send one of "
            "them.",
            param="max_tokens",
        )
    return new, "max_completion_tokens"


def _decode_stream_options(value: object) -> tuple[Any, Mapping[str, Any]]:
    if value is None:
        return None, NOTHING
    options = object_at(value, "stream_options")
    return options.get("include_usage"), unknown(options, {"include_usage"})


def _encode_stream_options(request: ChatRequest, *, include_usage: bool) -> Mapping[str, Any] | None:
    if include_usage:
        return with_extra({"include_usage": True}, request.stream_options)
    return request.stream_options or None


def _decode_stop(value: Any) -> Any:
    return (tuple(value) or None) if isinstance(value, list) else value


def _decode_response_format(value: object) -> ResponseFormat | None:
    if value is None:
        return None
    obj = object_at(value, "response_format")
    kind: Any = obj.get("type")
    if kind != "json_schema":
        return ResponseFormat(type=kind, extra=unknown(obj, {"type"}))
    path = "response_format.json_schema"
    if "json_schema" not in obj:
        raise missing(path, "an object with a name and a schema")
    schema = object_at(obj["json_schema"], path)
    return ResponseFormat(
        type=kind,
        name=schema.get("name"),
        schema=schema.get("schema"),
        strict=schema.get("strict"),
        description=schema.get("description"),
        extra=unknown_within(obj, _FORMAT_FIELDS, "json_schema", unknown(schema, _SCHEMA_FIELDS)),
    )


def _encode_response_format(form: ResponseFormat) -> dict[str, Any]:
    if form.type != "json_schema":
        return with_extra({"type": form.type}, form.extra)
    schema = told(
        (("name", form.name), ("description", form.description), ("schema", form.schema), ("strict", form.strict))
    )
    return with_extra_within({"type": form.type, "json_schema": schema}, form.extra, "json_schema")


def _decode_tools(value: object) -> tuple[ToolSpec, ...] | None:
    if value is None:
        return None
    tools: Sequence[Any] = list_at(value, "tools")
    return tuple(_decode_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)) or None


def _decode_tool(value: object, path: str) -> ToolSpec:
    obj = object_at(value, path)
    kind = obj.get("type", "function" if "function" in obj else None)
    if not isinstance(kind, str):
        raise bad(f"{path}.type", kind, "a string such as function") if kind else missing(f"{path}.type", "function")
    if kind != "function":
        named = obj.get(kind)
        name = named.get("name") if isinstance(named, Mapping) else None
        return ToolSpec(name=name if isinstance(name, str) else kind, type=kind, extra=unknown(obj, {"type"}))
    if "function" not in obj:
        raise missing(f"{path}.function", "an object with a name")
    function = object_at(obj["function"], f"{path}.function")
    return ToolSpec(
        name=function.get("name"),  # type: ignore[arg-type]  # checked with its pattern later
        description=function.get("description"),
        parameters=function.get("parameters"),
        strict=function.get("strict"),
        extra=unknown_within(obj, _TOOL_FIELDS, "function", unknown(function, _FUNCTION_FIELDS)),
    )


def _encode_tool(tool: ToolSpec) -> dict[str, Any]:
    if tool.type != "function":
        return with_extra({"type": tool.type}, tool.extra)
    function = told(
        (
            ("name", tool.name),
            ("description", tool.description),
            ("parameters", tool.parameters),
            ("strict", tool.strict),
        )
    )
    return with_extra_within({"type": "function", "function": function}, tool.extra, "function")
