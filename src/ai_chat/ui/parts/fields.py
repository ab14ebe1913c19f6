"""An answer that is one JSON object, as people read it: its fields, one below the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .trouble import plain

LONGEST = 20_000
"""Characters of an answer that is looked at."""
DEEPEST = 3
"""Levels of it that are drawn; what is deeper stands as JSON."""


def fields_of(text: str) -> Mapping[str, Any] | None:
    """Give the fields of an answer that is one JSON object and nothing else; None for any other."""
    if not (text.startswith("{") and text.endswith("}") and len(text) <= LONGEST):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def draw_fields(place: Any, fields: Mapping[str, Any]) -> None:
    """Draw them as a list, with their names before them."""
    place.markdown("\n".join(_lines(fields, 0)))


def _lines(value: Any, depth: int) -> list[str]:
    """Write a value as a nested list."""
    indent = "  " * depth
    if isinstance(value, Mapping):
        lines = []
        for name, inner in value.items():
            lines += _entry(f"**{plain(name)}**", inner, depth)
        return lines
    return [f"{indent}- {_short(item)}" if _is_flat(item, depth) else _nested(item, depth) for item in value]


def _entry(name: str, value: Any, depth: int) -> list[str]:
    indent = "  " * depth
    if isinstance(value, list) and value and all(_is_simple(item) for item in value):
        return [f"{indent}- {name}: {' · '.join(_short(item) for item in value)}"]
    if _is_flat(value, depth):
        return [f"{indent}- {name}: {_short(value)}"]
    return [f"{indent}- {name}:", *_lines(value, depth + 1)]


def _nested(item: Any, depth: int) -> str:
    """Write an object in a list on one line, which is how rows are read best."""
    if isinstance(item, Mapping) and all(_is_simple(inner) for inner in item.values()):
        cells = " · ".join(f"{plain(name)}: {_short(inner)}" for name, inner in item.items() if inner is not None)
        return f"{'  ' * depth}- {cells}"
    return f"{'  ' * depth}- {_short(item)}"


def _is_simple(value: Any) -> bool:
    return not isinstance(value, (Mapping, list))


def _is_flat(value: Any, depth: int) -> bool:
    return _is_simple(value) or not value or depth >= DEEPEST


def _short(value: Any) -> str:
    if isinstance(value, str):
        return plain(" ".join(value.split()))
    if value is None:
        return "—"
    return plain(json.dumps(value, ensure_ascii=False))
