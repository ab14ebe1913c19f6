"""Why a value does not fit a JSON Schema, in words. Only what is wrong is looked into, and of alternatives only one.

The library could list all errors itself, but takes exponential time for it where a recursive schema has alternatives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from .json_text import path, shown
from .schema_parts import Part

DEEPEST_STEP = 60
"""Steps into a schema and a value before only the place is told."""
MOST_SECONDS = 0.5
"""Time for one value: behind tangled schemas a single question may cost a second."""
MOST_LISTED = 20
"""Options or names that are listed in one sentence."""
MOST_LOOKED_AT = 10_000
"""Items of one array, or properties of one object, among which those that do not fit are looked for."""

_OWN = (
    "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required",
    "dependentRequired",
)  # fmt: skip
"""Keywords that look no deeper into the value."""
_VALUES = ("type", "enum", "const")
_KINDS = {"array": "an array", "integer": "an integer", "object": "an object", "null": "null"}
_LIMITS = {
    "minimum": "be at least {}",
    "maximum": "be at most {}",
    "exclusiveMinimum": "be more than {}",
    "exclusiveMaximum": "be less than {}",
    "multipleOf": "be a multiple of {}",
    "pattern": "match the pattern {}",
}
_COUNTS = {
    "minLength": ("at least", "character", "characters"),
    "maxLength": ("at most", "character", "characters"),
    "minItems": ("at least", "item", "items"),
    "maxItems": ("at most", "item", "items"),
    "minProperties": ("at least", "property", "properties"),
    "maxProperties": ("at most", "property", "properties"),
}
Step = str | int
Found = Iterator[tuple[Part | str, Any, Step | None]]
"""A part with the value it is about and the step to that value (None: the value itself); or what is wrong."""


class Explainer:
    """Looks for what is wrong with one value, for a limited time."""

    def __init__(self, whole: str) -> None:
        """Begin.

        Args:
            whole: what to call the value itself.
        """
        self._whole = whole
        self._end = time.perf_counter() + MOST_SECONDS

    def explain(self, part: Part, value: Any, place: list[Step], depth: int = 0) -> Iterator[str]:
        """Give sentences about a value, or one inside it, that does not fit a part of a schema: at least one."""
        told = False
        if depth < DEEPEST_STEP:
            for found in self._explain(part, value, place, depth + 1):
                told = True
                yield found
        if not told:
            rules = ", ".join(part.node) if isinstance(part.node, dict) else "false"
            yield f"{self._where(place)} is {shown(value)}, and does not fit its schema ({rules[:200]})"

    def _explain(self, part: Part, value: Any, place: list[Step], depth: int) -> Iterator[str]:
        if part.node is False:
            yield f"{self._where(place)} is not allowed; leave it out"
        if isinstance(part.node, bool):
            return
        where = self._where(place)
        for error in part.errors(_OWN, value):
            yield sentence(error, value, where)
        for inner, below, step in self._deeper(part, value):
            if isinstance(inner, str):
                yield f"{where} {inner}"
            elif inner.fits(below) is False:
                yield from self.explain(inner, below, place if step is None else [*place, step], depth)

    def _deeper(self, part: Part, value: Any) -> Found:
        for keyword, look in _DEEPER.items():
            if keyword in part.node:
                for found in look(part, value):
                    if time.perf_counter() > self._end:
                        return
                    yield found

    def _where(self, place: list[Step]) -> str:
        return path(place) if place else self._whole


def sentence(error: Any, value: Any, where: str) -> str:
    """Say an error of the library about a value in a sentence of ours."""
    kind = error.kind
    if kind.name == "required":
        return f"{where} lacks {shown(kind.property)}, which is required"
    return f"{where} is {shown(value)}, and must {_must(kind) or 'fit its schema: ' + error.message[:200]}"


def _must(kind: Any) -> str:
    match kind.name:
        case "type":
            return f"be {_either([_KINDS.get(name, f'a {name}') for name in _types(kind.types)])}"
        case "enum":
            return f"be {_either([shown(option) for option in kind.options])}"
        case "const":
            return f"be {shown(kind.expected_value)}"
        case "uniqueItems":
            return "not hold an item twice"
        case "pattern" if not hasattr(kind, "pattern"):  # it went back more often than it may
            return "be shorter, for its pattern takes too long to match"
        case name if name in _LIMITS:
            limit = getattr(kind, "limit", getattr(kind, "multiple_of", getattr(kind, "pattern", "")))
            return _LIMITS[name].format(shown(limit))
        case name if name in _COUNTS:
            bound, one, many = _COUNTS[name]
            return f"have {bound} {kind.limit} {one if kind.limit == 1 else many}"
    return ""


def _types(names: Sequence[str]) -> list[str]:
    """Put null last, where people expect it."""
    return sorted(names, key=lambda name: name == "null")


def _either(options: list[str]) -> str:
    if len(options) > MOST_LISTED:
        return f"one of {', '.join(options[:MOST_LISTED])} or {len(options) - MOST_LISTED} more"
    return f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0] if options else "nothing"


# --- deeper: each gives the schemas that a value, or what is in it, must fit as well --------------------------------


def _names_in(value: Any) -> Iterator[str]:
    return islice(value, MOST_LOOKED_AT) if isinstance(value, dict) else iter(())


def _reference(part: Part, value: Any) -> Found:
    target = part.target()
    if target is not None:
        yield target, value, None


def _all_of(part: Part, value: Any) -> Found:
    for index in range(len(part.node["allOf"])):
        yield part.down("allOf", index), value, None


def _any_of(part: Part, value: Any) -> Found:
    yield from _alternatives(part, "anyOf", value)


def _one_of(part: Part, value: Any) -> Found:
    fitting = [index for index in range(len(part.node["oneOf"])) if part.down("oneOf", index).fits(value)]
    if len(fitting) > 1:
        yield f"is {shown(value)}, and fits more than one of its alternatives; it must fit exactly one", None, None
    elif not fitting:
        yield from _alternatives(part, "oneOf", value)


def _alternatives(part: Part, keyword: str, value: Any) -> Found:
    branches = [part.down(keyword, index) for index in range(len(part.node[keyword]))]
    if any(branch.fits(value) is not False for branch in branches):
        return
    found = [_followed(branch) for branch in branches]
    right = [branch for branch in found if not branch.errors(_VALUES, value)]
    expected = [_expected(branch) for branch in found]
    if not right and all(expected):
        options = dict.fromkeys(option for options in expected for option in options)
        yield f"is {shown(value)}, and must be {_either(list(options))}", None, None
    else:
        yield max(right or found, key=lambda branch: _likeness(branch, value)), value, None


def _followed(part: Part) -> Part:
    for _ in range(DEEPEST_STEP):
        target = part.target() if isinstance(part.node, dict) else None
        if target is None:
            break
        part = target
    return part


def _expected(part: Part) -> list[str]:
    """Name what an alternative wants, if its type or its fixed values say it."""
    node = part.node if isinstance(part.node, dict) else {}
    if "const" in node or "enum" in node:
        return [shown(option) for option in ([node["const"]] if "const" in node else node["enum"])]
    types = node.get("type", [])
    return [_KINDS.get(name, f"a {name}") for name in ([types] if isinstance(types, str) else types)]


def _likeness(part: Part, value: Any) -> int:
    """Say how much a value looks as if it were meant for this alternative; fixed values say most."""
    if not isinstance(part.node, dict) or not isinstance(value, dict):
        return -len(part.errors(_OWN, value)) if isinstance(part.node, dict) else 0
    fields = part.node.get("properties", {})
    likeness = -sum(name not in value for name in part.node.get("required", ()))
    for name in list(fields)[:MOST_LISTED]:
        if name in value:
            field = part.down("properties", name)
            weight = 10 if isinstance(field.node, dict) and field.node.keys() & {"const", "enum"} else 1
            likeness += weight if field.fits(value[name]) else -weight
    return likeness


def _not(part: Part, value: Any) -> Found:
    if part.down("not").fits(value):
        yield f"is {shown(value)}, and must not fit {shown(part.node['not'])}", None, None


def _if(part: Part, value: Any) -> Found:
    branch = "then" if part.down("if").fits(value) else "else"
    if branch in part.node:
        yield part.down(branch), value, None


def _properties(part: Part, value: Any) -> Found:
    for name in _names_in(value):
        if name in part.node["properties"]:
            yield part.down("properties", name), value[name], name


def _pattern_properties(part: Part, value: Any) -> Found:
    for pattern in part.node["patternProperties"]:
        inner = part.down("patternProperties", pattern)
        for name in _names_in(value):
            if inner.fits(value[name]) is False and part.matches(pattern, name):
                yield inner, value[name], name


def _additional(part: Part, value: Any) -> Found:
    inner = part.down("additionalProperties")
    if not isinstance(value, dict) or inner.node is True:
        return
    known = part.node.get("properties", {})
    patterns = part.node.get("patternProperties", ())
    for name in _names_in(value):
        if name not in known and not any(part.matches(pattern, name) for pattern in patterns):
            if inner.node is not False:
                yield inner, value[name], name
            else:
                names = ", ".join(map(shown, list(known)[:MOST_LISTED])) or "none"
                yield f"has the property {shown(name)}, which is not known; leave it out (known: {names})", None, None


def _names(part: Part, value: Any) -> Found:
    for name in _names_in(value):
        if part.down("propertyNames").fits(name) is False:
            rule = shown(part.node["propertyNames"])
            yield f"has a property named {shown(name)}, and names must fit {rule}", None, None


def _dependent(part: Part, value: Any) -> Found:
    for name in part.node["dependentSchemas"] if isinstance(value, dict) else ():
        if name in value:
            yield part.down("dependentSchemas", name), value, None


def _items(part: Part, value: Any) -> Found:
    first = part.node.get("prefixItems")
    begin = len(first) if isinstance(first, list) else 0
    items = part.node["items"]
    if isinstance(value, list | tuple) and isinstance(items, list):  # as drafts before 2020-12 wrote prefixItems
        yield from ((part.down("items", at), value[at], at) for at in range(min(len(items), len(value))))
    elif isinstance(value, list | tuple):
        inner = part.down("items")
        yield from ((inner, value[at], at) for at in range(begin, min(len(value), MOST_LOOKED_AT)))


def _first_items(part: Part, value: Any) -> Found:
    if isinstance(value, list | tuple):
        for at in range(min(len(part.node["prefixItems"]), len(value))):
            yield part.down("prefixItems", at), value[at], at


def _contains(part: Part, value: Any) -> Found:
    least, most = part.node.get("minContains", 1), part.node.get("maxContains")
    if not isinstance(value, list | tuple) or len(value) > MOST_LOOKED_AT:
        return
    fitting = sum(part.down("contains").fits(item) is True for item in value)
    if fitting < least or (most is not None and fitting > most):
        count = f"at least {shown(least)}" + (f" and at most {shown(most)}" if most is not None else "")
        yield f"is {shown(value)}, and {count} of its items must fit {shown(part.node['contains'])}", None, None


_DEEPER: Mapping[str, Callable[[Part, Any], Found]] = {
    "$ref": _reference,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "prefixItems": _first_items,
    "items": _items,
    "contains": _contains,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "dependentSchemas": _dependent,
}
