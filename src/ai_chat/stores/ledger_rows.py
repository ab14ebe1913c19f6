"""A call as the rows of the books: plain values in the order of the columns, which a journal can hold as well."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from ..core.ledger import OPEN, UNIT
from ..core.request import Attempt, Call, Trail
from ..core.usage import Usage
from .exact import exact

Cell = str | int | None
Row = tuple[Cell, ...]
Used = tuple[Cell, Cell, Cell, Cell, Cell]
UNUSED: Used = (None, None, None, None, None)

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
SHORT = 200
"""Characters of a name that is worth remembering."""
MOST_NAMES = 256
_names: dict[str, str] = {}
"""What names stand as: the same few come again and again, and each call has four of them."""

Entry = tuple[Kind, Row]
"""One row, and the table it belongs to."""


def entries_of(call: Call, *, owner: str) -> list[Entry]:
    """Write a call that has ended as its rows, one for the call and one for each attempt.

    Args:
        call: with its trail closed.
        owner: the process.
    """
    trail = call.trail
    began = round(trail.began * 1000)
    attempts = trail.attempts
    if len(attempts) == 1:  # nearly always; the sums are those of the one
        only = attempts[0]
        used, cost, first = _used(only.usage), units(only.cost), only.first_token
    else:
        used, cost = _used(trail.usage), units(trail.cost)
        first = next((tried.first_token for tried in reversed(attempts) if tried.first_token is not None), None)
    entries: list[Entry] = [("calls", _call_row(call, owner, trail.outcome, began, used, cost, first))]
    for number, attempt in enumerate(attempts, 1):
        if len(attempts) > 1:
            used, cost = _used(attempt.usage), units(attempt.cost)
        entries.append(("attempts", _attempt(attempt, trail, number, began, used, cost)))
    return entries


def open_entry(call: Call, *, owner: str) -> Entry:
    """Write a call that is about to be made."""
    return ("calls", _call_row(call, owner, OPEN, round(call.trail.began * 1000), UNUSED, None, None))


def _call_row(
    call: Call, owner: str, outcome: str, began: int, used: Used, cost: int | None, first: float | None
) -> Row:
    trail = call.trail
    served = trail.model_served
    tokens, usd = trail.reserved or (None, None)
    return (
        trail.trace_id,
        began,
        owner,
        _names.get(call.caller.name) or _name(call.caller.name),
        call.conversation,
        call.run,
        call.purpose,
        _names.get(call.request.model) or _name(call.request.model),
        None if served is None else _names.get(served) or _name(served),
        outcome,
        len(trail.attempts),
        *used,
        cost,
        micro(trail.started, first),
        micro(trail.started, trail.ended),
        tokens,
        units(usd),
    )


def units(money: Decimal | None) -> int | None:
    """Give money in the books' unit; what is finer was rounded when the price was made."""
    return None if money is None else min(int((money / UNIT).to_integral_value()), MOST)


def money(count: int) -> Decimal:
    """Give the money of so many units."""
    return (count * UNIT).normalize() if count else Decimal(0)


def micro(begin: float, end: float | None) -> int | None:
    """Give the whole microseconds between two moments in seconds."""
    return None if end is None else int((end - begin) * 1e6 + 0.5)


def _attempt(attempt: Attempt, trail: Trail, number: int, began: int, used: Used, cost: int | None) -> Row:
    started = attempt.started
    return (
        trail.trace_id,
        number,
        began + round((started - trail.started) * 1000),
        _names.get(attempt.target) or _name(attempt.target),
        attempt.outcome,
        *used,
        cost,
        micro(started, attempt.first_token),
        micro(started, attempt.ended),
    )


def _name(name: str) -> str:
    """Give what a name stands as, and remember it if it is one of the first few."""
    kept = exact(name)
    if len(name) <= SHORT and len(_names) < MOST_NAMES:
        _names[name] = kept
    return kept


def _used(usage: Usage | None) -> Used:
    if usage is None:
        return UNUSED
    return (
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        "estimated" if usage.estimated else "reported",
    )
