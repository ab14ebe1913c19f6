"""`ai-chat usage`: what was used and what it cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import orjson

from ..assembly import Services
from ..core.errors import BadRequest
from ..core.ledger import Span, UsageBy, UsageSum, moment_of
from .ask import opened
from .printing import Output, Voice, table
from .process import Interrupts

Form = Literal["table", "json", "csv"]
BY: tuple[UsageBy, ...] = ("day", "model", "conversation", "caller")


async def usage(interrupts: Interrupts, *, by: str, since: str | None, form: Form) -> int:
    """Add up what the books have, and print it.

    Raises:
        BadRequest: there is no such sum, or no such moment.
        StorageFailed: the books cannot be read.
    """
    if by not in BY:
        raise BadRequest(f"--by is {by[:40]!r}, and must be one of {', '.join(BY)}.")
    span = Span(since=None if since is None else moment_of(since, datetime.now().astimezone()))
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice) as services:
        sums = await services.storage.usage(by, span=span)
        (total,) = await services.storage.usage(span=span)
        titles = await _titles(services, sums) if by == "conversation" else {}
    if form == "json":
        rows = [one.figures for one in sums]
        output.data(orjson.dumps({"by": by, "rows": rows, "total": total.figures}, option=orjson.OPT_APPEND_NEWLINE))
    elif form == "csv":
        output.text(_as_csv(sums))
    elif not sums:
        voice.line("Nothing has been used" + (" since then." if since else " yet."))
    else:
        output.text(_as_table(by, sums, total, titles))
    return 0


def money(one: UsageSum) -> str:
    """Write what it cost for people: exact, and with what is missing from it."""
    known = f"{one.cost:f}" if one.cost else "0"
    if one.unknown_cost == 0:
        return f"{known} USD"
    return f"{known} USD + {one.unknown_cost} unknown" if one.unknown_cost < one.calls else "unknown"


def _as_table(by: str, sums: Sequence[UsageSum], total: UsageSum, titles: dict[str, str]) -> str:
    head = (by, "calls", "in", "cached", "out", "cost")
    rows = [_row(titles.get(one.key or "", one.key or "-"), one) for one in sums]
    return table([head, *rows, _row("total", total)])


def _row(name: str, one: UsageSum) -> tuple[str, ...]:
    about = "~" if one.estimated or one.unknown_tokens else ""
    return (
        name,
        f"{one.calls:,}",
        f"{about}{one.input_tokens:,}",
        f"{one.cached_input_tokens:,}",
        f"{about}{one.output_tokens:,}",
        money(one),
    )


def _as_csv(sums: Sequence[UsageSum]) -> str:
    text = io.StringIO()
    rows = [one.figures for one in sums]
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["key"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


async def _titles(services: Services, sums: Sequence[UsageSum]) -> dict[str, str]:
    store = await services.conversations()
    found = [await store.get(one.key) for one in sums[:200] if one.key is not None]
    return {one.id: f"{one.title or '…'} ({one.id[:8]})" for one in found if one is not None}
