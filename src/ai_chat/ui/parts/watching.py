"""An idle page looks whether something goes on that it does not show: another tab may have asked."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from ...core.errors import ChatError
from .bridge import services
from .view import View

LOOK_SECONDS = 2.0


def running(view: View) -> frozenset[str]:
    """Give those of the page's conversations that are being answered now."""
    runs = services().runs
    here = {view.conversation.id} if view.conversation is not None else set()
    return frozenset(name for name in {*here, *(listed.id for listed in view.listed)} if runs.running_in(name))


def watch(view: View, shown: frozenset[str]) -> None:
    """Draw the page again when another of its conversations begins to be answered, or stops being.

    This comes last on the page, so that nothing stands behind it that could be taken for it, and never on a page that
    follows an answer: nothing looks while a script runs.

    Args:
        view: what the page shows.
        shown: those that were being answered when its drawing began; what begins meanwhile is seen by the first look.
    """

    def look() -> None:
        try:
            changed = running(view) != shown
        except ChatError:  # the program is ending
            return
        if changed:
            st.rerun()

    look.__qualname__ = _named_anew(look.__qualname__)
    st.fragment(look, run_every=LOOK_SECONDS)()


def _named_anew(name: str) -> str:
    """Give a fragment's function a name of its own for this drawing, from which Streamlit makes the fragment's id.

    The browser asks for a look by that id, and what it asks for may be on its way while the page is drawn for another
    reason. Were the id the same in both drawings, the look would be run behind the new drawing, and Streamlit would
    first take the fragment's place out of what it has not sent of that drawing yet. The browser then lacks the place
    when the drawing ends, moves all behind it up by one, and puts the look over what stands there: over the messages,
    which are gone until the next click. A look by an id that is no more is passed over in silence.
    """
    return f"{name}-{uuid4().hex}"
