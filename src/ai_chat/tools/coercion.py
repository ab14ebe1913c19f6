"""Values that do not fit a JSON Schema, made to fit where they can be meant in one way only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .json_schema import Schema
from .schema_parts import Part

MOST_STEPS = 2_000
"""Values that do not fit which are looked into, for the sake of schemas that would have them tried without end."""

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,399})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,399})(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_NULLS = ("null", "None")


class Written(float):
    """A number as it was written: 3.10 may be a version, and then its last digit counts."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> Written:
        """Read the number and keep its text."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def coerced(schema: Schema, value: Any) -> Any:
    """Give a value with those places changed that do not fit and can be meant in one way only.

    What fits is never changed, at any depth. Where something else is wanted: a text that holds a number, a boolean,
    null, an object or an array becomes that; a number becomes its text; a text becomes the one option that it is but
    for upper and lower case; null for a property that may be left out is left out; a property that must be there and
    may be null is null if it is missing. The result may still not fit.
    """
    return _plain(_Coercion().fit(schema.root, value))


class _Coercion:
    """One attempt, within a number of steps."""

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def fit(self, part: Part, value: Any) -> Any:
        """Give the value as it fits the part, or as near to it as was found."""
        if isinstance(part.node, bool) or part.fits(value) is not False or self._left <= 0:
            return value
        self._left -= 1
        for change in (self._referred, self._inside, self._alternative, self._converted):
            value = change(part, value)
            if part.fits(value):
                break
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
            if name not in made and name in fields and part.down("properties", name).fits(None):
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
            for candidate in _CONVERSIONS.get(kind, _nothing)(value):
                found.append(self.fit(part, candidate) if isinstance(candidate, dict | list) else candidate)
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


def _nothing(_: Any) -> Iterator[Any]:
    return iter(())


def _text(value: Any) -> Iterator[Any]:
    if isinstance(value, Written):
        yield value.text
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield json.dumps(value)


def _number(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        yield int(text) if _WHOLE.fullmatch(text) else float(text)


def _integer(value: Any) -> Iterator[Any]:
    for number in _number(value):
        if isinstance(number, int) or (number.is_integer() and abs(number) < 2**53):
            yield int(number)


def _boolean(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and (text := value.strip().lower()) in _BOOLEANS:
        yield _BOOLEANS[text]


def _null(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and value.strip() in _NULLS:
        yield None


def _within(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(value, parse_float=Written)
        except (ValueError, RecursionError):
            return


_CONVERSIONS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "object": _within,
    "array": _within,
}


def _plain(value: Any) -> Any:
    """Give a value with plain numbers again."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return float(value) if isinstance(value, Written) else value
