"""`/web`: one small page that needs nothing but this server."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

from ..core.errors import NotFound
from .replies import error_response

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def router() -> APIRouter:
    """Read the page, and give its route."""
    file = files(__package__).joinpath("static", "index.html")
    page = file.read_bytes() if file.is_file() else None
    routes = APIRouter()

    @routes.api_route("/web", methods=["GET", "HEAD"], include_in_schema=False)
    async def web() -> Response:
        if page is None:
            return error_response(NotFound("The page /web is not part of this installation; install it again."))
        return Response(page, media_type="text/html; charset=utf-8", headers=HEADERS)

    return routes
