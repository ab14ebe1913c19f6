"""Which passages an answer was taken from, by its words, for a model that did not say.

Small models forget to cite. An answer whose words stand in a passage, more of them than chance would put there, gets
that passage's number behind it; an answer in other words, or one that says there is no answer, gets none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ..core.sources import Source

COVERED = 0.5
"""Share of an answer's words, rare ones counting more, that must stand in the passage it was taken from."""
ADDED = 0.25
"""Share that another passage must add to be cited as well."""
FEWEST = 3
"""Words of an answer below which nothing can be told."""
MOST = 3
"""Passages that are cited."""
HAN = "\u3400-\u9fff\uf900-\ufaff"
RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]{{3,}}|\d+(?:[.,]\d+)*")


def taken_from(text: str, sources: Sequence[Source]) -> list[Source]:
    """Give the sources that a text was taken from, the one that it owes most to first."""
    asked = _units(text)
    if len(asked) < FEWEST:
        return []
    holding = {source.number: _units(source.passage.chunk.text) & asked for source in sources}
    spread = Counter(unit for units in holding.values() for unit in units)
    # What stands in every passage tells little of which one it was.
    weights = {unit: 1 / max(1, spread[unit]) for unit in asked}
    whole = sum(weights.values())
    chosen: list[Source] = []
    left = set(asked)
    for least in (COVERED, *(ADDED for _ in range(MOST - 1))):
        best = max(sources, key=lambda source: _weight(holding[source.number] & left, weights), default=None)
        if best is None or _weight(holding[best.number] & left, weights) < least * whole:
            break
        chosen.append(best)
        left -= holding[best.number]
    return chosen


def _weight(units: set[str], weights: dict[str, float]) -> float:
    return sum(weights[unit] for unit in units)


def _units(text: str) -> set[str]:
    """Give the words of a text; of Chinese the pairs of its characters."""
    units: set[str] = set()
    for run in RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 and "\u3400" <= run[0] <= "\ufaff":
            units.update(map("".join, pairwise(run)))
        else:
            units.add(run)
    return units
