"""`ai-chat estimate`: what a question would cost, at which model, and in a day and a month of such questions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from functools import partial
from typing import TYPE_CHECKING

import orjson

from ..client import Record
from ..core.errors import BadRequest, SettingsError
from ..core.messages import Message
from ..core.usage import Cost
from .ask import opened
from .printing import Output, Voice, table
from .process import Interrupts

if TYPE_CHECKING:
    from ..assembly import Services

MOST_A_DAY = 10_000_000
MOST_TOKENS = 10_000_000
UNKNOWN = "unknown"
FREE = "free"
KEPT = 4
"""Turns that a conversation of which old ones are left out would keep."""
_SHORT = Context(prec=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be estimated."""

    prompt: str
    models: tuple[str, ...] = ()
    """None are those that are set up."""
    messages_per_day: int = 50
    output_tokens: int = 400
    conversation: str | None = None
    """What was said before the question; its id."""
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heavy:
    """One of its turns: a question with its answer."""

    number: int
    tokens: int
    share: float
    """Of all tokens of the conversation, 0 to 1."""
    begins: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A conversation that the question goes on with."""

    id: str
    title: str
    messages: int
    tokens: int
    """Of all of them, as the first of the models counts."""
    heaviest: tuple[Heavy, ...]
    """The turns that are worth shortening."""
    saved: int
    """Tokens that every further call would save if only the newest turns were sent."""
    kept: int
    """How many turns that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Money for one call, a day and a month of them; None is unknown."""

    call: Cost
    day: Cost
    month: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model."""

    model: str
    input_tokens: int
    exact: bool
    """Whether the input is counted by the model's own vocabulary."""
    output_tokens: int
    free: bool
    usd: Amounts
    cny: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """How hard the question seems."""

    level: str
    points: int
    reasons: tuple[str, ...]
    model: str | None
    """The one that the settings name for such; None if they name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that is told."""

    task: Advice
    conversation: Said | None
    messages_per_day: int
    cny_per_usd: Decimal | None
    rate_date: date | None
    models: tuple[Row, ...]


async def estimate(asked: Asked, _: Interrupts) -> int:
    """Count the question and price it; nothing is sent.

    Raises:
        BadRequest: a number is out of range, or a model's name means nothing.
    """
    _check("--messages-per-day", asked.messages_per_day, MOST_A_DAY)
    _check("--output-tokens", asked.output_tokens, MOST_TOKENS)
    output = Output()
    async with opened(Voice()) as services:
        found = examine(services, asked, await _record(services, asked.conversation))
    if asked.as_json:
        output.data(orjson.dumps(found, default=_number, option=orjson.OPT_APPEND_NEWLINE))
    else:
        output.text(as_text(found))
    return 0


def _check(option: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise BadRequest(f"{option} is {value:,}, and must be from 0 to {most:,}.")


async def _record(services: Services, conversation: str | None) -> Record | None:
    if conversation is None:
        return None
    return await Record.behind(await services.keeping(), conversation)


def examine(services: Services, asked: Asked, record: Record | None = None) -> Found:
    """Look at each model; `record` is the conversation that the question goes on with."""
    task, advised = services.spending.estimates.advise(asked.prompt)
    now = datetime.now(UTC)
    targets = _targets(services, asked.models)
    return Found(
        conversation=None if record is None else _said(services, record, targets[0]),
        task=Advice(level=task.level, points=task.points, reasons=task.reasons, model=advised),
        messages_per_day=asked.messages_per_day,
        cny_per_usd=services.spending.prices.cny_per_usd,
        rate_date=services.spending.prices.rate_date,
        models=tuple(_row(services, target, asked, now, _before(record)) for target in targets),
    )


def _before(record: Record | None) -> tuple[Message, ...]:
    if record is None:
        return ()
    system = record.conversation.system
    return (*([Message(role="system", content=system)] if system else []), *record.messages)


def _said(services: Services, record: Record, target: str) -> Said:
    messages = _before(record)
    weight = services.spending.estimates.weigh(messages, target, keep=KEPT)
    return Said(
        id=record.conversation.id,
        title=record.conversation.title,
        messages=len(messages),
        tokens=weight.tokens,
        heaviest=tuple(
            Heavy(number=turn.number, tokens=turn.tokens, share=turn.share, begins=turn.begins)
            for turn in weight.heaviest
        ),
        saved=weight.saved,
        kept=KEPT,
    )


def _row(services: Services, target: str, asked: Asked, now: datetime, before: tuple[Message, ...]) -> Row:
    forecast = services.spending.estimates.forecast(
        target,
        (*before, Message(role="user", content=asked.prompt)),
        at=now,
        output_tokens=asked.output_tokens,
        messages_per_day=asked.messages_per_day,
    )
    usd = Amounts(call=forecast.call, day=forecast.day, month=forecast.month)
    in_yuan = partial(services.spending.prices.in_currency, currency="CNY")
    return Row(
        model=target,
        input_tokens=forecast.input_tokens,
        exact=forecast.exact,
        output_tokens=forecast.output_tokens,
        free=forecast.free,
        usd=usd,
        cny=Amounts(call=in_yuan(usd.call), day=in_yuan(usd.day), month=in_yuan(usd.month)),
    )


def _targets(services: Services, names: Sequence[str]) -> tuple[str, ...]:
    """Give the models to look at: those asked for, else those that are set up and the embedded one."""
    if names:
        return tuple(dict.fromkeys(str(services.models.target(name)) for name in names))
    found = []
    for name in ("default", *services.spending.estimates.models, "fast", "reasoning", "local"):
        with suppress(SettingsError, BadRequest):  # an alias that nobody has set, or a model that cannot be asked here
            found.append(str(services.models.target(name)))
    return tuple(dict.fromkeys(found))


def _number(value: object) -> orjson.Fragment:
    """Write money with every digit of it, which a float would not keep."""
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(type(value).__name__)


# --- for people -----------------------------------------------------------------------------------------------------


def as_text(found: Found) -> str:
    """Write it as a table and a few sentences."""
    rated = found.cny_per_usd is not None
    head = ("MODEL", "IN", "OUT", "A CALL", f"A DAY ({found.messages_per_day:,})", "A MONTH")
    lines = table([head, *(_cells(row, rated=rated) for row in found.models)])
    if found.conversation is not None:
        lines += f"\n{_of_conversation(found.conversation)}\n"
    task = found.task
    why = f" ({', '.join(task.reasons)})" if task.reasons else ""
    advice = f"; for such the settings name {task.model}" if task.model else ""
    lines += f"\nThis looks like a {task.level} task{why}{advice}.\n"
    if rated:
        day = f" of {found.rate_date}" if found.rate_date else ""
        lines += f"A dollar is {found.cny_per_usd} yuan, by the rate{day} in the settings.\n"
    return lines


def _of_conversation(said: Said) -> str:
    size = f"{said.messages:,} messages of {said.tokens:,} tokens"
    lines = [f"{said.title or said.id} has {size}, which every further question sends again."]
    lines += [f"  turn {one.number}: {one.tokens:,} tokens ({one.share:.0%})  {one.begins}" for one in said.heaviest]
    if said.saved:
        lines.append(f"Sending only the newest {said.kept} turns would save {said.saved:,} tokens each time.")
    return "\n".join(lines)


def _cells(row: Row, *, rated: bool) -> tuple[str, ...]:
    about = "" if row.exact else "~"
    spans = (
        (row.usd.call, row.cny.call),
        (row.usd.day, row.cny.day),
        (row.usd.month, row.cny.month),
    )
    amounts = (FREE if row.free else _amount(usd, cny if rated else None) for usd, cny in spans)
    return (row.model, f"{about}{row.input_tokens:,}", f"~{row.output_tokens:,}", *amounts)


def _amount(usd: Cost, cny: Cost) -> str:
    if usd is None:
        return UNKNOWN
    dollars = f"${rounded(usd)}"
    return dollars if cny is None else f"{dollars} (¥{rounded(cny)})"


def rounded(money: Decimal) -> str:
    """Write an amount for people: in hundredths, or with its first three digits if it is less than one."""
    return f"{money:,.2f}" if money >= 1 or not money else f"{_SHORT.plus(money):f}"
