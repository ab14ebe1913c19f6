"""JSON of unknown shape: reading it with errors that name the place, and writing it again with nothing lost."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import orjson

from ..core.errors import BadRequest
from ..core.usage import NOTHING

_HALF = re.compile("[\ud800-\udfff]")
_SHOWN = 60
"""Characters of a wrong value that a sentence repeats."""
_LONGEST_PATH = 200


def bad(path: str, value: object, wanted: str) -> BadRequest:
    """Make the error for a wrong value; `wanted` ends the sentence "… must be"."""
    path = _short(path)
    return BadRequest(f"{path} is {shown(value)}, and must be {wanted}.", param=path)


def missing(path: str, wanted: str) -> BadRequest:
    """Make the error for a value that is not there; `wanted` ends the sentence "… must be"."""
    return BadRequest(f"{path} is missing, and must be {wanted}.", param=path)


def _short(path: str) -> str:
    """Cut a path that holds names of the client's own making."""
    return path if len(path) <= _LONGEST_PATH else path[:_LONGEST_PATH] + "…"


def shown(value: object) -> str:
    """Describe a wrong value in few words."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "an array" if value else "an empty array"
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"a text of {len(value):,} characters"
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = repr(value)
    return repr(value) if text == "null" and value is not None else text[: 2 * _SHOWN]


def half_pair(path: str, half: str) -> BadRequest:
    """Make the error for a text that is no Unicode."""
    path = _short(path)
    return BadRequest(
        f"{path} holds half of a surrogate pair (U+{ord(half):04X}), which is no character; cut texts between "
        "characters, not inside one.",
        param=path,
    )


def find_flaw(value: object, path: str) -> BadRequest | None:
    """Look through what a lax reader took for JSON, and make the error for the first thing that JSON cannot hold."""
    if isinstance(value, str):
        half = _HALF.search(value)
        return half_pair(path, half[0]) if half else None
    if isinstance(value, float) and not math.isfinite(value):
        path = _short(path)
        return BadRequest(f"{path} is {value}, which JSON does not have; send a number, or leave it out.", param=path)
    inner: Iterable[tuple[str, object]] = ()
    if isinstance(value, Mapping):
        inner = [(path or "the body", key) for key in value]
        inner += [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        inner = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    return next((flaw for where, item in inner if (flaw := find_flaw(item, where))), None)


def object_at(value: object, path: str) -> Mapping[str, Any]:
    """Give an object.

    Raises:
        BadRequest: it is something else.
    """
    if not isinstance(value, (dict, Mapping)):  # the first spares JSON the slow test for the second
        raise bad(path, value, "an object")
    return value


def list_at(value: object, path: str) -> Sequence[Any]:
    """Give an array.

    Raises:
        BadRequest: it is something else.
    """
    if not isinstance(value, (list, tuple)):
        raise bad(path, value, "an array")
    return value


def text_at(obj: Mapping[str, Any], key: str, path: str) -> str:
    """Give a field that must be there and hold text.

    Raises:
        BadRequest: it is missing or something else.
    """
    value = obj.get(key)
    if isinstance(value, str):
        return value
    raise bad(f"{path}.{key}", value, "a string") if key in obj else missing(f"{path}.{key}", "a string")


def optional_text_at(obj: Mapping[str, Any], key: str, path: str) -> str | None:
    """Give a field that holds text, or None where it is null or missing.

    Raises:
        BadRequest: it is something else.
    """
    value = obj.get(key)
    if value is None or isinstance(value, str):
        return value
    raise bad(f"{path}.{key}", value, "a string")


def unknown(obj: Mapping[str, Any], known: AbstractSet[str]) -> Mapping[str, Any]:
    """Give the fields of an object that are not among the known ones."""
    if obj.keys() <= known:
        return NOTHING
    return {key: value for key, value in obj.items() if key not in known}


def unknown_within(
    obj: Mapping[str, Any], known: AbstractSet[str], inner: str, rest: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Give an object's unknown fields together with those (`rest`) of the object it holds as `inner`, nested alike."""
    extra = unknown(obj, known)
    return {**extra, inner: rest} if rest else extra


def with_extra(known: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Add unknown fields behind the known ones, which win."""
    return {**known, **extra, **known} if extra else known


def with_extra_within(known: dict[str, Any], extra: Mapping[str, Any], inner: str) -> dict[str, Any]:
    """Add unknown fields, and those nested as `inner` to the object that `known` holds there."""
    if not extra:
        return known
    nested = extra.get(inner)
    if isinstance(nested, Mapping):
        known = {**known, inner: with_extra(known.get(inner) or {}, nested)}
    return with_extra(known, extra)


def told(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of the fields that are not None."""
    return {key: value for key, value in items if value is not None}


def dumps(value: object) -> bytes:
    """Write JSON; any mapping is an object.

    Raises:
        TypeError: JSON has no such thing: half a surrogate pair, an integer of more than 64 bits, 255 levels.
    """
    return orjson.dumps(value, default=_as_dict)


def _as_dict(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError  # the sentence is the writer's
