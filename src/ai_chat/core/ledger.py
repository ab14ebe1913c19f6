"""What was used and what it cost, added up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from .errors import BadRequest

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
    """Calls that may have used tokens, and nobody knows how many; one that was refused has used none."""
    cost: Decimal
    """USD of the calls whose price is known."""
    unknown_cost: int
    """Calls whose price is not known: their cost is in no sum."""
    lost_tokens: int = 0
    """Reserved for calls that a killed process was making: nobody knows what they used, so it stays reserved."""
    lost_cost: Decimal = Decimal(0)
    """USD, likewise."""

    @property
    def total_cost(self) -> Decimal | None:
        """USD of all; None if any is unknown."""
        return self.cost if self.unknown_cost == 0 else None

    @property
    def figures(self) -> dict[str, str | int | None]:
        """All of it as every face tells it in JSON; money is decimal text."""
        return {
            "key": self.key,
            "calls": self.calls,
            "failed": self.failed,
            "input_tokens": self.input_tokens,
            "cached_input_tokens": self.cached_input_tokens,
            "output_tokens": self.output_tokens,
            "reasoning_tokens": self.reasoning_tokens,
            "estimated_calls": self.estimated,
            "unknown_token_calls": self.unknown_tokens,
            "known_cost": format(self.cost, "f"),
            "unknown_cost_calls": self.unknown_cost,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment on and up to another; None is without end. Aware."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Span()


def moment_of(text: str, now: datetime) -> datetime:
    """Read a moment as people write it: a day (`2026-11-01`), a time, `today`, `month`, or so long ago (`7d`, `12h`).

    Args:
        text: what was written.
        now: the present moment in the zone that is meant.

    Raises:
        BadRequest: it is none of these.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text in {"today", "month"}:
        return midnight if text == "today" else midnight.replace(day=1)
    ago = re.fullmatch(r"(\d{1,5})([dh])", text)
    if ago is not None:
        return now - timedelta(**{"days" if ago[2] == "d" else "hours": int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"{text[:40]!r} is no moment; write a day like 2026-11-01, today, month, or how long ago: 7d, 12h.",
            param="since",
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)
