"""Schemas made over for upstreams, and what comes back made over again."""

from __future__ import annotations

import pytest

from ai_chat.chat.schemas import rooted, strict, without_nulls, without_titles
from ai_chat.tools.json_schema import Schema

TREE = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
            "required": ["name"],
        }
    },
}


def test_an_object_stays_at_the_root():
    """What is an object already is sent as it is."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert rooted(schema) == (schema, False)
    assert rooted({"properties": {}}) == ({"type": "object", "properties": {}}, False)


def test_a_recursive_model_is_an_object():
    """A reference at the root is followed: providers want to see the object there."""
    schema, wrapped = rooted(TREE)
    assert not wrapped
    assert schema["type"] == "object"
    assert "$ref" not in schema
    assert Schema(schema).valid({"name": "a", "children": [{"name": "b"}]})
    assert not Schema(schema).valid({"name": "a", "children": [{}]})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"enum": ["x", "y"]}, "x", "z"),
        ({"type": "array", "items": {"$ref": "#/$defs/N"}, "$defs": {"N": {"type": "integer"}}}, [1], ["1"]),
        ({"anyOf": [{"type": "object", "required": ["a"]}, {"type": "null"}]}, None, {}),
        ({"type": "array", "items": {"anyOf": [{"type": "integer"}, {"$ref": "#"}]}}, [1, [2, [3]]], [1, ["2"]]),
        ({"$id": "https://a.example/x", "type": "array", "items": {"$ref": "#/definitions/n"},
          "definitions": {"n": {"type": "integer"}}}, [1], ["1"]),
        ({"type": ["object", "null"]}, None, 1),
    ],
    ids=["enum", "array", "union", "recursive", "named", "nullable"],
)  # fmt: skip
def test_anything_else_is_put_into_an_object(schema, good, bad):
    """The object has the value in its one field, and references lead where they did."""
    wrapper, wrapped = rooted(schema)
    check = Schema(wrapper)
    assert wrapped
    assert check.valid({"value": good})
    assert not check.valid({"value": bad})
    assert not check.valid({})


def test_a_strict_schema_is_closed_and_complete():
    """Every object is closed, every field required, and what may be left out may be null."""
    made = strict(
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "title": "Name"},
                "age": {"type": "integer", "minimum": 0, "default": 3, "description": "in years"},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "where": {"$ref": "#/$defs/Place", "description": "the town"},
            },
            "required": ["name", "where"],
            "$defs": {"Place": {"type": "object", "properties": {"x": {"const": 1}}}},
        }
    )
    assert made == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "minLength: 1"},
            "age": {
                "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
                "description": "in years (default: 3)",
            },
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "where": {"anyOf": [{"$ref": "#/$defs/Place"}], "description": "the town"},
        },
        "required": ["name", "age", "note", "where"],
        "additionalProperties": False,
        "$defs": {
            "Place": {
                "type": "object",
                "properties": {"x": {"anyOf": [{"const": 1}, {"type": "null"}]}},
                "required": ["x"],
                "additionalProperties": False,
            }
        },
    }


def test_older_spellings_are_put_into_those_that_are_taken():
    """`oneOf` becomes `anyOf`, `allOf` of one its only part."""
    made = strict(
        {
            "type": "object",
            "properties": {
                "a": {"oneOf": [{"type": "integer"}, {"type": "string"}], "discriminator": {"propertyName": "k"}},
                "b": {"allOf": [{"type": "string"}], "description": "b"},
            },
            "required": ["a", "b"],
        }
    )
    assert made is not None
    assert made["properties"] == {
        "a": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "b": {"type": "string", "description": "b"},
    }


def test_bounds_are_kept_for_grammars():
    """A grammar can hold texts to their lengths; patterns that look around are told only."""
    field = {"type": "string", "minLength": 2, "pattern": "^(?!x)"}
    made = strict({"type": "object", "properties": {"a": field}, "required": ["a"]}, bounds=True)
    assert made is not None
    assert made["properties"]["a"] == {"type": "string", "minLength": 2, "description": 'pattern: "^(?!x)"'}


@pytest.mark.parametrize(
    "field",
    [
        {},
        True,
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {}, "required": ["b"]},
        {"type": "array"},
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        {"allOf": [{"type": "integer"}, {"minimum": 1}]},
        {"oneOf": [{"type": "integer"}], "anyOf": [{"minimum": 1}]},
        {"type": "integer", "not": {"const": 1}},
        {"$ref": "#/$defs/X", "type": "integer"},
    ],
    ids=lambda field: str(field)[:40],
)
def test_what_strict_modes_cannot_say_is_not_said(field):
    """Free names, anything at all and the like have no strict form."""
    assert strict({"type": "object", "properties": {"a": field}, "required": ["a"]}) is None


def test_a_title_is_taken_out_but_not_a_field_of_that_name():
    """The titles that libraries make of names say nothing."""
    schema = {"title": "T", "type": "object", "properties": {"title": {"title": "Title", "type": "string"}}}
    assert without_titles(schema) == {"type": "object", "properties": {"title": {"type": "string"}}}


def test_nulls_of_what_was_left_out_are_taken_out_again():
    """Only there where the field may be missing and may not be null, however deep."""
    schema = rooted(TREE)[0]
    value = {"name": "a", "children": [{"name": "b", "children": None}, {"name": None}], "other": None}
    assert without_nulls(value, schema) == {"name": "a", "children": [{"name": "b"}, {"name": None}], "other": None}
    union = {"anyOf": [{"properties": {"x": {"type": "integer"}}}, {"properties": {"x": {"type": "null"}}}]}
    assert without_nulls({"x": None}, union) == {"x": None}


def test_circles_end():
    """References that lead back to themselves, and unions of them, are followed once."""
    assert rooted({"$ref": "#"})[1]
    circle = {"anyOf": [{"$ref": "#"}] * 5, "properties": {"x": {"type": "integer"}}}
    assert without_nulls({"x": None}, circle) == {}
    chain = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    assert without_nulls({"x": None}, chain) == {"x": None}
