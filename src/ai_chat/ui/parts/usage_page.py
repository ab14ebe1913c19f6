"""The page that shows what was used: by day, by model, by conversation."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from ...assembly import Services
from ...core.errors import ChatError
from ...core.ledger import Span, UsageBy, UsageSum, moment_of
from ..state import go_back, say
from .bridge import ask_house
from .money import spent, tokens
from .trouble import quiet_line, sentence

SINCE: Mapping[str, str | None] = {"days_7": "7d", "days_30": "30d", "this_month": "month", "all_time": None}
ROWS = 12
"""Models and conversations that are listed; the CSV has all."""
BARS = 31
"""Days in the picture."""


def draw_usage() -> None:
    """Draw the page."""
    with st.container(key="usage-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("", key="back", icon=":material/arrow_back:", type="tertiary", help=say("back"), on_click=go_back)
        st.markdown(f"## {say('usage')}", anchors=False)
    chosen = st.segmented_control(
        say("since"), list(SINCE), default="days_30", key="since", format_func=say, label_visibility="collapsed"
    )
    try:
        since = SINCE[chosen or "all_time"]
        total, days, models, conversations, titles = ask_house(lambda services: _read(services, since))
    except ChatError as error:
        quiet_line(sentence(error), "trouble-usage", icon=":material/error:")
        return
    if total.calls == 0:
        st.caption(say("nothing_used"))
        return
    _draw_total(total)
    _draw_days(days[-BARS:])
    _draw_rows("by_model", [(one.key or "–", one) for one in models])
    _draw_rows("by_conversation", [(_name_of(one.key, titles), one) for one in conversations])
    st.download_button(
        say("download_csv"), _as_csv({"day": days, "model": models, "conversation": conversations}),
        file_name="ai-chat-usage.csv", mime="text/csv", icon=":material/download:", key="download-csv",
    )  # fmt: skip


async def _read(
    services: Services, since: str | None
) -> tuple[UsageSum, Sequence[UsageSum], Sequence[UsageSum], Sequence[UsageSum], Mapping[str, str]]:
    now = datetime.now().astimezone()
    span = Span(since=None if since is None else moment_of(since, now))
    storage = services.storage
    (total,) = await storage.usage(span=span)
    by: Mapping[UsageBy, Sequence[UsageSum]] = {
        name: await storage.usage(name, span=span) for name in ("day", "model", "conversation")
    }
    store = await services.conversations()
    found = [await store.get(one.key) for one in by["conversation"][:ROWS] if one.key is not None]
    titles = {one.id: one.title for one in found if one is not None}
    return total, by["day"], by["model"], by["conversation"], titles


def _name_of(conversation: str | None, titles: Mapping[str, str]) -> str:
    return say("no_conversation") if conversation is None else titles.get(conversation) or say("untitled")


def _draw_total(total: UsageSum) -> None:
    with st.container(key="usage-total", horizontal=True, gap="large"):
        st.metric(say("cost_label"), spent(total).replace("$", "\\$"))
        st.metric(say("tokens_in"), f"{total.input_tokens:,}")
        st.metric(say("tokens_out"), f"{total.output_tokens:,}")
        st.metric(say("calls"), f"{total.calls:,}")


def _draw_days(days: Sequence[UsageSum]) -> None:
    """Draw a bar for each day: of money, or of tokens where nothing is known to cost anything."""
    by_cost = any(day.cost for day in days)
    heights = [float(day.cost) if by_cost else float(day.input_tokens + day.output_tokens) for day in days]
    most = max(heights) or 1.0
    bars = "".join(
        f'<div class="day" title="{html.escape(f"{day.key}: {tokens(day)} · {spent(day)}")}">'
        f'<div class="bar" style="height:{max(height / most * 100, 1.5):.1f}%"></div>'
        f"<span>{html.escape((day.key or '')[5:])}</span></div>"
        for day, height in zip(days, heights, strict=True)
    )
    st.html(f'<div class="days" role="img" aria-label="{html.escape(say("by_day"))}">{bars}</div>')


def _draw_rows(title: str, rows: Sequence[tuple[str, UsageSum]]) -> None:
    st.markdown(f"##### {say(title)}", anchors=False)
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{one.calls:,}</td><td>{html.escape(tokens(one))}</td>"
        f"<td>{html.escape(spent(one))}</td></tr>"
        for name, one in rows[:ROWS]
    )
    head = "".join(f"<th>{html.escape(say(name))}</th>" for name in ("name", "calls", "tokens_label", "cost_label"))
    st.html(f'<table class="usage"><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>')
    if len(rows) > ROWS:
        st.caption(say("more_in_csv", count=len(rows) - ROWS))


def _as_csv(sums: Mapping[str, Sequence[UsageSum]]) -> str:
    """Write all of it exactly as the books have it."""
    text = io.StringIO()
    rows = [{"by": by, **one.figures} for by, ones in sums.items() for one in ones]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
