"""A run as server-sent events: numbered, so that a reader who was cut off goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from fastapi import Response
from starlette.types import Receive, Scope, Send

from ..core.runs import RunEvent
from ..wire.shapes import dumps
from ..wire.sse import PING, encode_frame
from .openai_api import STREAM_HEADERS
from .presence import Presence, Stopping

PING_SECONDS = 15.0
"""Of silence, after which a comment keeps the connection open."""
SERVER_ENDED = encode_frame(b'{"status":"interrupted","finish_reason":null}', event="done")
"""Without a number: the run's own last event comes when it is asked for again."""


class RunStream(Response):
    """Sends events as they come, several in one piece where a reader is slow."""

    def __init__(self, events: AsyncIterator[Sequence[RunEvent]], stopping: Stopping) -> None:
        """Send `events` until they end, the reader leaves, or `stopping` is set."""
        super().__init__()
        self._events = events
        self._stopping = stopping
        self._sent_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        del scope
        loop = asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": 200, "headers": list(STREAM_HEADERS)})
        self._sent_at = loop.time()
        pinging = loop.create_task(self._ping(send))
        try:
            with Presence(receive, self._stopping) as presence:
                async for events in self._events:
                    await send({"type": "http.response.body", "body": _frames(events), "more_body": True})
                    self._sent_at = loop.time()
        finally:
            pinging.cancel()
        if presence.gone != "client":
            last = SERVER_ENDED if presence.gone == "server" else b""
            await send({"type": "http.response.body", "body": last})

    async def _ping(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):  # the reader has gone, which others see to
            while True:
                await asyncio.sleep(self._sent_at + PING_SECONDS - loop.time())
                if loop.time() - self._sent_at >= PING_SECONDS:
                    self._sent_at = loop.time()
                    await send({"type": "http.response.body", "body": PING, "more_body": True})


def _frames(events: Sequence[RunEvent]) -> bytes:
    return b"".join([encode_frame(dumps(event.data), event=event.kind, id=str(event.number)) for event in events])
