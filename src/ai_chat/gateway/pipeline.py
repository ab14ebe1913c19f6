"""THE ORDER. Every call of every face passes these layers, outermost first.

    1  observe     one line and one row of the books for every call, however it ends
    2  admission   what a caller may still spend
    3  safety      what may be asked and said
    4  cache       an answer that is there already
    5  fallback    another model in place of a failing one
    6  breaker     a target known to be down is left alone
    7  retry       the same target again
    8  limit       what an upstream allows
    9  dispatch    the target's provider, with time limits and metering

Built today: 1, 2 (budgets) and 9. A layer is a class whose constructor takes the handler below it and whose call is a
`Handler`; the numbers are the places of those that follow.
"""

from __future__ import annotations

from collections.abc import Callable

from ..core.ports import BudgetGate, Handler
from .admission import Admission
from .dispatch import Dispatch
from .observe import Book, LogLine, Observe


def build(
    dispatch: Dispatch,
    *,
    log: LogLine | None = None,
    book: Book | None = None,
    gate: BudgetGate | None = None,
    books_full: Callable[[], bool] | None = None,
) -> Handler:
    """Put the layers around the dispatcher.

    Args:
        dispatch: the innermost layer.
        log: takes a line for each call.
        book: takes each call into the books.
        gate: the budgets, where there are any.
        books_full: whether no further call can be written down.
    """
    handler: Handler = dispatch
    if gate is not None or books_full is not None:
        handler = Admission(handler, gate=gate, books_full=books_full or (lambda: False))
    return Observe(handler, log=log, book=book)
