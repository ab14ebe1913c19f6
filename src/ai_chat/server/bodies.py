"""What may be sent to the API: JSON, of a bounded size."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core.errors import BadRequest, RequestTooLarge
from .paths import APIS, first_segment
from .refusals import WrongMediaType
from .replies import send_error, shown, trace_header

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = b"application/json"


class Bodies:
    """Refuses what is no JSON, or too long, before anything of it is read where the client says so.

    A form on a foreign page can send a request without asking first, but not one of this media type.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        """Stand before `app`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, and pass it on."""
        if scope["type"] != "http" or scope["method"] in BODILESS or first_segment(scope["path"]) not in APIS:
            await self._app(scope, receive, send)
            return
        try:
            bounded = self._check(scope, receive)
        except BadRequest as error:
            await send_error(send, error, [trace_header()])
            return
        await self._app(scope, bounded, send)

    def _check(self, scope: Scope, receive: Receive) -> Receive:
        kind = b""
        length = -1
        in_pieces = False
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind = value
            elif name == b"content-length":
                length = int(value) if value.isdigit() else self._max_bytes + 1
            elif name == b"transfer-encoding":
                in_pieces = True
        if kind != JSON and kind.partition(b";")[0].strip().lower() != JSON:
            empty = length <= 0 and not in_pieces
            if not (empty and scope["method"] == "DELETE"):
                raise WrongMediaType(
                    f"The content-type is {shown(kind) if kind else 'missing'}, and must be application/json."
                )
        if length > self._max_bytes:
            raise self._too_large()
        return self._counting(receive) if in_pieces else receive

    def _counting(self, receive: Receive) -> Receive:
        """Count what comes of a body whose length nobody has told."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_bytes:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"The body has more than {self._max_bytes // 2**20} MB; send less at once, or raise "
            "AI_CHAT_SERVER__MAX_BODY_MB."
        )
