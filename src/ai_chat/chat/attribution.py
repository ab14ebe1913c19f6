"""Which passages an answer was taken from, by its words, for a model that did not say.

Small models forget to cite. An answer whose words stand in a passage, more of them than chance would put there, gets
that passage's number behind it; an answer in other words, or one that says there is no answer, gets none.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ..core.sources import Source
from ..core.words import RUN

COVERED = 0.5
"""Share of an answer's words, rare ones counting more, that must stand in the passage it was taken from."""
ADDED = 0.25
"""Share that another passage must add to be cited as well."""
FEWEST = 3
"""Words of an answer below which nothing can be told."""
MOST = 3
"""Passages that are cited."""
FOREIGN = 0.2
"""Share below which a sentence has nothing to do with the passage that it cites."""
SHORTEST = 3
"""Letters of a word that is looked at; numbers tell however short they are."""


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


def mended(sentence: str, cited: Sequence[int], sources: Sequence[Source]) -> list[int]:
    """Give the numbers that a sentence should cite, where it cites these.

    A citation of a passage with which it has nothing in common, while it stands in another, is that of the other: small
    models know what they read better than where. What was said in other words than those of any passage stays.
    """
    asked = _units(sentence)
    if len(asked) < FEWEST:
        return list(cited)
    shares = {source.number: len(_units(source.passage.chunk.text) & asked) / len(asked) for source in sources}
    best = max(shares, key=lambda number: shares[number], default=None)
    if best is None or shares[best] < COVERED:
        return list(cited)
    return list(dict.fromkeys(best if shares.get(number, 0.0) < FOREIGN else number for number in cited))


def _weight(units: set[str], weights: dict[str, float]) -> float:
    return sum(weights[unit] for unit in units)


def _units(text: str) -> set[str]:
    """Give the words of a text; of Chinese the pairs of its characters."""
    units: set[str] = set()
    for run in RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = run[0]
        if run[1] is not None and len(word) > 1:
            units.update(map("".join, pairwise(word)))
        elif run[1] is not None or len(word) >= SHORTEST or word.isdigit():
            units.add(word)
    return units
