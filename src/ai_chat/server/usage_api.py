"""`/api/usage`: what was used and what it cost."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response

from ..assembly import Services
from ..core.ledger import Span, moment_of
from .replies import json_response

router = APIRouter(prefix="/usage")


@router.get("")
async def usage(
    request: Request,
    by: Literal["day", "model", "conversation", "caller"] | None = None,
    since: str | None = None,
    until: str | None = None,
    conversation: str | None = None,
) -> Response:
    """Add calls up: by day, model, conversation or caller; since a moment and until another; of one conversation."""
    services: Services = request.app.state.services
    now = datetime.now().astimezone()
    span = Span(
        since=None if since is None else moment_of(since, now), until=None if until is None else moment_of(until, now)
    )
    of = {} if conversation is None else {"conversation": conversation}
    rows = [] if by is None else await services.storage.usage(by, span=span, of=of)
    (total,) = await services.storage.usage(span=span, of=of)
    return json_response({"by": by, "data": [row.figures for row in rows], "total": total.figures})
