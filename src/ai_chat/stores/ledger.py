"""The books in a database: rows in, sums out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, update

from ..core.ledger import ALWAYS, OPEN, Span, UsageBy, UsageSum
from ..core.ports import IsAlive
from .database import Database
from .ledger_rows import ATTEMPT_COLUMNS, CALL_COLUMNS, KEYS, Cell, Entry, Kind, Row, money
from .tables import calls

QUARTER = 900_000
"""Milliseconds of a quarter of an hour: days of every time zone are made of whole ones."""
LOST = "interrupted"
"""Outcome of a call that a killed process was making."""
OUTCOME = CALL_COLUMNS.index("outcome")
COLUMNS: Mapping[Kind, tuple[str, ...]] = {"calls": CALL_COLUMNS, "attempts": ATTEMPT_COLUMNS}


class SqlLedger:
    """The `LedgerStore` over SQLite and PostgreSQL. A row that is there already is left as it is."""

    def __init__(self, database: Database) -> None:
        """Speak for a database that has this version's tables; whoever opened it closes it."""
        self._database = database
        self._inserts = {kind: _insert(kind, database.dialect) for kind in COLUMNS}

    async def write(self, entries: Sequence[Entry]) -> None:
        """Put rows in, all of them or none. One that is there is not put in twice.

        Raises:
            StorageFailed: the database did not take them.
        """
        async with self._database.writing() as connection:
            for kind, rows in _newest(entries).items():
                if rows:
                    await connection.exec_driver_sql(self._inserts[kind], rows)

    async def settle(self, is_alive: IsAlive) -> int:
        """Close the calls that processes that have gone left open, and give their number.

        Nobody knows what they used: what was reserved for them stays reserved.
        """
        async with self._database.reading() as connection:
            query = select(calls.c.owner).where(calls.c.outcome == OPEN).distinct()
            owners = list((await connection.execute(query)).scalars())
        gone = [owner for owner in owners if not is_alive(owner, None)]
        if not gone:
            return 0
        async with self._database.writing() as connection:
            change = update(calls).where(calls.c.outcome == OPEN, calls.c.owner.in_(gone)).values(outcome=LOST)
            return (await connection.execute(change)).rowcount

    async def usage(
        self,
        by: UsageBy | None = None,
        *,
        span: Span = ALWAYS,
        zone: tzinfo = UTC,
        besides: str | None = None,
        **of: str,
    ) -> Sequence[UsageSum]:
        """Add calls up.

        Args:
            by: what to add up apart; None gives one sum of all.
            span: when they began.
            zone: whose days are meant.
            besides: leave out the calls of this process, and count what others have reserved for calls that go on as
                lost.
            of: only those of one `caller`, `conversation` or `run`.
        """
        key = _keys(by)
        whose = calls.c.outcome != OPEN if besides is None else calls.c.owner.is_distinct_from(besides)
        query = select(key.label("key"), *_sums()).where(whose, *_when(span), *_whose(of))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.group_by(key).order_by(key))).all()
        sums = [_sum_of(row, row.key) for row in rows]
        if by == "day":
            return _days(sums, zone)
        if by is None:
            return sums or [_sum_of([None, *([0] * 12)], None)]
        return sorted(sums, key=lambda one: (-one.cost, -one.output_tokens, one.key or ""))


def _insert(kind: Kind, dialect: str) -> str:
    """Write the statement for a table in the driver's own form: the rows are plain values, and there are many.

    An open call gives way to its end; an end gives way to nothing.
    """
    columns = COLUMNS[kind]
    places = ", ".join(["?"] * len(columns) if dialect == "sqlite" else [f"${n}" for n in range(1, len(columns) + 1)])
    new = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "id")
    change = f"UPDATE SET {new} WHERE calls.outcome = '{OPEN}'" if kind == "calls" else "NOTHING"
    names = ", ".join(columns)
    key = ", ".join(KEYS[kind])
    return f"INSERT INTO {kind} ({names}) VALUES ({places}) ON CONFLICT ({key}) DO {change}"  # noqa: S608 - names of ours


def _newest(entries: Sequence[Entry]) -> Mapping[Kind, Sequence[Row]]:
    """Give the rows of each table; a call that ended meanwhile is not written open first."""
    newest: dict[Cell, Row] = {}
    tries: list[Row] = []
    for table, row in entries:
        if table == "attempts":
            tries.append(row)
        elif row[OUTCOME] != OPEN or row[0] not in newest:
            newest[row[0]] = row
    return {"calls": list(newest.values()), "attempts": tries}


def _keys(by: UsageBy | None) -> ColumnElement[Any]:
    if by is None:
        return literal(None)
    if by == "day":
        return calls.c.began - calls.c.began % QUARTER
    return {"model": func.coalesce(calls.c.served, calls.c.asked), "conversation": calls.c.conversation,
            "caller": calls.c.caller}[by]  # fmt: skip


def _sums() -> Sequence[ColumnElement[Any]]:
    def added(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(column), 0)

    def counted(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return added(case((condition, 1), else_=0))

    return (
        func.count().label("calls"),
        counted(calls.c.outcome != "finished").label("failed"),
        added(calls.c.input_tokens).label("input_tokens"),
        added(calls.c.cached_input_tokens).label("cached_input_tokens"),
        added(calls.c.output_tokens).label("output_tokens"),
        added(calls.c.reasoning_tokens).label("reasoning_tokens"),
        counted(calls.c.source == "estimated").label("estimated"),
        counted(calls.c.input_tokens.is_(None) & calls.c.cost.is_(None) & (calls.c.tries > 0)).label("unknown_tokens"),
        added(calls.c.cost).label("cost"),
        counted(calls.c.cost.is_(None) & (calls.c.tries > 0)).label("unknown_cost"),
        added(case((calls.c.outcome.in_((LOST, OPEN)), calls.c.reserved_tokens))).label("lost_tokens"),
        added(case((calls.c.outcome.in_((LOST, OPEN)), calls.c.reserved_cost))).label("lost_cost"),
    )


def _when(span: Span) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if span.since is not None:
        conditions.append(calls.c.began >= _milliseconds(span.since))
    if span.until is not None:
        conditions.append(calls.c.began < _milliseconds(span.until))
    return conditions


def _whose(of: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [calls.c[name] == value for name, value in of.items()]


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _sum_of(row: Sequence[Any], key: Any) -> UsageSum:
    _, number, failed, read, cached, written, reasoned, estimated, unknown, cost, unpriced, lost, lost_cost = row
    return UsageSum(
        key=None if key is None else str(key),
        calls=number,
        failed=int(failed),
        input_tokens=int(read),
        cached_input_tokens=int(cached),
        output_tokens=int(written),
        reasoning_tokens=int(reasoned),
        estimated=int(estimated),
        unknown_tokens=int(unknown),
        cost=money(int(cost)),
        unknown_cost=int(unpriced),
        lost_tokens=int(lost),
        lost_cost=money(int(lost_cost)),
    )


def _days(quarters: Sequence[UsageSum], zone: tzinfo) -> Sequence[UsageSum]:
    """Put quarters of an hour together to the days of a time zone."""
    days: dict[str, list[UsageSum]] = {}
    for quarter in quarters:
        moment = datetime.fromtimestamp(int(quarter.key or 0) / 1000, UTC).astimezone(zone)
        days.setdefault(moment.date().isoformat(), []).append(quarter)
    return [_added(day, parts) for day, parts in sorted(days.items())]


def _added(key: str, parts: Sequence[UsageSum]) -> UsageSum:
    return UsageSum(
        key=key,
        calls=sum(part.calls for part in parts),
        failed=sum(part.failed for part in parts),
        input_tokens=sum(part.input_tokens for part in parts),
        cached_input_tokens=sum(part.cached_input_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
        reasoning_tokens=sum(part.reasoning_tokens for part in parts),
        estimated=sum(part.estimated for part in parts),
        unknown_tokens=sum(part.unknown_tokens for part in parts),
        cost=sum((part.cost for part in parts), parts[0].cost * 0),
        unknown_cost=sum(part.unknown_cost for part in parts),
        lost_tokens=sum(part.lost_tokens for part in parts),
        lost_cost=sum((part.lost_cost for part in parts), parts[0].cost * 0),
    )
