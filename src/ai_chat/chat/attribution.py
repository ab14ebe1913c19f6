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
TOLD = 0.4
"""Share of a sentence's words that must stand in a passage, for a citation of another to be taken for a slip."""
AS_GOOD = 2 / 3
"""Part of that share from which on the passage that is cited may well be meant."""
SHORTEST = 3
"""Letters of a word that is looked at; numbers tell however short they are."""


def taken_from(text: str, sources: Sequence[Source]) -> list[Source]:
    """Give the sources that a text was taken from, the one that it owes most to first."""
    shared = _Shared(text, sources)
    if len(shared.asked) < FEWEST:
        return []
    chosen: list[Source] = []
    left = set(shared.asked)
    for least in (COVERED, *(ADDED for _ in range(MOST - 1))):
        best = max(sources, key=lambda source: shared.part(source.number, left), default=None)
        if best is None or shared.part(best.number, left) < least:
            break
        chosen.append(best)
        left -= shared.holding[best.number]
    return chosen


def mended(sentence: str, cited: Sequence[int], sources: Sequence[Source]) -> list[int]:
    """Give the numbers that a sentence should cite, where it cites these.

    A citation of a passage that holds clearly less of the sentence than another does is that of the other: small models
    know what they read better than where. What was said in other words than those of any passage stays.
    """
    shared = _Shared(sentence, sources)
    if len(shared.asked) < FEWEST:
        return list(cited)
    parts = {source.number: shared.part(source.number, shared.asked) for source in sources}
    best = max(parts, key=lambda number: parts[number], default=None)
    if best is None or parts[best] < TOLD:
        return list(cited)
    return list(dict.fromkeys(best if parts.get(number, 0.0) < AS_GOOD * parts[best] else number for number in cited))


class _Shared:
    """What a text has in common with each of some passages."""

    def __init__(self, text: str, sources: Sequence[Source]) -> None:
        self.asked = _units(text)
        self.holding = {source.number: _units(source.passage.chunk.text) & self.asked for source in sources}
        """The words of the text that stand in each passage, by its number."""
        spread = Counter(unit for units in self.holding.values() for unit in units)
        # What stands in every passage tells little of which one it was.
        self._weights = {unit: 1 / max(1, spread[unit]) for unit in self.asked}
        self._whole = sum(self._weights.values())

    def part(self, number: int, units: set[str]) -> float:
        """Give how much of the text a passage holds, of these words alone: 0 to 1, rare words counting more."""
        return sum(self._weights[unit] for unit in self.holding[number] & units) / self._whole


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
