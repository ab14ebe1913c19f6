"""What upstreams write where the reference says something else, read as what they mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson

from ..core.errors import ServerFailed
from .failures import excerpt
from .shapes import dumps

_SURELY_64_BITS = 19
"""Digits; any integer of fewer fits."""
FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""The reasons that OpenAI's schema knows."""
_SAME_REASONS = {
    "max_tokens": "length",
    "model_length": "length",
    "insufficient_system_resource": "length",
    "sensitive": "content_filter",
    "tool_use": "tool_calls",
}
NULL_IS_ABSENT = frozenset({"function_call", "audio", "system_fingerprint"})
"""Optional fields of a reply that some upstreams send as null, which the schema does not let them."""


def loads(data: bytes, what: str) -> tuple[dict[str, Any], bool]:
    """Read a JSON object; tell also whether it is sound, or holds U+FFFD for the halves of characters that were cut.

    Raises:
        ServerFailed: it is none; `what` begins the sentence.
    """
    try:
        value, sound = orjson.loads(data), True
    except orjson.JSONDecodeError:
        try:
            value, sound = _whole(json.loads(data.decode(errors="replace"), parse_int=_number)), False
        except (ValueError, RecursionError):
            value = None
    if isinstance(value, dict):
        return value, sound
    raise ServerFailed(
        f'{what} is no JSON object ("{excerpt(data)[:200]}"); check that the base URL points to a chat API.'
    )


def dumps_answer(value: object) -> bytes:
    """Write an answer as JSON.

    Raises:
        ServerFailed: it cannot be: half a surrogate pair, an integer of more than 64 bits, 255 levels.
    """
    try:
        return dumps(value)
    except TypeError as error:
        raise ServerFailed(f"The answer cannot be written as JSON ({error}); ask again.") from error


def _whole(value: Any) -> Any:
    """Put U+FFFD for the halves of surrogate pairs, and join those that stand together."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _number(digits: str) -> int | float:
    """Read an integer; one of more than 64 bits becomes a float, as everywhere in the house."""
    return int(digits) if len(digits) < _SURELY_64_BITS else float(digits)


def seconds(value: object) -> int:
    """Give Unix seconds, 0 where they are none."""
    return int(value) if isinstance(value, (int, float)) and abs(value) < 2**53 else 0


def without_nulls(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the fields whose null says nothing."""
    dropped = [key for key in NULL_IS_ABSENT if key in fields and fields[key] is None]
    return {key: value for key, value in fields.items() if key not in dropped} if dropped else fields


def reason_on_the_wire(reason: str) -> dict[str, str]:
    """Give the fields that tell why a choice ended; a word that the schema does not know stands beside the nearest."""
    if reason in FINISH_REASONS:
        return {"finish_reason": reason}
    return {"finish_reason": _SAME_REASONS.get(reason, "stop"), "native_finish_reason": reason}


def call_id(reply: str, choice: int, number: int) -> str:
    """Make the id that an upstream left out: alike whenever it is made, within the 40 characters that OpenAI takes."""
    return f"call_{crc32(reply.encode(errors='replace')):08x}_{choice}_{number}"


def arguments_text(value: object) -> str:
    """Give a tool call's arguments as JSON text, as which most upstreams send them."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def texts_of_parts(parts: list[Any]) -> tuple[str, str | None]:
    """Give the text, and the thinking if there is any, of content that is an array of parts, as Mistral sends it."""
    text, thinking = [], []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            text.append(part["text"])
        elif isinstance(part, dict) and isinstance(part.get("thinking"), list):
            thinking.append(texts_of_parts(part["thinking"])[0])
    return "".join(text), "".join(thinking) if thinking else None
