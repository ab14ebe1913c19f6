"""What may be sent to the API: JSON, and to one path the bytes of a file; of a bounded size."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core.errors import BadRequest, RequestTooLarge
from .paths import APIS, FILES, first_segment
from .refusals import WrongMediaType
from .replies import send_error, shown, trace_header

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = b"application/json"
BYTES = b"application/octet-stream"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a path takes."""

    kind: bytes
    """The media type; none that a form can send."""
    most_bytes: int
    setting: str
    """Where that is set."""


class Bodies:
    """Refuses what is of another kind, or too long, before anything of it is read where the client says so.

    A form on a foreign page can send a request without asking first, but not one of these media types (Fetch standard,
    section 2.2.2, on safelisted headers).
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_file_bytes: int) -> None:
        """Stand before `app`."""
        self._app = app
        self._json = Taken(JSON, max_bytes, "AI_CHAT_SERVER__MAX_BODY_MB")
        self._file = Taken(BYTES, max_file_bytes, "AI_CHAT_KNOWLEDGE__MAX_FILE_MB")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, and pass it on."""
        if scope["type"] != "http" or scope["method"] in BODILESS or first_segment(scope["path"]) not in APIS:
            await self._app(scope, receive, send)
            return
        try:
            bounded = _checked(scope, receive, self._file if scope["path"] == FILES else self._json)
        except BadRequest as error:
            await send_error(send, error, [trace_header()])
            return
        await self._app(scope, bounded, send)


def _checked(scope: Scope, receive: Receive, taken: Taken) -> Receive:
    kind = b""
    length = -1
    in_pieces = False
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value
        elif name == b"content-length":
            length = int(value) if value.isdigit() else taken.most_bytes + 1
        elif name == b"transfer-encoding":
            in_pieces = True
    if kind != taken.kind and kind.partition(b";")[0].strip().lower() != taken.kind:
        empty = length <= 0 and not in_pieces
        if not (empty and scope["method"] == "DELETE"):
            raise WrongMediaType(
                f"The content-type is {shown(kind) if kind else 'missing'}, and must be {taken.kind.decode()}."
            )
    if length > taken.most_bytes:
        raise _too_large(taken)
    return _counting(receive, taken) if in_pieces else receive


def _counting(receive: Receive, taken: Taken) -> Receive:
    """Count what comes of a body whose length nobody has told."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > taken.most_bytes:
            raise _too_large(taken)
        return message

    return counted


def _too_large(taken: Taken) -> RequestTooLarge:
    return RequestTooLarge(
        f"The body has more than {taken.most_bytes // 2**20} MB; send less at once, or raise {taken.setting}."
    )
