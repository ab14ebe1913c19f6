"""Python functions as tools: what a model is told of them, and the values that its arguments become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NotRequired

from pydantic import TypeAdapter, ValidationError, with_config
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict

from ..core.errors import ClientMisused
from ..core.request import ToolSpec
from .arguments import MOST_PROBLEMS, BadArguments, read_arguments
from .docstrings import read_docstring
from .functions import NO_DEFAULT, Argument, arguments_of, name_of
from .json_schema import Schema
from .json_text import path, shown
from .schema_parts import Part
from .strict_schema import is_strict, made_over


class Signature:
    """A function as a model sees it, and the way from the model's arguments to the function's."""

    def __init__(
        self, spec: ToolSpec, adapter: TypeAdapter[Any], nulls: frozenset[str], defaults: Mapping[str, Any]
    ) -> None:
        """Keep what was found out; `spec_of` finds it.

        Args:
            spec: what the model is told.
            adapter: makes the values.
            nulls: JSON pointers of the properties for which null means their default.
            defaults: the function's own.
        """
        self.spec = spec
        """What the model is told."""
        self.schema = Schema(spec.parameters or {})
        """Of the arguments."""
        self._adapter = adapter
        self._nulls = nulls
        self._are_flat = all(pointer.count("/") == len(("", "properties")) for pointer in nulls)
        self._defaults = defaults

    def read(self, text: str) -> dict[str, Any]:
        """Read what a model wrote, as typed values for all arguments of the function, defaults included.

        Raises:
            BadArguments: they cannot be used; says why.
        """
        return self._values(read_arguments(text, self.schema))

    def values(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Give typed values for all arguments of the function, defaults included, from JSON that fits the schema.

        Raises:
            BadArguments: they do not fit.
        """
        problems = self.schema.problems(dict(arguments), whole="The object of arguments")
        if problems:
            raise BadArguments(". ".join([*problems, ""]).rstrip())
        return self._values(dict(arguments))

    def _values(self, arguments: dict[str, Any]) -> dict[str, Any]:
        given = self._without_nulls(arguments)
        try:
            values = self._adapter.validate_python(given)
        except ValidationError as error:
            raise BadArguments(_sentences(error)) from None
        return {**self._defaults, **values}

    def _without_nulls(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if not self._nulls:
            return arguments
        if not self._are_flat:
            return dict(_without(self.schema.root, arguments, self._nulls))
        return {
            name: value
            for name, value in arguments.items()
            if value is not None or f"/properties/{name}" not in self._nulls
        }


def spec_of(function: Callable[..., Any], *, name: str | None = None, description: str | None = None) -> Signature:
    """Make a tool of a Python function.

    Its schema comes from the type hints, its description from the first paragraph of the docstring, those of the
    arguments from `Annotated[…, Field(description=…)]` or else from the docstring, in Google's, NumPy's or Sphinx's
    style. An argument with a default may be null, which means the default.

    Args:
        function: sync or async; a method that is bound to its object will do.
        name: what to call the tool; None takes the function's name.
        description: what it does; None takes it from the docstring.

    Raises:
        ClientMisused: no tool can be made of it; says what to mend.
    """
    name = name_of(function, name)
    doc = read_docstring(function.__doc__)
    description = description or doc.summary
    if not description:
        raise ClientMisused(f"The tool {name!r} says nowhere what it does; give the function a docstring.")
    fields = arguments_of(function, name)
    adapter, schema = _schema(name, fields)
    for argument, said in doc.arguments.items():
        schema["properties"].get(argument, {}).setdefault("description", said)
    for argument, field in fields.items():
        if argument in schema["properties"] and isinstance(field.plain_default, str | int | float):
            schema["properties"][argument]["default"] = field.plain_default
    parameters, nulls = made_over(schema)
    spec = ToolSpec(name=name, description=description, parameters=parameters, strict=is_strict(parameters))
    defaults = {argument: field.default for argument, field in fields.items() if field.default is not NO_DEFAULT}
    return Signature(spec, adapter, nulls, defaults)


def _schema(name: str, fields: Mapping[str, Argument]) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    hints = {
        argument: field.type if field.default is NO_DEFAULT else NotRequired[field.type]
        for argument, field in fields.items()
    }
    arguments = TypedDict("arguments", hints)  # type: ignore[misc]  # of what is only known now
    with_config(extra="forbid")(arguments)
    try:
        adapter = TypeAdapter(arguments)
        schema = adapter.json_schema(schema_generator=_Quiet)
    except (PydanticUserError, NameError, TypeError) as error:
        raise ClientMisused(_no_schema(name, fields, error)) from None
    return adapter, {**schema, "properties": schema.get("properties", {})}


class _Quiet(GenerateJsonSchema):
    """Says nothing of defaults that JSON cannot hold: they are left out, as all defaults are."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as its base has it


def _no_schema(name: str, fields: Mapping[str, Argument], error: Exception) -> str:
    for argument, field in fields.items():
        try:
            TypeAdapter(field.type).json_schema(schema_generator=_Quiet)
        except (PydanticUserError, NameError, TypeError) as own:
            reason = str(own).partition("\n")[0].partition(". ")[0].rstrip(".")
            where = f"the argument {argument!r} of the tool {name!r}"
            return f"The type of {where} has no JSON Schema; use plain types, models or dataclasses. ({reason}.)"
    return f"The arguments of the tool {name!r} have no JSON Schema: {error}"


def _sentences(error: ValidationError) -> str:
    flaws = error.errors(include_url=False, include_context=False)[:MOST_PROBLEMS]
    return " ".join(
        f"{path(flaw['loc']) or 'The object of arguments'} is {shown(flaw['input'])}: {flaw['msg']}." for flaw in flaws
    )


def _without(part: Part, value: Any, nulls: frozenset[str]) -> Any:
    """Leave out the nulls that stand for defaults, at any depth; the value fits the schema."""
    while target := part.target():
        part = target
    if "anyOf" in part.node:
        branches = [part.down("anyOf", index) for index in range(len(part.node["anyOf"]))]
        fitting = next((branch for branch in branches if branch.fits(value)), None)
        return _without(fitting, value, nulls) if fitting else value
    if isinstance(value, dict):
        made = {}
        for name, inner in value.items():
            field = _field_of(part, name)
            if inner is not None or field is None or field.pointer not in nulls:
                made[name] = inner if field is None else _without(field, inner, nulls)
        return made
    if isinstance(value, list):
        first = len(part.node.get("prefixItems", ()))
        return [_without_in_list(part, at, first, inner, nulls) for at, inner in enumerate(value)]
    return value


def _field_of(part: Part, name: str) -> Part | None:
    if name in part.node.get("properties", {}):
        return part.down("properties", name)
    return part.down("additionalProperties") if isinstance(part.node.get("additionalProperties"), dict) else None


def _without_in_list(part: Part, at: int, first: int, value: Any, nulls: frozenset[str]) -> Any:
    if at < first:
        return _without(part.down("prefixItems", at), value, nulls)
    return _without(part.down("items"), value, nulls) if "items" in part.node else value
