"""A web server on loopback that serves files as badly as it is told to."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one request is answered."""

    data: bytes = b""
    status: int = 200
    etag: str | None = '"one"'
    ranges: bool = True
    """Whether range requests are honoured."""
    shift: int = 0
    """By how much the range that is sent misses the one asked for."""
    cut: int | None = None
    """Bytes of the body after which the connection is cut."""
    stall: int | None = None
    """Bytes of the body after which nothing more comes."""
    length: str | None = "true"
    """`true`, `chunked`, None for none at all, or a number that is a lie."""
    headers: tuple[str, ...] = ()


@dataclass
class FileServer:
    """Answers each path with its list of answers in turn, the last of them for ever."""

    port: int = 0
    paths: dict[str, deque[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each."""
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an answer stands still."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the reader of an answer that stands still has gone."""

    def serve(self, path: str, *answers: Answer) -> str:
        """Answer a path; give its URL."""
        self.paths[path] = deque(answers)
        return f"http://127.0.0.1:{self.port}{path}"

    def asked(self, path: str) -> list[dict[str, str]]:
        """Give the headers of the requests for a path."""
        return [headers for asked, headers in self.requests if asked == path]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*)\r$", head, re.MULTILINE)}
            self.requests.append((path, headers))
            answers = self.paths.get(path) or deque([Answer(status=404)])
            answer = answers.popleft() if len(answers) > 1 else answers[0]
            await self._answer(answer, headers, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, answer: Answer, asked: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        status, body, lines = answer.status, answer.data, list(answer.headers)
        if answer.etag:
            lines.append(f"ETag: {answer.etag}")
        wanted = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
        unchanged = asked.get("if-range", answer.etag) == answer.etag
        if status == 200 and answer.ranges and wanted and unchanged:
            begin = max(0, int(wanted[1]) + answer.shift)
            if begin >= len(body):
                status = 416
                body = b""
            else:
                status = 206
                lines.append(f"Content-Range: bytes {begin}-{len(body) - 1}/{len(body)}")
                body = body[begin:]
        sent = body[: min(len(body), *(n for n in (answer.cut, answer.stall) if n is not None), len(body))]
        if answer.length == "chunked":
            lines.append("Transfer-Encoding: chunked")
            sent = b"%x\r\n%b\r\n" % (len(sent), sent) + (b"0\r\n\r\n" if answer.cut is None else b"")
        elif answer.length is not None:
            lines.append(f"Content-Length: {len(body) if answer.length == 'true' else answer.length}")
        head = "\r\n".join([f"HTTP/1.1 {status} X", *lines, "Connection: close", "", ""])
        writer.write(head.encode() + sent)
        await writer.drain()
        if answer.stall is not None:
            self.stalled.set()
            with suppress(ConnectionError):
                await reader.read()
            self.left.set()


@asynccontextmanager
async def serving() -> AsyncIterator[FileServer]:
    """Run a server for as long as it is needed."""
    files = FileServer()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(files.handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    files.port = server.sockets[0].getsockname()[1]
    try:
        yield files
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
