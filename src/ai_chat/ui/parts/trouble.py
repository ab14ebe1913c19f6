"""What went wrong, in one line with the way out."""

from __future__ import annotations

import streamlit as st

from ...core.errors import ChatError, ClientMisused
from ..state import remember, remembered, say
from ..texts import has

LONGEST = 300
"""Characters of a foreign sentence that are shown."""


def sentence_of(code: str | None, message: str) -> str:
    """Say an error of the tree in the reader's language; what nobody translated is its own sentence."""
    key = f"error_{code}"
    message = message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"
    return say(key, message=message) if code and has(key) else message


def sentence(error: ChatError) -> str:
    """Say an error in the reader's language."""
    if isinstance(error, ClientMisused):
        return say("ending")
    return sentence_of(error.code, error.message)


def note(error: ChatError) -> None:
    """Have the next drawing of the page show an error."""
    remember("trouble", sentence(error))


def show_noted() -> None:
    """Show what was noted; it stays until something is done."""
    noted = remembered("trouble")
    if noted:
        quiet_line(noted, "trouble-noted", icon=":material/error:")


def show_fault(error: Exception) -> None:
    """Show that the page itself failed."""
    try:
        words = sentence(error) if isinstance(error, ChatError) else say("fault")
    except Exception:  # noqa: BLE001 - whatever broke the page may break this too
        words = "Something went wrong on this page. Nothing you sent is lost; reload the page to go on."
    quiet_line(words, "trouble-fault", icon=":material/error:")


def quiet_line(words: str, key: str, *, icon: str) -> None:
    """Show one line that does not shout."""
    with st.container(key=key, horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"{icon} {plain(words)}")


def plain(words: str) -> str:
    """Give text as Markdown that shows it as it is, but for code between backticks."""
    pieces = words.split("`")
    for number in range(0, len(pieces), 2):
        pieces[number] = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in pieces[number])
    return "`".join(pieces).replace("\n", " ")


_SPECIAL = frozenset("\\*_{}[]<>()#+-!|~$:^")
