"""The arguments of a tool call."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.errors import BadRequest
from ai_chat.tools.arguments import BadArguments, read_arguments
from ai_chat.tools.json_schema import Schema

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def object_of(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def refused(text, parameters=None):
    with pytest.raises(BadArguments) as caught:
        read_arguments(text, parameters)
    return str(caught.value)


# --- what a model wrote ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n", "{}", "null", "None", " {} ", "\ufeff{}"])
def test_no_arguments(text):
    """A tool that takes none may be called with nothing at all."""
    assert read_arguments(text, object_of()) == {}


@given(st.dictionaries(st.text(), ANY_JSON, max_size=4))
def test_json_is_taken_as_it_is(arguments):
    """Whatever is an object of JSON comes out as it went in."""
    assert read_arguments(json.dumps(arguments), None) == arguments


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}```', {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ("{'a': 'b'}", {"a": "b"}),
        ("{'a': 'it\\'s \"so\"'}", {"a": 'it\'s "so"'}),
        ('{"a": True, "b": False, "c": None}', {"a": True, "b": False, "c": None}),
        ('{a: 1, "b_2": 2}', {"a": 1, "b_2": 2}),
        ('{"a": "one\ntwo\t"}', {"a": "one\ntwo\t"}),
        ('{"a": "x"', {"a": "x"}),
        ('{"a": {"b": 1}', {"a": {"b": 1}}),
        ('{"a": [1, 2]', {"a": [1, 2]}),
        ('{"a": true', {"a": True}),
        ('{"a": 1}}', {"a": 1}),
        ('{"a": [1]}]}', {"a": [1]}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ("{'é': '气'}", {"é": "气"}),
        ("{'a': '\\u00e9\\n'}", {"a": "é\n"}),
    ],
)
def test_what_is_mended(text, arguments):
    """Slips that can be meant in one way only are none."""
    assert read_arguments(text, None) == arguments


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"city": "Par', "ends inside a text"),
        ("{'city': 'Par", "ends inside a text"),
        ('{"a": 12', "ends before it is whole"),
        ('{"a": 1,', "ends before it is whole"),
        ('{"a":', "ends before it is whole"),
        ('{"a": [{"b": "x"', "ends before it is whole"),
        ('{"a": tru', "'tru' without quotes"),
        ('{"a"', "at line 1, column"),
        ("{", "ends before it is whole"),
        ('{"a": "say "hi" now"}', "'hi' without quotes"),
        ("{'a': 'rock 'n' roll'}", "'n' without quotes"),
        ('{"a": Paris}', "'Paris' without quotes"),
        ('{"a": 1 "b": 2}', "Expecting ',' delimiter at line 1, column 9"),
        ('{"a": "x" "y"}', "Expecting ','"),
        ('{"a": 1,, "b": 2}', "at line 1"),
        ('{"a": 1}{"a": 2}', "something behind the end"),
        ('Sure: {"a": 1}', "'Sure' without quotes"),
        ('{"a": 1} Done', "something behind the end"),
        ('{"a": "x"]', "a ] that closes nothing"),
        ("}", "a } that closes nothing"),
        ('{"a": 1, "a": 2}', 'the name "a" stands twice'),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": -Infinity}', "-Infinity is no JSON number"),
        ('{"a": 1e999}', "1e999 is too large a number"),
        ('{"a": 007}', "at line 1"),
        ('{"a": "C:\\Users"}', "escape at line 1"),
        ('{"a": // no\n1}', "'// no"),
        ('{"a": "\\ud83d"}', "half of a surrogate pair"),
        ('{"a": "\ud83d"}', "half of a surrogate pair"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        ("[1]", "are an array, and must be one JSON object"),
        ("5", "are a number"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 150 + "1" + "}" * 150, "nested more than 100 levels"),
        ('{"a": "' + "x" * 2_000_000 + '"}', "2,000,000 is the most"),
    ],
    ids=range(35),
)
def test_what_is_refused(text, said):
    """Nothing is guessed, left out or completed: a sentence says what is wrong."""
    assert re.search(re.escape(said), refused(text, {}))


@given(st.dictionaries(st.text(min_size=1), ANY_JSON, min_size=1, max_size=3), st.data())
def test_a_text_that_was_cut_off(arguments, data):
    """It is refused, or cut right behind a value of the outermost object: no value is ever a part of one."""
    text = json.dumps(arguments)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    with suppress(BadArguments):
        assert read_arguments(cut, None).items() <= arguments.items()


# --- held against a schema ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "written", "meant"),
    [
        ({"type": "integer"}, '"5"', 5),
        ({"type": "integer"}, '" -5 "', -5),
        ({"type": "integer"}, '"5.0"', 5),
        ({"type": "number"}, '"5"', 5),
        ({"type": "number"}, '"-2.5e3"', -2500.0),
        ({"type": "boolean"}, '"true"', True),
        ({"type": "boolean"}, '"False"', False),
        ({"type": "string"}, "5", "5"),
        ({"type": "string"}, "3.10", "3.10"),
        ({"type": "string"}, "1e5", "1e5"),
        ({"enum": ["Celsius", "Fahrenheit"]}, '"celsius"', "Celsius"),
        ({"type": "string", "enum": ["a b"]}, '" A B "', "a b"),
        ({"const": "Yes"}, '"YES"', "Yes"),
        ({"type": "integer", "enum": [1, 2]}, '"2"', 2),
        ({"type": "object", "properties": {"x": {"type": "integer"}}}, '"{\\"x\\": \\"1\\"}"', {"x": 1}),
        ({"type": "array", "items": {"type": "integer"}}, '"[1, 2]"', [1, 2]),
        ({"type": "array", "items": {"type": "integer"}}, '["1", 2]', [1, 2]),
        ({"prefixItems": [{"type": "integer"}, {"type": "boolean"}]}, '["1", "true"]', [1, True]),
        ({"additionalProperties": {"type": "integer"}}, '{"x": "1"}', {"x": 1}),
        ({"type": ["integer", "null"]}, '"null"', None),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, '"7"', 7),
        ({"oneOf": [{"type": "integer"}, {"type": "boolean"}]}, '"true"', True),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, '"7"', 7),
        ({"$ref": "#/$defs/n"}, '"7"', 7),
        ({"$ref": "#/$defs/tree"}, '{"of": [{"of": [{"n": "1"}]}]}', {"of": [{"of": [{"n": 1}]}]}),
    ],
)
def test_what_is_changed(schema, written, meant):
    """What does not fit and can be meant in one way only is taken as that, at any depth."""
    tree = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "of": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    }
    parameters = {**object_of(a=schema), "$defs": {"n": {"type": "integer"}, "tree": tree}}
    arguments = read_arguments(f'{{"a": {written}}}', parameters)
    assert json.dumps(arguments) == json.dumps({"a": meant})


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "integer"}, '"abc"'),
        ({"type": "integer"}, '"5.5"'),
        ({"type": "integer"}, "5.5"),
        ({"type": "integer"}, '"007"'),
        ({"type": "integer"}, '"1,000"'),
        ({"type": "integer"}, '"٧"'),
        ({"type": "integer"}, "true"),
        ({"type": "number"}, '"NaN"'),
        ({"type": "number"}, '"1e999"'),
        ({"type": "number"}, '""'),
        ({"type": "boolean"}, '"yes"'),
        ({"type": "boolean"}, "1"),
        ({"type": "string"}, "true"),
        ({"type": "string"}, "null"),
        ({"type": "string"}, '{"nested": 1}'),
        ({"enum": ["a", "A"], "maxLength": 0}, '"a"'),
        ({"enum": ["Aa", "aA"]}, '"aa"'),
        ({"type": "integer", "maximum": 3}, '"5"'),
        ({"type": "array"}, '"a, b"'),
        ({"type": "array"}, '"[1"'),
        ({"type": "object"}, '"[1]"'),
        ({"anyOf": [{"type": "integer"}, {"type": "array", "items": False}]}, '"x"'),
    ],
)
def test_what_is_not(schema, written):
    """The rest is the model's to mend; it is told what stands there and what would do."""
    assert refused(f'{{"a": {written}}}', object_of(required=["a"], a=schema)).startswith("a")


def test_two_ways_to_mean_it():
    """A number that was written in two ways is not given back as one of them."""
    schema = object_of(a={"type": "string"}, b={"type": "string"})
    assert read_arguments('{"a": 3.10, "b": 3.10}', schema) == {"a": "3.10", "b": "3.10"}
    assert refused('{"a": 3.10, "b": 3.1}', schema) == "a is 3.1, and must be a string. b is 3.1, and must be a string."


@pytest.mark.parametrize(
    "arguments",
    [{"a": "5"}, {"a": "true"}, {"a": "null"}, {"a": "[1]"}, {"a": 5.0}, {"a": None}, {"a": [" 5 "]}, {"zz": 1}],
)
def test_what_fits_is_never_changed(arguments):
    """Not even if it could be meant in another way."""
    schema = {"properties": {"a": {"type": ["string", "number", "null", "array"]}, "b": {"type": "integer"}}}
    assert read_arguments(json.dumps(arguments), schema) == arguments
    mended = read_arguments(json.dumps({**arguments, "b": "1"}), schema)
    assert mended == {**arguments, "b": 1}
    assert type(mended.get("a")) is type(arguments.get("a"))


def test_null_for_what_may_be_left_out():
    """It is left out, known or not; where something must stand it is refused."""
    schema = object_of(required=["a"], a={"type": "string"}, b={"type": "string"}, c={"type": ["string", "null"]})
    assert read_arguments('{"a": "x", "b": null, "c": null, "d": null}', schema) == {"a": "x", "c": None}
    assert refused('{"a": null}', schema) == "a is null, and must be a string."


def test_what_must_stand_there_and_may_be_null():
    """Strict schemas ask for it; a model that leaves it out means null."""
    schema = object_of(
        required=["a", "b", "c"], a={"type": ["string", "null"]}, b={"enum": [1, None]}, c={"$ref": "#/$defs/c"}
    )
    schema["$defs"] = {"c": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
    assert read_arguments("{}", schema) == {"a": None, "b": None, "c": None}
    anything = object_of(required=["a"], a={"description": "Anything at all."})
    assert "lacks" in refused("{}", anything)


def test_what_nobody_knows():
    """An unknown argument is refused, and the known ones are named."""
    said = refused('{"colour": "red"}', object_of(color={"type": "string"}))
    assert said == (
        'The object of arguments has the property "colour", which is not known; leave it out (known: "color").'
    )


def test_only_what_is_still_wrong_is_told():
    """What could be taken as meant is not complained of."""
    schema = object_of(a={"type": "integer"}, b={"type": "integer"})
    assert refused('{"a": "1", "b": "x"}', schema) == 'b is "x", and must be an integer.'


def test_a_schema_that_is_none():
    """That is the caller's mistake, not the model's."""
    with pytest.raises(BadRequest):
        read_arguments("{}", {"type": "thing"})


@pytest.mark.parametrize("text", ['{"x": ' + "[" * 80 + '"q"' + "]" * 80 + "}", json.dumps({"x": [["q"] * 100] * 100})])
def test_alternatives_that_all_go_on(text):
    """No schema has its alternatives tried without end."""
    branches = [{"type": "array", "minItems": count, "items": {"$ref": "#/$defs/n"}} for count in range(3)]
    parameters = {**object_of(x={"$ref": "#/$defs/n"}), "$defs": {"n": {"anyOf": [*branches, {"type": "boolean"}]}}}
    began = time.perf_counter()
    refused(text, Schema(parameters))
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "text",
    ["{" + "'\"" * 500_000, "```" + "\n" * 1_000_000 + "x", '{"x": "' + "9" * 1_000_000 + '"}', "{" + "a " * 500_000],
    ids=["quotes", "a fence", "digits", "words"],
)
def test_long_nonsense(text):
    """It is refused in linear time."""
    began = time.perf_counter()
    refused(text, object_of(x={"type": "integer"}))
    assert time.perf_counter() - began < 5
