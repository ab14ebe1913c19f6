"""The arguments of a tool call: read from what a model wrote, and held against the tool's schema."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .coercion import Numbers, coerced
from .json_schema import Schema
from .json_text import shown
from .mending import mended

LONGEST = 2_000_000
"""Characters of the arguments of one call."""
MOST_PROBLEMS = 5
"""Problems of one call that are told."""
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")


class BadArguments(Exception):
    """Arguments that cannot be used. The message says in sentences for the model what is wrong, and what would do."""


def read_arguments(text: str, parameters: Mapping[str, Any] | Schema | None) -> dict[str, Any]:
    """Read what a model wrote as the arguments of a call.

    Nothing at all, and null, are no arguments. JSON is taken as it is; almost JSON is mended where it can be meant in
    one way only (`mending.mended` has the rule), and a text that was cut off is refused. Then the arguments must fit
    the schema. Where they do not, those places are changed that can be meant in one way only (`coercion.coerced` has
    the list); what fits is never changed, and what nobody knows is refused.

    Args:
        text: `ToolCall.arguments`.
        parameters: JSON Schema of the arguments, compiled or not; None takes any object.

    Raises:
        BadArguments: they are no JSON object, or do not fit.
        BadRequest: `parameters` is no schema.
    """
    schema = parameters if isinstance(parameters, Schema) or parameters is None else Schema(parameters)
    arguments = _read(text, _float)
    if schema is None or schema.valid(arguments):
        return arguments
    numbers = Numbers()
    arguments = coerced(schema, _read(text, numbers.read), numbers)
    problems = schema.problems(arguments, MOST_PROBLEMS, whole="The object of arguments")
    if problems:
        raise BadArguments(". ".join([*problems, ""]).rstrip())
    return dict(arguments)


def _read(text: str, number: Callable[[str], float]) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise BadArguments(f"The arguments have {len(text):,} characters; {LONGEST:,} is the most.")
    text = text.strip().removeprefix("\ufeff")
    if not text:
        return {}
    try:
        value = _parsed(text, number)
        if isinstance(value, str):  # JSON inside a JSON text
            value = _parsed(value, number)
        _check_unicode(text, value)
    except ValueError as error:
        flaw = "a number has too many digits" if "int_max_str_digits" in str(error) else error
        raise BadArguments(f"The arguments cannot be read: {flaw}. Send one whole JSON object.") from None
    except RecursionError:
        raise BadArguments("The arguments are nested too deep; make them flatter.") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a text", bool: "a boolean"}.get(type(value), "a number")
        raise BadArguments(f"The arguments are {kind}, and must be one JSON object with a property for each argument.")
    return value


def _check_unicode(text: str, value: Any) -> None:
    """Refuse halves of surrogate pairs: JSON may escape them, and no tool can do anything with them."""
    if not text.isascii() or _ESCAPED.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a text holds half of a surrogate pair") from None


def _parsed(text: str, number: Callable[[str], float]) -> Any:
    try:
        return _loads(text, number, strict=True)
    except json.JSONDecodeError as error:
        return _parsed_mended(text, number, error)


def _parsed_mended(text: str, number: Callable[[str], float], flaw: json.JSONDecodeError) -> Any:
    try:
        return _loads(mended(text), number, strict=False)
    except json.JSONDecodeError:  # its place would be one in the mended text
        raise ValueError(f"{flaw.msg} at line {flaw.lineno}, column {flaw.colno}") from None


def _loads(text: str, number: Callable[[str], float], *, strict: bool) -> Any:
    return json.loads(text, strict=strict, parse_float=number, parse_constant=_refuse, object_pairs_hook=_without_twins)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        (twice, _), *_rest = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the name {shown(twice)} stands twice in one object")
    return made
