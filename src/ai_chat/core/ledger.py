"""What was used and what it cost, added up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

UsageBy = Literal["day", "model", "conversation", "caller"]

UNIT = Decimal("1e-12")
"""USD: what books are kept in. A millionth of a token's price that is quoted in hundredths of a cent a million."""
OPEN = "open"
"""Outcome of a call that is still going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """Several calls added up."""

    key: str | None
    """The day (`2026-11-26`), model, conversation or caller; None for all, or for calls that belong to none."""
    calls: int
    failed: int
    """Of them, those that did not come to their own end."""
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated: int
    """Calls whose tokens are an estimate."""
    unknown_tokens: int
    """Calls whose tokens nobody knows."""
    cost: Decimal
    """USD of the calls whose price is known."""
    unknown_cost: int
    """Calls whose price is not known: their cost is in no sum."""

    @property
    def total_cost(self) -> Decimal | None:
        """USD of all; None if any is unknown."""
        return self.cost if self.unknown_cost == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment on and up to another; None is without end. Aware."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Span()
