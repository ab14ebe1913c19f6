"""What a request may say: the ranges of its numbers, and who may say what in its messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.errors import BadRequest
from ..core.messages import INSTRUCTIONS, ImagePart, Message, OtherPart, Part, TextPart, check_order
from ..core.request import ChatRequest, ResponseFormat, ToolSpec
from .shapes import bad, half_pair, missing

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NAME_RULE = "1 to 64 of the letters a-z and A-Z, digits, _ and -"
_TEXT_ONLY = INSTRUCTIONS | {"tool"}
_MAX_INT = 2**63 - 1
_MAX_STOPS = 4
_MAX_METADATA = 16
_MAX_TOP_LOGPROBS = 20


def validate(request: ChatRequest) -> None:
    """Check a request by the rules of OpenAI's reference, as far as they hold for any upstream.

    Unknown fields are the upstream's own to judge.

    Raises:
        BadRequest: names the field, its value and what it must be.
    """
    _check_text(request.model, "model")
    if request.model == "":
        raise bad("model", "", "the name of a model")
    _check_numbers(request)
    _check_flags(request)
    _check_stop(request.stop)
    _check_metadata(request.metadata)
    if request.response_format is not None:
        _check_response_format(request.response_format)
    if request.tools is not None:
        for index, tool in enumerate(request.tools):
            _check_tool(tool, f"tools[{index}]")
    _check_tool_choice(request.tool_choice)
    if not request.messages:
        raise BadRequest("messages is empty, and must hold at least one message.", param="messages")
    for index, message in enumerate(request.messages):
        _check_message(message, f"messages[{index}]")
    check_order(request.messages)


def _check_numbers(request: ChatRequest) -> None:
    sampling = request.sampling
    _check_number(sampling.temperature, "temperature", 0, 2)
    _check_number(sampling.top_p, "top_p", 0, 1)
    _check_number(sampling.presence_penalty, "presence_penalty", -2, 2)
    _check_number(sampling.frequency_penalty, "frequency_penalty", -2, 2)
    _check_integer(sampling.seed, "seed", -_MAX_INT - 1, _MAX_INT)
    _check_integer(request.n, "n", 1, 128)
    _check_integer(request.max_tokens, request.max_tokens_field or "max_tokens", 1, _MAX_INT)
    _check_integer(request.top_logprobs, "top_logprobs", 0, _MAX_TOP_LOGPROBS)
    if request.top_logprobs is not None and request.logprobs is not True:
        raise BadRequest(
            f"top_logprobs is {request.top_logprobs}, which needs logprobs to be true; set it or leave both out.",
            param="top_logprobs",
        )
    bias = sampling.logit_bias
    if bias is not None:
        _check_object(bias, "logit_bias", "an object of token ids, each with a number from -100 to 100")
        for token, value in bias.items():
            _check_text(token, "logit_bias")
            _check_present_number(value, f"logit_bias.{token}", -100, 100)


def _check_number(value: object, path: str, low: int, high: int) -> None:
    if value is not None:
        _check_present_number(value, path, low, high)


def _check_present_number(value: object, path: str, low: int, high: int) -> None:
    # A bool is an int to Python, and a comparison with NaN is never true.
    if type(value) not in {float, int} or not low <= value <= high:  # type: ignore[operator]
        raise bad(path, value, f"a number from {low} to {high}")


def _check_integer(value: object, path: str, low: int, high: int) -> None:
    if value is None or (type(value) is int and low <= value <= high):
        return
    raise bad(path, value, f"an integer from {low} to {high}" if high < _MAX_INT else _unbounded(low))


def _unbounded(low: int) -> str:
    return f"an integer of at least {low}" if low > -_MAX_INT else "an integer of at most 64 bits"


def _check_flags(request: ChatRequest) -> None:
    for path, flag in (
        ("stream", request.stream),
        ("stream_options.include_usage", request.include_usage),
        ("logprobs", request.logprobs),
        ("parallel_tool_calls", request.parallel_tool_calls),
    ):
        if flag is not None and flag is not True and flag is not False:
            raise bad(path, flag, "true or false")
    if request.reasoning_effort is not None:
        _check_text(request.reasoning_effort, "reasoning_effort")
    if request.user is not None:
        _check_text(request.user, "user")


def _check_stop(stop: object) -> None:
    if stop is None:
        return
    if isinstance(stop, str):
        _check_text(stop, "stop")
        return
    if not isinstance(stop, tuple):
        raise bad("stop", stop, f"a string or an array of 1 to {_MAX_STOPS} strings")
    if len(stop) > _MAX_STOPS:
        raise BadRequest(f"stop holds {len(stop)} texts, and must hold at most {_MAX_STOPS}.", param="stop")
    for index, text in enumerate(stop):
        _check_text(text, f"stop[{index}]")


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    pairs = _check_object(metadata, "metadata", f"an object of up to {_MAX_METADATA} strings")
    if len(pairs) > _MAX_METADATA:
        raise BadRequest(f"metadata holds {len(pairs)} pairs, and must hold at most {_MAX_METADATA}.", param="metadata")
    for key, value in pairs.items():
        _check_text(key, "metadata")
        _check_text(value, f"metadata.{key}")


def _check_object(value: object, path: str, wanted: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise bad(path, value, wanted)
    return value


def _check_response_format(form: ResponseFormat) -> None:
    if form.type not in ("text", "json_object", "json_schema"):
        raise bad("response_format.type", form.type, "text, json_object or json_schema")
    if form.type != "json_schema":
        return
    path = "response_format.json_schema"
    _check_name(form.name, f"{path}.name")
    _check_described(form.description, form.strict, path)
    if form.schema is not None:
        _check_object(form.schema, f"{path}.schema", "a JSON Schema, which is an object")


def _check_tool(tool: ToolSpec, path: str) -> None:
    if tool.type != "function":
        return  # an upstream's own kind: all of it is in `extra`
    _check_name(tool.name, f"{path}.function.name")
    _check_described(tool.description, tool.strict, f"{path}.function")
    if tool.parameters is not None:
        _check_object(tool.parameters, f"{path}.function.parameters", "a JSON Schema, which is an object")


def _check_name(name: object, path: str) -> None:
    if name is None:
        raise missing(path, _NAME_RULE)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise bad(path, name, _NAME_RULE)


def _check_described(description: object, strict: object, path: str) -> None:
    if description is not None:
        _check_text(description, f"{path}.description")
    if strict is not None and strict is not True and strict is not False:
        raise bad(f"{path}.strict", strict, "true or false")


def _check_tool_choice(choice: object) -> None:
    wanted = "none, auto, required or an object with a type"
    if choice is None or choice in ("none", "auto", "required"):
        return
    if not isinstance(choice, Mapping):
        raise bad("tool_choice", choice, wanted)
    if not isinstance(choice.get("type"), str):
        raise bad("tool_choice.type", choice.get("type"), "a string such as function")


def _check_message(message: Message, path: str) -> None:
    content = message.content
    if content is None:
        _check_may_be_silent(message, path)
    elif isinstance(content, str):
        _check_text(content, f"{path}.content")
    else:
        _check_parts(content, message.role, f"{path}.content")
    for key, text in (("name", message.name), ("refusal", message.refusal), ("reasoning_content", message.reasoning)):
        if text is not None:
            _check_text(text, f"{path}.{key}")
    if message.tool_calls:
        _check_calls(message, f"{path}.tool_calls")
    if message.role == "tool" and not message.tool_call_id:
        raise missing(f"{path}.tool_call_id", "the id of the tool call that this is the result of")
    if message.role == "function" and not message.name:
        raise missing(f"{path}.name", "the name of the function that this is the result of")


def _check_may_be_silent(message: Message, path: str) -> None:
    """Check that a message without content is one that may be: something else of it speaks."""
    if message.role == "function":
        return
    if message.role != "assistant":
        raise missing(f"{path}.content", "a string or an array of parts")
    if not (message.tool_calls or message.refusal or message.extra.get("function_call") or message.extra.get("audio")):
        raise missing(f"{path}.content", "a string or an array of parts, unless the message calls tools")


def _check_parts(parts: Iterable[Part], role: str, path: str) -> None:
    if not parts:
        raise bad(path, parts, "a string or an array of at least one part")
    for index, part in enumerate(parts):
        where = f"{path}[{index}]"
        if isinstance(part, TextPart):
            _check_text(part.text, f"{where}.text")
            continue
        kind = "image_url" if isinstance(part, ImagePart) else part.type
        if role in _TEXT_ONLY:
            raise bad(f"{where}.type", kind, f"text: a {role} message holds nothing else")
        if isinstance(part, OtherPart):
            _check_text(kind, f"{where}.type")
        else:
            _check_text(part.url, f"{where}.image_url.url")


def _check_calls(message: Message, path: str) -> None:
    if message.role != "assistant":
        raise BadRequest(f"{path} stands on a {message.role} message, and only the assistant calls tools.", param=path)
    ids: set[str] = set()
    for index, call in enumerate(message.tool_calls):
        where = f"{path}[{index}]"
        for key, text in (
            ("id", call.id),
            (f"{call.type}.name", call.name),
            (f"{call.type}.arguments", call.arguments),
        ):
            _check_text(text, f"{where}.{key}")
        if call.id == "":
            raise bad(f"{where}.id", "", "an id that its result can name")
        if call.id in ids:
            raise bad(f"{where}.id", call.id, "different from the ids of the calls beside it")
        ids.add(call.id)


def _check_text(value: object, path: str) -> None:
    if not isinstance(value, str):
        raise bad(path, value, "a string")
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise half_pair(path, value[error.start]) from None
