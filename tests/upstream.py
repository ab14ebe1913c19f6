"""An upstream on loopback that speaks Chat Completions as well, or as badly, as a test tells it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal, Self

Step = bytes | float | asyncio.Event
"""What a reply does next: send this, be silent for so many seconds, or until this is set."""
Piece = str | Mapping[str, Any] | float | asyncio.Event
"""Part of a streamed answer: a text, a whole delta, or silence."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How one request is answered."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Literal["chunked", "length", "close"] = "chunked"
    """How the client knows where the body ends."""
    end: Literal["whole", "cut", "stall"] = "whole"
    """What follows the last step: the body's end, a reset, or nothing at all."""

    def cut_after(self, steps: int) -> Reply:
        """The same, but the connection is reset behind so many steps."""
        return replace(self, steps=self.steps[:steps], end="cut")

    def stalled_after(self, steps: int) -> Reply:
        """The same, but nothing comes behind so many steps."""
        return replace(self, steps=self.steps[:steps], end="stall")

    def in_blocks(self, size: int) -> Reply:
        """The same bytes, sent so many at a time."""
        steps: list[Step] = []
        for step in self.steps:
            if isinstance(step, bytes):
                steps += [step[at : at + size] for at in range(0, len(step), size)]
            else:
                steps.append(step)
        return replace(self, steps=tuple(steps))


def streamed(
    *pieces: Piece, finish: str | None = "stop", usage: tuple[int, int] | None = (5, 7), done: bool = True
) -> Reply:
    """An answer in pieces: the first step is the head of the answer, then one step for each piece, then its end.

    Args:
        pieces: texts, deltas, silences.
        finish: the finish reason; None leaves it out.
        usage: tokens of the prompt and of the answer; None leaves the usage out.
        done: whether `[DONE]` ends it.
    """
    steps: list[Step] = [_frame(delta={"role": "assistant", "content": ""})]
    for piece in pieces:
        if isinstance(piece, str):
            steps.append(_frame(delta={"content": piece}))
        else:
            steps.append(_frame(delta=piece) if isinstance(piece, Mapping) else piece)
    if finish is not None:
        steps.append(_frame(delta={}, finish=finish))
    if usage is not None:
        steps.append(_event({**_HEAD, "object": "chat.completion.chunk", "choices": [], "usage": _usage(*usage)}))
    if done:
        steps.append(b"data: [DONE]\n\n")
    return Reply(steps=tuple(steps), headers={"Content-Type": "text/event-stream"})


def whole(text: str | None, *, finish: str = "stop", usage: tuple[int, int] | None = (5, 7), **message: Any) -> Reply:
    """An answer in one piece; `message` holds further fields of it, such as `tool_calls`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    body = {**_HEAD, "object": "chat.completion", "choices": [choice]}
    return of_json(body if usage is None else {**body, "usage": _usage(*usage)})


def calling(*calls: tuple[str, str], usage: tuple[int, int] | None = (5, 7)) -> Reply:
    """An answer in one piece that calls tools, each as its name and the JSON text of its arguments."""
    made = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(calls)
    ]
    return whole(None, finish="tool_calls", usage=usage, tool_calls=made)


def failing(
    status: int, message: str = "no", *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """A refusal in OpenAI's form."""
    error = {"message": message, "type": "error", "param": None, "code": code}
    return of_json({"error": error}, status=status, headers=headers)


def offering(*models: str) -> Reply:
    """A list of models."""
    return of_json({"object": "list", "data": [{"id": model, "object": "model"} for model in models]})


def of_json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Any JSON."""
    fields = {"Content-Type": "application/json", **(headers or {})}
    return Reply(steps=(json.dumps(body).encode(),), status=status, headers=fields, framing="length")


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Upstream:
    """Answers requests for chats and embeddings with its replies in turn, the last for ever; use it in `async with`."""

    def __init__(self, *replies: Reply, models: Reply | None = None) -> None:
        """Offer `models`, one called `test-model` if nothing is said."""
        self.replies: list[Reply] = list(replies) or [streamed("Hello")]
        self.models = models or offering("test-model")
        self.requests: list[Request] = []
        self.connections = 0
        """How many were ever opened."""
        self.open = 0
        """How many are."""
        self.stalled = asyncio.Event()
        """Set when a reply stands still."""
        self.left = asyncio.Event()
        """Set when a client has closed its connection before its reply was whole."""
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its base URL."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    @property
    def chats(self) -> list[Any]:
        """The bodies of the chat requests."""
        return [request.json for request in self.requests if request.method == "POST"]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        self.open += 1
        try:
            client = _Client(reader, writer)
            while (request := await client.request()) is not None:
                self.requests.append(request)
                if not await self._answer(client, self._reply_to(request)):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        except asyncio.CancelledError:  # the server closes; asyncio logs what such a task raises
            pass
        finally:
            self.open -= 1
            self._serving.discard(task)
            writer.transport.abort()

    def _reply_to(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if (request.method, path) == ("GET", "/v1/models"):
            return self.models
        if request.method != "POST" or path not in {"/v1/chat/completions", "/v1/embeddings"}:
            return failing(404, f"no such path: {path}")
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def _answer(self, client: _Client, reply: Reply) -> bool:
        """Play a reply; False when the connection cannot be used again."""
        playing = asyncio.ensure_future(self._play(client, reply))
        gone = asyncio.ensure_future(client.gone())
        try:
            await asyncio.wait({playing, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                self.left.set()
                return False
            await playing
            return reply.end == "whole" and reply.framing != "close"
        finally:
            for task in (playing, gone):
                task.cancel()
            await asyncio.gather(playing, gone, return_exceptions=True)

    async def _play(self, client: _Client, reply: Reply) -> None:
        client.send(_head(reply))
        for step in reply.steps:
            if isinstance(step, bytes):
                client.send(b"%x\r\n%b\r\n" % (len(step), step) if reply.framing == "chunked" else step)
                await client.drain()
            elif isinstance(step, asyncio.Event):
                self.stalled.set()
                await step.wait()
            else:
                await asyncio.sleep(step)
        if reply.end == "stall":
            self.stalled.set()
            await asyncio.Event().wait()
        if reply.end == "whole" and reply.framing == "chunked":
            client.send(b"0\r\n\r\n")
        await client.drain()


class _Client:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ahead = b""
        """Of the next request, read while the last one was answered."""

    async def request(self) -> Request | None:
        """Wait for a request; None when the client has gone between two."""
        ahead, self._ahead = self._ahead, b""
        try:
            head = (ahead + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError as error:
            if ahead or error.partial:
                raise
            return None
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Request(method, path, headers, body)

    async def gone(self) -> None:
        """Wait until the client closes the connection. What it sends instead is kept."""
        while data := await self._reader.read(1):
            self._ahead += data

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        with suppress(ConnectionError):  # the watch on the other direction tells
            await self._writer.drain()


_HEAD = {"id": "chatcmpl-test", "created": 1_700_000_000, "model": "test-model-0"}


def _frame(*, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _event({**_HEAD, "object": "chat.completion.chunk", "choices": [choice]})


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: %b\n\n" % json.dumps(body, ensure_ascii=False).encode()


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _head(reply: Reply) -> bytes:
    framing: Sequence[str] = {
        "chunked": ["Transfer-Encoding: chunked"],
        "length": [f"Content-Length: {sum(len(step) for step in reply.steps if isinstance(step, bytes))}"],
        "close": ["Connection: close"],
    }[reply.framing]
    lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", *framing]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
