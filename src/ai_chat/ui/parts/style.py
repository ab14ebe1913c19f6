"""The few rules of style that the theme has no option for. They name keys of ours, which stay the same."""

from __future__ import annotations

import streamlit as st

CSS = """
<style>
[data-testid="stMainBlockContainer"] { max-width: 48rem; padding: 3.5rem 1.25rem 2rem; }
[data-testid="stBottomBlockContainer"] { max-width: 48rem; padding: 0.5rem 1.25rem 1rem; }
[data-testid="stStatusWidget"], [data-testid="stDecoration"], footer { display: none; }
</style>
"""


def draw_style() -> None:
    """Add the rules to the page."""
    st.html(CSS)
