"""What the open conversation has used, how full its window is, what may still be spent, and the other pages."""

from __future__ import annotations

import streamlit as st

from ..state import go_to_knowledge, go_to_usage, say
from .money import money, spent, tokens
from .view import Budget, View

FULL = 100


def draw_books(view: View) -> None:
    """Draw it at the foot of the sidebar, quietly."""
    with st.container(key="books", gap="xsmall"):
        if view.used is not None and view.used.calls:
            st.caption(f"{tokens(view.used)} · {spent(view.used)}".replace("$", "\\$"))
        if view.share is not None:
            st.caption(say("window_share", percent=f"{min(view.share * FULL, FULL):.0f}"))
        for number, budget in enumerate(view.budgets):
            _draw_budget(number, budget)
        pages = {"knowledge": ("menu_book", go_to_knowledge), "usage": ("bar_chart", go_to_usage)}
        for name, (icon, go) in pages.items():
            st.button(say(name), key=name, icon=f":material/{icon}:", type="tertiary", width="stretch", on_click=go)


def _draw_budget(number: int, budget: Budget) -> None:
    """Draw a budget as a bar with what is gone of it."""
    limit, gone = budget.limit, budget.limit - budget.left
    if budget.unit == "tokens":
        words = say(f"budget_{budget.period}", spent=f"{gone:,f}", limit=f"{limit:,f}")
    elif budget.unit == "CNY":
        words = say(f"budget_{budget.period}", spent=f"¥{gone.normalize():f}", limit=f"¥{limit.normalize():f}")
    else:
        words = say(f"budget_{budget.period}", spent=money(gone), limit=money(limit))
    with st.container(key=f"budget-{number}", gap=None):
        share = 1.0 if limit == 0 else min(float(gone / limit), 1.0)
        st.progress(share, text=words.replace("$", "\\$"))
