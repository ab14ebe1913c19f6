"""The page as an ASGI application."""

from __future__ import annotations

import logging
from pathlib import Path

from streamlit.starlette import App

log = logging.getLogger("ai_chat.ui")

SCRIPT = Path(__file__).with_name("app.py")


def streamlit_app() -> App:
    """Give the page. Its settings and colours stand in `.streamlit/config.toml` beside the script."""
    return App(SCRIPT, on_script_error=_on_script_error)


def _on_script_error(error: Exception) -> bool:
    """Say in one line that something went wrong; the details go to the log, and never onto the page."""
    from .parts.trouble import show_fault  # noqa: PLC0415 - it is drawn with the page's own parts

    log.error("the page failed", exc_info=error)
    show_fault(error)
    return True
