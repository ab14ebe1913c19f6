"""Tool definitions in the form a model reads them in: TypeScript types in a namespace.

The API turns the JSON Schema of each tool into this text before the model sees it, so this is what is billed. OpenAI
does not document it; the form is the one that fits billed counts of the `tools` field, exactly for flat parameters and
within a token or two for objects inside objects. Counts of the withdrawn `functions` field fit another one, with inner
objects indented and their descriptions dropped. Bounds, patterns, formats and defaults have no place in the form: the
model is not shown them and they cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.request import ToolSpec

_NAMES = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}
_DEEPEST = 64
"""Levels of a schema that are written out; what is deeper is `any`."""


def typescript(tools: Sequence[ToolSpec]) -> str:
    """Write tools as the namespace the model is shown."""
    lines = ["namespace functions {", ""]
    for tool in tools:
        if tool.description:
            lines.append(f"// {tool.description}")
        fields = list(_fields(tool.parameters or {}, depth=0))
        lines += [f"type {tool.name} = (_: {{", *fields, "}) => any;"] if fields else [f"type {tool.name} = () => any;"]
        lines.append("")
    lines.append("} // namespace functions")
    return "\n".join(lines)


def _fields(schema: Mapping[str, Any], *, depth: int) -> Iterator[str]:
    """Write the properties of an object, each on a line below its description."""
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, Mapping):
        return
    for name, field in properties.items():
        if isinstance(field, Mapping) and field.get("description"):
            yield f"// {field['description']}"
        optional = "" if isinstance(required, Sequence) and name in required else "?"
        yield f"{name}{optional}: {_type(field, depth=depth + 1)},"


def _type(schema: Any, *, depth: int) -> str:
    """Write one type; whatever is no schema is `any`."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return "any"
    kind = schema.get("type")
    options = next((schema[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(schema.get(key), list)), None)
    if options is None and isinstance(kind, list):
        options = [{**schema, "type": each} for each in kind]
    if options is not None:
        return " | ".join(_type(option, depth=depth + 1) for option in options)
    if kind == "object":
        return "\n".join(["{", *_fields(schema, depth=depth), "}"])
    if kind == "array":
        return f"{_type(schema.get('items'), depth=depth + 1)}[]"
    return _scalar(kind, schema.get("enum"))


def _scalar(kind: Any, enum: Any) -> str:
    """Write a type without parts; the choices of a number stand closer than those of a text."""
    if kind == "string" and isinstance(enum, list):
        return " | ".join(f'"{value}"' for value in enum)
    if kind in ("number", "integer") and isinstance(enum, list):
        return "|".join(str(value) for value in enum)
    return _NAMES.get(kind, "any") if isinstance(kind, str) else "any"
