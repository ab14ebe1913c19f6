"""The TypeScript form of tool definitions."""

import pytest

from ai_chat.accounting.definitions import typescript
from ai_chat.core.request import ToolSpec


def field(schema, *, withdrawn=False):
    """Give the type that one parameter of that schema is written as."""
    tool = ToolSpec(name="f", parameters={"type": "object", "properties": {"x": schema}})
    text = typescript([tool], withdrawn=withdrawn)
    return text[text.index("x?: ") + 4 : text.rindex(",\n})")]


def test_tools_are_written_as_a_namespace():
    """Descriptions become comments, optional parameters get a question mark, a tool without any has empty brackets."""
    weather = ToolSpec(
        name="weather",
        description="Weather of a city",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Its name"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    )
    assert typescript([weather, ToolSpec(name="now")]) == (
        "namespace functions {\n\n// Weather of a city\ntype weather = (_: {\n// Its name\n"
        "city: string,\ndays?: number,\n}) => any;\n\ntype now = () => any;\n\n} // namespace functions"
    )


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "string", "enum": ["a", "b"]}, '"a" | "b"'),
        ({"type": "integer", "enum": [-1, 1]}, "-1|1"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "null"}, "null"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array"}, "any[]"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, "string | boolean"),
        ({"type": "object", "properties": {"y": {"type": "string", "description": "d"}}}, "{ \n// d\ny?: string }"),
        ({"type": "object", "properties": {"y": {"type": "null"}, "z": {}}}, "{ y?: null, z?: any }"),
        ({"type": "object"}, "{}"),
        ({}, "any"),
        ({"$ref": "#/$defs/a"}, "any"),
        ({"type": 5, "enum": 7}, "any"),
        (True, "any"),
        (None, "any"),
    ],
)
def test_each_type_has_its_form(schema, written):
    """Every JSON Schema type is written, and what is no schema at all is `any`."""
    assert field(schema) == written


INNER = {"type": "object", "properties": {"z": {"type": "string", "description": "e"}}, "required": ["z"]}
OUTER = {"type": "object", "properties": {"y": INNER | {"description": "d"}}}


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        (INNER, "{\n  z: string,\n}"),
        (OUTER, "{\n  y?: {\n    z: string,\n},\n}"),
        ({"anyOf": [INNER, INNER]}, "{\n  z: string,\n} | {\n  z: string,\n}"),
        ({"type": "array", "items": INNER}, "{\n  z: string,\n}[]"),
    ],
    ids=["object", "two-deep", "either", "array"],
)
def test_the_withdrawn_field_has_a_form_of_its_own(schema, written):
    """In the `functions` field inner objects are indented, and descriptions inside them are not shown to the model."""
    assert field(schema, withdrawn=True) == written


def test_a_bottomless_schema_is_cut_off():
    """Nesting that would exhaust the stack ends in `any`."""
    schema = {"type": "string"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}
    assert field(schema) == "any" + "[]" * 64


@pytest.mark.parametrize("parameters", [{}, {"properties": []}, {"properties": None, "required": 1}], ids=str)
def test_parameters_that_are_no_object_are_none(parameters):
    """A tool whose parameters are malformed is one without parameters."""
    assert "type f = () => any;" in typescript([ToolSpec(name="f", parameters=parameters)])
