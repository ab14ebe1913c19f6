"""The messages' places on the page, one below the other.

A script that goes on for long leaves on the page whatever the drawing before it had put there, so what is no longer true
has to be taken away by hand: a place that gets another message is emptied first, and places that are left over, too.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ..state import remember, remembered

PLACES = "places"


class Thread:
    """Places in the order in which they are asked for."""

    def __init__(self) -> None:
        """Begin at the top."""
        self._before: list[str] = list(remembered(PLACES, ()))
        self._now: list[str] = []
        self._within = st.container(key="thread", gap="medium")

    def place(self, key: str, **options: Any) -> Any:
        """Give the next place, for what goes by that key; it is empty if it held anything else."""
        number = len(self._now)
        self._now.append(key)
        same = number < len(self._before) and self._before[number] == key
        holder = self._within if same else self._within.empty()
        return holder.container(key=key, **options)

    def end(self) -> None:
        """Empty the places that are left over. What comes afterwards may take its time."""
        for _ in self._before[len(self._now) :]:
            self._within.empty()
        remember(PLACES, self._now)
