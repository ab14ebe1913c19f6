"""Schemas of tools as a small model reads and fills them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.request import ToolSpec

DEEPEST = 16
"""Levels of a schema that are looked at."""
NULL = {"type": "null"}


def signature(tool: ToolSpec) -> str:
    """Write a tool in one line: its name, its arguments with what they are, and what it does."""
    parameters = loosened(tool.parameters or {})
    required = parameters.get("required") or ()
    arguments = [
        f"{name}{'' if name in required else '?'}: {_kind(schema)}{_said(schema)}"
        for name, schema in _properties(parameters).items()
    ]
    return f"- {tool.name}({', '.join(arguments)}): {' '.join((tool.description or '').split())}"


def example_of(tool: ToolSpec) -> dict[str, Any]:
    """Make up arguments, the required ones, that show the form and mean nothing."""
    parameters = loosened(tool.parameters or {})
    required = parameters.get("required") or ()
    return {name: _made_up(name, schema) for name, schema in _properties(parameters).items() if name in required}


def loosened(schema: Any, depth: int = 0) -> Any:
    """Give a strict schema as an ordinary one: what may be null may be missing, for a small model fills in what it can.

    `completed` puts the nulls back.
    """
    if isinstance(schema, list):
        return [loosened(each, depth + 1) for each in schema]
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return schema
    result = {key: loosened(value, depth + 1) for key, value in schema.items()}
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        optional = {name for name, field in properties.items() if _may_be_null(field)}
        result["properties"] = {
            name: loosened(_without_null(field) if name in optional else field, depth + 1)
            for name, field in properties.items()
        }
        result["required"] = [name for name in schema.get("required") or () if name not in optional]
    return result


def completed(arguments: Any, schema: Mapping[str, Any]) -> Any:
    """Put a null where a strict schema requires an argument that was left out and may be null."""
    properties = _properties(schema)
    if not isinstance(arguments, Mapping) or not properties:
        return arguments
    filled = dict(arguments)
    for name, field in properties.items():
        if name in filled:
            filled[name] = completed(filled[name], field) if isinstance(field, Mapping) else filled[name]
        elif name in (schema.get("required") or ()) and _may_be_null(field):
            filled[name] = None
    return filled


def _properties(schema: Any) -> Mapping[str, Any]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _may_be_null(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    kind, options, values = schema.get("type"), schema.get("anyOf"), schema.get("enum")
    if isinstance(kind, list):
        return "null" in kind
    if isinstance(options, list):
        return any(isinstance(option, Mapping) and option.get("type") == "null" for option in options)
    return isinstance(values, list) and None in values


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(schema)
    kind, options, values = schema.get("type"), schema.get("anyOf"), schema.get("enum")
    if isinstance(kind, list):
        kinds = [each for each in kind if each != "null"]
        result["type"] = kinds[0] if len(kinds) == 1 else kinds
    if isinstance(options, list):
        left = [option for option in options if not (isinstance(option, Mapping) and option.get("type") == "null")]
        if len(left) == 1 and isinstance(left[0], Mapping):
            del result["anyOf"]
            result = {**left[0], **result}
        else:
            result["anyOf"] = left
    if isinstance(values, list):
        result["enum"] = [value for value in values if value is not None]
    return result


def _kind(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "any"
    if isinstance(schema.get("enum"), list):
        return "|".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return f"{_kind(schema.get('items'))}[]"
    if kind == "object" and _properties(schema):
        inner = ", ".join(f"{name}: {_kind(field)}" for name, field in _properties(schema).items())
        return f"{{{inner}}}"
    if isinstance(schema.get("anyOf"), list):
        return "|".join(_kind(option) for option in schema["anyOf"])
    return kind if isinstance(kind, str) else "any"


def _said(schema: Any) -> str:
    text = schema.get("description") if isinstance(schema, Mapping) else None
    return f" ({' '.join(text.split())})" if isinstance(text, str) and text.strip() else ""


def _made_up(name: str, schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return f"<{name}>"
    values: Sequence[Any] | None = schema.get("enum")
    if values:
        return values[0]
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 3)
        case "boolean":
            return True
        case "array":
            return [_made_up(name, schema.get("items"))]
        case "object":
            return {field: _made_up(field, inner) for field, inner in _properties(schema).items()}
    return f"<{name}>"
