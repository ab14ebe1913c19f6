"""An idle page looks whether something goes on that it does not show: another tab may have asked."""

from __future__ import annotations

import streamlit as st

from ...core.errors import ChatError
from .bridge import services
from .view import View

LOOK_SECONDS = 2.0


def watch(view: View) -> None:
    """Draw the page again when another of its conversations begins to be answered, or stops being."""
    shown = _running(view)

    @st.fragment(run_every=LOOK_SECONDS)
    def look() -> None:
        try:
            changed = _running(view) != shown
        except ChatError:  # the program is ending
            return
        if changed:
            st.rerun()

    look()


def _running(view: View) -> frozenset[str]:
    runs = services().runs
    here = {view.conversation.id} if view.conversation is not None else set()
    return frozenset(name for name in {*here, *(listed.id for listed in view.listed)} if runs.running_in(name))
