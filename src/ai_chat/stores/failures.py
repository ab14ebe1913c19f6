"""The border where errors of database libraries become errors of the house."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..core.errors import StorageFailed

FULL = "The disk has no room for the database {name}; nothing was changed, free some space and try again."
DAMAGED = (
    "The database {name} is damaged or is no database; "
    "put one of its copies (.bak) back, or move it away to begin anew."
)
READ_ONLY = "The database {name} is read-only; make the file and its folder writable, or choose another place."
UNREACHED = "The database {name} cannot be reached; check that it runs and that its address is right."
REFUSED = "The database {name} does not let this user in; check the name and the password."

SENTENCES = {
    "SQLITE_FULL": FULL,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_CANTOPEN": "The database {name} cannot be opened; check that its folder is there and can be written.",
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_PERM": READ_ONLY,
    "SQLITE_BUSY": "Another program has kept the database {name} locked for too long; close it, or try again.",
    "SQLITE_IOERR": "The disk failed while the database {name} was used; nothing was changed, check the disk.",
    "53100": FULL,
    "28": REFUSED,
    "42501": "The database {name} does not allow this user to do that; grant it the right.",
    "3D000": "The database {name} does not exist on its server; create it first.",
    "08": UNREACHED,
    "57P": UNREACHED,
    "53300": "The database {name} takes no more connections; try again, or let it take more.",
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
"""What to say by the beginning of SQLite's error name or of an SQLSTATE; the longest one that fits."""


OVERRUN = "The database {name} has more to do than it can; try again in a moment."


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what database libraries raise inside into errors of the house.

    Args:
        name: what to call the database; it is shown, so it holds no password.

    Raises:
        StorageFailed: one sentence that says what is wrong.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        if isinstance(error, StatementError) and isinstance(error.orig, (TypeError, ValueError)):
            raise error.orig from None  # our own: a value that no column takes
        raise StorageFailed(_sentence(error).format(name=name)) from error


def _sentence(error: Exception) -> str:
    cause = error.orig if isinstance(error, StatementError) else error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    known = [beginning for beginning in SENTENCES if code.startswith(beginning)]
    if known:
        return SENTENCES[max(known, key=len)]
    if isinstance(cause, PoolTimeout):
        return OVERRUN
    if isinstance(cause, OSError):
        return UNREACHED
    first_line = str(cause).partition("\n")[0].replace("{", "{{").replace("}", "}}")
    return f"The database {{name}} failed: {first_line}."
