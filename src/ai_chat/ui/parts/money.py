"""Money and counts, as people read them."""

from __future__ import annotations

from decimal import Decimal

from ...core.ledger import UsageSum
from ..state import language, say
from .bridge import services

YUAN = Decimal("0.000001")
"""Digits of an amount that was converted; dollars have every digit that the books have."""


def money(usd: Decimal) -> str:
    """Give an amount in the reader's currency: yuan in Chinese, if the settings have a rate."""
    rate = services().spending.prices.cny_per_usd
    if language() == "zh" and rate is not None:
        return f"¥{_plain((usd * rate).quantize(YUAN))}"
    return f"${_plain(usd)}"


def spent(one: UsageSum) -> str:
    """Give what calls cost; what nobody knows is said, not added."""
    if one.calls == 0 or one.unknown_cost == 0:
        return money(one.cost) if one.cost else say("free")
    if one.cost == 0:
        return say("cost_unknown")
    return say("cost_in_part", cost=money(one.cost), count=one.unknown_cost)


def tokens(one: UsageSum) -> str:
    """Give what went in and came out."""
    about = "≈ " if one.estimated or one.unknown_tokens else ""
    return about + say("tokens", input=f"{one.input_tokens:,}", output=f"{one.output_tokens:,}")


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if amount else "0"
