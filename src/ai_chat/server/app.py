"""The server's parts put together: who may ask, what may be sent, who answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..assembly import Services
from ..core.errors import BadRequest, ChatError, NotFound
from . import chat_api, health, knowledge_api, models_api, web_page
from .bodies import Bodies
from .guard import Guard, listed_hosts, listed_origins
from .openai_api import ChatCompletions
from .paths import CHAT, OWN, first_segment
from .presence import Stopping
from .refusals import Fault, WrongMethod
from .replies import error_response, on_chat_error, send_error, shown, trace_header

log = logging.getLogger("ai_chat.server")


def create_app(services: Services, *, ui: ASGIApp | None = None, stopping: Stopping | None = None) -> ASGIApp:
    """Make the application that a server runs.

    From the outside in, these look at each request:

        Guard     whose request it is: Host, Origin
        CORS      lets pages of other origins read answers, if the settings name any
        Bodies    JSON, or a file, of a bounded size
        House     /v1/chat/completions; the routes of FastAPI; everything else is the page

    Args:
        services: the house; whoever opened it closes it.
        ui: the page, if there is one; whoever runs the server starts it.
        stopping: set by whoever stops the server, so that streams end.

    Raises:
        SettingsError: the settings name a host or an origin that is none.
    """
    settings = services.settings.server
    stopping = stopping or Stopping()
    house = House(_routes(services, stopping), ChatCompletions(services, stopping), ui)
    app: ASGIApp = Bodies(house, max_bytes=settings.max_body_mb * 2**20, max_file_bytes=services.knowledge.most_bytes)
    origins = listed_origins(settings.origins)
    if origins:
        app = CORSMiddleware(
            app,
            allow_origins=sorted(origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["retry-after", "x-request-id"],
        )
    return Guard(app, hosts=listed_hosts(settings.hosts), origins=origins)


class House:
    """Leads each request to the part that answers it, and leaves none without an answer."""

    def __init__(self, routes: ASGIApp, chat: ASGIApp, ui: ASGIApp | None) -> None:
        """Know the parts."""
        self._routes = routes
        self._chat = chat
        self._ui = ui

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "lifespan":
            await self._routes(scope, receive, send)
        elif scope["path"] == CHAT and scope["type"] == "http":
            await self._chat(scope, receive, send)
        else:
            await self._answered(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an exception that nobody expected, without saying what it was."""
        sending = _Sending(send, [trace_header()] if first_segment(scope["path"]) == "v1" else [])
        try:
            await self._part(scope)(scope, receive, sending)
        except ClientDisconnect:
            pass
        except Exception:
            log.exception("a request for %s failed", shown(scope["path"]))
            if scope["type"] == "websocket" or (sending.begun and not sending.ended):
                raise  # to the server, which drops the connection: there is no other way to say that it broke
            if not sending.begun:
                await send_error(sending, Fault())

    def _part(self, scope: Scope) -> ASGIApp:
        if first_segment(scope["path"]) in OWN:
            return self._routes
        return self._ui or _without_page


class _Sending:
    """Sees how far an answer is, and adds headers to it."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self.begun = False
        self.ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if self._headers:
                message = {**message, "headers": [*message["headers"], *self._headers]}
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self._send(message)


async def _without_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for the page where there is none: at the root, the small one is shown instead."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    elif scope["path"] == "/":
        await RedirectResponse("/web")(scope, receive, send)
    else:
        await send_error(send, _no_such_path(scope))


def _routes(services: Services, stopping: Stopping) -> FastAPI:
    routes = FastAPI(
        title="ai-chat",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page comes from a network that need not be there
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    routes.state.services = services
    routes.state.stopping = stopping
    for router in (health.router, models_api.router, chat_api.router, knowledge_api.router, web_page.router()):
        routes.include_router(router)
    routes.add_exception_handler(ChatError, on_chat_error)
    routes.add_exception_handler(RequestValidationError, _on_invalid)
    routes.add_exception_handler(HTTPException, _on_http)
    routes.add_exception_handler(Exception, _on_fault)
    return routes


async def _on_http(request: Request, error: Exception) -> Response:
    """Answer for what the framework refuses: paths, methods, bodies that it could not read."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    if isinstance(error.__cause__, ChatError):  # raised while the framework read the body
        return error_response(error.__cause__)
    if error.status_code == NotFound.http_status:
        return error_response(_no_such_path(request.scope))
    headers = dict(error.headers or {})
    if error.status_code == WrongMethod.http_status:
        allowed = next((value for name, value in headers.items() if name.lower() == "allow"), "")
        sentence = f"{shown(request.url.path)} is asked with {allowed}, not with {request.method[:20]}."
        return error_response(WrongMethod(sentence), headers.items())
    return error_response(BadRequest(f"The request cannot be used: {error.detail}."), headers.items())


async def _on_invalid(_: Request, error: Exception) -> Response:
    """Answer for a request whose fields do not fit: names the first, its value and the mend."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for these
    first: Mapping[str, Any] = error.errors()[0]
    place, *path = first["loc"]
    if first["type"] == "json_invalid":
        return error_response(BadRequest("The body is not JSON; send a JSON object."))
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] == "missing":
        return error_response(BadRequest(f"{name or f'The {place}'} is missing; send it.", param=name or None))
    value = first.get("input")
    held = f" is {shown(str(value))}" if isinstance(value, (str, int, float)) else " cannot be used"
    sentence = f"{name or f'The {place}'}{held}: {message[:1].lower()}{message[1:]}; mend it or leave it out."
    return error_response(BadRequest(sentence, param=name or None))


async def _on_fault(_: Request, __: Exception) -> Response:
    """Answer for an exception that nobody expected; the framework raises it again, and `House` logs it."""
    return error_response(Fault())


def _no_such_path(scope: Scope) -> NotFound:
    return NotFound(f"There is nothing at {shown(scope['path'])}; the API is below /v1 and /api.")
