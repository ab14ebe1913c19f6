"""Temperatures by what is asked for, as the guides to the API advise."""

from __future__ import annotations

from dataclasses import dataclass

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
