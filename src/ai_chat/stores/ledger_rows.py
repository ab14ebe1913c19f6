"""A call as the rows of the books: plain values in the order of the columns, which a journal can hold as well."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

from ..core.ledger import OPEN, UNIT
from ..core.request import Attempt, Call
from ..core.usage import Usage
from .exact import exact

Cell = str | int | None
Row = tuple[Cell, ...]

CALL_COLUMNS = (
    "id", "began", "owner", "caller", "conversation", "run", "purpose", "asked", "served", "outcome", "tries",
    "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "source", "cost", "first_token",
    "total", "reserved_tokens", "reserved_cost",
)  # fmt: skip
"""Moments are Unix milliseconds, durations microseconds, money integers of `core.ledger.UNIT`."""
ATTEMPT_COLUMNS = (
    "call", "number", "began", "target", "outcome", "input_tokens", "cached_input_tokens", "output_tokens",
    "reasoning_tokens", "source", "cost", "first_token", "total",
)  # fmt: skip

KEYS = {"calls": ("id",), "attempts": ("call", "number")}
"""The columns that name a row, which come first."""
Kind = Literal["calls", "attempts"]
MOST = 2**63 - 1


class Entry(NamedTuple):
    """One row, and the table it belongs to."""

    table: Kind
    row: Row


def entries_of(call: Call, *, owner: str) -> list[Entry]:
    """Write a call that has ended as its rows, one for the call and one for each attempt.

    Args:
        call: with its trail closed.
        owner: the process.
    """
    trail = call.trail
    began = round(trail.began * 1000)
    entries = [Entry("calls", _call_row(call, owner, trail.outcome, began))]
    for number, attempt in enumerate(trail.attempts, 1):
        entries.append(Entry("attempts", _attempt(attempt, trail.trace_id, number, began, trail.started)))
    return entries


def open_entry(call: Call, *, owner: str) -> Entry:
    """Write a call that is about to be made."""
    return Entry("calls", _call_row(call, owner, OPEN, round(call.trail.began * 1000)))


def _call_row(call: Call, owner: str, outcome: str, began: int) -> Row:
    trail = call.trail
    total = None if trail.ended is None else micro(trail.ended - trail.started)
    tokens, usd = trail.reserved or (None, None)
    return (
        trail.trace_id,
        began,
        owner,
        exact(call.caller.name),
        call.conversation,
        call.run,
        call.purpose,
        exact(call.request.model),
        None if trail.model_served is None else exact(trail.model_served),
        outcome,
        len(trail.attempts),
        *_usage(trail.usage),
        units(trail.cost),
        micro(trail.first_token),
        total,
        tokens,
        units(usd),
    )


def units(money: Decimal | None) -> int | None:
    """Give money in the books' unit; what is finer was rounded when the price was made."""
    return None if money is None else min(int((money / UNIT).to_integral_value()), MOST)


def money(count: int) -> Decimal:
    """Give the money of so many units."""
    return (count * UNIT).normalize() if count else Decimal(0)


def micro(seconds: float | None) -> int | None:
    """Give whole microseconds."""
    return None if seconds is None else round(seconds * 1e6)


def _attempt(attempt: Attempt, call: str, number: int, call_began: int, started: float) -> Row:
    return (
        call,
        number,
        call_began + round((attempt.started - started) * 1000),
        exact(attempt.target),
        attempt.outcome,
        *_usage(attempt.usage),
        units(attempt.cost),
        micro(None if attempt.first_token is None else attempt.first_token - attempt.started),
        micro(None if attempt.ended is None else attempt.ended - attempt.started),
    )


def _usage(usage: Usage | None) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    if usage is None:
        return (None, None, None, None, None)
    return (
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        "estimated" if usage.estimated else "reported",
    )
