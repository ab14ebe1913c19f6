"""What a Python function says of itself: its name, its arguments and their types."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..core.errors import ClientMisused

NO_DEFAULT = inspect.Parameter.empty

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a function."""

    type: Any
    default: Any = NO_DEFAULT

    @property
    def plain_default(self) -> Any:
        """The default as JSON has it, if it is an enum's."""
        return self.default.value if isinstance(self.default, Enum) else self.default


def name_of(function: Any, name: str | None) -> str:
    """Give the name that a tool made of a function has; None is its own.

    Raises:
        ClientMisused: it is no function, or the name will not do.
    """
    if isinstance(function, partial):
        raise ClientMisused("A functools.partial is no tool; write a function around it, with hints and a docstring.")
    if not inspect.isroutine(function):
        raise ClientMisused(f"A tool is a function, and this is {_kind(function)}; write a function that calls it.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ClientMisused(f"The tool {function.__name__!r} yields; let it return one value.")
    if name is None and function.__name__ == "<lambda>":
        raise ClientMisused("A lambda is no tool: it has no name, hints or docstring; write a function with def.")
    name = function.__name__ if name is None else name
    if not _NAME.fullmatch(name):
        raise ClientMisused(
            f"{name[:80]!r} cannot be the name of a tool; give a name= of 1 to 64 letters a-z, A-Z, digits, _ and -."
        )
    return name


def _kind(thing: Any) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else f"an object of {type(thing).__name__}"


def arguments_of(function: Callable[..., Any], name: str) -> dict[str, Argument]:
    """Give the arguments of a function, with their types; `name` is what to call it in messages.

    Raises:
        ClientMisused: a model could not give them, or their types are not known.
    """
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        raise ClientMisused(f"The tool {name!r} shows no arguments; write a function around it.") from None
    for parameter in parameters.values():
        _check(parameter, name)
    hints = _hints(function, name, list(parameters))
    return {
        argument: _argument(hints.get(argument, parameter.annotation), parameter.default)
        for argument, parameter in parameters.items()
    }


def _check(parameter: inspect.Parameter, name: str) -> None:
    where = f"The argument {parameter.name!r} of the tool {name!r}"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise ClientMisused(f"{where} takes any number of values; name each argument, or take a list.")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise ClientMisused(f"{where} is positional only; models give arguments by name: take the / away.")
    if parameter.name in ("self", "cls") and parameter.annotation is parameter.empty:
        raise ClientMisused(
            f"The tool {name!r} is a method of no object yet; give it as one of an object: thing.{name}."
        )
    if parameter.annotation is parameter.empty:
        raise ClientMisused(f"{where} has no type hint; write one, such as {parameter.name}: str.")


def _hints(function: Callable[..., Any], name: str, arguments: list[str]) -> dict[str, Any]:
    """Give the types of arguments; hints may be texts, and names in them those of the function's module and closure."""
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    written = {key: hint for key, hint in plain.__annotations__.items() if key in arguments}
    code = getattr(plain, "__code__", None)
    cells = zip(code.co_freevars, plain.__closure__ or (), strict=True) if code else ()
    known = {variable: cell.cell_contents for variable, cell in cells if _is_filled(cell)}
    stand_in = type("hints", (), {})()
    stand_in.__annotations__ = written
    try:
        return typing.get_type_hints(stand_in, getattr(plain, "__globals__", {}), known, include_extras=True)
    except NameError as error:
        raise ClientMisused(
            f"The tool {name!r} has a type hint that nobody knows outside: {error}; define that type at the top of the "
            "module, or do without `from __future__ import annotations` there."
        ) from None
    except (TypeError, SyntaxError) as error:
        raise ClientMisused(f"The tool {name!r} has a type hint that is none: {error}.") from None


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - a function that speaks of itself is not there yet
    except ValueError:
        return False
    return True


def _argument(hint: Any, default: Any) -> Argument:
    if not isinstance(default, FieldInfo):
        return Argument(type=hint, default=default)
    inner = default.get_default(call_default_factory=True)
    return Argument(type=Annotated[hint, default], default=NO_DEFAULT if inner is PydanticUndefined else inner)
