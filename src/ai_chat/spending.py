"""What calls cost and what may be spent: prices, estimates and budgets, made from the settings."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from .accounting.budget_gate import Gate, GateParts
from .accounting.budgets import EVERYONE, Budget, Budgets, Standing, start_of
from .accounting.estimates import Estimates
from .accounting.prices import PriceRow, Prices
from .accounting.rates import Rates
from .accounting.tokens import Tokens
from .config import Settings
from .config_sections import PriceSettings
from .core.errors import ChatError, SettingsError
from .core.ledger import UNIT, Span, UsageSum
from .core.usage import Cost, Usage
from .models import Models
from .providers.catalog import LOCAL
from .storage import Storage

log = logging.getLogger("ai_chat.spending")

LOOK_SECONDS = 2.0
"""How long budgets may not know what other processes spend."""
LOOK_SHARE = 20
"""A look that takes long is taken more rarely: at most one part in so many of the time goes into it."""
MOST_WARMED = 1000
"""Names that are looked at: they come from clients, who may send any number of them."""


class Spending:
    """The money of a house."""

    def __init__(self, settings: Settings, *, counter: Tokens, models: Models, storage: Storage) -> None:
        """Read the prices and budgets that are set.

        Raises:
            SettingsError: one of them cannot be.
        """
        exchange = settings.exchange
        self.prices = Prices(
            overrides={name: tuple(map(_price_row, rows)) for name, rows in settings.prices.items()},
            cny_per_usd=exchange.cny_per_usd,
            rate_date=exchange.date,
            addresses=models.own_addresses,
        )
        self.estimates = Estimates(
            counter,
            self.prices,
            models={
                "simple": settings.complexity.simple or settings.fast_model,
                "medium": settings.complexity.medium or settings.model,
                "complex": settings.complexity.complex or settings.reasoning_model,
            },
        )
        self.budgets = Budgets([Budget(**budget.model_dump()) for budget in settings.budgets])
        if exchange.cny_per_usd is None and any(budget.unit == "CNY" for budget in settings.budgets):
            raise SettingsError(
                "AI_CHAT_BUDGETS has a budget in CNY and there is no rate; set AI_CHAT_EXCHANGE__CNY_PER_USD, or give "
                "the limit in USD."
            )
        self._counter = counter
        self._storage = storage
        self._models = models
        self._warmed: set[str] = set()
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self.gate = Gate(self._gate_parts(settings, models)) if settings.budgets else None

    def price(self, target: str, usage: Usage, at: datetime) -> Cost:
        """Give the USD of what was used, rounded to what the books can hold; None is unknown."""
        cost = self.prices.price(target, usage, at=at)
        return None if cost is None else cost.quantize(UNIT).normalize() if cost else Decimal(0)

    def standings(self, caller: str) -> Sequence[Standing]:
        """Say how the budgets stand that a caller's calls touch."""
        return self.budgets.standings(caller, _now())

    def warm(self, model: str) -> None:
        """Read in a thread what a call to a model is counted and priced by, once: no call shall wait for it.

        That takes 80 MB, which a server that is asked nothing does without.
        """
        if model in self._warmed or len(self._warmed) >= MOST_WARMED:
            return
        self._warmed.add(model)
        asyncio.get_running_loop().run_in_executor(None, self._read, model)

    def learn(self, target: str, text: str, reported: int) -> None:
        """Let later counts come closer to what an upstream reports; the counting is done in a thread."""
        if self._counter.wants(target, text):
            learning = partial(self._counter.learn, target, text=text, reported=reported)
            asyncio.get_running_loop().run_in_executor(None, learning)

    def _read(self, model: str) -> None:
        with suppress(ChatError):  # a name that means nothing has nothing to read
            target = self._models.target(model)
            self._counter.warm(str(target))
            if target.provider != LOCAL:
                self.prices.warm()

    async def look(self) -> None:
        """Have the budgets know what others have spent in their present periods: before this process, and beside it.

        Raises:
            ChatError: the books cannot be read; the sentence says why.
        """
        began = time.monotonic()
        now = _now()
        for number, budget in enumerate(self.budgets.budgets):
            span = Span(since=start_of(budget.period, now))
            if budget.caller is None:
                sums: Mapping[str, UsageSum] = {"": (await self._storage.used_elsewhere(None, span))[0]}
            else:
                rows = await self._storage.used_elsewhere("caller", span)
                sums = {row.key or "": row for row in rows if budget.caller in {EVERYONE, row.key}}
            self.budgets.before(number, {whose: self._spent(row, budget) for whose, row in sums.items()}, now)
        ended = time.monotonic()
        self._look_at = ended + max(LOOK_SECONDS, LOOK_SHARE * (ended - began))

    def look_again(self) -> None:
        """Look in the background, if the last look is a while ago: another process may spend from the same budgets."""
        if self.gate is not None and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self._looking = asyncio.get_running_loop().create_task(self._looked(), name="a look at the budgets")

    async def _looked(self) -> None:
        try:
            await self.look()
        except ChatError as error:  # what was known before stays known
            log.warning("the budgets do not know what other processes spend: %s", error)

    async def aclose(self) -> None:
        """End a look that goes on."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def _spent(self, row: UsageSum, budget: Budget) -> Decimal:
        if budget.unit == "tokens":
            return Decimal(row.input_tokens + row.output_tokens + row.lost_tokens)
        usd = row.cost + row.lost_cost
        return usd if budget.unit == "USD" else usd * (self.prices.cny_per_usd or 0)

    def _gate_parts(self, settings: Settings, models: Models) -> GateParts:
        return GateParts(
            budgets=self.budgets,
            counter=self._counter,
            price=self.price,
            cny_per_usd=self.prices.cny_per_usd,
            label=lambda name: str(models.target(name)),
            now=_now,
            refuse_unknown=settings.unknown_price == "refuse",
            opened=self._storage.books.opened,
        )


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


def _price_row(settings: PriceSettings) -> PriceRow:
    rates = Rates(**settings.model_dump(exclude={"since", "currency"}))
    return PriceRow(rates=rates, currency=settings.currency, since=settings.since)
