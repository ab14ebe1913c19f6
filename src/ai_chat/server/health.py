"""`/health`: whether the process lives, and whether it can answer. Nothing is asked of anybody for it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..assembly import Services
from ..core.errors import Unavailable
from .replies import error_response

router = APIRouter(prefix="/health")

NO_STORE = {"cache-control": "no-store"}


@router.head("/live", include_in_schema=False)
@router.get("/live")
async def live() -> Response:
    """Answer, as long as there is a loop to do it."""
    return Response(b'{"status":"ok"}', media_type="application/json", headers=NO_STORE)


@router.head("/ready", include_in_schema=False)
@router.get("/ready")
async def ready(request: Request) -> Response:
    """Say whether questions can be answered: 503 with the reason if not."""
    services: Services = request.app.state.services
    reason = services.not_ready
    if reason is None and request.app.state.stopping.is_set():
        reason = "The server is being stopped."
    return await live() if reason is None else error_response(Unavailable(reason), NO_STORE.items())
