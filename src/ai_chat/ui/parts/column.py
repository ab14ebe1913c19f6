"""Places on the page, one below the other, that never show what is no longer true.

The browser keeps what an earlier drawing put into a place until the script has ended, and a script that follows an
answer goes on for long. So while one does, nothing is drawn over other things: places that hold what has gone are
emptied, and what is new goes behind them. A drawing that ends at once begins at the top again.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ..state import remember, remembered

EMPTY = ""
"""The kind of a place that has been emptied."""


class Column:
    """Places in the order in which they are asked for."""

    def __init__(self, name: str, *, lasting: bool, gap: Any = "medium") -> None:
        """Begin at the top.

        Args:
            name: the column's own.
            lasting: whether the script goes on for long behind it.
            gap: between places.
        """
        key = f"column-{name}"
        self._kinds: list[str] = list(remembered(key, ()))
        """What the browser holds at each place; kept up to date, as a click may end a drawing anywhere."""
        remember(key, self._kinds)
        self._next = 0
        self._lasting = lasting
        self._within = st.container(key=name, gap=gap)

    def place(self, key: str, *, kind: str | None = None, **options: Any) -> Any:
        """Give the next place.

        Args:
            key: what stands there.
            kind: what it has in common with others that may be drawn over it at any time; None is nothing.
            options: of the container.
        """
        return self.spot(kind or key).container(key=key, **options)

    def spot(self, kind: str) -> Any:
        """Give where to draw one element that is the next place by itself."""
        while self._lasting and self._next < len(self._kinds) and self._kinds[self._next] != kind:
            self._empty_next()
        self._kinds[self._next : self._next + 1] = [kind]
        self._next += 1
        return self._within

    def end(self) -> None:
        """Empty the places that are left over."""
        if self._lasting:
            while self._next < len(self._kinds):
                self._empty_next()
        else:
            del self._kinds[self._next :]

    def _empty_next(self) -> None:
        self._within.empty()
        self._kinds[self._next] = EMPTY
        self._next += 1
