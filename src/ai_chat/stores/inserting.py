"""New rows under ids that somebody chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.errors import BadRequest


async def inserted(connection: AsyncConnection, statement: Insert, row: Mapping[str, Any]) -> int:
    """Insert a row and give its number.

    Raises:
        BadRequest: its id is taken.
    """
    try:
        result = await connection.execute(statement, dict(row))
    except IntegrityError as error:
        raise BadRequest(f"The id {row['id']!r} is taken; give another.", param="id") from error
    number: int = result.inserted_primary_key[0]  # type: ignore[index]  # a single insert always has one
    return number
