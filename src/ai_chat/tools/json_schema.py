"""JSON Schemas made ready: whether a value fits one, and in words why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from ..core.errors import BadRequest
from .json_problems import Explainer, sentence
from .json_text import clean, path, shown
from .schema_limits import DEEPEST, deepest
from .schema_parts import Part, Parts

DEEPEST_SCHEMA = 100
"""Levels a schema may be nested."""
MOST_NODES = 50_000
"""Values inside a schema: objects, arrays, texts, numbers."""
MOST_CHARACTERS = 2_000_000
"""Characters of all names and texts inside a schema."""

_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})


class Schema:
    """A JSON Schema that values can be held against.

    It is read as draft 2020-12, or as the older draft that its `$schema` names. `format` is a remark, as the standard
    has it. References to other documents are refused and never followed.
    """

    def __init__(self, schema: Mapping[str, Any] | bool) -> None:  # noqa: FBT001 - true and false are schemas
        """Check the schema and compile it.

        Raises:
            BadRequest: it is no schema, refers to another document or to nothing, or is far too large; names the place.
        """
        if not isinstance(schema, Mapping | bool):
            raise BadRequest(f"The JSON Schema is {shown(schema)}, and must be an object, or true or false.")
        reader = _Reader()
        self.node: Any = reader.read(schema, [])
        """The schema as plain JSON, a copy."""
        self._parts = _compile(self.node, reader)
        self._deepest = deepest(self.node) if reader.references else DEEPEST

    @property
    def root(self) -> Part:
        """The whole schema, from where its parts are reached."""
        return self._parts.at("")

    def bears(self, value: Any) -> bool:
        """Say whether a value is flat enough to be checked."""
        return not _has_more_levels(value, self._deepest)

    def valid(self, value: Any) -> bool:
        """Say whether a value fits."""
        try:
            return self.bears(value) and self._parts.is_valid(value)
        except ValueError:  # no JSON: half of a surrogate pair, bytes, a key that is no text
            return False

    def problems(self, value: Any, most: int = 5, *, whole: str = "The value") -> list[str]:
        """Say what is wrong with a value: a sentence for each problem, without its full stop; nothing if it fits.

        Args:
            value: JSON as Python has it.
            most: how many problems are told.
            whole: what to call the value itself. Places inside it are written as paths: `items[2].price`.
        """
        if not self.bears(value):
            return [f"{whole} is nested more than {self._deepest} levels deep, and must be flatter"]
        try:
            if self._parts.is_valid(value):
                return []
        except ValueError as error:
            flaw = "half of a surrogate pair" if "surrogate" in str(error) else "something that is no JSON"
            return [f"{whole} holds {flaw}, and must be JSON in Unicode"]
        found = islice(Explainer(whole).explain(self.root, value, []), 4 * most)  # some may be the same
        return list(islice(dict.fromkeys(found), most))


class _Reader:
    """Copies a schema into plain JSON, within bounds, and notes what matters later."""

    def __init__(self) -> None:
        self.nodes = 0
        self.patterns = 0
        self.ids = 0
        self.references: list[tuple[list[str | int], str]] = []
        self._characters = 0

    def read(self, node: Any, place: list[str | int]) -> Any:
        """Copy what stands at a place.

        Raises:
            BadRequest: it is no JSON, or too much of it.
        """
        self._count(node, place)
        if isinstance(node, str) and clean(node) != node.replace("\0", "\ufffd"):
            raise BadRequest(f"The JSON Schema holds half of a surrogate pair{_at(place)}, and must be Unicode.")
        if isinstance(node, Mapping):
            return {self._name(name, place): self._named(name, inner, [*place, name]) for name, inner in node.items()}
        if isinstance(node, list | tuple):
            return [self.read(inner, [*place, index]) for index, inner in enumerate(node)]
        if node is None or isinstance(node, str | bool | int) or (isinstance(node, float) and math.isfinite(node)):
            return node
        raise BadRequest(f"The JSON Schema holds {shown(node)}{_at(place)}, which is no JSON; put a JSON value there.")

    def _count(self, node: Any, place: list[str | int]) -> None:
        self.nodes += 1
        self._characters += len(node) if isinstance(node, str) else 0
        if len(place) > DEEPEST_SCHEMA:
            raise BadRequest(
                f"The JSON Schema is nested more than {DEEPEST_SCHEMA} levels deep; move parts into $defs."
            )
        if self.nodes > MOST_NODES or self._characters > MOST_CHARACTERS:
            raise BadRequest(
                f"The JSON Schema holds more than {MOST_NODES:,} values or {MOST_CHARACTERS:,} characters; make it "
                "smaller."
            )

    def _name(self, name: Any, place: list[str | int]) -> str:
        if not isinstance(name, str):
            raise BadRequest(f"The JSON Schema has the name {name!r}{_at(place)}, and names must be texts.")
        self._characters += len(name)
        return name

    def _named(self, name: str, node: Any, place: list[str | int]) -> Any:
        if name == "patternProperties" and isinstance(node, Mapping):
            self.patterns += len(node)
        if isinstance(node, str):
            self.patterns += name == "pattern"
            self.ids += name == "$id" and len(place) > 1  # that of the root changes nothing
            if name in _REFERENCES:
                self.references.append((place, node))
        return self.read(node, place)


def _has_more_levels(value: Any, levels: int) -> bool:
    level = [value] if isinstance(value, dict | list | tuple) else []
    for _ in range(levels):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list | tuple)
        ]
    return bool(level)


# --- what is wrong with a schema ------------------------------------------------------------------------------------


def _compile(node: Any, reader: _Reader) -> Parts:
    import jsonschema_rs  # noqa: PLC0415 - 20 ms, for those who ask for it

    try:
        return Parts(node, size=reader.nodes, patterns=reader.patterns, has_ids=reader.ids > 0)
    except jsonschema_rs.ValidationError as error:
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Referencing):
            raise _bad_reference(error.message, reader.references) from None
        raise _no_schema(error) from None
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise BadRequest(f"The JSON Schema cannot be used: {reason}.") from None


def _no_schema(error: Any) -> BadRequest:
    place = list(error.instance_path)
    if place[-1:] == ["pattern"] or place[-2:-1] == ["patternProperties"]:
        flaw = "is no regular expression of ECMA-262, or one that needs too much memory"
        return BadRequest(f"The JSON Schema has a pattern{_at(place)} that {flaw}: {shown(error.instance)}; mend it.")
    if place[-1:] == ["type"] and error.kind.name == "anyOf":
        types = "array, boolean, integer, null, number, object or string"
        return BadRequest(f"The JSON Schema has the type {shown(error.instance)}{_at(place)}; types are {types}.")
    flaw = sentence(error, error.instance, "what stands there")
    return BadRequest(f"The JSON Schema is wrong{_at(place) or ' at its root'}: {flaw}.")


def _bad_reference(message: str, references: list[tuple[list[str | int], str]]) -> BadRequest:
    told = ((place, name) for place, name in references if name.lstrip("#") and name.lstrip("#") in message)
    guilty = next(told, None)
    what = f"the reference {shown(guilty[1])}{_at(guilty[0])}" if guilty else "a reference"
    if "retrieving it failed" in message:
        why = "which is another document and is never fetched; put that schema under $defs and refer to it there"
    else:
        why = "and nothing stands there; define it under $defs or mend the reference"
    return BadRequest(f"The JSON Schema has {what}, {why}.")


def _at(place: list[str | int]) -> str:
    return f" at {path(place)}" if place else ""
