"""Requests, calls and their trails."""

from decimal import Decimal

import pytest

from ai_chat.core.events import Notice
from ai_chat.core.messages import Message
from ai_chat.core.request import Attempt, Call, ChatRequest, Trail
from ai_chat.core.usage import Usage

REQUEST = ChatRequest(model="m", messages=(Message(role="user", content="Hi"),))


def trail(*attempts: Attempt) -> Trail:
    return Trail(trace_id="t", started=100.0, attempts=list(attempts))


def attempt(*, first_token: float | None = None, usage: Usage | None = None, cost: Decimal | None = None) -> Attempt:
    return Attempt(target="p/m", started=100.0, first_token=first_token, usage=usage, cost=cost)


@pytest.mark.parametrize(("n", "choices"), [(None, 1), (1, 1), (3, 3)], ids=str)
def test_choices(n: int | None, choices: int) -> None:
    """Not asking for a number is asking for one."""
    assert ChatRequest(model="m", messages=(), n=n).choices == choices


def test_a_fresh_trail_knows_nothing() -> None:
    """Unknown is None, never 0."""
    fresh = Trail(trace_id="t")

    assert (fresh.usage, fresh.cost, fresh.first_token, fresh.outcome) == (None, None, None, "running")
    assert fresh.started > 0


def test_usage_of_all_tries() -> None:
    """A failed try may have been billed: what is known of all of them is added up."""
    two = Usage(input_tokens=2, output_tokens=0, estimated=True)
    five = Usage(input_tokens=2, output_tokens=3)

    assert trail(attempt(usage=two), attempt(), attempt(usage=five)).usage == two + five
    assert trail(attempt(), attempt()).usage is None


@pytest.mark.parametrize(
    ("costs", "total"),
    [
        pytest.param([Decimal("0.1"), Decimal("0.2")], Decimal("0.3"), id="exact"),
        pytest.param([Decimal("0.1"), None], None, id="one is unknown"),
        pytest.param([Decimal(0)], Decimal(0), id="free"),
        pytest.param([], None, id="no try"),
    ],
)
def test_cost_of_all_tries(costs: list[Decimal | None], total: Decimal | None) -> None:
    """A sum with an unknown part is unknown."""
    assert trail(*(attempt(cost=cost) for cost in costs)).cost == total


def test_first_token_counts_from_the_start_of_the_call() -> None:
    """The tries before the one that answered are part of the wait."""
    assert trail(attempt(), attempt(first_token=102.5)).first_token == 2.5


def test_notices_reach_whoever_listens() -> None:
    """What happens before there is a stream is told at once, and is no trouble where nobody listens."""
    heard: list[Notice] = []
    notice = Notice("loading", "The model is loading.")

    Call(request=REQUEST, trail=trail()).notify(notice)
    Call(request=REQUEST, trail=trail(), on_notice=heard.append).notify(notice)

    assert heard == [notice]
