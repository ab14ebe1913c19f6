"""What an answer shall be: a type or a JSON Schema, how it is asked for, and how an answer is read as one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_json

from ..core.errors import BadRequest
from ..core.request import ResponseFormat, SchemaSupport
from ..tools.json_schema import Schema
from ..tools.lenient_json import read_json
from . import schemas

T = TypeVar("T")

PARAM = "form"
MOST_PROBLEMS = 5
"""Problems of one answer that are told."""
KNOWN_FORMS = 64
"""Types whose schemas are remembered."""
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]+")
_MODULES = re.compile(r"[\w<>.]+\.")


class NotOfTheForm(Exception):
    """A text that is no such answer; told to the model, and at last to the caller as `OutputInvalid`."""

    def __init__(self, *problems: str) -> None:
        """Keep what is wrong, a sentence each."""
        super().__init__("; ".join(problems))
        self.problems = problems


class Form(Generic[T]):
    """A form that answers shall have."""

    def __init__(self, schema: Mapping[str, Any], name: str, adapter: TypeAdapter[T] | None = None) -> None:
        """Check the schema and make it ready.

        Args:
            schema: JSON Schema of the value.
            name: what to call it.
            adapter: makes the value of JSON that the schema allows; None takes the JSON as it is.

        Raises:
            BadRequest: the schema is none, refers to another document or is far too large.
        """
        self._adapter = adapter
        checked = Schema(schema)
        self.schema, self._wrapped = schemas.rooted(checked.node)
        self._check = checked if self.schema == checked.node else Schema(self.schema)
        self.name = _NOT_IN_NAMES.sub("_", name).strip("_")[:64] or "answer"
        self.told = json.dumps(schemas.without_titles(self.schema), ensure_ascii=False, separators=(",", ":"))
        """The schema as text."""
        self._formats = {
            "strict": self._native(bounds=False),
            "json_schema": self._native(bounds=True),
            "json_object": ResponseFormat(type="json_object"),
        }

    def response_format(self, support: SchemaSupport) -> ResponseFormat | None:
        """Give what an upstream is asked for that holds an answer to a schema in that way."""
        return self._formats.get(support)

    def read(self, text: str) -> tuple[T, Any]:
        """Read an answer: the value, and the JSON that it was made of.

        Raises:
            NotOfTheForm: it is none, and cannot be mended without guessing.
        """
        try:
            value = read_json(text)
            to_json(value)
        except PydanticSerializationError:
            raise NotOfTheForm("a text holds half of a surrogate pair") from None
        except ValueError as error:
            raise NotOfTheForm(f"{error}") from None
        value = self._valid(value)
        inner = value[schemas.VALUE] if self._wrapped else value
        if self._adapter is None:
            return inner, inner
        try:
            return self._adapter.validate_json(to_json(inner)), inner
        except ValidationError as error:
            raise NotOfTheForm(*_sentences(error)) from None

    def so_far(self, value: Any) -> Any:
        """Give what has come of the value, of the object that has come; None before there is anything."""
        return value.get(schemas.VALUE) if self._wrapped and isinstance(value, Mapping) else value

    def _valid(self, value: Any) -> Any:
        problems = self._check.problems(value, MOST_PROBLEMS)
        if not problems:
            return value
        without_nulls = schemas.without_nulls(value, self.schema)
        candidates = [without_nulls]
        if self._wrapped:
            candidates.append({schemas.VALUE: value})  # the value itself, as weaker models give it
        for candidate in candidates:
            if self._check.valid(candidate):
                return candidate
        raise NotOfTheForm(*problems)

    def _native(self, *, bounds: bool) -> ResponseFormat:
        plain: Any = schemas.without_titles(self.schema)
        strict = schemas.strict(plain, bounds=bounds)
        return ResponseFormat(
            type="json_schema", name=self.name, schema=plain if strict is None else strict, strict=strict is not None
        )


def form_of(form: Any) -> Form[Any]:
    """Make a form of what a caller gives: a type, a JSON Schema, or a form.

    Raises:
        BadRequest: it is none of them.
    """
    if isinstance(form, Form):
        return form
    if isinstance(form, Mapping):
        title = form.get("title")
        return Form(form, title if isinstance(title, str) else "")
    if form is None or isinstance(form, (str, bytes, int, float, list, tuple)):
        raise BadRequest(
            f"The form of the answer is {type(form).__name__}, and must be a type or a JSON Schema.", param=PARAM
        )
    try:
        hash(form)
    except TypeError:
        return _of_type(form)
    return _remembered(form)


def _of_type(form: Any) -> Form[Any]:
    try:
        adapter = TypeAdapter(form)
        schema = adapter.json_schema()
    except (PydanticUserError, NameError) as error:
        reason = str(error).partition("\n")[0]
        raise BadRequest(f"No JSON Schema can be made of {form!r}: {reason}", param=PARAM) from error
    return Form(schema, form.__name__ if isinstance(form, type) else _MODULES.sub("", str(form)), adapter)


_remembered = lru_cache(maxsize=KNOWN_FORMS)(_of_type)


def _sentences(error: ValidationError) -> list[str]:
    told = []
    for flaw in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_PROBLEMS]:
        place = ".".join(str(step) for step in flaw["loc"])
        told.append(f"{place}: {flaw['msg']}" if place else flaw["msg"])
    return told
