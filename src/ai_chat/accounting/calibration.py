"""How far our counts are from those of an upstream whose vocabulary we do not have: one ratio for each model.

It is learnt from pairs of what we counted and what the upstream reported for the same text. Long texts weigh more than
short ones, new ones more than old ones, and a few pairs move it little.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

MODELS = 256
"""Models that are remembered; the one that was used least lately goes."""
_PRIOR = 200.0
"""Tokens that are taken as counted rightly beforehand."""
_MEMORY = 200_000.0
"""Counted tokens beyond which what was learnt loses half its weight."""
_FURTHEST = 4.0
"""A pair further apart than so many times is about something else: a picture, hidden instructions, a proxy."""
_ALWAYS = 8
_SOMETIMES = 16


@dataclass(slots=True)
class _Seen:
    """What is known of one model, in tokens."""

    counted: float = 0.0
    reported: float = 0.0
    offered: int = 0
    """How often it was asked whether a pair is wanted."""


class Calibration:
    """Ratios of models, learnt and applied. It may be used from many threads at once."""

    def __init__(self, *, models: int = MODELS) -> None:
        """Know nothing yet, and of at most so many models later."""
        self._models = models
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def is_due(self, model: str) -> bool:
        """Say whether it is worth counting for another pair: the first few times always, then now and again."""
        with self._lock:
            seen = self._get(model)
            seen.offered += 1
            return seen.offered <= _ALWAYS or seen.offered % _SOMETIMES == 0

    def learn(self, model: str, *, counted: int, reported: int) -> None:
        """Take in what we counted, uncalibrated, and what the upstream reported for the same text."""
        if counted <= 0 or not counted / _FURTHEST <= reported <= counted * _FURTHEST:
            return
        with self._lock:
            seen = self._get(model)
            seen.counted += counted
            seen.reported += reported
            if seen.counted > _MEMORY:
                seen.counted /= 2
                seen.reported /= 2

    def ratio(self, model: str) -> float:
        """Give how many tokens the upstream reports for each one that we count; 1 if nothing is known."""
        with self._lock:
            seen = self._seen.get(model)
            return (seen.reported + _PRIOR) / (seen.counted + _PRIOR) if seen is not None else 1.0

    def applied(self, model: str, counted: int) -> int:
        """Give what the upstream will likely report for what we count."""
        return round(counted * self.ratio(model))

    def _get(self, model: str) -> _Seen:
        seen = self._seen.setdefault(model, _Seen())
        self._seen.move_to_end(model)
        if len(self._seen) > self._models:
            self._seen.popitem(last=False)
        return seen
