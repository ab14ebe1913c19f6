"""Questions, and whether what was found answers one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TEST, DEV = HERE / "questions.json", HERE / "dev_questions.json"
STYLES = ("paraphrase", "shared", "keyword")
"""Hardly a word in common with the passage; some; an identifier or keywords as typed into a search box."""
NATURAL = ("shared", "keyword")
"""The styles of what is asked naturally; the other is hard."""
ENOUGH = 0.6
"""How much of a quotation a chunk must hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that was found: where it lies in the text of its document."""

    document: str
    start: int
    end: int


Search = Callable[[str, int], list[Found]]
"""Gives at most so many chunks for a question, the best first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: a file of the corpus, and a short exact quotation from it."""

    document: str
    answer: str

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Find the quotation in the document's text, whatever the white space between its words."""
        return [match.span() for match in _pattern(self.answer).finditer(text)]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the places that answer it equally well."""

    id: str
    language: str
    style: str
    over: str
    """The language of the passage."""
    text: str
    places: tuple[Place, ...]

    def is_right(self, document_name: str, chunk_start: int, chunk_end: int, document_text: str) -> bool:
        """Tell whether a chunk of that document holds most of one of the quotations."""
        for place in self.places:
            if place.document == document_name:
                for start, end in place.spans(document_text):
                    if min(end, chunk_end) - max(start, chunk_start) >= ENOUGH * (end - start):
                        return True
        return False

    def is_answerable(self, documents: Mapping[str, str]) -> bool:
        """Tell whether any of its places is in the corpus of this machine."""
        return bool(self.answering(documents))

    def answering(self, documents: Mapping[str, str]) -> set[str]:
        """Give the names of the documents that answer it."""
        return {place.document for place in self.places if place.spans(documents.get(place.document, ""))}

    @property
    def is_natural(self) -> bool:
        """Tell whether it is asked as people ask who know the subject's usual words."""
        return self.style in NATURAL


@cache
def _pattern(quotation: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, quotation.split())))


def load(file: Path) -> list[Question]:
    """Read the questions of a file."""
    return [
        Question(
            id=row["id"],
            language=row["language"],
            style=row["style"],
            over=row["over"],
            text=row["text"],
            places=(
                Place(row["document"], row["answer"]),
                *(Place(other["document"], other["answer"]) for other in row.get("also", ())),
            ),
        )
        for row in json.loads(file.read_text("utf-8"))
    ]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Give the 95 % interval of a share, in percent."""
    if not of:
        return 0.0, 100.0
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return 100 * (middle - half), 100 * (middle + half)
