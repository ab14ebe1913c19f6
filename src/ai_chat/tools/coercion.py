"""Values that do not fit a JSON Schema, made to fit where they can be meant in one way only."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from .json_schema import Schema
from .schema_parts import Part

DEEPEST = 100
"""Steps into a schema and a value."""
MOST_SECONDS = 0.5
"""Time for one call: behind tangled schemas a single question may cost a second."""

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,399})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,399})(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_NULLS = ("null", "None")
_EXACT = 2**53
"""Below this, a float has all the digits of a whole number."""


class Numbers:
    """Reads broken numbers and keeps how they were written: 3.10 may be a version, and then its last digit counts."""

    def __init__(self) -> None:
        self._texts: dict[float, str | None] = {}

    def read(self, text: str) -> float:
        """Read a number as JSON has it."""
        number = float(text)
        self._texts[number] = text if self._texts.get(number, text) == text else None
        return number

    def text(self, number: float) -> str | None:
        """Give how a number was written; None if it was in two ways, or none."""
        return self._texts.get(number)


def coerced(schema: Schema, value: Any, numbers: Numbers) -> Any:
    """Give a value with those places changed that do not fit and can be meant in one way only.

    What fits is never changed, at any depth. Where something else is wanted: a text that holds a number, a boolean,
    null, an object or an array becomes that; a number becomes its text; a text becomes the one option that it is but
    for upper and lower case; null for a property that may be left out is left out; a property that must be there and
    may be null is null if it is missing. The result may still not fit.

    Args:
        schema: what it shall fit.
        value: JSON as Python has it.
        numbers: what read the broken numbers in it.
    """
    return _Coercion(schema, numbers).fit(schema.root, value) if schema.bears(value) else value


class _Coercion:
    """One attempt, for a limited time."""

    def __init__(self, schema: Schema, numbers: Numbers) -> None:
        self._schema = schema
        self._numbers = numbers
        self._end = time.perf_counter() + MOST_SECONDS
        self._depth = 0
        self._done: dict[tuple[str, int], tuple[Any, Any]] = {}

    def fit(self, part: Part, value: Any) -> Any:
        """Give the value as it fits the part, or as near to it as was found."""
        if isinstance(part.node, bool) or self._depth >= DEEPEST or time.perf_counter() > self._end:
            return value
        key = (part.pointer, id(value))
        if key not in self._done:  # else alternatives inside alternatives would ask the same without end
            made = value if part.fits(value) is not False else self._changed(part, value)
            self._done[key] = (made, value)  # the value is kept so that no other gets its id
        return self._done[key][0]

    def _changed(self, part: Part, value: Any) -> Any:
        self._depth += 1
        for change in (self._referred, self._inside, self._alternative, self._converted):
            value = change(part, value)
            if part.fits(value):
                break
        self._depth -= 1
        return value

    def _referred(self, part: Part, value: Any) -> Any:
        target = part.target()
        if target is not None:
            value = self.fit(target, value)
        for index in range(len(part.node.get("allOf", ()))):
            value = self.fit(part.down("allOf", index), value)
        return value

    def _inside(self, part: Part, value: Any) -> Any:
        if isinstance(value, dict):
            return self._object(part, value)
        if not isinstance(value, list):
            return value
        first = part.node.get("prefixItems", [])
        rest = part.down("items") if isinstance(part.node.get("items"), dict) else None
        made = [self.fit(part.down("prefixItems", at), item) for at, item in enumerate(value[: len(first)])]
        return made + [item if rest is None else self.fit(rest, item) for item in value[len(first) :]]

    def _object(self, part: Part, value: dict[str, Any]) -> dict[str, Any]:
        fields = part.node.get("properties", {})
        required = part.node.get("required", ())
        others = part.down("additionalProperties") if "additionalProperties" in part.node else None
        made = {}
        for name, inner in value.items():
            known = name in fields
            owner = part.down("properties", name) if known else others
            if any(part.matches(pattern, name) for pattern in part.node.get("patternProperties", ())) or owner is None:
                made[name] = inner
                continue
            fitting = self.fit(owner, inner)
            if fitting is not None or name in required or owner.fits(None) is not False:
                made[name] = fitting
        for name in required:
            if name not in made and name in fields and _may_be_null(part.down("properties", name)):
                made[name] = None
        return made

    def _alternative(self, part: Part, value: Any) -> Any:
        found: list[Any] = []
        for keyword in ("anyOf", "oneOf"):
            for index in range(len(part.node.get(keyword, ()))):
                fitting = self.fit(part.down(keyword, index), value)
                if part.fits(fitting):
                    found.append(fitting)
        return _only(found, value)

    def _converted(self, part: Part, value: Any) -> Any:
        types = part.node.get("type", tuple(_CONVERSIONS) if part.node.keys() & {"enum", "const"} else ())
        found = list(_options(part, value))
        for kind in (types,) if isinstance(types, str) else types:
            for candidate in _CONVERSIONS.get(kind, _nothing)(value, self._numbers):
                if not isinstance(candidate, dict | list):
                    found.append(candidate)
                elif self._schema.bears(candidate):
                    found.append(self.fit(part, candidate))
        return _only([candidate for candidate in found if part.fits(candidate)], value)


def _only(candidates: list[Any], otherwise: Any) -> Any:
    """Give the one thing that all candidates are; the other if there is none, or more than one."""
    first = next(iter(candidates), otherwise)
    agree = all(one == first and isinstance(one, bool) == isinstance(first, bool) for one in candidates)
    return first if agree else otherwise


def _options(part: Part, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        options = part.node["enum"] if "enum" in part.node else [part.node["const"]] if "const" in part.node else ()
        meant = value.strip().casefold()
        yield from (option for option in options if isinstance(option, str) and option.strip().casefold() == meant)


def _nothing(_value: Any, _numbers: Numbers) -> Iterator[Any]:
    return iter(())


def _text(value: Any, numbers: Numbers) -> Iterator[Any]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, float) and (text := numbers.text(value)):
        yield text


def _number(value: Any, _numbers: Numbers) -> Iterator[Any]:
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        yield int(text) if _WHOLE.fullmatch(text) else float(text)


def _integer(value: Any, numbers: Numbers) -> Iterator[Any]:
    for number in _number(value, numbers):
        if isinstance(number, int) or (number.is_integer() and abs(number) < _EXACT):
            yield int(number)


def _boolean(value: Any, _numbers: Numbers) -> Iterator[Any]:
    if isinstance(value, str) and (text := value.strip().lower()) in _BOOLEANS:
        yield _BOOLEANS[text]


def _null(value: Any, _numbers: Numbers) -> Iterator[Any]:
    if isinstance(value, str) and value.strip() in _NULLS:
        yield None


def _within(value: Any, numbers: Numbers) -> Iterator[Any]:
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(value, parse_float=numbers.read)
        except (ValueError, RecursionError):
            return


_CONVERSIONS: dict[str, Callable[[Any, Numbers], Iterator[Any]]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "object": _within,
    "array": _within,
}


def _may_be_null(part: Part) -> bool:
    return _speaks_of_null(part) and part.fits(None) is True


def _speaks_of_null(part: Part) -> bool:
    """Say whether null is one of the values that a schema names, and not just one of all there are."""
    node = part.node if isinstance(part.node, dict) else {}
    if target := part.target():
        return _speaks_of_null(target)
    return (
        "null" in (node.get("type") or ())
        or None in node.get("enum", ())
        or any(
            isinstance(inner, dict) and inner.get("type") == "null"
            for keyword in ("anyOf", "oneOf")
            for inner in node.get(keyword, ())
        )
    )
