"""The budgets as the pipeline asks them: what a call may take at most is counted and priced, reserved and settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from ..core.errors import BudgetExhausted, ChatError
from ..core.ports import TokenCounter
from ..core.request import Call, ChatRequest, Trail
from ..core.usage import Usage
from .budgets import Amount, Budgets, Reservation

ANSWER = 4096
"""Tokens of an answer that nobody has bounded. Under a budget a call gets a bound: else it could not be kept."""
MARGIN = Decimal("1.1")
"""Of an estimated prompt: an upstream may count a little more than we do."""

Price = Callable[[str, Usage, datetime], Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateParts:
    """What the gate needs of the house."""

    budgets: Budgets
    counter: TokenCounter
    price: Price
    """USD of a usage at `provider/model`, at a moment; None is unknown."""
    cny_per_usd: Decimal | None
    label: Callable[[str], str]
    """Gives `provider/model` for a model's name."""
    now: Callable[[], datetime]
    """Aware, in the zone whose days count."""
    refuse_unknown: bool = False
    """Whether a call is refused whose price nobody knows, where there is a budget of money."""
    opened: Callable[[Call, int, Decimal | None], None] | None = None
    """Told of each reservation, so that it is in the books however the process ends."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is set aside for a call."""

    reservation: Reservation
    tokens: int
    usd: Decimal | None


class Gate:
    """The `BudgetGate` over `Budgets`."""

    def __init__(self, parts: GateParts) -> None:
        """Reserve in `parts.budgets`."""
        self._parts = parts

    def reserve(self, call: Call) -> Held:
        """Set aside what a call may use at most; one without a bound on its answer gets one.

        Raises:
            BudgetExhausted: there is not that much left, or the price is unknown and must not be.
        """
        request = call.request
        if request.max_tokens is None:
            call.request = request = replace(request, max_tokens=ANSWER)
        most = self._most(request)
        reservation = self._parts.budgets.reserve(call.caller.name, most, self._parts.now())
        if self._parts.opened is not None:
            self._parts.opened(call, most.tokens, most.usd)
        return Held(reservation, most.tokens, most.usd)

    def settle(self, held: Held, trail: Trail) -> None:
        """Book what the call really used."""
        usage = trail.usage
        used = None if usage is None else self._amount(usage.total_tokens, trail.cost)
        self._parts.budgets.settle(held.reservation, used)

    def _most(self, request: ChatRequest) -> Amount:
        counted = self._parts.counter.messages(request.messages, request.model, request.tools, request.tool_choice)
        read = int((counted * MARGIN).to_integral_value(ROUND_CEILING))
        written = (request.max_tokens or ANSWER) * request.choices
        usage = Usage(input_tokens=read, output_tokens=written, estimated=True)
        usd = self._price(request.model, usage)
        needs_money = any(budget.unit != "tokens" for budget in self._parts.budgets.budgets)
        if usd is None and needs_money and self._parts.refuse_unknown:
            raise BudgetExhausted(
                f"The price of {request.model!r} is not known, and the budgets let only known ones through; give it a "
                "price in the settings, or allow unknown ones."
            )
        return self._amount(read + written, usd)

    def _price(self, model: str, usage: Usage) -> Decimal | None:
        try:
            return self._parts.price(self._parts.label(model), usage, self._parts.now())
        except ChatError:  # a name that means nothing: the dispatcher will say so
            return None

    def _amount(self, tokens: int, usd: Decimal | None) -> Amount:
        rate = self._parts.cny_per_usd
        return Amount(tokens=tokens, usd=usd, cny=None if usd is None or rate is None else usd * rate)
