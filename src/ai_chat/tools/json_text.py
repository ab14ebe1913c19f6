"""Values written as JSON up to a bound: what lies behind the bound is never looked at."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

DEEPEST = 60
"""Levels that are written; a value that holds itself ends here."""
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[^\W\d][\w-]*|\$[a-zA-Z]+")
_SHORT = 60
_LISTED = (Sequence, AbstractSet, deque)


class NotJson(Exception):
    """A value, or something inside it, that JSON has no form for. The message says what, without a full stop."""


def clean(text: str) -> str:
    """Put U+FFFD in place of what no upstream and no database takes: halves of surrogate pairs, and NUL."""
    return text if text.isascii() and "\0" not in text else _NO_TEXT.sub("\ufffd", text)


def write(value: Any, most: int) -> tuple[str, bool]:
    """Write a value as compact JSON, and say whether it was cut after `most` characters.

    Models of pydantic, dataclasses, mappings, sequences, sets, enums, dates, decimals and the like have a form; NaN and
    the infinities become the texts `"NaN"`, `"Infinity"` and `"-Infinity"`.

    Raises:
        NotJson: there is something in it that has no form, within what was written.
    """
    writer = _Writer(most)
    try:
        writer.write(value, 0)
    except _Full:
        return "".join(writer.pieces)[:most], True
    return "".join(writer.pieces), False


def shown(value: Any) -> str:
    """Write a value short enough for a sentence."""
    try:
        text, cut = write(value, _SHORT)
    except NotJson:
        return f"a value of type {type(value).__name__}"
    return f"{text}…" if cut else text


def path(steps: Sequence[str | int]) -> str:
    """Write a place inside a value as in `items[2].price`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_NAME.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text


class _Full(Exception):
    """There is no more room."""


class _Writer:
    """Pieces of JSON, until there is no more room."""

    def __init__(self, most: int) -> None:
        self.pieces: list[str] = []
        self._room = most

    def write(self, value: Any, level: int) -> None:
        """Write a value that stands that many levels deep."""
        if level > DEEPEST:
            raise NotJson(f"more than {DEEPEST} levels")
        if isinstance(value, str) and type(value) is not str:
            value = _simpler(value)
        if isinstance(value, str):
            self._put(json.dumps(clean(value[: self._room + 1]), ensure_ascii=False))
        elif value is None or isinstance(value, bool):
            self._put("null" if value is None else "true" if value else "false")
        elif type(value) in (int, float):
            self._put(_number(value))
        elif isinstance(value, Mapping):
            self._mapping(value, level)
        elif isinstance(value, _LISTED) and not isinstance(value, bytes | bytearray | memoryview):
            self._list(value, level)
        else:
            self.write(_simpler(value), level + 1)

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self._room -= len(text)
        if self._room < 0:
            raise _Full

    def _mapping(self, value: Mapping[Any, Any], level: int) -> None:
        before = "{"
        for name, inner in value.items():
            self._put(before)
            self._put(json.dumps(clean(_name(name)[: self._room + 1]), ensure_ascii=False))
            self._put(":")
            self.write(inner, level + 1)
            before = ","
        self._put("}" if before == "," else "{}")

    def _list(self, value: Collection[Any], level: int) -> None:
        before = "["
        for inner in value:
            self._put(before)
            self.write(inner, level + 1)
            before = ","
        self._put("]" if before == "," else "[]")


def _number(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"'  # noqa: PLR0124
    try:
        return repr(value)
    except ValueError as error:  # Python writes no integer of more than 4,300 digits
        raise NotJson("an integer with too many digits") from error


def _name(key: Any) -> str:
    """Give the name of a property: a text, or what has one as JSON."""
    if type(key) is str:
        return key
    simple = key if isinstance(key, bool | int | float) or key is None else _simpler(key)
    if isinstance(simple, str):
        return simple
    if simple is None or isinstance(simple, bool | int | float):
        return json.dumps(simple)
    raise NotJson(f"a mapping with keys of type {type(key).__name__}")


def _simpler(value: Any) -> Any:
    """Give the form that a value has, a step nearer to JSON."""
    if isinstance(value, bytes | bytearray | memoryview | Iterator | type):
        raise NotJson(f"a value of type {type(value).__name__}")
    try:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", warnings=False)
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        simple = to_jsonable_python(value)
    except (PydanticSerializationError, ValueError, TypeError) as error:
        raise NotJson(f"a value of type {type(value).__name__}") from error
    if type(simple) is type(value):
        raise NotJson(f"a value of type {type(value).__name__}")
    return simple
