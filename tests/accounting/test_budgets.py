"""What may be spent."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.accounting.budgets import Amount, Budget, Budgets, end_of, start_of
from ai_chat.core.errors import BudgetExhausted

NOW = datetime(2026, 11, 26, 15, 30, tzinfo=timezone(timedelta(hours=8)))


def usd(amount: str | int, tokens: int = 0) -> Amount:
    return Amount(tokens=tokens, usd=Decimal(amount), cny=Decimal(amount) * 7)


def budgets(*made: Budget) -> Budgets:
    return Budgets(made)


def test_what_is_reserved_cannot_be_spent_twice():
    """The second call is refused while the first goes on, and let through when that took less."""
    some = budgets(Budget(limit=Decimal(10)))
    first = some.reserve("a", usd(6), NOW)
    with pytest.raises(BudgetExhausted, match="daily budget of 10 USD has 4 left and this call may take 6; it beg"):
        some.reserve("a", usd(6), NOW)
    some.settle(first, usd(3))
    some.settle(some.reserve("a", usd(6), NOW), usd(6))
    (standing,) = some.standings("a", NOW)
    assert (standing.spent, standing.reserved, standing.left) == (9, 0, 1)


def test_a_refusal_reserves_nothing():
    """All budgets that a call touches let it through, or none is charged."""
    some = budgets(Budget(limit=Decimal(10)), Budget(limit=Decimal(100), unit="tokens"))
    with pytest.raises(BudgetExhausted, match="100 tokens"):
        some.reserve("a", usd(1, tokens=101), NOW)
    assert [standing.reserved for standing in some.standings("a", NOW)] == [0, 0]


def test_a_call_that_used_nothing_gives_all_back():
    """A refused call costs nothing."""
    some = budgets(Budget(limit=Decimal(1)))
    for _ in range(5):
        some.settle(some.reserve("a", usd(1), NOW), None)
    assert some.room("a", "USD", NOW) == 1


@pytest.mark.parametrize(
    ("caller", "others_left"), [(None, 4), ("*", 10), ("a", None)], ids=["all together", "each", "one"]
)
def test_whose_budget_it_is(caller, others_left):
    """One for all, one for each, or one for somebody."""
    some = budgets(Budget(limit=Decimal(10), caller=caller))
    some.settle(some.reserve("a", usd(6), NOW), usd(6))
    assert some.room("a", "USD", NOW) == 4
    assert some.room("b", "USD", NOW) == others_left


def test_a_budget_in_another_currency():
    """It is counted in its own."""
    some = budgets(Budget(limit=Decimal(70), unit="CNY"))
    some.reserve("a", usd(9), NOW)
    assert some.room("a", "CNY", NOW) == 7


def test_a_price_that_nobody_knows_weighs_nothing():
    """What may be spent of tokens is spent all the same."""
    some = budgets(Budget(limit=Decimal(1)), Budget(limit=Decimal(10), unit="tokens"))
    some.settle(some.reserve("a", Amount(tokens=8, usd=None), NOW), Amount(tokens=8, usd=None))
    assert (some.room("a", "USD", NOW), some.room("a", "tokens", NOW)) == (1, 2)


def test_nothing_may_be_spent():
    """A budget of 0 refuses even what costs nothing."""
    with pytest.raises(BudgetExhausted, match="of 0 USD has 0 left"):
        budgets(Budget(limit=Decimal(0))).reserve("a", usd(0), NOW)


def test_a_new_day():
    """At midnight of the person's own zone the day's budget is whole again, the month's is not."""
    some = budgets(
        Budget(limit=Decimal(1)), Budget(limit=Decimal(5), period="month"), Budget(limit=Decimal(9), period="total")
    )
    late = some.reserve("a", usd(1), NOW)
    with pytest.raises(BudgetExhausted) as caught:
        some.reserve("a", usd(1), NOW)
    assert caught.value.retry_after == 8.5 * 3600
    tomorrow = NOW + timedelta(hours=9)
    some.settle(some.reserve("a", usd(1), tomorrow), usd(1))
    some.settle(late, usd(1))  # it belongs to yesterday
    assert [standing.spent for standing in some.standings("a", tomorrow)] == [1, 2, 2]
    assert [standing.spent for standing in some.standings("a", NOW + timedelta(days=40))] == [0, 0, 2]


def test_what_the_books_say():
    """What others have spent in this period counts, and may be told again."""
    some = budgets(Budget(limit=Decimal(10), caller="*"))
    for spent in (3, 4):
        some.before(0, {"a": Decimal(spent)}, NOW)
    some.settle(some.reserve("a", usd(2), NOW), usd(2))
    assert some.room("a", "USD", NOW) == 4


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [("day", (2026, 12, 31), (2027, 1, 1)), ("month", (2026, 12, 1), (2027, 1, 1))],
)
def test_periods_of_the_calendar(period, start, end):
    """They begin at midnight, and the year goes on."""
    moment = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert start_of(period, moment) == datetime(*start, tzinfo=UTC)
    assert end_of(period, moment) == datetime(*end, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), max_size=60),
    st.integers(0, 100),
)
def test_no_order_of_calls_overruns(calls, limit):
    """However calls overlap, what is spent and reserved together stays within the limit."""
    some = budgets(Budget(limit=Decimal(limit)))
    going_on = []
    for most, used, ends in calls:
        with suppress(BudgetExhausted):
            going_on.append((some.reserve("a", usd(most), NOW), min(most, used)))
        if ends and going_on:
            reservation, amount = going_on.pop(0)
            some.settle(reservation, usd(amount))
        (standing,) = some.standings("a", NOW)
        assert standing.spent + standing.reserved <= limit
        assert standing.reserved >= 0
