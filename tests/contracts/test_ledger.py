"""The books, over every kind of database: rows in once, sums out."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ai_chat.core.ledger import Span
from ai_chat.core.messages import Message
from ai_chat.core.request import Attempt, Call, Caller, ChatRequest, Trail
from ai_chat.core.usage import Usage
from ai_chat.stores.ledger_rows import ATTEMPT_COLUMNS, CALL_COLUMNS, Entry, entries_of, money, open_entry, units

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
numbers = itertools.count()


def made_call(*costs: str | None, tokens=(10, 5), when=NOON, **fields) -> Call:
    """A call that has ended, with an attempt for each cost."""
    trail = Trail(trace_id=f"call-{next(numbers)}", started=100.0, began=when.timestamp(), ended=101.5)
    trail.outcome = fields.pop("outcome", "finished")
    trail.model_served = fields.pop("served", "openai/gpt-4o")
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1], **fields.pop("parts", {}))
    for number, cost in enumerate(costs):
        trail.attempts.append(
            Attempt(
                target=trail.model_served, started=100.0 + number, first_token=100.25 + number, ended=101.0 + number,
                outcome=trail.outcome, usage=usage, cost=None if cost is None else Decimal(cost),
            )
        )  # fmt: skip
    request = ChatRequest(model="m", messages=(Message(role="user", content="x"),))
    return Call(request=request, trail=trail, **fields)


def rows(*calls: Call, owner="me") -> list[Entry]:
    return [entry for call in calls for entry in entries_of(call, owner=owner)]


def as_open(call: Call, owner: str) -> Entry:
    """The row of a call that goes on."""
    trail = Trail(trace_id=call.trail.trace_id, began=call.trail.began, reserved=(100, Decimal("0.5")))
    return open_entry(replace(call, trail=trail), owner=owner)


@pytest.fixture
def ledger(stores):
    return stores.ledger


async def test_what_was_used_is_added_up(ledger):
    """Tokens, money and failures of all attempts, to the last digit."""
    await ledger.write(
        rows(
            made_call("0.000000000001", "0.1", parts={"cached_input_tokens": 4, "reasoning_tokens": 2}),
            made_call("2.000000000003", outcome="stream_broken", parts={"estimated": True}),
            made_call(None),
        )
    )
    (total,) = await ledger.usage()
    assert (total.calls, total.failed, total.estimated, total.unknown_cost) == (3, 1, 1, 1)
    assert (total.input_tokens, total.output_tokens) == (40, 20)
    assert (total.cached_input_tokens, total.reasoning_tokens) == (8, 4)
    assert (total.cost, total.total_cost) == (Decimal("2.100000000004"), None)


async def test_no_calls_are_nothing(ledger):
    """An empty book says nothing of costs that are unknown."""
    (total,) = await ledger.usage()
    assert (total.calls, total.cost, total.total_cost) == (0, 0, 0)
    assert list(await ledger.usage("model")) == []


async def test_a_row_is_put_in_once(ledger):
    """However often and from wherever it comes, in one batch or in several, at once or later."""
    calls = [made_call("0.5") for _ in range(20)]
    await ledger.write(rows(*calls, *calls[:5]))
    await asyncio.gather(*(ledger.write(rows(*calls)) for _ in range(5)))
    (total,) = await ledger.usage()
    assert (total.calls, total.cost) == (20, 10)


async def test_a_call_is_open_until_its_end(ledger):
    """Its end takes the place of its beginning, in whichever order they come; open ones are in no sum."""
    first, second, third = made_call("1"), made_call("2"), made_call("4")
    await ledger.write([as_open(first, "me")])
    assert (await ledger.usage())[0].calls == 0
    await ledger.write(rows(first))
    await ledger.write([*rows(second), as_open(second, "me")])
    await ledger.write(rows(third))
    await ledger.write([as_open(third, "me")])
    (total,) = await ledger.usage()
    assert (total.calls, total.cost) == (3, 7)


async def test_what_dead_processes_left_open_is_settled(ledger):
    """Only theirs, and once; a row that comes late all the same is its end."""
    mine, theirs = made_call("1"), made_call("2")
    await ledger.write([as_open(mine, "me"), as_open(theirs, "dead")])
    assert await ledger.settle(lambda owner, _: owner == "me") == 1
    assert await ledger.settle(lambda owner, _: owner == "me") == 0
    (total,) = await ledger.usage()
    assert (total.calls, total.failed, total.lost_tokens, total.lost_cost) == (1, 1, 100, Decimal("0.5"))


async def test_what_others_use(ledger):
    """A process that shares a budget sees what others used, and what they reserved for calls that go on."""
    await ledger.write([*rows(made_call("1")), *rows(made_call("2"), owner="they"), as_open(made_call("9"), "they")])
    (total,) = await ledger.usage(besides="me")
    assert (total.cost, total.lost_cost, total.lost_tokens) == (2, Decimal("0.5"), 100)
    assert [row.key for row in await ledger.usage("caller", besides="they")] == ["local"]


async def test_sums_by_model_conversation_and_caller(ledger):
    """The dearest comes first; what belongs to none stands apart."""
    await ledger.write(
        rows(
            made_call("1", served="openai/a", conversation="c1"),
            made_call("5", served="local/b", conversation="c1", caller=Caller(name="anna")),
            made_call("2", served="openai/a"),
        )
    )
    assert [(s.key, s.cost) for s in await ledger.usage("model")] == [("local/b", 5), ("openai/a", 3)]
    assert [(s.key, s.cost) for s in await ledger.usage("conversation")] == [("c1", 6), (None, 2)]
    assert [(s.key, s.calls) for s in await ledger.usage("caller")] == [("anna", 1), ("local", 2)]
    assert [s.cost for s in await ledger.usage(conversation="c1")] == [6]
    assert [(s.key, s.cost) for s in await ledger.usage("model", caller="anna")] == [("local/b", 5)]


@pytest.mark.parametrize(("hours", "days"), [(0, ["2026-11-26"]), (8, ["2026-11-26", "2026-11-27"]),
                                             (5.75, ["2026-11-26", "2026-11-27"])])  # fmt: skip
async def test_days_are_those_of_the_persons_zone(ledger, hours, days):
    """Midnight is where the person lives, in zones of odd quarters as well."""
    await ledger.write(rows(made_call("1"), made_call("2", when=NOON + timedelta(hours=6, minutes=20))))
    sums = await ledger.usage("day", zone=timezone(timedelta(hours=hours)))
    assert [one.key for one in sums] == days
    assert sum(one.cost for one in sums) == 3


async def test_a_span_of_time(ledger):
    """From a moment on, and up to another one."""
    await ledger.write(rows(*(made_call("1", when=NOON + timedelta(hours=n)) for n in range(4))))
    span = Span(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3))
    assert (await ledger.usage(span=span))[0].calls == 2


async def test_odd_names(ledger):
    """A name that a client made up is kept as it is, whatever is in it."""
    call = made_call("1")
    odd = replace(call, request=replace(call.request, model="m\0\ud800"), caller=Caller(name="名\0"))
    odd.trail.model_served = None
    await ledger.write(rows(odd))
    assert [one.key for one in await ledger.usage("model")] == ["m\0\ud800"]
    assert [one.key for one in await ledger.usage("caller")] == ["名\0"]


def test_money_is_exact():
    """A price of a hundredth of a cent for a million tokens is a whole number of units for each token."""
    assert units(Decimal("0.0001") / 1_000_000) == 100
    assert money(units(Decimal("12.345678901234"))) == Decimal("12.345678901234")
    assert (units(None), units(Decimal(0))) == (None, 0)


def test_a_row_has_a_value_for_each_column():
    """What a call is written as fits the table."""
    (_, call), (_, attempt) = rows(made_call("1"))
    assert len(call) == len(CALL_COLUMNS)
    assert dict(zip(CALL_COLUMNS, call, strict=True))["total"] == 1_500_000
    assert attempt[:2] == (call[0], 1)
    assert len(attempt) == len(ATTEMPT_COLUMNS)
