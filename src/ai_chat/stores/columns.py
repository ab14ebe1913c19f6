"""How values stand in columns: exact, and the same on every database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from .exact import ESCAPED, exact, is_storable


class ExactText(TypeDecorator[str]):
    """Any Python string, NUL and lone surrogates included, which neither SQLite nor PostgreSQL takes as they are.

    A text that a database cannot hold stands as a mark and a JSON string, all others as they are. Equal strings stand
    as equal texts, so looking one up works.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Make it storable."""
        return None if value is None else exact(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Give what was stored."""
        return str(json.loads(value[1:])) if value is not None and value.startswith(ESCAPED) else value


class Name(TypeDecorator[str]):
    """An id: a text that every database takes as it is. One that is not can be looked for, and is not found.

    Whoever writes one checks it with `is_storable` first; so nothing has to be undone when rows are read.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Make it fit for a comparison."""
        return value if value is None or is_storable(value) else ESCAPED


class JsonText(TypeDecorator[Any]):
    """A JSON value as text that any tool can read.

    What the fast library cannot write (lone surrogates, integers beyond 64 bits) the standard one writes behind a
    space, which marks it for the standard one to read: the fast one would read a long integer as a float. Two lone
    surrogates that make up a pair come back as the character they are.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it; NUL stands escaped, as JSON has it."""
        if value is None:
            return None
        try:
            return orjson.dumps(value).decode()
        except TypeError:
            return " " + json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Read it."""
        if value is None:
            return None
        return json.loads(value) if value.startswith(" ") else orjson.loads(value)


class UtcTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both ways; SQLite itself drops the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Move it to UTC.

        Raises:
            ValueError: it has no zone, so nobody knows which moment it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone; make it aware, in UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Say that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """Money as the decimal text it is written as: every digit comes back, whatever the price's unit was.

    SQL does not add such columns up. Sums are made of the books' integers, or of a few values in Python.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Read it."""
        return None if value is None else Decimal(value)
