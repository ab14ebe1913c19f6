"""The page for people: a Streamlit app that speaks to the house in its own process."""

from __future__ import annotations

from typing import Any


def streamlit_app() -> Any:
    """Give the page as an ASGI application; `lifespan()` of it gives what has to run around it."""
    from .asgi import streamlit_app as make  # noqa: PLC0415 - half a second, which only a server with a page needs

    return make()
