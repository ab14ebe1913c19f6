"""Which weights there are, as data: the rows of `weights.toml` and those of the user's own files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .package_source import PackageSource
from .sources import Source, UrlSource

WORKING_MEMORY = 900_000_000
"""Bytes a loaded model takes beyond those of its file, where nobody measured it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsRow:
    """One file of weights."""

    name: str
    """What it is asked for by, after `local/`."""
    file: str
    """Its name in the folder of models."""
    size: int
    """Bytes of the file."""
    sha256: str
    """Hex; the publisher's, or for a user's own file the one it had when it was added."""
    memory: int
    """Bytes it takes when loaded."""
    context: int | None = None
    """Tokens its window holds; None is unknown."""
    quantisation: str | None = None
    licence: str | None = None
    """SPDX identifier; None is unknown."""
    sources: tuple[Source, ...] = ()
    """Where it can be fetched from, the first choice first; empty for a user's own."""


@cache
def shipped_rows() -> tuple[WeightsRow, ...]:
    """Give the rows this package knows, the best first."""
    table = tomllib.loads(Path(__file__).with_name("weights.toml").read_text("utf-8"))
    return tuple(_row(name, fields) for name, fields in table["weights"].items())


def _row(name: str, fields: dict[str, Any]) -> WeightsRow:
    sources = tuple(_source(source) for source in fields.pop("sources"))
    return WeightsRow(name=name, sources=sources, **fields)


def _source(fields: dict[str, Any]) -> Source:
    return UrlSource(fields["url"]) if "url" in fields else PackageSource(**fields)
