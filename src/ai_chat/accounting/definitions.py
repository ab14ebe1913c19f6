"""Tool definitions in the form a model reads them in: TypeScript types in a namespace.

The API turns the JSON Schema of each tool into this text before the model sees it, so this is what is billed. OpenAI
does not document it; the forms are those that fit billed counts exactly. There are two: that of the `tools` field, in
which an object inside an object stands on its field's line, and that of the withdrawn `functions` field, in which it is
indented and its fields' descriptions are dropped. Bounds, patterns, formats and defaults have no place in either: the
model is not shown them and they cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.request import ToolSpec

_NAMES = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}
_DEEPEST = 64
"""Levels of a schema that are written out; what is deeper is `any`."""


def typescript(tools: Sequence[ToolSpec], *, withdrawn: bool = False) -> str:
    """Write tools as the namespace the model is shown; `withdrawn` for those of the `functions` field."""
    lines = ["namespace functions {", ""]
    for tool in tools:
        if tool.description:
            lines.append(f"// {tool.description}")
        fields = list(_parameters(tool.parameters or {}, indent=0 if withdrawn else None))
        lines += [f"type {tool.name} = (_: {{", *fields, "}) => any;"] if fields else [f"type {tool.name} = () => any;"]
        lines.append("")
    lines.append("} // namespace functions")
    return "\n".join(lines)


def _parameters(schema: Mapping[str, Any], *, indent: int | None) -> Iterator[str]:
    """Write the parameters of a tool, each on a line below its description."""
    for name, field, description in _properties(schema):
        if description:
            yield f"// {description}"
        yield f"{name}: {_type(field, depth=1, indent=indent)},"


def _object(schema: Mapping[str, Any], *, depth: int, indent: int | None) -> str:
    """Write an object inside the parameters: on its field's line, or indented by so many blanks."""
    fields = [
        (name, _type(field, depth=depth + 1, indent=indent), description)
        for name, field, description in _properties(schema)
    ]
    if indent is not None:
        return "\n".join(["{", *(f"{' ' * indent}{name}: {kind}," for name, kind, _ in fields), "}"])
    if not fields:
        return "{}"
    written = (f"\n// {text}\n{name}: {kind}" if text else f"{name}: {kind}" for name, kind, text in fields)
    return f"{{ {', '.join(written)} }}"


def _properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Give the name of each property, with a question mark if it may be missing, its schema, and its description."""
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, Mapping):
        return
    for name, field in properties.items():
        optional = "" if isinstance(required, Sequence) and name in required else "?"
        description = field.get("description") if isinstance(field, Mapping) else None
        yield f"{name}{optional}", field, str(description or "")


def _type(schema: Any, *, depth: int, indent: int | None) -> str:
    """Write one type; whatever is no schema is `any`."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return "any"
    kind = schema.get("type")
    options = next((schema[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(schema.get(key), list)), None)
    if options is None and isinstance(kind, list):
        options = [{**schema, "type": each} for each in kind]
    if options is not None:
        return " | ".join(_type(option, depth=depth + 1, indent=indent) for option in options)
    if kind == "object":
        return _object(schema, depth=depth, indent=None if indent is None else indent + 2)
    if kind == "array":
        return f"{_type(schema.get('items'), depth=depth + 1, indent=indent)}[]"
    return _scalar(kind, schema.get("enum"))


def _scalar(kind: Any, enum: Any) -> str:
    """Write a type without parts; the choices of a number stand closer than those of a text."""
    if kind == "string" and isinstance(enum, list):
        return " | ".join(f'"{value}"' for value in enum)
    if kind in ("number", "integer") and isinstance(enum, list):
        return "|".join(str(value) for value in enum)
    return _NAMES.get(kind, "any") if isinstance(kind, str) else "any"
