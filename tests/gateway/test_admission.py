"""Admission: reserved before, settled after, however a call ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.doubles import Words, ask, to

from ai_chat.accounting.budget_gate import ANSWER, Gate, GateParts
from ai_chat.accounting.budgets import Budget, Budgets
from ai_chat.core.errors import BudgetExhausted, RateLimited, Unavailable, UnknownModel
from ai_chat.core.events import Started, TextDelta
from ai_chat.core.folding import fold
from ai_chat.core.request import Caller, Timeouts
from ai_chat.gateway.admission import Admission
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
A_TOKEN = Decimal("0.01")


def a_cent_a_token(_, usage, __):
    return A_TOKEN * usage.total_tokens


def nobody_knows(*_):
    return None


class House:
    """A gate with one budget in front of a scripted model."""

    def __init__(self, *scripts, limit=10, unit="USD", full=False, **parts) -> None:
        self.budgets = Budgets([Budget(limit=Decimal(limit), unit=unit)])
        self.opened = []
        given = {
            "budgets": self.budgets, "counter": Words(), "price": a_cent_a_token, "cny_per_usd": None,
            "label": lambda name: f"test/{name}", "now": lambda: NOW, "opened": lambda *of: self.opened.append(of),
        }  # fmt: skip
        self.scripted = Scripted(*scripts)
        dispatch = Dispatch(
            to(self.scripted), timeouts=Timeouts(), counter=Words(), price=parts.get("price", a_cent_a_token)
        )
        gate = Gate(GateParts(**{**given, **parts}))
        self.handler = Admission(dispatch, gate=gate, books_full=lambda: full)

    @property
    def standing(self):
        (standing,) = self.budgets.standings("local", NOW)
        return standing.spent, standing.reserved


async def test_what_was_used_is_booked():
    """Before its end a call holds what it may use at most, afterwards what it did use."""
    house = House("a b c d")
    stream = await house.handler(ask("one two three", max_tokens=100))
    assert house.standing == (0, Decimal("1.04"))  # four tokens read, with a margin, and a hundred written
    await fold(stream)
    assert house.standing == (Decimal("0.08"), 0)
    assert [(tokens, money) for _, tokens, money in house.opened] == [(104, Decimal("1.04"))]


async def test_two_hundred_at_once_do_not_overrun():
    """Some are let through, the others are refused at once, and the money holds."""
    house = House([Started("c", "m", 1), *[TextDelta("w ")] * 50, 0.01, *[TextDelta("w ")] * 49], limit=5)

    async def one():
        try:
            async with await house.handler(ask("hi", max_tokens=100)) as stream:
                async for _ in stream:
                    spent, reserved = house.standing
                    assert spent + reserved <= 5
        except BudgetExhausted:
            return "refused"
        except Exception:  # noqa: BLE001 - the script has no end
            return "made"

    ends = await asyncio.gather(*(one() for _ in range(200)))
    assert ends.count("made") == 4
    assert house.standing[0] <= 5
    assert house.standing[1] == 0


@pytest.mark.parametrize("how", ["refused", "left", "cancelled"])
async def test_however_it_ends(how):
    """Nothing stays reserved."""
    script = [RateLimited("no")] if how == "refused" else [Started("c", "m", 1), TextDelta("a b"), 1000.0]
    house = House(script, limit=100)
    if how == "refused":
        with pytest.raises(RateLimited):
            await house.handler(ask())
    elif how == "left":
        async with await house.handler(ask()) as stream:
            await anext(stream)
            await anext(stream)
    else:
        task = asyncio.ensure_future(fold(await house.handler(ask())))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    spent, reserved = house.standing
    assert reserved == 0
    assert (spent > 0) is (how != "refused")


async def test_an_answer_without_a_bound_gets_one():
    """Else what is reserved for it would be a guess."""
    house = House("a", limit=100)
    await fold(await house.handler(ask()))
    assert house.scripted.requests[0].max_tokens == ANSWER
    house = House("a", limit=100)
    await fold(await house.handler(ask(n=2, max_tokens=7)))
    assert house.opened[0][1] == 4 + 14


@pytest.mark.parametrize(("refuse", "made"), [(True, False), (False, True)])
async def test_a_price_that_nobody_knows(refuse, made):
    """The setting says whether it may be asked."""
    house = House("a", price=nobody_knows, refuse_unknown=refuse)
    if made:
        await fold(await house.handler(ask()))
    else:
        with pytest.raises(BudgetExhausted, match="price of 'm' is not known"):
            await house.handler(ask())
    assert house.standing == (0, 0)


async def test_tokens_have_a_budget_without_prices():
    """A price is no part of it."""
    house = House("a", unit="tokens", limit=10, price=nobody_knows, refuse_unknown=True)
    with pytest.raises(BudgetExhausted, match="10 tokens has 10 left and this call may take 104"):
        await house.handler(ask(max_tokens=100))


async def test_a_name_that_means_nothing():
    """Who knows the names says so."""

    def label(_):
        raise UnknownModel("no such model")

    house = House([UnknownModel("no such model")], label=label)
    with pytest.raises(UnknownModel):
        await house.handler(ask())


async def test_a_caller_is_known_by_name():
    """Each has a budget of its own."""
    house = House("a")
    house.budgets.budgets = [Budget(limit=Decimal(1), caller="anna")]
    await fold(await house.handler(ask(max_tokens=1000)))
    with pytest.raises(BudgetExhausted, match="'anna'"):
        await house.handler(replace(ask(max_tokens=1000), caller=Caller(name="anna")))


async def test_books_that_cannot_be_written():
    """No call is made that nobody could write down."""
    house = House("a", full=True)
    with pytest.raises(Unavailable, match="books cannot be written"):
        await house.handler(ask())
    assert not house.scripted.requests
