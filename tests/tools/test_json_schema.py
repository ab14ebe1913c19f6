"""JSON Schemas made ready."""

from __future__ import annotations

import re
import time
from types import MappingProxyType

import pytest

from ai_chat.core.errors import BadRequest
from ai_chat.tools.json_schema import DEEPEST_SCHEMA, MOST_NODES, Schema

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "inner": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}


def nested(levels, inner=1):
    for _ in range(levels):
        inner = [inner]
    return inner


# --- schemas that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "text"}, 'has the type "text" at type; types are array, boolean'),
        ({"properties": {"a": {"minimum": "x"}}}, 'wrong at properties.a.minimum: what stands there is "x", and must'),
        ({"required": "a"}, 'wrong at required: what stands there is "a", and must be an array'),
        ({"properties": {"a b": {"pattern": "("}}}, r'pattern at properties\["a b"\].pattern .* no regular expression'),
        ({"pattern": "^((a{1,1000}){1,1000}){1,1000}$"}, "needs too much memory"),
        ({"const": b"x"}, "holds a value of type bytes at const, which is no JSON"),
        ({"const": float("nan")}, '"NaN" at const, which is no JSON'),
        ({"const": "\ud800"}, "half of a surrogate pair at const"),
        ({"properties": {1: {}}}, "has the name 1 at properties, and names must be texts"),
        ('{"type": "string"}', "and must be an object, or true or false"),
        (None, "is null, and must be an object"),
    ],
)
def test_what_is_no_schema(schema, said):
    """It is refused with the place, what stands there and what would do."""
    with pytest.raises(BadRequest, match=said):
        Schema(schema)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "http.* at \\$ref"),
        ({"properties": {"a": {"$ref": "file:///etc/hostname"}}}, "file.* at properties.a.\\$ref"),
        ({"items": {"$ref": "other.json#/a"}}, "other.json#/a. at items.\\$ref"),
    ],
    ids=["http", "file", "relative"],
)
def test_another_document_is_never_fetched(schema, place, monkeypatch):
    """A reference that leads out of the schema is refused, before anybody asks for it."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("somebody connected"))
    with pytest.raises(BadRequest, match=f"{place}, which is another document and is never fetched; put .* under"):
        Schema(schema)


@pytest.mark.parametrize("reference", ["#/$defs/b", "#b"])
def test_a_reference_to_nothing(reference):
    """It is refused when the schema is made, not when the first value comes."""
    with pytest.raises(BadRequest, match=r"at properties.x.\$ref, and nothing stands there"):
        Schema({"properties": {"x": {"$ref": reference}}, "$defs": {"a": {}}})


def test_a_schema_has_bounds():
    """Far too many values, far too much text and far too many levels are refused at once."""
    flat = {"type": "integer"}
    for _ in range(DEEPEST_SCHEMA):
        flat = {"items": flat}
    for schema, said in [
        ({"enum": list(range(MOST_NODES))}, "more than 50,000 values"),
        ({"description": "x" * 3_000_000}, "2,000,000 characters"),
        (flat, "nested more than 100 levels"),
    ]:
        with pytest.raises(BadRequest, match=said):
            Schema(schema)


def test_a_schema_is_copied():
    """Mappings and tuples will do, and what is changed later changes nothing."""
    required = ["a"]
    schema = Schema(MappingProxyType({"type": ("object", "null"), "required": required}))
    required.clear()
    assert schema.problems({}) == ['The value lacks "a", which is required']
    assert schema.valid(None)


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, "x", 'The value is "x", and must be an integer'),
        ({"type": ["null", "string", "array"]}, 1, "The value is 1, and must be a string, an array or null"),
        ({"enum": ["a", "b", 3]}, "c", 'The value is "c", and must be "a", "b" or 3'),
        ({"enum": list(range(99))}, -1, "The value is -1, and must be one of 0, 1, 2.* 19 or 79 more"),
        ({"const": {"a": 1}}, 2, 'The value is 2, and must be {"a":1}'),
        ({"minimum": 3}, 2, "The value is 2, and must be at least 3"),
        ({"exclusiveMaximum": 3}, 3, "The value is 3, and must be less than 3"),
        ({"multipleOf": 5}, 3, "The value is 3, and must be a multiple of 5"),
        ({"minLength": 1}, "", 'The value is "", and must have at least 1 character'),
        ({"maxItems": 2}, [1, 2, 3], r"The value is \[1,2,3\], and must have at most 2 items"),
        ({"minProperties": 2}, {}, "The value is {}, and must have at least 2 properties"),
        ({"uniqueItems": True}, [1, 1], r"The value is \[1,1\], and must not hold an item twice"),
        ({"pattern": "^a"}, "b", r'The value is "b", and must match the pattern "\^a"'),
        ({"required": ["a"]}, {}, 'The value lacks "a", which is required'),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, 'The value lacks "b", which is required'),
        ({"properties": {"a": {"type": "null"}}}, {"a": 1}, "a is 1, and must be null"),
        ({"properties": {"a b": {"items": {"type": "null"}}}}, {"a b": [None, 1]}, r'\["a b"\]\[1\] is 1, and must be'),
        ({"patternProperties": {"^a": {"type": "null"}}}, {"b": 1, "ab": 1}, "ab is 1, and must be null"),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": 1},
            r'The value has the property "b", which is not known; leave it out \(known: "a"\)',
        ),
        ({"additionalProperties": {"type": "null"}}, {"b": 1}, "b is 1, and must be null"),
        (
            {"propertyNames": {"maxLength": 1}},
            {"bb": 1},
            'The value has a property named "bb", and names must fit {"max',
        ),
        ({"prefixItems": [{"type": "null"}], "items": False}, [1], r"\[0\] is 1, and must be null"),
        ({"prefixItems": [{}], "items": False}, [1, 2], r"\[1\] is not allowed; leave it out"),
        ({"contains": {"const": 1}, "minContains": 2}, [1], r"at least 2 of its items must fit {\"const\":1}"),
        ({"not": {"type": "integer"}}, 1, 'The value is 1, and must not fit {"type":"integer"}'),
        ({"if": {"type": "object"}, "then": {"required": ["a"]}}, {}, 'lacks "a", which is required'),
        ({"if": {"type": "object"}, "else": {"type": "null"}}, 1, "and must be null"),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, 'lacks "b"'),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, 2, "must be at least 3"),
        ({"unevaluatedProperties": False}, {"a": 1}, r"does not fit its schema \(unevaluatedProperties\)"),
        (False, 1, "The value is not allowed"),
    ],
)
def test_what_is_wrong_with_a_value(schema, value, said):
    """A sentence says where, what stands there and what would do."""
    (problem,) = Schema(schema).problems(value)
    assert re.search(said, problem)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x", 'The value is "x", and must be an integer, null or "all"'),
        ({"kind": "b", "y": 1}, "y is 1, and must be a string"),
        ({"kind": "c"}, 'kind is "c", and must be "a"'),
    ],
    ids=["of none", "of the one that its tag names", "of one"],
)
def test_alternatives(value, said):
    """Of several only the one is told that seems to be meant."""
    tagged = [
        {"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "string"}}, "required": ["kind"]},
        {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"type": "string"}}, "required": ["kind", "y"]},
    ]
    plain = [{"type": "integer"}, {"type": "null"}, {"enum": ["all"]}]
    schema = Schema({"anyOf": plain if isinstance(value, str) else tagged})
    assert schema.problems(value) == [said]


def test_exactly_one_of_them():
    """What fits two alternatives of oneOf fits none of it."""
    (problem,) = Schema({"oneOf": [{"type": "integer"}, {"minimum": 0}]}).problems(1)
    assert problem == "The value is 1, and fits more than one of its alternatives; it must fit exactly one"


def test_a_few_problems_are_enough():
    """No more are told than asked for, and each once."""
    schema = Schema({"items": {"type": "string", "minLength": 2}})
    assert schema.problems(list(range(1000)), 2) == [
        "[0] is 0, and must be a string",
        "[1] is 1, and must be a string",
    ]
    assert schema.problems([1], whole="It") == ["[0] is 1, and must be a string"]


def test_a_long_value_is_told_short():
    """Megabytes do not end up in a sentence."""
    (problem,) = Schema({"type": "integer"}).problems(["x" * 10**6] * 100)
    assert len(problem) < 200


def test_a_schema_that_holds_itself():
    """Trees are followed as deep as they go."""
    schema = Schema(TREE)
    leaf = {"name": 5}
    assert schema.valid({"name": "a", "inner": [{"name": "b", "inner": []}]})
    assert schema.problems({"name": "a", "inner": [{"name": "b", "inner": [leaf]}]}) == [
        "inner[0].inner[0].name is 5, and must be a string"
    ]


def test_references_without_end():
    """A schema that means itself allows everything that it does not forbid."""
    schema = Schema(
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a", "type": "null"}}}
    )
    assert schema.valid(None)
    assert schema.problems(1) == ["The value is 1, and must be null"]


def test_the_dialect_that_a_schema_names():
    """Older drafts are read as what they are: many tools come with them."""
    schema = {"items": [{"type": "string"}], "additionalItems": False}
    older = Schema({"$schema": "http://json-schema.org/draft-07/schema#", **schema})
    assert older.problems([1]) == ["[0] is 1, and must be a string"]
    assert not older.valid(["a", "b"])
    with pytest.raises(BadRequest):
        Schema(schema)


def test_format_is_a_remark():
    """As the standard has it."""
    assert Schema({"format": "email"}).valid("nobody")


# --- values that nobody meant ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [101, 5_000, 100_000])
def test_a_value_that_is_nested_too_deep(levels):
    """It is refused, and does not take the process down."""
    schema = Schema({"$ref": "#/$defs/n", "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}})
    value = nested(levels)
    assert not schema.valid(value)
    assert schema.problems(value) == ["The value is nested more than 100 levels deep, and must be flatter"]
    while value != 1:  # else the interpreter's own stack ends
        (value,) = value


@pytest.mark.parametrize(
    ("value", "said"),
    [("\ud83d", "half of a surrogate pair"), ({1: 2}, "no JSON"), (b"x", "no JSON"), ({"a": {1}}, "no JSON")],
)
def test_a_value_that_is_no_json(value, said):
    """It does not fit, whatever the schema."""
    schema = Schema({"type": ["string", "object"], "additionalProperties": {"type": "integer"}})
    assert not schema.valid(value)
    assert said in schema.problems(value)[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(value):
    """NaN and the infinities are no numbers in JSON."""
    assert not Schema({"type": "number"}).valid(value)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(x+x+)+y", "^(?:a(?=a)|a(?=a))*b$", r"^(a*)*(?<!x)\1b$"])
def test_a_pattern_that_explodes(pattern):
    """It ends soon; if it cannot be decided the value does not fit."""
    schema = Schema({"pattern": pattern})
    began = time.perf_counter()
    problems = schema.problems("a" * 5_000 + "!")
    assert time.perf_counter() - began < 2
    assert len(problems) == 1


def test_patterns_share_their_memory():
    """Thousands of patterns that fill memory are refused together."""
    one = {"pattern": r"^\p{L}{1,40}$"}
    assert Schema({"properties": {"a": one}}).valid({"a": "é"})
    with pytest.raises(BadRequest, match="too much memory"):
        Schema({"properties": {f"p{index}": one for index in range(3_000)}})


def test_alternatives_that_all_go_on():
    """To say what is wrong takes no exponential time, however deep the value."""
    branches = [{"type": "array", "minItems": count, "items": {"$ref": "#/$defs/n"}} for count in range(3)]
    schema = Schema({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": branches}}})
    began = time.perf_counter()
    assert schema.problems(nested(8)) == ["[0][0][0][0][0][0][0][0] is 1, and must be an array"]
    assert len(schema.problems(nested(90))) == 1
    assert time.perf_counter() - began < 2


def test_a_schema_made_to_keep_a_server_busy():
    """Where each level multiplies the work, fewer levels are taken."""
    defs = {
        f"d{at}": {"anyOf": [{"type": "array", "items": {"$ref": f"#/$defs/d{(at * 7 + k) % 30}"}} for k in range(8)]}
        for at in range(30)
    }
    schema = Schema({"$ref": "#/$defs/d0", "$defs": defs})
    began = time.perf_counter()
    assert "nested more than" in schema.problems(nested(40))[0]
    assert time.perf_counter() - began < 2


def test_alternatives_with_tags_go_as_deep_as_any():
    """The guard against tangled schemas leaves expressions and documents alone."""
    kinds = ["add", "mul", "neg", "div", "pow"]
    defs = {
        kind: {
            "type": "object",
            "properties": {"op": {"const": kind}, "of": {"type": "array", "items": {"$ref": "#/$defs/any"}}},
            "required": ["op", "of"],
        }
        for kind in kinds
    }
    either = [{"$ref": f"#/$defs/{kind}"} for kind in kinds]
    schema = Schema({"$ref": "#/$defs/any", "$defs": {**defs, "any": {"anyOf": [*either, {"type": "number"}]}}})
    value = 1
    for _ in range(45):
        value = {"op": "neg", "of": [value]}
    assert schema.valid(value)


def test_a_large_value_is_looked_through_soon():
    """The first flaws of a million items are found, the last one is only known to be there."""
    schema = Schema({"items": {"type": "string"}})
    began = time.perf_counter()
    assert schema.problems([1] * 10**6, 1) == ["[0] is 1, and must be a string"]
    assert "does not fit its schema (items)" in schema.problems(["a"] * 10**6 + [1])[0]
    assert time.perf_counter() - began < 5
