"""What an answer may cite: the passages that were found for it, by their numbers in the conversation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .knowledge import EVERYWHERE, Passage, Scope

CITED = re.compile(r"\[(\d{1,3})\]")
CODE = re.compile(r"(?<!`)(`{3,})(?!`).*?(?:\1`*|\Z)|(?<!`)(`{1,2})(?!`)[^\n]{0,200}?(?<!`)\2(?!`)", re.DOTALL)
"""Code in lines of its own or in a line, where brackets mean something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A passage that an answer may cite, by its number in the conversation."""

    number: int
    """From 1: what stands in brackets."""
    passage: Passage

    @property
    def label(self) -> str:
        """What it is called for a person and for a model: `[2] handbook.pdf · p. 3 · Leave`."""
        place = self.passage.chunk.place
        return f"[{self.number}] {self.passage.name}{f' · {place}' if place else ''}"

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {"number": self.number, **self.passage.told}


class Sources:
    """The passages that a conversation has found. A passage that is found again keeps its number.

    It holds the numbers that the present answer may cite.
    """

    def __init__(self, scope: Scope = EVERYWHERE, known: Iterable[Source] = ()) -> None:
        """Begin with what was found before.

        Args:
            scope: where is searched.
            known: sources of earlier answers: they have their numbers, and cannot be cited unless they are found again.
        """
        self.scope = scope
        self._sources = {source.number: source for source in known}
        self._found: set[int] = set()

    def __contains__(self, number: object) -> bool:
        return number in self._found

    @property
    def found(self) -> list[Source]:
        """What was found for the present answer, by its numbers."""
        return [self._sources[number] for number in sorted(self._found)]

    def begin(self) -> None:
        """Begin another answer, for which nothing has been found yet."""
        self._found.clear()

    def add(self, passages: Iterable[Passage]) -> tuple[Source, ...]:
        """Give passages their numbers."""
        numbers = {_identity(source.passage): number for number, source in self._sources.items()}
        added: list[Source] = []
        for passage in passages:
            number = numbers.get(_identity(passage)) or max(self._sources, default=0) + 1
            source = Source(number=number, passage=passage)
            self._sources[number] = source
            numbers[_identity(passage)] = number
            self._found.add(number)
            added.append(source)
        return tuple(added)


def _identity(passage: Passage) -> tuple[str, str, int, int]:
    return passage.document, passage.digest, passage.chunk.start, passage.chunk.end


def cited(text: str, sources: Iterable[Source]) -> list[Source]:
    """Give the sources that a text cites as `[n]` outside of code, in the order in which it does first."""
    known = {source.number: source for source in sources}
    if not known:
        return []
    numbers = dict.fromkeys(int(found[1]) for found in CITED.finditer(CODE.sub(" ", text)))
    return [known[number] for number in numbers if number in known]
