"""Tools as a model reads them in a text: what they do, what their arguments are, and what a call of them looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.request import ToolSpec

DEEPEST = 6
"""Levels of a schema that are looked at; a schema that holds itself has no end."""
_FIRST_SENTENCE = re.compile(r".{1,300}?(?:[.!?](?=\s|$)|[。！？])")
_DEFINITION = re.compile(r"#/(\$defs|definitions)/([^/]+)")
_MADE_UP: Mapping[str, str] = {
    "date": "2025-01-31",
    "date-time": "2025-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "somebody@example.com",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
"""Texts of a certain format."""


def tool_lines(tools: Sequence[ToolSpec]) -> str:
    """Write tools in a line each: name, arguments with what they are (`?` marks what may be left out), what it does."""
    return "\n".join(map(_line, tools))


def purpose(tool: ToolSpec) -> str:
    """Give the first sentence of what a tool says it does; its name if it says nothing."""
    text = _one_line(tool.description) or f"{tool.name.replace('_', ' ')}."
    found = _FIRST_SENTENCE.match(text)
    return found[0] if found is not None else text


def example_arguments(tool: ToolSpec) -> dict[str, Any]:
    """Make up arguments, the required ones, that fit the schema's types and bounds and mean nothing."""
    schema = _mapping(tool.parameters)
    required = _names(schema)
    return {
        name: _made_up(name, field, schema, 0)
        for name, field in _mapping(schema.get("properties")).items()
        if name in required
    }


# --- kinds ----------------------------------------------------------------------------------------------------------


def _line(tool: ToolSpec) -> str:
    schema = _mapping(tool.parameters)
    arguments = ", ".join(_fields(schema, schema, 0, told=True))
    said = _one_line(tool.description)
    return f"- {tool.name}({arguments})" + (f": {said}" if said else "")


def _fields(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int, *, told: bool) -> list[str]:
    required = _names(schema)
    return [
        f"{name}{'' if name in required else '?'}: {_kind(field, root, depth)}{_said(field) if told else ''}"
        for name, field in _mapping(schema.get("properties")).items()
    ]


def _kind(schema: Any, root: Mapping[str, Any], depth: int) -> str:
    schema = _resolved(schema, root)
    if depth > DEEPEST:
        return "any"
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, (list, tuple)):
        return "|".join(json.dumps(value, ensure_ascii=False) for value in values)
    options = _options(schema)
    if options:
        kinds = dict.fromkeys(_kind(option, root, depth + 1) for option in options)
        return "|".join(kinds)
    kind = schema.get("type")
    if isinstance(kind, list) and kind:
        return "|".join(_kind({**schema, "type": each}, root, depth + 1) for each in kind)
    if kind == "array":
        inner = _kind(schema.get("items"), root, depth + 1)
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if kind == "object" and schema.get("properties"):
        return f"{{{', '.join(_fields(schema, root, depth + 1, told=False))}}}"
    return kind if isinstance(kind, str) else "any"


def _said(schema: Any) -> str:
    """Give what a schema says of an argument, and what it is if it is left out."""
    schema = _mapping(schema)
    default = schema.get("default")
    said = [_one_line(schema.get("description"))]
    if default is not None:
        said.append(f"default {json.dumps(default, ensure_ascii=False)}")
    text = "; ".join(filter(None, said))
    return f" ({text})" if text else ""


# --- values ---------------------------------------------------------------------------------------------------------


def _made_up(name: str, schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    given = _given(schema)
    if depth > DEEPEST or given:
        return given[0] if given else None
    options = _options(schema)
    if options:
        option = next((each for each in options if _mapping(each).get("type") != "null"), options[0])
        return _made_up(name, option, root, depth + 1)
    match _kinds(schema)[0]:
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "array":
            return [_made_up(name, schema.get("items"), root, depth + 1)] * max(1, schema.get("minItems", 1))
        case "object":
            fields, required = _mapping(schema.get("properties")), _names(schema)
            return {each: _made_up(each, fields[each], root, depth + 1) for each in fields if each in required}
    return _MADE_UP.get(str(schema.get("format"))) or _text(name, schema)


def _given(schema: Mapping[str, Any]) -> Sequence[Any]:
    """Give the values that a schema names itself, the most fitting first."""
    if "const" in schema:
        return [schema["const"]]
    if schema.get("default") is not None:
        return [schema["default"]]
    values = schema.get("examples") or schema.get("enum")
    return values if isinstance(values, (list, tuple)) else ()


def _kinds(schema: Mapping[str, Any]) -> Sequence[Any]:
    """Give the types that a value may have, null the last of them."""
    kind = schema.get("type")
    return sorted(kind, key="null".__eq__) if isinstance(kind, list) and kind else [kind]


def _number(schema: Mapping[str, Any]) -> float:
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    number: float = least if least is not None else above + 1 if above is not None else 3
    most: float = schema.get("maximum", number)
    return min(number, most)


def _text(name: str, schema: Mapping[str, Any]) -> str:
    least: int = schema.get("minLength", 0)
    most: int | None = schema.get("maxLength")
    return f"<{name}>".ljust(least, ".")[:most]


# --- schemas --------------------------------------------------------------------------------------------------------


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a schema, that which it refers to put in its place."""
    resolved = _mapping(schema)
    for _ in range(DEEPEST):
        found = _DEFINITION.fullmatch(str(resolved.get("$ref")))
        if found is None:
            break
        beside = {key: value for key, value in resolved.items() if key != "$ref"}
        resolved = {**_mapping(_mapping(root.get(found[1])).get(found[2])), **beside}
    return resolved


def _options(schema: Mapping[str, Any]) -> Sequence[Any]:
    options = schema.get("anyOf") or schema.get("oneOf")
    return options if isinstance(options, (list, tuple)) else ()


def _names(schema: Mapping[str, Any]) -> Sequence[str]:
    required = schema.get("required")
    return required if isinstance(required, (list, tuple)) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {}


def _one_line(text: Any) -> str:
    return " ".join(text.split()) if isinstance(text, str) else ""
