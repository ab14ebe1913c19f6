"""Schemas as pydantic makes them, made over for models: strict where that is possible, and short.

Strict is meant as in OpenAI's Structured Outputs: every object is closed and all its properties are required.
https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST_INLINE = 1_000
"""Schemas in the result, up to which definitions stand where they are used; in a larger one they stay definitions."""

_SAID = (
    "type", "description", "enum", "const", "format", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
)  # fmt: skip
"""Keywords that are taken over as they are, in this order."""
_LENGTHS = {"minLength": "at least", "maxLength": "at most"}
"""Bounds that strict modes do not take: pydantic holds to them, and the model is told in words."""
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_INNER = frozenset({"properties", "items", "prefixItems", "additionalProperties", "patternProperties"})
_STRICT = frozenset({*_SAID, "properties", "required", "additionalProperties", "items", "anyOf", "$ref", "$defs"})
_NULL: dict[str, Any] = {"type": "null"}
Node = Mapping[str, Any]


def made_over(schema: Node) -> tuple[dict[str, Any], frozenset[str]]:
    """Give a schema for models, and where in it null stands for what was left out.

    Properties that may be left out become required and may be null. Definitions stand where they are used, unless they
    hold themselves. Titles, defaults and other remarks are left out; a plain default is told in the description.

    Returns:
        The schema, and JSON pointers of the properties for which null means their default.
    """
    defs = schema.get("$defs", {})
    recursive = {name for name in defs if name in _reached(name, defs)}
    try:
        return _Maker(defs, recursive, most=MOST_INLINE).root(schema)
    except _TooMuch:
        return _Maker(defs, set(defs), most=None).root(schema)


def is_strict(node: Any) -> bool:
    """Say whether strict modes take a schema."""
    if not isinstance(node, dict) or not node.keys() <= _STRICT or not node.keys() & {"type", "anyOf", "$ref", "enum"}:
        return False
    types = node.get("type", ())
    if "object" in types:
        fields = node.get("properties")
        if fields is None or node.get("additionalProperties") is not False or list(fields) != node.get("required"):
            return False
    if "array" in types and "items" not in node:
        return False
    return all(is_strict(inner) for inner in _inner(node))


def _inner(node: Node) -> Iterator[Any]:
    for key in ("properties", "$defs"):
        yield from node.get(key, {}).values()
    yield from node.get("anyOf", ())
    if "items" in node:
        yield node["items"]


class _TooMuch(Exception):
    """Definitions that use definitions grow without end."""


class _Maker:
    """Makes schemas over that share definitions."""

    def __init__(self, defs: Mapping[str, Node], kept: set[str], *, most: int | None) -> None:
        """Make none yet.

        Args:
            defs: the definitions.
            kept: those that stay where they are.
            most: how many schemas may be written; None is no bound.
        """
        self._defs = defs
        self._kept = kept
        self._left = most
        self._nulls: set[str] = set()

    def root(self, schema: Node) -> tuple[dict[str, Any], frozenset[str]]:
        """Make a whole schema over."""
        made = self.node({key: value for key, value in schema.items() if key not in ("$defs", "description")}, "")
        kept = {name: self.node(self._defs[name], f"/$defs/{_escaped(name)}") for name in sorted(self._kept)}
        return made | ({"$defs": kept} if kept else {}), frozenset(self._nulls)

    def node(self, node: Any, pointer: str) -> dict[str, Any]:
        """Make a schema over that stands at a pointer in the result."""
        if not isinstance(node, Mapping):
            return {}
        self._count()
        node = self._resolved(node)
        if "$ref" in node:
            siblings = {"description": node["description"]} if "description" in node else {}
            return {"anyOf": [{"$ref": node["$ref"]}], **siblings} if siblings else {"$ref": node["$ref"]}
        made = _said(node)
        alternatives = node.get("anyOf", node.get("oneOf"))
        if alternatives:
            made["anyOf"] = [self.node(inner, f"{pointer}/anyOf/{index}") for index, inner in enumerate(alternatives)]
            return _shorter(made)
        if node.get("type") == "object":
            made |= self._object(node, pointer)
        elif node.get("type") == "array":
            made |= self._array(node, pointer)
        return made

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise _TooMuch

    def _object(self, node: Node, pointer: str) -> dict[str, Any]:
        others = node.get("additionalProperties", False)
        made: dict[str, Any] = {}
        if "properties" in node or others is False:
            fields = node.get("properties", {})
            required = node.get("required", ())
            made["properties"] = {
                name: self._field(field, f"{pointer}/properties/{_escaped(name)}", optional=name not in required)
                for name, field in fields.items()
            }
            made["required"] = list(fields)
        if "patternProperties" in node:
            made["patternProperties"] = {
                name: self.node(field, f"{pointer}/patternProperties/{_escaped(name)}")
                for name, field in node["patternProperties"].items()
            }
        is_schema = isinstance(others, Mapping)
        made["additionalProperties"] = self.node(others, f"{pointer}/additionalProperties") if is_schema else others
        if "propertyNames" in node:
            made["propertyNames"] = self.node(node["propertyNames"], f"{pointer}/propertyNames")
        return made | {key: node[key] for key in ("minProperties", "maxProperties") if key in node}

    def _array(self, node: Node, pointer: str) -> dict[str, Any]:
        first = [
            self.node(inner, f"{pointer}/prefixItems/{at}") for at, inner in enumerate(node.get("prefixItems", ()))
        ]
        if first and all(inner == first[0] for inner in first) and "items" not in node:
            return {"items": self.node(node["prefixItems"][0], f"{pointer}/items")}
        made: dict[str, Any] = {"prefixItems": first} if first else {}
        if "items" in node:
            made["items"] = self.node(node["items"], f"{pointer}/items")
        return made

    def _field(self, node: Any, pointer: str, *, optional: bool) -> dict[str, Any]:
        if optional:
            self._nulls.add(pointer)
            node = _with_default(self._resolved(node)) if isinstance(node, Mapping) else node
        if not optional or self._takes_null(node):
            return self.node(node, pointer)
        resolved = self._resolved(node)
        if "$ref" not in resolved and resolved.keys().isdisjoint(_INNER) and resolved.get("type") != "object":
            return _with_null(self.node(resolved, pointer))
        said = {"description": resolved["description"]} if "description" in resolved else {}
        inner = {key: value for key, value in resolved.items() if key != "description"}
        return {**said, "anyOf": [self.node(inner, f"{pointer}/anyOf/0"), _NULL]}

    def _resolved(self, node: Node) -> Node:
        """Put in place of a reference what it means, unless that holds itself, and of `allOf` of one that one."""
        while True:
            rest = {key: value for key, value in node.items() if key not in ("$ref", "allOf", "title")}
            name = node.get("$ref", "").removeprefix("#/$defs/")
            if name and name not in self._kept:
                node = {**self._defs[name], **rest}
            elif len(node.get("allOf", ())) == 1:
                node = {**node["allOf"][0], **rest}
            else:
                return node

    def _takes_null(self, node: Any) -> bool:
        if not isinstance(node, Mapping):
            return True
        node = self._resolved(node)
        if "$ref" in node:
            return self._takes_null({key: value for key, value in self._defs[_name(node)].items() if key != "$ref"})
        alternatives = node.get("anyOf", node.get("oneOf"))
        if alternatives:
            return any(self._takes_null(inner) for inner in alternatives)
        return "null" in node.get("type", ("null",)) and None in node.get("enum", (None,)) and "const" not in node


def _reached(name: str, defs: Mapping[str, Node]) -> set[str]:
    """Give the definitions that one uses, itself only if it comes back to itself."""
    reached: set[str] = set()
    waiting = [defs[name]]
    while waiting:
        found = set(_references(waiting.pop())) - reached
        reached |= found
        waiting += [defs[one] for one in found]
    return reached


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("$ref"), str):
            yield _name(node)
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def _name(node: Node) -> str:
    return str(node["$ref"]).removeprefix("#/$defs/")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _said(node: Node) -> dict[str, Any]:
    """Give what a schema says itself."""
    made = {key: node[key] for key in _SAID if key in node}
    if made.get("format") not in _FORMATS:
        made.pop("format", None)
    if "(?" in made.get("pattern", ""):
        del made["pattern"]
    if "enum" in made and "type" not in made:
        made = {"type": _types(made["enum"]), **made}
    lengths = [(bound, node[key]) for key, bound in _LENGTHS.items() if key in node]
    notes = [f"{bound} {length} {'character' if length == 1 else 'characters'}" for bound, length in lengths]
    notes += ["no item twice"] if node.get("uniqueItems") else []
    return _noted(made, notes)


def _noted(node: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    if not notes:
        return node
    note = "; ".join(notes)
    said = node.get("description")
    return {**node, "description": f"{said} ({note})" if said else f"{note[0].upper()}{note[1:]}."}


def _types(options: list[Any]) -> list[str]:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return list(dict.fromkeys(names.get(type(option), "object") for option in options))


def _with_default(node: Node) -> Node:
    """Tell a default in words, if it has some: strict modes take none."""
    default = node.get("default")
    if not isinstance(default, str | int | float):
        return node
    return _noted(dict(node), [f"null means {json.dumps(default, ensure_ascii=False)}"])


def _with_null(node: dict[str, Any]) -> dict[str, Any]:
    """Let a schema of a plain value, or of alternatives, take null as well."""
    if "anyOf" in node:
        return {**node, "anyOf": [*node["anyOf"], _NULL]}
    made = dict(node)
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    types = made.get("type", [])
    return {**made, "type": [*([types] if isinstance(types, str) else types), "null"]}


def _shorter(node: dict[str, Any]) -> dict[str, Any]:
    """Write alternatives of a plain value and null as one schema: small models read it better."""
    others = [inner for inner in node["anyOf"] if inner != _NULL]
    if len(others) != 1 or len(node["anyOf"]) == 1:
        return node
    (other,) = others
    if "anyOf" in other or "$ref" in other or "type" not in other or not other.keys().isdisjoint(_INNER):
        return node
    return {**_with_null(other), **{key: value for key, value in node.items() if key != "anyOf"}}
