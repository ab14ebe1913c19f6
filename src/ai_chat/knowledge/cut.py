"""How large chunks are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a text is cut into chunks. A weight is a number of Latin characters, or what says as much."""

    capacity: float = 700.0
    """Weight of a chunk at most, about."""
    overlap: float = 0.15
    """Share of a chunk that it has in common with the one before it, at most; it begins with a sentence or a word."""
    wide: float = 2.3
    """Weight of a Chinese, Japanese or Korean character."""
    tiny: float = 150.0
    """Weight below which a section, or what is left at the end of one, goes together with what is beside it."""
