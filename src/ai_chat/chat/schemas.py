"""JSON Schemas made over: an object at the root, closed for strict modes, without what a model need not be told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

VALUE = "value"
"""The one field of the object that holds a value which is none itself: providers want an object at the root."""
_BY_NAME = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_SINGLE_TOO = ("unevaluatedItems", "unevaluatedProperties")
_NEVER_STRICT = frozenset((
    "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "patternProperties",
    "propertyNames", "prefixItems", "contains", "additionalItems", "$dynamicRef", "$recursiveRef", *_SINGLE_TOO,
))  # fmt: skip
_KEPT = frozenset((
    "type", "enum", "const", "description", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minItems", "maxItems",
))  # fmt: skip
_BOUNDS = frozenset(("minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties"))
"""What Structured Outputs do not take and a grammar may; where it is not taken it goes into the description."""
_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"))


class _NotStrict(Exception):
    """The schema means something that strict modes have no words for."""


def rooted(schema: Schema) -> tuple[dict[str, Any], bool]:
    """Give a schema of an object, and whether it is one with the value in its only field."""
    root = dict(schema)
    target = _target(root, root)
    if target is not root:  # what a recursive model looks like
        root = {**target, **{key: value for key, value in root.items() if key != "$ref"}}
    is_object = root.get("type", "object") == "object" and ("type" in root or "properties" in root)
    if is_object and "anyOf" not in root and "oneOf" not in root:
        return {"type": "object", **root}, False
    dialect = {key: root.pop(key) for key in ("$schema",) if key in root}
    root.pop("$id", None)  # references would begin there, and the definitions move out of it
    defs = {key: root.pop(key) for key in ("$defs", "definitions") if key in root}
    moved: dict[str, Any] = {key: {name: _moved(one) for name, one in named.items()} for key, named in defs.items()}
    fields = {VALUE: _moved(root)}
    return {
        "type": "object",
        "properties": fields,
        "required": [VALUE],
        "additionalProperties": False,
    } | dialect | moved, True


def strict(schema: Schema, *, bounds: bool = False) -> dict[str, Any] | None:
    """Give a schema of an object as OpenAI's Structured Outputs take it; None if they cannot take it.

    Every object is closed and all its fields are required; an optional one may be null instead, which `without_nulls`
    takes out again. What has no words there is told in descriptions.
    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas

    Args:
        schema: a valid one.
        bounds: keep those of the lengths of texts, which Structured Outputs refuse.
    """
    try:
        return _Strict(bounds=bounds).schema(schema)
    except _NotStrict:
        return None


def without_titles(schema: Any) -> Any:
    """Give a schema without the titles that libraries make of the names: they say nothing and cost tokens."""
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return _mapped(kept, without_titles)


def without_nulls(value: Any, schema: Schema) -> Any:
    """Take out the nulls that stand for optional fields which were left out."""
    return _without_nulls(value, [schema], schema)


# --- references ----------------------------------------------------------------------------------------------------


def _mapped(schema: Schema, change: Callable[[Any], Any]) -> dict[str, Any]:
    """Give a schema with each schema directly in it changed."""
    made: dict[str, Any] = dict(schema)
    for key in _BY_NAME:
        if isinstance(made.get(key), Mapping):
            made[key] = {name: change(inner) for name, inner in made[key].items()}
    for key in _LISTED:
        if isinstance(made.get(key), list):
            made[key] = [change(inner) for inner in made[key]]
    for key in (*_SINGLE, *_SINGLE_TOO):
        if isinstance(made.get(key), Mapping):
            made[key] = change(made[key])
    return made


def _moved(schema: Any) -> Any:
    """Have references to the root, which has moved into a field, follow it; definitions stay where they were."""
    if not isinstance(schema, Mapping):
        return schema
    made = _mapped(schema, _moved)
    ref = made.get("$ref")
    if isinstance(ref, str) and ref.startswith("#") and not ref.startswith(("#/$defs/", "#/definitions/")):
        made["$ref"] = f"#/properties/{VALUE}{ref[1:]}"
    return made


def _target(schema: Any, root: Schema) -> Schema:
    """Follow references within the schema; whatever leads nowhere is given as it is."""
    seen = set()
    while isinstance(schema, Mapping) and isinstance(ref := schema.get("$ref"), str) and ref.startswith("#"):
        if ref in seen:
            break
        seen.add(ref)
        found: Any = root
        for step in ref[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            break
        schema = found
    return schema if isinstance(schema, Mapping) else {}


# --- strict --------------------------------------------------------------------------------------------------------


class _Strict:
    """Makes schemas over for strict modes."""

    def __init__(self, *, bounds: bool) -> None:
        self._kept = _KEPT | _BOUNDS if bounds else _KEPT

    def schema(self, schema: Any) -> dict[str, Any]:
        if not isinstance(schema, Mapping) or schema.keys() & _NEVER_STRICT:
            raise _NotStrict
        schema = _merged(schema)
        if "$ref" in schema:
            return _strict_reference(schema)
        if not schema.keys() & {"type", "enum", "const", "anyOf", "properties"}:
            raise _NotStrict  # anything at all
        made = self._said(schema)
        for key in ("anyOf", "$defs", "definitions"):
            if key in schema:
                made[key] = self._each(schema[key])
        kinds = _listed(schema.get("type", "object" if "properties" in schema else None))
        if "object" in kinds:
            made |= self._object(schema)
        if "array" in kinds:
            made["items"] = self.schema(schema.get("items"))
        return made

    def _said(self, schema: Schema) -> dict[str, Any]:
        """Give what a schema says itself, with a description that holds what else the model should know."""
        made: dict[str, Any] = {}
        notes: list[str] = []
        for key, value in schema.items():
            if key in self._kept or (key == "pattern" and "(?" not in value) or (key == "format" and value in _FORMATS):
                made[key] = value
            elif key in _BOUNDS or key in ("pattern", "format") or (key == "default" and value is not None):
                notes.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
        if notes:
            said = made.get("description")
            made["description"] = f"{said} ({', '.join(notes)})" if said else ", ".join(notes)
        return made

    def _each(self, schemas: Any) -> Any:
        if isinstance(schemas, Mapping):
            return {name: self.schema(inner) for name, inner in schemas.items()}
        return [self.schema(inner) for inner in schemas]

    def _object(self, schema: Schema) -> dict[str, Any]:
        rest = schema.get("additionalProperties")
        fields = schema.get("properties", {} if rest is False else None)
        required = schema.get("required", ())
        if not isinstance(fields, Mapping) or rest not in (None, False) or set(required) - fields.keys():
            raise _NotStrict  # names that nobody knows beforehand
        made = {name: _field(self.schema(field), optional=name not in required) for name, field in fields.items()}
        kind = schema.get("type", "object")
        return {"type": kind, "properties": made, "required": list(made), "additionalProperties": False}


def _merged(schema: Schema) -> Schema:
    """Give a schema without the two spellings that strict modes do not take: oneOf, and allOf of one."""
    if "allOf" in schema:
        inner = schema["allOf"]
        if len(inner) != 1 or not isinstance(inner[0], Mapping):
            raise _NotStrict
        schema = {**inner[0], **{key: value for key, value in schema.items() if key != "allOf"}}
    if "oneOf" in schema:
        if "anyOf" in schema:
            raise _NotStrict
        schema = {"anyOf" if key == "oneOf" else key: value for key, value in schema.items()}
    return schema


def _strict_reference(schema: Schema) -> dict[str, Any]:
    if schema.keys() & {"type", "properties", "anyOf", "enum", "const", "items"}:
        raise _NotStrict  # two schemas in one
    made = {"$ref": schema["$ref"]}
    return {"anyOf": [made], "description": schema["description"]} if "description" in schema else made


def _field(field: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    if not optional or _takes_null(field):
        return field
    said = {key: field.pop(key) for key in ("description",) if key in field}
    return {"anyOf": [field, {"type": "null"}], **said}


def _takes_null(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    inner = [*_list(schema, "anyOf"), *_list(schema, "oneOf")]
    return (
        "null" in _listed(schema.get("type"))
        or None in _list(schema, "enum")
        or schema.get("const", 0) is None
        or any(_takes_null(one) for one in inner)
    )


def _listed(kinds: Any) -> list[Any]:
    return kinds if isinstance(kinds, list) else [kinds]


def _list(schema: Schema, key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


# --- back again -----------------------------------------------------------------------------------------------------


def _without_nulls(value: Any, schemas: list[Any], root: Schema) -> Any:
    variants = [one for schema in schemas for one in _variants(schema, root)]
    if isinstance(value, list):
        items = [one["items"] for one in variants if "items" in one]
        return [_without_nulls(item, items, root) for item in value]
    if not isinstance(value, Mapping):
        return value
    made = {}
    for name, item in value.items():
        owners = [one for one in variants if isinstance(one.get("properties"), Mapping) and name in one["properties"]]
        fields = [one["properties"][name] for one in owners]
        if item is None and _stands_for_nothing(name, owners, fields, root):
            continue
        made[name] = _without_nulls(item, fields, root)
    return made


def _stands_for_nothing(name: str, owners: list[Schema], fields: list[Any], root: Schema) -> bool:
    is_optional = any(name not in one.get("required", ()) for one in owners)
    return is_optional and not any(_takes_null(one) for field in fields for one in _variants(field, root))


def _variants(schema: Any, root: Schema) -> list[Schema]:
    """Give a schema and all that its unions and references say it may be."""
    found: dict[int, Schema] = {}
    waiting = [schema]
    while waiting:
        one = _target(waiting.pop(0), root)
        if id(one) not in found:
            found[id(one)] = one
            waiting += [inner for key in ("anyOf", "oneOf", "allOf") for inner in _list(one, key)]
    return list(found.values())
