"""Any upstream that speaks OpenAI's Chat Completions, streamed or whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from ..core.errors import ChatError, ServerFailed
from ..core.events import Batch, Chunk, batch_of
from ..core.folding import unfold
from ..core.ports import ModelInfo
from ..core.request import Call, Timeouts
from ..core.stream import Source
from ..wire.chunks import ChunkDecoder
from ..wire.completions import decode_completion
from ..wire.failures import decode_error
from ..wire.requests import encode_request
from ..wire.sse import DONE_MARK, Frame, SSEDecoder
from .http import Http, HttpReply

MAX_REPLY_BYTES = 64 * 2**20
"""An answer in one piece longer than this is refused: n = 128 answers of 100,000 tokens fit."""
MAX_ERROR_BYTES = 2**16
BOM = b"\xef\xbb\xbf"
SSE_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
BLANK = BOM + b" \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """An address and how to speak to it."""

    name: str
    """The provider's name in messages and in `provider/model`."""
    base_url: str
    """Up to and including the version, without a slash at its end: `https://api.openai.com/v1`."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with each request; the key is among them, so they are in no repr."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The name this upstream gives the bound on an answer's length."""

    def __repr__(self) -> str:
        return f"Upstream(name={self.name!r}, base_url={self.base_url!r})"


class OpenAIProvider:
    """One upstream over one door."""

    def __init__(self, upstream: Upstream, http: Http) -> None:
        """Open nothing yet. The door is shared and stays open when this closes."""
        self.upstream = upstream
        self._http = http
        self._headers = {"content-type": "application/json", **dict(upstream.headers)}
        self._chat_url = f"{upstream.base_url}/chat/completions"
        self._models_url = f"{upstream.base_url}/models"

    async def open(self, call: Call, model: str, timeouts: Timeouts) -> Source:
        """Send the request and give its answer as it comes.

        Raises:
            ChatError: the upstream was not reached or refused.
        """
        request, upstream = call.request, self.upstream
        body = encode_request(
            request,
            model=model,
            stream=request.stream,
            max_tokens_field=upstream.max_tokens_field,
        )
        if not request.stream:  # the head comes with the whole answer: only `total` can bound it
            timeouts = Timeouts(
                connect=timeouts.connect, first_token=None, between_tokens=timeouts.between_tokens, total=timeouts.total
            )
        reply = await self._http.send("POST", self._chat_url, headers=self._headers, body=body, timeouts=timeouts)
        await self._refuse_errors(reply)
        first = await reply.read() or b""
        if _is_stream(reply, first):
            return StreamSource(reply, first, ChunkDecoder(request.choices), self)
        data = first + await reply.read_all(MAX_REPLY_BYTES)
        try:
            return WholeSource(batch_of(*unfold(decode_completion(data.removeprefix(BOM)))))
        except ChatError as error:
            raise self.without_key(error) from error

    async def models(self) -> tuple[ModelInfo, ...]:
        """List what the upstream offers.

        Raises:
            ChatError: it was not reached, refused, or answered something else.
        """
        timeouts = Timeouts(connect=5.0, first_token=15.0, between_tokens=15.0, total=30.0)
        data = await self._exchange("GET", self._models_url, None, timeouts)
        try:
            rows = orjson.loads(data)["data"]
            return tuple(_model_info(row) for row in rows)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ServerFailed(
                f"{self.upstream.name} did not answer {self._models_url} with a list of models; check its base URL."
            ) from error

    async def post(self, path: str, body: bytes, timeouts: Timeouts) -> bytes:
        """Send JSON to another of the upstream's endpoints, and give what it answers in one piece.

        Args:
            path: what follows the base URL, such as `/embeddings`.
            body: the JSON.
            timeouts: limits of the request.

        Raises:
            ChatError: it was not reached, or refused.
        """
        return await self._exchange("POST", f"{self.upstream.base_url}{path}", body, timeouts)

    async def aclose(self) -> None:
        """Nothing of its own to let go of."""

    async def _exchange(self, method: str, url: str, body: bytes | None, timeouts: Timeouts) -> bytes:
        reply = await self._http.send(method, url, headers=self._headers, body=body, timeouts=timeouts)
        await self._refuse_errors(reply)
        return await reply.read_all(MAX_REPLY_BYTES)

    async def _refuse_errors(self, reply: HttpReply) -> None:
        if reply.status < 300:  # noqa: PLR2004 - HTTP: 2xx are answers
            return
        body = await reply.read_up_to(MAX_ERROR_BYTES)
        if reply.status < 400:  # noqa: PLR2004 - HTTP: 3xx lead elsewhere
            raise ServerFailed(
                f"{self.upstream.name} sends us on to {reply.headers.get('location', 'nowhere')[:200]!r}, where your "
                "key was not meant to go; if that is its address, set its base URL to it."
            )
        raise self.without_key(decode_error(reply.status, reply.headers, body, provider=self.upstream.name))

    def without_key(self, error: ChatError) -> ChatError:
        """Take the key out of an error, should the upstream repeat it."""
        for _, value in self.upstream.headers:
            secret = value.removeprefix("Bearer ")
            if secret in error.message:
                error.message = error.message.replace(secret, "***")
                error.args = (error.message,)
        return error


class StreamSource:
    """An answer that comes as server-sent events."""

    def __init__(self, reply: HttpReply, first: bytes, decoder: ChunkDecoder, provider: OpenAIProvider) -> None:
        """Read `reply`, whose beginning is `first`."""
        self._reply = reply
        self._first: bytes | None = first
        self._frames = SSEDecoder()
        self._decoder = decoder
        self._provider = provider
        self._ended = False
        self._error: ChatError | None = None

    async def read(self) -> Batch | None:
        """Wait for the next events; None when the connection ended before the answer was whole."""
        if self._error is not None:
            raise self._error
        while not self._ended:
            data = await self._next_bytes()
            frames = self._frames.end() if data is None else self._frames.feed(data)
            chunks = self._decode(frames)
            if data is None and not self._ended:
                self._ended = True
                last = self._decoder.finish(done=False)
                if last is not None:
                    chunks.append(last)
            if chunks:
                return tuple(chunks)
        return None

    async def _next_bytes(self) -> bytes | None:
        first, self._first = self._first, None
        if first:
            return first
        try:
            return await self._reply.read()
        except ChatError:
            if self._decoder.finished:  # all has been said; only the farewell is missing
                return None
            raise

    def close(self) -> None:
        """Let go of the connection; kept for the next call if the answer is whole."""
        if self._ended:
            self._reply.finish()
        else:
            self._ended = True
            self._reply.close()

    def _decode(self, frames: list[Frame]) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            for frame in frames:
                if frame.data == DONE_MARK:
                    chunks.append(self._last())
                    break
                chunks.append(self._decoder.decode(frame.data))
        except ChatError as error:
            self._error = self._provider.without_key(error)
            if not chunks:
                raise self._error from error
            # What came before it is given first.
        return chunks

    def _last(self) -> Chunk:
        self._ended = True
        last = self._decoder.finish(done=True)
        if last is None:
            raise ServerFailed(
                f"{self._provider.upstream.name} ended its answer without having said anything; ask again."
            )
        return last


class WholeSource:
    """An answer that is there already."""

    def __init__(self, batch: Batch) -> None:
        """Give `batch` once."""
        self._batch: Batch | None = batch

    async def read(self) -> Batch | None:
        """Give the answer, then None."""
        batch, self._batch = self._batch, None
        return batch

    def close(self) -> None:
        """Forget the answer."""
        self._batch = None


def _model_info(row: Mapping[str, Any]) -> ModelInfo:
    created, owner, context = row.get("created"), row.get("owned_by"), row.get("context_length")
    return ModelInfo(
        id=str(row["id"]),
        created=created if isinstance(created, int) else None,
        owned_by=owner if isinstance(owner, str) else None,
        context=context if isinstance(context, int) else None,
    )


def _is_stream(reply: HttpReply, first: bytes) -> bool:
    """Tell a stream from an answer in one piece; proxies and small servers get the content type wrong."""
    begins = first.lstrip(BLANK)
    if begins[:1] in {b"{", b"["}:
        return False
    return "event-stream" in reply.headers.get("content-type", "").lower() or begins.startswith(SSE_FIELDS)
