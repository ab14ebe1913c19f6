"""`/v1/models`: every name that a request can give as its model, as far as it is known here."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..assembly import Services
from ..core.errors import ChatError, UnknownModel
from ..core.ports import ModelInfo
from .replies import json_response, shown

OURS = "ai-chat"

router = APIRouter(prefix="/v1/models")


@router.get("")
async def models(request: Request) -> Response:
    """List them."""
    rows = await _services(request).models.listed()
    return json_response({"object": "list", "data": [_row(row) for row in rows.values()]})


@router.get("/{name:path}")
async def model(request: Request, name: str) -> Response:
    """Show one; a model of the default provider may be named without it."""
    services = _services(request)
    rows = await services.models.listed()
    try:
        found = rows[name] if name in rows else rows[str(services.models.target(name))]
    except (ChatError, KeyError):
        raise UnknownModel(
            f"The model {shown(name)} is not known here; GET /v1/models lists those that are.", param="model"
        ) from None
    return json_response(_row(found))


def _row(model: ModelInfo) -> dict[str, object]:
    row: dict[str, object] = {
        "id": model.id,
        "object": "model",
        "created": model.created or 0,  # the schema has no null for it
        "owned_by": model.owned_by or OURS,
    }
    if model.context is not None:
        row["context_length"] = model.context
    return row


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services
