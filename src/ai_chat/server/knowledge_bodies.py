"""What `/api/knowledge` is asked with, and what it tells of ingests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field

from ..core.knowledge import DEFAULT_COLLECTION, IngestState, Progress

LONGEST_WAIT = 30.0
"""Seconds for which a request waits at most for news."""
MOST = 2**31 - 1

Name = Annotated[str, Field(min_length=1, max_length=200)]
Position = Annotated[int, Field(ge=0, le=MOST)]
Offset = Position


class Asked(BaseModel):
    """Fields or parameters; one that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid")


class Pasted(Asked):
    """A text to add."""

    collection: str = DEFAULT_COLLECTION
    name: str
    """What it is called; Markdown, unless it ends otherwise."""
    text: str


class Wanted(Asked):
    """Where to index anew."""

    collection: Name | None = None
    """None is everything."""


class Query(Asked):
    """What to search for, and where."""

    query: str
    top_k: int | None = None
    """Passages; None is what is set."""
    collections: Annotated[list[Name], Field(max_length=100)] | None = None
    """Names, `*` for all; None is everywhere, an empty list is nowhere."""
    documents: Annotated[list[Name], Field(max_length=1000)] | None = None
    """Ids; None is all."""


class Sent(Asked):
    """Parameters of a file that is sent."""

    name: str
    collection: str = DEFAULT_COLLECTION


class Listing(Asked):
    """Parameters of a list of documents."""

    collection: str | None = None
    limit: int = Field(100, ge=1, le=1000)
    offset: Offset = 0


class Chunks(Asked):
    """Parameters of a list of chunks."""

    limit: int = Field(100, ge=1, le=1000)
    offset: Offset = 0


class Stretch(Asked):
    """Parameters of a stretch of a text."""

    start: Position = 0
    end: Position | None = None
    """The character behind its last; None is the text's end."""


class Place(Asked):
    """Parameters of a passage."""

    start: Position
    end: Position


class Waiting(Asked):
    """Parameters of a look at an ingest."""

    wait: float = Field(0.0, ge=0, allow_inf_nan=False)
    """Seconds to wait for news; more than LONGEST_WAIT is that."""
    after: Position | None = None
    """How many outcomes are known already: they are left out, and more of them are news at once."""


def of_job(progress: Progress, after: int = 0) -> dict[str, Any]:
    """Tell of an ingest, without the outcomes that are known already."""
    rest = replace(progress, outcomes=progress.outcomes[after:])
    return {**rest.told, "done": len(progress.outcomes), "counts": _counts(progress)}


def of_jobs(progresses: list[Progress]) -> list[dict[str, Any]]:
    """Tell of many, without what became of each file: of ten thousand files that would be megabytes."""
    rows = [of_job(progress, len(progress.outcomes)) for progress in progresses]
    for row in rows:
        del row["outcomes"]
    return rows


def _counts(progress: Progress) -> dict[str, int]:
    counted = Counter(outcome.state for outcome in progress.outcomes)
    return {state: counted[state] for state in get_args(IngestState)}
