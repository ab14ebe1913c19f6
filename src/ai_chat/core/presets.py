"""Temperatures by what is asked for, as the guides to the API advise; and forms that answers often have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BadRequest


@dataclass(frozen=True, slots=True)
class Preset:
    """A named temperature, and the range that is advised for its purpose."""

    temperature: float
    lowest: float
    highest: float


PRESETS = {
    "factual": Preset(0.1, 0.0, 0.2),
    "technical": Preset(0.4, 0.3, 0.5),
    "creative": Preset(0.7, 0.6, 0.8),
    "exploratory": Preset(1.2, 0.9, 1.5),
}
"""Facts and classification; code and explanations; texts; ideas."""

FORMS: Mapping[str, Mapping[str, Any]] = {
    "review": {
        "title": "Review",
        "description": "What a review or an opinion says.",
        "type": "object",
        "properties": {
            "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "keywords": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 8},
            "summary": {"type": "string", "description": "One sentence, in the language of the review."},
        },
        "required": ["sentiment", "confidence", "keywords", "summary"],
        "additionalProperties": False,
    },
    "contact": {
        "title": "Contact",
        "description": "How a person can be reached; null is not told.",
        "type": "object",
        "properties": {name: {"type": ["string", "null"]} for name in ("name", "company", "phone", "email", "address")},
        "required": ["name", "company", "phone", "email", "address"],
        "additionalProperties": False,
    },
    "tasks": {
        "title": "Tasks",
        "description": "What is to be done.",
        "type": "object",
        "properties": {
            "tasks": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "task": {"type": "string"},
                        "who": {"type": ["string", "null"]},
                        "due": {"type": ["string", "null"], "description": "As it was said."},
                    },
                    "required": ["task", "who", "due"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["tasks"],
        "additionalProperties": False,
    },
}
"""JSON Schemas by name: what the page offers beside a schema of one's own."""

DEFAULT = "default"
"""Takes a preset away again."""


def temperature_of(name: str | None) -> float | None:
    """Give a preset's temperature; None for none, and for `default`.

    Raises:
        BadRequest: there is no preset of that name.
    """
    if name is None or name == DEFAULT:
        return None
    if name not in PRESETS:
        raise BadRequest(f"preset is {name[:40]!r}, and must be one of {', '.join(PRESETS)}.", param="preset")
    return PRESETS[name].temperature
