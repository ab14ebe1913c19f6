"""`POST /v1/chat/completions`, straight on ASGI: the route that carries the load."""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from ..assembly import Services
from ..core.errors import ChatError, Unavailable
from ..core.events import Batch, has_finished
from ..core.folding import fold
from ..core.request import Call
from ..wire.chunk_encoder import ChunkEncoder
from ..wire.completions import encode_completion
from ..wire.defaults import with_defaults
from ..wire.failures import encode_error
from ..wire.requests import decode_request
from ..wire.sse import DONE, encode_frame
from .presence import Presence, Stopping
from .refusals import Fault, WrongMethod
from .replies import Header, read_body, send_error, send_json, trace_header

log = logging.getLogger("ai_chat.server")

STREAM_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the pieces back
)


class ChatCompletions:
    """Answers one request after the other; nothing is kept between two."""

    def __init__(self, services: Services, stopping: Stopping) -> None:
        """Ask `services`, until `stopping` is set."""
        self._services = services
        self._stopping = stopping
        self._defaults = services.default_parameters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = _Answer(send)
        try:
            await self._answer(scope, receive, answer)
        except ChatError as error:
            await answer.fail(error)
        except ClientDisconnect:
            pass
        except Exception:
            log.exception("a request failed (x-request-id %s)", answer.trace_id)
            await answer.fail(Fault())

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if scope["method"] != "POST":
            raise WrongMethod(f"{scope['path']} is asked with POST, not with {scope['method'][:20]}.")
        request = with_defaults(decode_request(await read_body(receive)), self._defaults)
        call = self._services.make_call(request)
        answer.trace_id = call.trail.trace_id
        with Presence(receive, self._stopping) as presence:
            await (self._stream if request.stream else self._whole)(call, answer)
        if presence.gone == "server":
            raise Unavailable("The server is being stopped; ask again when it is back.")

    async def _whole(self, call: Call, answer: _Answer) -> None:
        result = await fold(await self._services.handler(call))
        await answer.complete(encode_completion(result))

    async def _stream(self, call: Call, answer: _Answer) -> None:
        writer = _Writer(include_usage=bool(call.request.include_usage))
        async with await self._services.handler(call) as stream:
            async for batch in stream:
                await answer.add(writer.write(batch), last=has_finished(batch))


class _Answer:
    """What is being sent: nothing yet, a part, or all of it."""

    __slots__ = ("_begun", "_ended", "_send", "trace_id")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False
        self._ended = False
        self.trace_id: str | None = None

    async def complete(self, body: bytes) -> None:
        """Send a whole answer."""
        self._ended = True
        await send_json(self._send, 200, body, [trace_header(self.trace_id)])

    async def add(self, frames: bytes, *, last: bool) -> None:
        """Send the next part of a stream. Its head goes with the first: until then an error has a status of its own."""
        if not (frames or last):
            return
        if not self._begun:
            self._begun = True
            headers = [*STREAM_HEADERS, trace_header(self.trace_id)]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        self._ended = last
        body = frames + DONE if last else frames
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def fail(self, error: ChatError) -> None:
        """Tell of an error: by a status, or in mid-stream as its last event, which no `[DONE]` follows."""
        if self._ended:  # all that was asked for has been sent
            return
        self._ended = True
        if self._begun:
            frame = encode_frame(encode_error(error)[1])
            await self._send({"type": "http.response.body", "body": frame})
            return
        allow = [(b"allow", b"POST")] if isinstance(error, WrongMethod) else []
        await send_error(self._send, error, [trace_header(self.trace_id), *allow])


class _Writer:
    """Makes the events of one stream, those of a batch in one go: chunks that nobody changed cost next to nothing."""

    __slots__ = ("_encoder", "_passing")

    def __init__(self, *, include_usage: bool) -> None:
        self._encoder = ChunkEncoder(include_usage=include_usage)
        self._passing = False  # whether the encoder has seen the head of an answer that it passes on

    def write(self, batch: Batch) -> bytes:
        """Give what to send for a batch; it may be nothing."""
        bodies: list[bytes] = []
        for chunk in batch:
            if self._passing and chunk.raw is not None:
                bodies.append(chunk.raw)
            else:
                bodies += self._encoder.encode(chunk)
                self._passing = chunk.raw is not None
        if not bodies:
            return b""
        frames = b"data: %b\n\n" % b"\n\ndata: ".join(bodies)
        if frames.count(b"\n") == 2 * len(bodies) and frames.find(b"\r") < 0:
            return frames
        return b"".join(map(encode_frame, bodies))  # an upstream wrote its JSON on several lines
