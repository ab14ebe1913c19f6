"""Budgets: what may be spent in a day, a month or at all. Pure policy: no clock, no database, no waiting.

What a call may use at most is reserved before it is made and settled when it has ended. So however many are made at
once, together they never spend more than there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from ..core.errors import BudgetExhausted

Period = Literal["day", "month", "total"]
Unit = Literal["USD", "CNY", "tokens"]

EVERYONE = "*"
"""As a budget's caller: each caller has one of its own."""
ENDLESS = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One bound."""

    limit: Decimal
    """In `unit`; 0 lets nothing through."""
    unit: Unit = "USD"
    period: Period = "day"
    """Of the calendar, in the zone of the moments that are handed in."""
    caller: str | None = None
    """Whose; None is all callers together, `*` each one apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What a call uses, or may use at most."""

    tokens: int
    usd: Decimal | None
    """None is unknown, and weighs nothing in a budget of money."""
    cny: Decimal | None = None

    def of(self, unit: Unit) -> Decimal:
        """Give it in a budget's unit."""
        if unit == "tokens":
            return Decimal(self.tokens)
        return (self.usd if unit == "USD" else self.cny) or Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a budget stands."""

    budget: Budget
    spent: Decimal
    reserved: Decimal
    """For calls that go on."""
    resets: datetime | None
    """When it begins anew; None is never."""

    @property
    def left(self) -> Decimal:
        """What can still be reserved, never below 0."""
        return max(self.budget.limit - self.spent - self.reserved, Decimal(0))


@dataclass(slots=True)
class Account:
    """What one budget has seen in one period."""

    before: Decimal = Decimal(0)
    """Spent by others, and by this process before it began to count."""
    here: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)


Key = tuple[int, str, str]
"""Which budget, whose, and in which period."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside for one call."""

    accounts: Sequence[tuple[Account, Budget]]
    amount: Amount


@dataclass(slots=True)
class Budgets:
    """All budgets of a house, counted in memory."""

    budgets: Sequence[Budget]
    accounts: dict[Key, Account] = field(default_factory=dict)

    def reserve(self, caller: str, most: Amount, now: datetime) -> Reservation:
        """Set aside what a call may use at most, in all budgets that it touches or in none.

        Raises:
            BudgetExhausted: one has not that much left; says which, how much there is and when it begins anew.
        """
        touched = list(self._touched(caller, now))
        for account, budget in touched:
            wanted = most.of(budget.unit)
            left = budget.limit - account.before - account.here - account.reserved
            if wanted > left or left <= 0:
                raise _exhausted(budget, max(left, Decimal(0)), wanted, now)
        for account, budget in touched:
            account.reserved += most.of(budget.unit)
        return Reservation(touched, most)

    def settle(self, reservation: Reservation, used: Amount | None) -> None:
        """Book what was used in place of what was set aside; None used nothing."""
        for account, budget in reservation.accounts:
            account.reserved -= reservation.amount.of(budget.unit)
            if used is not None:
                account.here += used.of(budget.unit)

    def before(self, budget: int, spent: Mapping[str, Decimal], now: datetime) -> None:
        """Take what the books say was spent of a budget in this period by others, by whose account it was."""
        for whose, amount in spent.items():
            self._account(budget, whose, now).before = amount

    def standings(self, caller: str, now: datetime) -> list[Standing]:
        """Say how all budgets stand that a caller's calls touch."""
        return [
            Standing(
                budget=budget,
                spent=account.before + account.here,
                reserved=account.reserved,
                resets=end_of(budget.period, now),
            )
            for account, budget in self._touched(caller, now)
        ]

    def room(self, caller: str, unit: Unit, now: datetime) -> Decimal | None:
        """Say how much of a unit a caller can still reserve; None is without bound."""
        left = [one.left for one in self.standings(caller, now) if one.budget.unit == unit]
        return min(left) if left else None

    def _touched(self, caller: str, now: datetime) -> Iterable[tuple[Account, Budget]]:
        for number, budget in enumerate(self.budgets):
            if budget.caller is None:
                yield self._account(number, "", now), budget
            elif budget.caller in {EVERYONE, caller}:
                yield self._account(number, caller, now), budget

    def _account(self, number: int, whose: str, now: datetime) -> Account:
        key = number, whose, _name_of(self.budgets[number].period, now)
        account = self.accounts.get(key)
        if account is None:
            for old in [other for other in self.accounts if other[:2] == key[:2]]:
                del self.accounts[old]  # a period that is over; calls of it that go on hold their account themselves
            account = self.accounts[key] = Account()
        return account


def start_of(period: Period, now: datetime) -> datetime | None:
    """Give the beginning of the period that a moment is in; None is the beginning of all."""
    if period == "total":
        return None
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if period == "day" else day.replace(day=1)


def end_of(period: Period, now: datetime) -> datetime | None:
    """Give the moment when a period is over; None is never."""
    start = start_of(period, now)
    if start is None:
        return None
    if period == "day":
        return start + timedelta(days=1)
    return (start + timedelta(days=32)).replace(day=1)


def _name_of(period: Period, now: datetime) -> str:
    return {"day": now.strftime("%Y-%m-%d"), "month": now.strftime("%Y-%m"), "total": ENDLESS}[period]


def _exhausted(budget: Budget, left: Decimal, wanted: Decimal, now: datetime) -> BudgetExhausted:
    resets = end_of(budget.period, now)
    whose = {None: "The", EVERYONE: "Your"}.get(budget.caller, f"The {budget.caller!r}")
    period = {"day": "daily budget", "month": "monthly budget", "total": "budget"}[budget.period]
    when = f"it begins anew at {resets:%Y-%m-%d %H:%M %Z}".rstrip() if resets else "raise it to go on"
    return BudgetExhausted(
        f"{whose} {period} of {_shown(budget.limit)} {budget.unit} has {_shown(left)} left and this call may take "
        f"{_shown(wanted)}; {when}.",
        retry_after=None if resets is None else max((resets - now).total_seconds(), 1.0),
    )


def _shown(amount: Decimal) -> str:
    return f"{amount.normalize():,f}" if amount else "0"
