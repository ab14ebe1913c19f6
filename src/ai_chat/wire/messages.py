"""Messages, parts and tool calls, to and from the objects of the wire.

An unknown field keeps its place: what stands in an object inside (`function`, `image_url`) is nested alike in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.messages import ROLES, ImagePart, Message, OtherPart, Part, TextPart, ToolCall
from .shapes import (
    bad,
    list_at,
    missing,
    object_at,
    optional_text_at,
    text_at,
    told,
    unknown,
    unknown_within,
    with_extra,
    with_extra_within,
)

_MESSAGE_FIELDS = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning_content", "reasoning"}
)
_PLAIN_FIELDS = frozenset({"role", "content"})
_TEXT_FIELDS = frozenset({"type", "text"})
_IMAGE_FIELDS = frozenset({"type", "image_url"})
_URL_FIELDS = frozenset({"url", "detail"})
ARGUMENTS = {"function": "arguments", "custom": "input"}
"""What each kind of tool call names its arguments, in the object that it holds under its own name."""


def decode_message(value: object, path: str) -> Message:
    """Read a message.

    It is checked for shape alone: what may be said by whom is `validate`'s to know, and stored messages hold what came.

    Args:
        value: the JSON object.
        path: where it stands, for errors.

    Raises:
        BadRequest: it is no message.
    """
    obj = object_at(value, path)
    role = obj.get("role")
    if not isinstance(role, str) or role not in ROLES:
        wanted = f"one of {', '.join(ROLES)}"
        raise bad(f"{path}.role", role, wanted) if "role" in obj else missing(f"{path}.role", wanted)
    content = obj.get("content")
    if content is not None and not isinstance(content, str):
        content = _decode_parts(content, f"{path}.content")
    if obj.keys() <= _PLAIN_FIELDS:
        return Message(role=role, content=content)
    reasoning, extra = _decode_reasoning(obj, path)
    return Message(
        role=role,
        content=content,
        name=optional_text_at(obj, "name", path),
        tool_calls=_decode_calls(obj.get("tool_calls"), f"{path}.tool_calls"),
        tool_call_id=optional_text_at(obj, "tool_call_id", path),
        refusal=optional_text_at(obj, "refusal", path),
        reasoning=reasoning,
        extra=extra,
    )


def encode_message(message: Message) -> dict[str, Any]:
    """Write a message; `decode_message` gives the same one again."""
    body: dict[str, Any] = {"role": message.role, "content": encode_content(message.content)}
    if message.name is not None:
        body["name"] = message.name
    if message.reasoning is not None:
        body["reasoning_content"] = message.reasoning
    if message.refusal is not None:
        body["refusal"] = message.refusal
    if message.tool_calls:
        body["tool_calls"] = [encode_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        body["tool_call_id"] = message.tool_call_id
    return with_extra(body, message.extra)


def encode_content(content: str | tuple[Part, ...] | None) -> str | list[Mapping[str, Any]] | None:
    """Write a message's content."""
    return [_encode_part(part) for part in content] if isinstance(content, tuple) else content


def encode_call(call: ToolCall) -> dict[str, Any]:
    """Write a whole tool call."""
    called = {"name": call.name, ARGUMENTS[call.type]: call.arguments}
    body = {"id": call.id, "type": call.type, call.type: called}
    return with_extra_within(body, call.extra, call.type)


def _decode_reasoning(obj: Mapping[str, Any], path: str) -> tuple[str | None, Mapping[str, Any]]:
    """Give the thinking, which has two names, and the unknown fields; a second, different thinking is one of those."""
    extra = unknown(obj, _MESSAGE_FIELDS)
    other = obj.get("reasoning")
    reasoning = optional_text_at(obj, "reasoning_content", path)
    if other is None or other == reasoning:
        return reasoning, extra
    if reasoning is None and isinstance(other, str):
        return other, extra
    return reasoning, {**extra, "reasoning": other}


def _decode_parts(value: object, path: str) -> tuple[Part, ...]:
    if not isinstance(value, (list, tuple)):
        raise bad(path, value, "a string or an array of parts")
    return tuple(_decode_part(part, f"{path}[{index}]") for index, part in enumerate(value))


def _decode_part(value: object, path: str) -> Part:
    obj = object_at(value, path)
    kind = text_at(obj, "type", path)
    if kind == "text":
        return TextPart(text=text_at(obj, "text", path), extra=unknown(obj, _TEXT_FIELDS))
    if kind != "image_url":
        return OtherPart(type=kind, data=obj)
    image = obj.get("image_url")
    if isinstance(image, str):  # as several servers take it
        image = {"url": image}
    image = object_at(image, f"{path}.image_url")
    return ImagePart(
        url=text_at(image, "url", f"{path}.image_url"),
        detail=optional_text_at(image, "detail", f"{path}.image_url"),
        extra=unknown_within(obj, _IMAGE_FIELDS, "image_url", unknown(image, _URL_FIELDS)),
    )


def _encode_part(part: Part) -> Mapping[str, Any]:
    if isinstance(part, TextPart):
        return with_extra({"type": "text", "text": part.text}, part.extra)
    if isinstance(part, OtherPart):
        return part.data
    image = told((("url", part.url), ("detail", part.detail)))
    return with_extra_within({"type": "image_url", "image_url": image}, part.extra, "image_url")


def _decode_calls(value: object, path: str) -> tuple[ToolCall, ...]:
    if value is None:
        return ()
    return tuple(_decode_call(call, f"{path}[{index}]") for index, call in enumerate(list_at(value, path)))


def _decode_call(value: object, path: str) -> ToolCall:
    obj = object_at(value, path)
    kind: Any = obj.get("type") or "function"
    if kind not in ("function", "custom"):
        raise bad(f"{path}.type", kind, "function or custom")
    arguments = ARGUMENTS[kind]
    called = object_at(obj.get(kind), f"{path}.{kind}")
    return ToolCall(
        id=text_at(obj, "id", path),
        name=text_at(called, "name", f"{path}.{kind}"),
        arguments=text_at(called, arguments, f"{path}.{kind}"),
        type=kind,
        extra=unknown_within(obj, {"id", "type", kind}, kind, unknown(called, {"name", arguments})),
    )
