"""The schemas inside a JSON Schema, each compiled when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

MOST_STEPS_BACK = 100_000
"""Times that a pattern may go back in a text. Most patterns never do: they run in linear time."""
PATTERN_BYTES = 4_000_000
"""Memory of one compiled pattern."""
PATTERNS_BYTES = 100_000_000
"""What all patterns of one schema share."""
MOST_WORK = 500_000
"""How much of a schema is compiled again for parts that refer to others, as such parts times its size."""

_BASE = "https://schema.invalid/"
_OLDER = ("http://json-schema.org/", "https://json-schema.org/draft/2019-09/")
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})


class Parts:
    """A JSON Schema that is compiled, with what is inside it."""

    def __init__(self, node: Any, *, size: int, patterns: int, has_ids: bool) -> None:
        """Compile the schema.

        Args:
            node: the schema as plain JSON.
            size: values inside it.
            patterns: regular expressions inside it.
            has_ids: whether parts of it have addresses of their own, so that what a reference means is not plain.

        Raises:
            jsonschema_rs.ValidationError: it is no schema, or a reference leads nowhere or outside.
        """
        self.node = node
        self._make, self._options = _compiler(node, patterns)
        self._compiled = self._make(node, retriever=refuse, **self._options)
        self._size = size
        self._has_ids = has_ids
        self._parts: dict[str, Part] = {}
        self._patterns: dict[str, Any] = {}
        self._registry: Any = None
        self._work = 0

    def is_valid(self, value: Any) -> bool:
        """Say whether a value fits.

        Raises:
            ValueError: it holds something that is no JSON.
        """
        return bool(self._compiled.is_valid(value))

    def at(self, pointer: str) -> Part:
        """Give the part at a JSON pointer.

        Raises:
            KeyError: there is none.
        """
        known = self._parts.get(pointer)
        if known is None:
            known = self._parts[pointer] = Part(self, pointer, self._node(pointer))
        return known

    def target(self, reference: Any) -> Part | None:
        """Give the part that a reference means, if it is written as a pointer from the root."""
        if not isinstance(reference, str) or not reference.startswith("#") or self._has_ids:
            return None
        try:
            return self.at(unquote(reference[1:]))
        except KeyError:  # an anchor
            return None

    def errors(self, node: Mapping[str, Any], value: Any) -> Iterator[Any]:
        """Give the library's errors of a value against keywords that refer to nothing."""
        return iter(self._make(node, **self._options).iter_errors(value))

    def matches(self, pattern: str, text: str) -> bool:
        """Say whether a text matches a pattern of the schema."""
        if pattern not in self._patterns:
            self._patterns[pattern] = self._make({"pattern": pattern}, **self._options)
        return bool(self._patterns[pattern].is_valid(text))

    def compiled(self, part: Part) -> Any:
        """Compile a part; False if it cannot be used alone, or has taken enough work already."""
        import jsonschema_rs  # noqa: PLC0415

        if not part.pointer:
            return self._compiled
        try:
            if not _refers(part.node):
                return self._make(part.node, **self._options)
            self._work += self._size
            if self._has_ids or self._work > MOST_WORK:
                return False
            if self._registry is None:
                self._registry = jsonschema_rs.Registry([(_BASE, self.node)])
            node = {"$ref": f"{_BASE}#{quote(part.pointer, safe='/~')}"}
            return self._make(node, registry=self._registry, retriever=refuse, **self._options)
        except (ValueError, jsonschema_rs.ReferencingError):
            return False

    def _node(self, pointer: str) -> Any:
        node = self.node
        if pointer and not pointer.startswith("/"):
            raise KeyError(pointer)
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(name)] if isinstance(node, list) else node[name]
            except (IndexError, TypeError, ValueError):
                raise KeyError(pointer) from None
        if not isinstance(node, bool | dict):
            raise KeyError(pointer)
        return node


class Part:
    """A schema inside a schema, at its place there."""

    __slots__ = ("_compiled", "_owner", "node", "pointer")

    def __init__(self, owner: Parts, pointer: str, node: Any) -> None:
        self._owner = owner
        self._compiled: Any = None
        self.pointer = pointer
        """JSON pointer from the root of the schema."""
        self.node = node
        """What stands there: an object, or true or false."""

    def down(self, *steps: str | int) -> Part:
        """Give the part that many steps further in.

        Raises:
            KeyError: there is none.
        """
        steps_in = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
        return self._owner.at(self.pointer + steps_in)

    def target(self) -> Part | None:
        """Give what its `$ref` means, if that can be followed."""
        return self._owner.target(self.node.get("$ref")) if isinstance(self.node, dict) else None

    def fits(self, value: Any) -> bool | None:
        """Say whether a value fits; None if that cannot be found out, or not at a fair price."""
        if isinstance(self.node, bool):
            return self.node
        if self._compiled is None:
            self._compiled = self._owner.compiled(self)
        try:
            return bool(self._compiled.is_valid(value)) if self._compiled else None
        except ValueError:
            return False

    def errors(self, keywords: tuple[str, ...], value: Any) -> list[Any]:
        """Give the library's errors of a value against some of its keywords, such as look no deeper into the value."""
        node = self.node if isinstance(self.node, dict) else {}
        own = {key: node[key] for key in keywords if key in node}
        return list(self._owner.errors(own, value)) if own else []

    def matches(self, pattern: str, name: str) -> bool:
        """Say whether a name matches a pattern of the schema."""
        return self._owner.matches(pattern, name)


def refuse(uri: str) -> Any:
    """Fetch no document, whatever a schema refers to.

    Raises:
        LookupError: always.
    """
    raise LookupError(uri)


def _compiler(node: Any, patterns: int) -> tuple[Any, dict[str, Any]]:
    """Give what compiles schemas of this dialect, and what it is told each time: bounds, and formats as remarks."""
    import jsonschema_rs  # noqa: PLC0415 - 20 ms, for those who ask for it

    size = min(PATTERN_BYTES, PATTERNS_BYTES // max(1, patterns))
    limits = jsonschema_rs.FancyRegexOptions(backtrack_limit=MOST_STEPS_BACK, size_limit=size, dfa_size_limit=size)
    options = {"pattern_options": limits, "validate_formats": False}
    dialect = node.get("$schema") if isinstance(node, dict) else None
    if isinstance(dialect, str) and dialect.startswith(_OLDER):
        return jsonschema_rs.validator_cls_for({"$schema": dialect}), options
    return jsonschema_rs.Draft202012Validator, options


def _refers(node: Any) -> bool:
    if isinstance(node, dict):
        return not _REFERENCES.isdisjoint(node) or any(_refers(inner) for inner in node.values())
    return isinstance(node, list) and any(_refers(inner) for inner in node)
