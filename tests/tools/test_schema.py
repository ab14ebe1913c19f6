"""Python functions as tools."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import json
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

import pytest
from annotated_types import Ge, Len
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from ai_chat.core.errors import ClientMisused
from ai_chat.tools.arguments import BadArguments
from ai_chat.tools.json_schema import Schema
from ai_chat.tools.schema import spec_of
from ai_chat.tools.strict_schema import is_strict


class Unit(enum.Enum):
    """Scales."""

    CELSIUS = "celsius"
    KELVIN = "kelvin"


class Point(BaseModel):
    """A place on a map."""

    x: float
    y: float = 0.5
    title: str | None = None


class Tree(BaseModel):
    name: str
    size: int = 7
    inner: list[Tree] = []


@dataclasses.dataclass
class Box:
    low: Point
    tags: list[str] = dataclasses.field(default_factory=list)


class Row(TypedDict):
    key: str
    note: NotRequired[str]


def of(hint, default=dataclasses.MISSING):
    """Give the tool of a function with one argument `a`."""

    def function(a): ...

    function.__doc__ = "Do."
    function.__annotations__ = {"a": hint}
    if default is not dataclasses.MISSING:
        function.__defaults__ = (default,)
    return spec_of(function)


def property_of(*given):
    return of(*given).spec.parameters["properties"]["a"]


# --- what a model is told -------------------------------------------------------------------------------------------


def weather(city: str, days: Annotated[int, Field(ge=1, le=9)] = 3, unit: Unit = Unit.CELSIUS) -> str:
    """Look up the weather of a place, or
    of its neighbours.

    It rains.

    Args:
        city: Name of the place,
            in any language.
        days (int): How many.
    """  # noqa: D205 - a first paragraph may have several lines


def test_a_function_becomes_a_tool():
    """Name, description and a strict schema, as OpenAI's reference has them."""
    spec = spec_of(weather).spec
    assert (spec.name, spec.description, spec.strict) == (
        "weather",
        "Look up the weather of a place, or of its neighbours.",
        True,
    )
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the place, in any language."},
            "days": {
                "type": ["integer", "null"],
                "description": "How many. (null means 3)",
                "minimum": 1,
                "maximum": 9,
            },
            "unit": {
                "type": ["string", "null"],
                "description": 'Scales. (null means "celsius")',
                "enum": ["celsius", "kelvin", None],
            },
        },
        "required": ["city", "days", "unit"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (Literal["a", 1], {"type": ["string", "integer"], "enum": ["a", 1]}),
        (int | None, {"type": ["integer", "null"]}),
        (Literal["a"] | None, {"type": ["string", "null"], "enum": ["a", None]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (tuple[float, float], {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}),
        (set[int], {"type": "array", "description": "No item twice.", "items": {"type": "integer"}}),
        (dt.date, {"type": "string", "format": "date"}),
        (dt.datetime, {"type": "string", "format": "date-time"}),
        (dt.timedelta, {"type": "string", "format": "duration"}),
        (UUID, {"type": "string", "format": "uuid"}),
        (Decimal, {"anyOf": [{"type": "number"}, {"type": "string"}]}),
        (Annotated[float, Field(gt=0, lt=1)], {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        (Annotated[int, Ge(3)], {"type": "integer", "minimum": 3}),
        (
            Annotated[list[int], Len(1, 3)],
            {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "integer"}},
        ),
        (Annotated[str, Field(pattern="^a")], {"type": "string", "pattern": "^a"}),
        (
            Annotated[str, Field(min_length=1, max_length=9, description="A word")],
            {"type": "string", "description": "A word (at least 1 character; at most 9 characters)"},
        ),
    ],
)
def test_types(hint, schema):
    """Each type has a strict schema, without titles; bounds that strict modes do not take are told in words."""
    tool = of(hint)
    assert tool.spec.parameters["properties"]["a"] == schema
    assert tool.spec.strict


@pytest.mark.parametrize(
    "hint", [dict[str, int], dict, Any, list, tuple[int, str], dict[Unit, Point], list[dict[str, Any]]]
)
def test_types_that_strict_modes_have_no_words_for(hint):
    """They are told as they are, and not as strict."""
    tool = of(hint)
    assert tool.spec.strict is False
    assert Schema(tool.spec.parameters)


def test_definitions_stand_where_they_are_used():
    """Small models read that better; only what holds itself stays a definition."""
    assert property_of(Box) == {
        "type": "object",
        "properties": {
            "low": {
                "type": "object",
                "description": "A place on a map.",
                "properties": {
                    "x": {"type": "number"},
                    "y": {"type": ["number", "null"], "description": "Null means 0.5."},
                    "title": {"type": ["string", "null"]},
                },
                "required": ["x", "y", "title"],
                "additionalProperties": False,
            },
            "tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        },
        "required": ["low", "tags"],
        "additionalProperties": False,
    }
    tree = of(Tree)
    assert tree.spec.strict
    assert tree.spec.parameters["properties"]["a"] == {"$ref": "#/$defs/Tree"}
    assert tree.spec.parameters["$defs"]["Tree"]["required"] == ["name", "size", "inner"]


def test_definitions_that_would_grow_without_end():
    """They stay definitions where the schema would get too long otherwise."""
    model: Any = Point
    for depth in range(8):
        model = type(
            f"M{depth}", (BaseModel,), {"__annotations__": dict.fromkeys("abcd", model), "__module__": __name__}
        )
    tool = of(model)
    assert tool.spec.strict
    assert len(json.dumps(tool.spec.parameters)) < 10_000
    assert len(tool.spec.parameters["$defs"]) == 9


@pytest.mark.parametrize(
    "hint", [Point, Tree, Box, Row, list[Tree], Tree | None, Point | Box, Annotated[Tree, Field(description="A tree.")]]
)
@pytest.mark.parametrize("default", [dataclasses.MISSING, None], ids=["required", "with a default"])
def test_every_object_is_closed(hint, default):
    """The rules of strict modes hold at every depth."""
    tool = of(hint, default)
    assert is_strict(tool.spec.parameters)
    assert "title" not in json.dumps(tool.spec.parameters).replace('"title":', "").replace('"title"', "")
    assert '"default"' not in json.dumps(tool.spec.parameters)


GOOGLE = """Do a thing.

Args:
    a (int, optional): First: with a colon
        and a second line.

        A second paragraph.
    b: Second.

Returns:
    c: not an argument.
"""
NUMPY = """Do a thing.

Parameters
----------
a : int, optional
    First: with a colon
    and a second line.

    A second paragraph.
b
    Second.

Returns
-------
c
    not an argument.
"""
SPHINX = """Do a thing.

:param a: First: with a colon
    and a second line.
    A second paragraph.
:param int b: Second.
:returns: c: not an argument.
"""


@pytest.mark.parametrize("doc", [GOOGLE, NUMPY, SPHINX], ids=["Google", "NumPy", "Sphinx"])
def test_docstrings(doc):
    """Each style gives the description of the tool and of its arguments; what stands at the type wins."""

    def function(a: int, b: Annotated[int, Field(description="Mine.")], c: int): ...

    function.__doc__ = doc
    spec = spec_of(function).spec
    fields = spec.parameters["properties"]
    assert spec.description == "Do a thing."
    assert fields["a"]["description"] == "First: with a colon and a second line. A second paragraph."
    assert fields["b"]["description"] == "Mine."
    assert "description" not in fields["c"]


def test_what_stands_at_the_argument_wins_over_its_type():
    """A model's own docstring is for where nothing else is said."""

    def function(a: Point, b: Point):
        """Do.

        :param b: Where to go.
        """

    fields = spec_of(function).spec.parameters["properties"]
    assert fields["a"]["description"] == "A place on a map."
    assert fields["b"]["description"] == "Where to go."


def test_other_names():
    """Name and description may be given; names that Python likes better than pydantic will do."""

    def 天气(_class: int, copy: str, self_: int, model_config: int, schema: int, title: str): ...  # noqa: N802, PLC2401

    spec = spec_of(天气, name="get-weather", description="Look it up.").spec
    assert (spec.name, spec.description) == ("get-weather", "Look it up.")
    assert spec.parameters["required"] == ["_class", "copy", "self_", "model_config", "schema", "title"]


def test_no_arguments_at_all():
    """Such a tool takes an empty object."""

    def now():
        """Say the time."""

    tool = spec_of(now)
    assert tool.spec.parameters == {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert tool.read("") == {}


class Counter:
    def count(self, by: int = 1) -> Nobody:  # noqa: F821 - what a tool gives is nobody's business
        """Count."""

    @staticmethod
    def still(by: int):
        """Count."""

    @classmethod
    def all(cls, by: int):
        """Count."""


@pytest.mark.parametrize("function", [Counter().count, Counter.still, Counter.all])
def test_methods(function):
    """A method of an object has no argument for the object."""
    assert list(spec_of(function).spec.parameters["properties"]) == ["by"]


def test_a_wrapped_function():
    """Decorators that keep the signature are looked through."""

    @functools.wraps(weather)
    def wrapper(*args, **kwargs): ...

    assert spec_of(wrapper).spec == spec_of(weather).spec


# --- what is refused ------------------------------------------------------------------------------------------------


class NoType:
    pass


class OldRow(typing.TypedDict):
    key: str


def unhinted(a): ...
def many(*a: int): ...
def keywords(**a: int): ...
def positional(a: int, /): ...
def silent(a: int): ...
def unknown(a: Nowhere): ...  # noqa: F821
def no_schema(a: NoType): ...
def callback(a: Callable[[int], int]): ...
def old_row(a: list[OldRow]): ...


def yields(a: int):
    yield a


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda a: a, "A lambda is no tool: .* write a function with def"),
        (functools.partial(weather), "functools.partial is no tool; write a function around it"),
        (Point, "this is the class Point; write a function that calls it"),
        (Counter(), "this is an object of Counter; write a function"),
        (Counter.count, "method of no object yet; give it as one of an object: thing.count"),
        (unhinted, "'a' of the tool 'unhinted' has no type hint; write one, such as a: str"),
        (many, "'a' of the tool 'many' takes any number of values; name each argument"),
        (keywords, "takes any number of values"),
        (positional, "'a' of the tool 'positional' is positional only; .* take the / away"),
        (unknown, "type hint that nobody knows outside: name 'Nowhere' is not defined; define that type at the top"),
        (
            no_schema,
            r"type of the argument 'a' of the tool 'no_schema' has no JSON Schema; use plain types, models .*NoType",
        ),
        (callback, "has no JSON Schema; use plain types"),
        (yields, "'yields' yields; let it return one value"),
    ],
)
def test_what_is_no_tool(function, said):
    """It is refused when it is registered, with the mend."""
    with pytest.raises(ClientMisused, match=said):
        spec_of(function, description="Do.")


def test_a_tool_says_what_it_does():
    """Without a docstring or a description a model cannot know when to call it."""
    with pytest.raises(ClientMisused, match="'silent' says nowhere what it does; give the function a docstring"):
        spec_of(silent)
    silent.__doc__ = "Args:\n    a: Something."
    with pytest.raises(ClientMisused, match="says nowhere"):
        spec_of(silent)


@pytest.mark.parametrize("name", ["", "a b", "天气", "x" * 65, "a.b", "a\n"])
def test_names_that_no_upstream_takes(name):
    """They are refused before an upstream does it."""
    with pytest.raises(ClientMisused, match="cannot be the name of a tool; give a name= of 1 to 64"):
        spec_of(weather, name=name)


def test_types_of_a_closure():
    """A type that the function itself speaks of is found; another is not, and the sentence says what to do."""

    def outer(*, speaks):
        class Local(BaseModel):
            x: int

        def speaking(a: Local):
            """Do."""
            return Local

        def silent(a: Local):
            """Do."""

        return speaking if speaks else silent

    assert spec_of(outer(speaks=True)).read('{"a": {"x": 1}}')["a"].x == 1
    with pytest.raises(ClientMisused, match="name 'Local' is not defined; define that type at the top of the module"):
        spec_of(outer(speaks=False))


# --- the values of arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hint", "written", "value"),
    [
        (int, 5.0, 5),
        (Unit, "kelvin", Unit.KELVIN),
        (Point, {"x": 1, "y": None, "title": None}, Point(x=1)),
        (Point, {"x": "1"}, Point(x=1)),
        (Box, {"low": {"x": 1, "y": 2, "title": "a"}, "tags": None}, Box(Point(x=1, y=2, title="a"), [])),
        (Row, {"key": "k", "note": None}, {"key": "k"}),
        (tuple[int, Point], [1, {"x": 1, "y": None, "title": None}], (1, Point(x=1))),
        (dict[str, Point], {"k": {"x": 1, "y": None, "title": None}}, {"k": Point(x=1)}),
        (list[Point] | Point | None, [{"x": 1, "y": None, "title": None}], [Point(x=1)]),
        (
            Tree,
            {"name": "a", "size": None, "inner": [{"name": "b", "size": 1, "inner": None}]},
            Tree(name="a", inner=[Tree(name="b", size=1)]),
        ),
        (dt.date, "2026-11-26", dt.date(2026, 11, 26)),
        (Decimal, "1.50", Decimal("1.50")),
        (set[int], [1, 1], {1}),
        (str, "5", "5"),
    ],
)
def test_values_are_typed(hint, written, value):
    """Models are instances, enums are members, and null is what was left out."""
    given = of(hint).read(json.dumps({"a": written}))["a"]
    assert given == value
    assert type(given) is type(value)


def test_defaults():
    """Null means the default, and so does nothing; an argument that was given is taken."""
    tool = spec_of(weather)
    assert tool.values({"city": "Paris", "days": None, "unit": "kelvin"}) == {
        "city": "Paris",
        "days": 3,
        "unit": Unit.KELVIN,
    }
    assert tool.read('{"city": "Paris"}') == {"city": "Paris", "days": 3, "unit": Unit.CELSIUS}
    default = Point(x=1)
    assert of(Point, default).read('{"a": null}')["a"] is default
    assert of(int | None, 5).read('{"a": null}') == {"a": 5}


def test_defaults_of_a_field():
    """`= Field(5, …)` is a default with a description."""

    def function(a: int = Field(5, ge=1, description="How many."), b: int = Field(description="Much.")):
        """Do."""

    tool = spec_of(function)
    assert tool.spec.parameters["properties"]["a"]["description"] == "How many. (null means 5)"
    assert tool.read('{"a": null, "b": 2}') == {"a": 5, "b": 2}


@pytest.mark.parametrize(
    ("hint", "written", "said"),
    [
        (int, "x", 'a is "x", and must be an integer.'),
        (dt.date, "soon", 'a is "soon": Input should be a valid date'),
        (Annotated[str, Field(min_length=2)], "x", 'a is "x": String should have at least 2 characters'),
        (
            Point,
            {"x": 1, "z": 2},
            'a has the property "z", which is not known; leave it out (known: "x", "y", "title").',
        ),
        (
            list[Annotated[str, Field(max_length=1)]],
            ["a", "bb"],
            'a[1] is "bb": String should have at most 1 character',
        ),
    ],
)
def test_values_that_do_not_fit(hint, written, said):
    """A sentence says where and why, without an address for programmers."""
    with pytest.raises(BadArguments) as caught:
        of(hint).read(json.dumps({"a": written}))
    assert str(caught.value).startswith(said)
    assert "http" not in str(caught.value)


def test_values_without_text():
    """Arguments that are read already are held against the schema as well."""
    tool = of(int)
    assert tool.values({"a": 1}) == {"a": 1}
    with pytest.raises(BadArguments, match="a is true, and must be an integer"):
        tool.values({"a": True})
