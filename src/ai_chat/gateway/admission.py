"""Layer 2: what a caller may still spend, reserved before a call is made and settled however it ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..core.errors import Unavailable
from ..core.ports import BudgetGate, Handler
from ..core.request import Call
from ..core.stream import EventStream


class Admission:
    """Lets a call through if it can be paid, and written into the books."""

    def __init__(self, inner: Handler, *, gate: BudgetGate | None, books_full: Callable[[], bool]) -> None:
        """Wrap the layers below.

        Args:
            inner: the layers below.
            gate: the budgets; None where there are none.
            books_full: whether no further call can be written down.
        """
        self._inner = inner
        self._gate = gate
        self._books_full = books_full

    async def __call__(self, call: Call) -> EventStream:
        """Pass a call on.

        Raises:
            BudgetExhausted: it might cost more than there is.
            Unavailable: neither the database nor the disk takes the books.
        """
        if self._books_full():
            raise Unavailable(
                "The books cannot be written, so no call is made; bring the database back or free some disk space.",
                retry_after=5.0,
            )
        if self._gate is None:
            return await self._inner(call)
        held = self._gate.reserve(call)
        try:
            stream = await self._inner(call)
        except BaseException:
            self._gate.settle(held, call.trail)
            raise
        stream.on_close(partial(self._settle, call, held))
        return stream

    def _settle(self, call: Call, held: Any, _: EventStream) -> None:
        if self._gate is not None:
            self._gate.settle(held, call.trail)
