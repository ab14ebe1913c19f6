"""Whose turn it is at an engine that holds one model at a time and works on a few answers at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..core.errors import Unavailable

RETRY_AFTER = 10.0
"""Seconds after which a caller who was turned away may try again: a short answer takes about as long."""


@dataclass(eq=False, slots=True)
class _Ticket:
    model: str
    admitted: asyncio.Future[None]
    has_turn: bool = False
    """The future cannot say: it may be cancelled after it was admitted, or before."""


class Turns:
    """First come, first served. Whoever wants another model waits until no answer of the present one is being made.

    Those who come behind him wait too, or he might wait for ever.
    """

    def __init__(self, parallel: int, *, waiting: int) -> None:
        """Let `parallel` in at once and `waiting` wait."""
        self._parallel = parallel
        self._most_waiting = waiting
        self._queue: deque[_Ticket] = deque()
        self._model = ""
        self.running = 0
        """Turns that are taken."""

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    async def take(
        self, model: str, *, patience: float | None, tell: Callable[[int], None], beyond_bound: bool = False
    ) -> None:
        """Wait for a turn; `give_back` it at the end.

        Args:
            model: what the turn is for.
            patience: how many seconds to wait at most; None is for ever.
            tell: is told how many are before us, if we have to wait.
            beyond_bound: for one who has had a turn already and needs another for the same answer.

        Raises:
            Unavailable: too many wait, or it took too long.
        """
        if not self._queue and self._is_free_for(model):
            self._admit(model)
            return
        if self.waiting >= self._most_waiting and not beyond_bound:
            raise Unavailable(
                f"The embedded model is busy and {self.waiting} calls wait for it already; try again in "
                f"{RETRY_AFTER:g} s.",
                retry_after=RETRY_AFTER,
            )
        ticket = _Ticket(model, asyncio.get_running_loop().create_future())
        tell(self.running + self.waiting)
        self._queue.append(ticket)
        try:
            async with asyncio.timeout(patience):
                await ticket.admitted
        except BaseException as error:
            self._leave(ticket)
            if isinstance(error, TimeoutError):
                raise Unavailable(
                    f"The embedded model was busy with other calls for {patience:g} s; try again in {RETRY_AFTER:g} s.",
                    retry_after=RETRY_AFTER,
                ) from None
            raise

    def give_back(self) -> None:
        """End a turn."""
        self.running -= 1
        self._admit_next()

    def _leave(self, ticket: _Ticket) -> None:
        """Take back a ticket that nobody waits for any more; it may have been admitted a moment ago."""
        if ticket.has_turn:
            self.give_back()
        else:
            if ticket in self._queue:
                self._queue.remove(ticket)
            self._admit_next()

    def _is_free_for(self, model: str) -> bool:
        return self.running == 0 or (model == self._model and self.running < self._parallel)

    def _admit(self, model: str) -> None:
        self._model = model
        self.running += 1

    def _admit_next(self) -> None:
        while self._queue and self._is_free_for(self._queue[0].model):
            ticket = self._queue.popleft()
            if ticket.admitted.done():  # cancelled, and its task has not run since
                continue
            self._admit(ticket.model)
            ticket.has_turn = True
            ticket.admitted.set_result(None)
