"""What a database can be asked for, and what can be an id."""

from __future__ import annotations

from ..core.errors import BadRequest
from .exact import is_storable

LONGEST_ID = 200
EVERYTHING = 2**31 - 1


def bounded(number: int) -> int:
    """Fit a limit or an offset into a column's type; below nothing is nothing."""
    return min(max(number, 0), EVERYTHING)


def checked_id(value: str) -> str:
    """Give an id back if it can be one.

    Raises:
        BadRequest: it cannot.
    """
    if not 0 < len(value) <= LONGEST_ID or not is_storable(value):
        raise BadRequest(
            f"The id {value[:LONGEST_ID]!r} cannot be used; an id is 1 to {LONGEST_ID} characters without NUL "
            "and half surrogates.",
            param="id",
        )
    return value
