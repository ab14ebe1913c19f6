"""What goes back: JSON, errors in OpenAI's form, and their headers."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable

from fastapi import Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from ..core.errors import ChatError
from ..wire.failures import encode_error
from ..wire.shapes import dumps

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
SHOWN = 80
"""Characters of what a client sent that a sentence repeats."""


def shown(value: bytes | str) -> str:
    """Repeat what a client sent: not all of it, and no control characters."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def trace_header(trace_id: str | None = None) -> Header:
    """Give the header that names a request in the log; without a trace of its own it gets a name all the same."""
    return b"x-request-id", (trace_id or secrets.token_hex(16)).encode()


def waiting_headers(error: ChatError) -> list[Header]:
    """Say how long to wait, if the error says so."""
    if error.retry_after is None:
        return []
    return [(b"retry-after", b"%d" % max(math.ceil(error.retry_after), 1))]


async def send_json(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    """Answer with JSON."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: ChatError, headers: Iterable[Header] = ()) -> None:
    """Answer with an error."""
    status, body = encode_error(error)
    await send_json(send, status, body, [*waiting_headers(error), *headers])


def json_response(body: object, *, status: int = 200) -> Response:
    """Make a response of JSON, for the routes of FastAPI."""
    return Response(dumps(body), status, media_type="application/json")


def error_response(error: ChatError, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Make the response that tells of an error, for the routes of FastAPI."""
    status, body = encode_error(error)
    waits = [(name.decode(), value.decode()) for name, value in waiting_headers(error)]
    return Response(body, status, dict((*waits, *headers)), "application/json")


async def on_chat_error(_: Request, error: Exception) -> Response:
    """Answer for a route that raised one of the tree."""
    assert isinstance(error, ChatError)  # noqa: S101 - it is registered for these
    return error_response(error)


async def read_body(receive: Receive) -> bytes:
    """Wait for the whole body, whose size was bounded before.

    Raises:
        ClientDisconnect: the client left before it was whole.
    """
    blocks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        blocks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return blocks[0] if len(blocks) == 1 else b"".join(blocks)
