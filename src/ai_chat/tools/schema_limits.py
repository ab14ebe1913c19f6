"""How deep a value may be nested before it takes too long to hold it against a JSON Schema.

Where alternatives of a schema go into the same place of a value with different definitions, every level multiplies the
work by their number. People write alternatives that differ in type, in a tag or in what they are made of, so this is
about schemas that were made to keep a server busy.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

DEEPEST = 100
"""Levels of any value; the library's own stack ends somewhere behind that."""
LEAST = 4
"""Levels that are left to the most tangled schema."""
MOST_WORK = 1e6
"""About how many questions one value may take."""
MOST_LOOKS = 200_000
"""How long a schema is looked at before it is taken for tangled."""
FEW = 3
"""Alternatives that the library gets along with at any depth: it remembers what it has found out."""

_IN_PLACE = ("anyOf", "oneOf", "allOf")
_PLACES = ("items", "additionalProperties", "contains", "unevaluatedProperties", "unevaluatedItems")


def deepest(schema: Any) -> int:
    """Give how many levels a value may have."""
    try:
        ways = _Ways(schema).most()
    except _Lost:
        return LEAST
    return DEEPEST if ways <= FEW else max(LEAST, int(math.log(MOST_WORK) / math.log(ways)))


class _Lost(Exception):
    """It takes too long to say."""


class _Ways:
    """Counts the different ways in which a schema goes into one place of a value."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = MOST_LOOKS

    def most(self) -> int:
        """Give the largest number of them."""
        most = 1
        for node in self._all(self._root):
            if any(key in node for key in _IN_PLACE):
                ways = defaultdict[str, set[frozenset[str]]](set)
                for inner in self._in_place(node):
                    for place, below in _below(inner):
                        ways[place].add(frozenset(self._references(below)))
                most = max([most, *(len(found - {frozenset()}) for found in ways.values())])
        return most

    def _look(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Lost

    def _all(self, node: Any) -> Iterator[dict[str, Any]]:
        waiting = [node]
        while waiting:
            self._look()
            one = waiting.pop()
            if isinstance(one, dict):
                yield one
                waiting += one.values()
            elif isinstance(one, list):
                waiting += one

    def _in_place(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give all schemas that are about the same value as this one."""
        seen: set[int] = set()
        waiting: list[Any] = [node]
        while waiting:
            self._look()
            one = waiting.pop()
            if isinstance(one, dict) and id(one) not in seen:
                seen.add(id(one))
                yield one
                waiting += [inner for key in _IN_PLACE for inner in _listed(one.get(key))]
                waiting += [one.get(key) for key in ("if", "then", "else", "not")]
                waiting.append(self._target(one.get("$ref")))

    def _references(self, node: Any) -> Iterator[str]:
        for one in self._all(node):
            if isinstance(reference := one.get("$ref"), str):
                yield reference

    def _target(self, reference: Any) -> Any:
        node = self._root if isinstance(reference, str) and reference.startswith("#") else None
        for step in unquote(reference[1:]).split("/")[1:] if node is not None else ():
            node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
        return node


def _below(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the schemas of what is inside the value, and where in there. A tag says which alternative is meant."""
    fields = node.get("properties")
    fields = fields if isinstance(fields, dict) else {}
    if not any(isinstance(field, dict) and field.keys() & {"const", "enum"} for field in fields.values()):
        yield from ((f"/{name}", field) for name, field in fields.items())
    yield from ((place, node[place]) for place in _PLACES if place in node)
    yield from ((f"[{index}]", item) for index, item in enumerate(_listed(node.get("prefixItems"))))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
