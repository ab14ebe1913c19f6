"""Prices: the user's own table first, then the published list. Unknown is None, and money is USD with every digit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from ..core.errors import SettingsError
from ..core.usage import NOTHING, Cost, Usage
from . import published
from .rates import Rates, plain

Currency = Literal["USD", "CNY"]
CURRENCIES: tuple[Currency, ...] = ("USD", "CNY")

_DEAREST = Decimal(1_000_000)
"""Of a million tokens, in either currency. The dearest model there was asked 600 USD."""
_RATES_OF_YUAN = (1, 100)
"""Between how many yuan a dollar can be; what is outside was most likely written the other way round."""
_LOCAL = "local"
_OPENROUTER = "openrouter"
_KNOWN_TARGETS = 1024
_SHOWN_DIGITS = 12
"""Digits behind the point that converted money keeps: a millionth of the cheapest token's price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """A model's prices as a user states them, from some day on."""

    rates: Rates
    """In `currency`."""
    currency: str = "USD"
    since: date | None = None
    """The day they begin, UTC; None is ever since. The published list, if it has the model, counts before."""


class Prices:
    """What calls cost. Lookups are remembered, so that pricing a call takes some microseconds."""

    def __init__(
        self,
        *,
        overrides: Mapping[str, Sequence[PriceRow]] = NOTHING,
        cny_per_usd: Decimal | None = None,
        rate_date: date | None = None,
        addresses: Mapping[str, str] = NOTHING,
    ) -> None:
        """Check the user's table; the published list is read when it is first needed, or by `warm`.

        Args:
            overrides: rows by the beginning of `provider/model`; the longest that fits counts, and over the list.
            cny_per_usd: yuan that a dollar costs; None leaves yuan out.
            rate_date: the day of that rate, for those who read it.
            addresses: base URLs that the user set for providers in place of their own. Such a provider's prices are
                those of whoever is known to be there; at an unknown address they are unknown.

        Raises:
            SettingsError: names the row, the value and what would do.
        """
        self.cny_per_usd = _checked_rate(cny_per_usd)
        self.rate_date = rate_date
        self._overrides = {name: _checked_rows(name, rows, cny_per_usd) for name, rows in overrides.items()}
        self._addresses = dict(addresses)
        self._find: Callable[[str], _Source] = lru_cache(maxsize=_KNOWN_TARGETS)(self._source)

    @staticmethod
    def warm() -> None:
        """Read the published list now, 0.2 s, so that no call waits for it. Safe from any thread."""
        published.load()

    def price(self, target: str, usage: Usage, *, at: datetime, service_tier: str | None = None) -> Cost:
        """Give what a call cost in USD; None is unknown, and never 0.

        Cached tokens are part of the input and reasoning is part of the output: each token is paid once. Where there is
        no price for cached tokens they cost what other input does, as genai-prices has it. There is no such way out for
        audio. What tools cost that run at the provider is not in it. OpenRouter says itself what a call cost.

        Args:
            target: `provider/model`, as the books name it.
            usage: the tokens.
            at: when the call was made, aware.
            service_tier: how the upstream said it served the call, where that has a price of its own.
        """
        source = self._find(target)
        row = source.row(at)
        if row is not None:
            cost = row.rates.cost(usage)
            if cost is None or row.currency == "USD" or self.cny_per_usd is None:
                return cost
            return cost / self.cny_per_usd
        if source.local:
            return Decimal(0)
        if source.provider == _OPENROUTER and (told := _told(usage)) is not None:
            return told
        rates = source.published(at=at, input_tokens=usage.input_tokens, service_tier=service_tier)
        return None if rates is None else rates.cost(usage)

    def known(self, target: str) -> bool:
        """Say whether there is any price of a model, at whatever time."""
        source = self._find(target)
        return bool(source.rows or source.local or source.model)

    def is_free(self, target: str) -> bool:
        """Say whether a model costs nothing: an embedded one, or one whose every price is 0."""
        source = self._find(target)
        if source.rows:
            return all(row.rates.is_free for row in source.rows)
        return source.local or (source.model is not None and published.is_free(source.model))

    def in_currency(self, cost: Cost, currency: str) -> Decimal | None:
        """Give an amount of USD in another currency; None if the amount or the rate is unknown.

        Raises:
            SettingsError: there is no such currency.
        """
        if currency not in CURRENCIES:
            raise SettingsError(f"The currency is {currency!r}; there are {' and '.join(CURRENCIES)}.")
        if cost is None or currency == "USD":
            return cost
        if self.cny_per_usd is None:
            return None
        return plain(round(cost * self.cny_per_usd, _SHOWN_DIGITS))

    def _source(self, target: str) -> _Source:
        """Find all that is known of a model's price; the list is searched only where the table has nothing."""
        fitting = [start for start in self._overrides if target.startswith(start)]
        rows = self._overrides[max(fitting, key=len)] if fitting else ()
        provider, _, model = target.partition("/")
        if provider == _LOCAL:
            return _Source(rows=rows, local=True)
        if rows and rows[0].since is None:
            return _Source(rows=rows)
        address = self._addresses.get(provider)
        seller = published.PROVIDERS.get(provider) if address is None else published.provider_at(address)
        return _Source(rows=rows, provider=seller, model=published.find(seller, model) if seller else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where the price of one model comes from."""

    rows: tuple[PriceRow, ...] = ()
    """The user's, the earliest first."""
    local: bool = False
    provider: str | None = None
    """By the published list's name."""
    model: Any = None
    """The published list's entry."""

    def row(self, at: datetime) -> PriceRow | None:
        """Give the user's row that counts at that moment."""
        if not self.rows:
            return None
        day = (at.astimezone(UTC) if at.tzinfo else at).date()
        begun = [row for row in self.rows if row.since is None or row.since <= day]
        return begun[-1] if begun else None

    def published(self, *, at: datetime, input_tokens: int, service_tier: str | None) -> Rates | None:
        """Give what counts where the user has no row."""
        if self.model is None:
            return None
        return published.rates(self.model, at=at, input_tokens=input_tokens, service_tier=service_tier)


def _told(usage: Usage) -> Cost:
    """Give what OpenRouter says a call cost in USD; with a key of the user's own, what its owner asks is added."""
    told = _money(usage.extra.get("cost"))
    if told is None or not usage.extra.get("is_byok"):
        return told
    details = usage.extra.get("cost_details")
    upstream = _money(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    return None if upstream is None else told + upstream


def _money(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    money = Decimal(str(value))
    return money if money.is_finite() and money >= 0 else None


# --- what a user may state ------------------------------------------------------------------------------------------


def _checked_rate(rate: Decimal | None) -> Decimal | None:
    least, most = _RATES_OF_YUAN
    if rate is not None and not (rate.is_finite() and least <= rate <= most):
        raise SettingsError(
            f"AI_CHAT_EXCHANGE__CNY_PER_USD is {rate}, but a dollar costs between {least} and {most} yuan; set it to a "
            "rate such as 7.1, or remove it to leave yuan out."
        )
    return rate


def _checked_rows(name: str, rows: Sequence[PriceRow], rate: Decimal | None) -> tuple[PriceRow, ...]:
    provider, slash, _ = name.partition("/")
    if not slash or not provider:
        raise SettingsError(
            f"The prices are for {name!r}, which names no provider; write the beginning of provider/model, such as "
            '"openai/gpt-4o".'
        )
    if not rows:
        raise SettingsError(f'prices."{name}" is empty; give it input and output, or take it away.')
    for row in rows:
        _check_row(f'prices."{name}"', row, rate)
    ordered = sorted(rows, key=lambda row: row.since or date.min)
    for earlier, later in pairwise(ordered):
        if earlier.since == later.since:
            raise SettingsError(
                f'prices."{name}" has two rows from {later.since or "the beginning"}; give each its own day in `from`.'
            )
    return tuple(ordered)


def _check_row(where: str, row: PriceRow, rate: Decimal | None) -> None:
    if row.currency not in CURRENCIES:
        raise SettingsError(f"{where} has the currency {row.currency!r}; write {' or '.join(CURRENCIES)}.")
    if row.currency == "CNY" and rate is None:
        raise SettingsError(
            f"{where} is in CNY and there is no rate to convert it; set AI_CHAT_EXCHANGE__CNY_PER_USD, such as 7.1."
        )
    prices = {field.name: getattr(row.rates, field.name) for field in fields(row.rates)}
    for part, price in prices.items():
        if price is not None and not (price.is_finite() and 0 <= price <= _DEAREST):
            unit = "for each call" if part == "request" else "for a million tokens"
            raise SettingsError(
                f"{where} has {part} = {price}, and must be from 0 to {_DEAREST:,} {row.currency} {unit}; mend it or "
                "take it away."
            )
    if row.rates.input is None and row.rates.output is None and row.rates.request is None:
        raise SettingsError(f"{where} has no price; give it input and output, for a million tokens each.")
