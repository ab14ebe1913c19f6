"""The way from a script's thread to the house: its services live on the server's loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ...assembly import Services, house
from ...core.errors import ChatError

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds that a script waits for the house. Nothing it asks takes a second; a model is never waited for."""


class TooSlow(ChatError):
    """The house did not answer in time."""

    code = "too_slow"
    http_status = 503


def services() -> Services:
    """Give the house's services; only what may be asked from any thread is asked of them directly.

    Raises:
        ClientMisused: the program is ending.
    """
    return house().services


def ask_house(work: Callable[[Services], Coroutine[Any, Any, T]]) -> T:
    """Do something on the house's loop, and give its result.

    Raises:
        ChatError: whatever the work raises; `TooSlow` if it takes too long.
    """
    here = house()
    future = asyncio.run_coroutine_threadsafe(work(here.services), here.loop)
    try:
        return future.result(PATIENCE)
    except concurrent.futures.TimeoutError as error:
        future.cancel()
        raise TooSlow(f"The program did not answer within {PATIENCE:.0f} seconds; try again.") from error
