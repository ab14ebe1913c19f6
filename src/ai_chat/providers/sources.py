"""Where weights come from: what a source is, and the plain one, a URL."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from ..core.errors import ConnectionFailed, StreamBroken, UpstreamFailed, UpstreamTimeout
from ..core.request import Timeouts
from .http import Http, HttpReply
from .partial import Partial

MAGIC = b"GGUF"
"""How a file of weights begins."""
TIMEOUTS = Timeouts(connect=4.0, first_token=15.0, between_tokens=30.0, total=None)
RESUMES = 50
"""Connections one download may use up, as long as each brings something."""
FLUSH_BYTES = 2**20
FLUSH_SECONDS = 0.5


class SourceFailed(Exception):
    """This source cannot give the file; another may. The message is a clause that names the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a source is asked for, and whom it tells."""

    size: int | None
    """Bytes of the whole file; None takes the source's word for it, as nobody else's is known."""
    report: Callable[[int, int | None], None]
    """Called with the bytes that are here and those of the whole."""
    admit: Callable[[int], None]
    """Called with the bytes that will be written; raises if the disk has no room for them."""


class Source(Protocol):
    """One place that has the weights."""

    @property
    def label(self) -> str:
        """Its name in a message."""
        ...

    async def fill(self, http: Http, partial: Partial, wanted: Wanted) -> None:
        """Open the partial file, go on from where it stands and fill it up. Its hash is for the caller to judge.

        Raises:
            SourceFailed: what came so far stays.
            OSError: the disk is full, or broken.
        """
        ...


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file at an http(s) URL. A lost connection is taken up again with a range request."""

    url: str
    timeouts: Timeouts = TIMEOUTS
    pauses: tuple[float, ...] = (0.5, 2.0)
    """Seconds to wait before a further try when a connection that followed a good one brought nothing."""

    @property
    def label(self) -> str:
        """The host, without what may be secret in a URL."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    async def fill(self, http: Http, partial: Partial, wanted: Wanted) -> None:
        """Fetch what is missing; see `Source`."""
        download = _Download(self, http, partial, wanted)
        await download.begin()
        brought, fruitless = False, 0
        for _ in range(RESUMES):
            before = partial.size
            try:
                if await download.go_on():
                    return
                reason = f"{self.label} broke off before the end"
            except UpstreamFailed as error:
                reason = _clause(self.label, error)
            brought = brought or partial.size > before
            fruitless = 0 if partial.size > before else fruitless + 1
            if fruitless > (len(self.pauses) if brought else 0):
                raise SourceFailed(reason)
            if fruitless:
                await asyncio.sleep(self.pauses[fruitless - 1])
        raise SourceFailed(f"{self.label} lost the connection {RESUMES} times")


class _Download:
    """One fill of one partial file from one URL, over as many connections as it takes."""

    def __init__(self, source: UrlSource, http: Http, partial: Partial, wanted: Wanted) -> None:
        self._source = source
        self._http = http
        self._partial = partial
        self._wanted = wanted
        self._mark = hashlib.sha256(source.url.encode()).hexdigest()
        self._validator = ""

    async def begin(self) -> None:
        """Open the partial file, as far as its bytes may be gone on from."""
        note = self._partial.note()
        if note.get("url") == self._mark:
            self._validator = note.get("validator", "")
        size = self._wanted.size
        if size is not None:  # bytes of another source serve too: the publisher's hash judges the whole
            await self._partial.open(keep=lambda length: length if length <= size else 0)
        elif self._validator:
            await self._partial.open()
        else:
            await self._partial.restart()

    async def go_on(self) -> bool:
        """Use one connection. True when the file is whole.

        Raises:
            UpstreamFailed: the connection failed.
            SourceFailed: the source does not have the file.
        """
        if self._partial.size == self._wanted.size:
            return True
        reply = await self._ask()
        try:
            if self._partial.size and not self._continues(reply):
                await self._partial.restart()
                if reply.status != HTTPStatus.OK:
                    reply.close()
                    reply = await self._ask()
            total = self._total(reply)
            self._remember(reply)
            await self._take(reply, total)
        finally:
            reply.close()
        if total is not None and self._partial.size != total:
            return False
        if self._partial.size < len(MAGIC):
            raise SourceFailed(f"{self._source.label} sends no GGUF file")
        return True

    async def _ask(self) -> HttpReply:
        headers = {"accept-encoding": "identity"}
        if self._partial.size:
            headers["range"] = f"bytes={self._partial.size}-"
            if self._validator:
                headers["if-range"] = self._validator
        return await self._http.get(self._source.url, headers=headers, timeouts=self._source.timeouts)

    def _continues(self, reply: HttpReply) -> bool:
        """Whether the answer to a range request has the bytes that come next; a failure is for `_total` to judge."""
        if reply.status == HTTPStatus.PARTIAL_CONTENT:
            return _content_range(reply)[0] == self._partial.size
        return reply.status not in {HTTPStatus.OK, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}

    def _total(self, reply: HttpReply) -> int | None:
        """Give the size of the whole file; None if it will only be known at its end."""
        label, size = self._source.label, self._wanted.size
        if reply.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise SourceFailed(f"{label} answers {reply.status}{_phrase(reply.status)}")
        if reply.headers.get("content-encoding", "identity") != "identity":
            raise SourceFailed(f"{label} sends the file packed")
        if reply.status == HTTPStatus.PARTIAL_CONTENT:
            begin, total = _content_range(reply)
            if begin != self._partial.size:
                raise SourceFailed(f"{label} sends another part of the file than was asked for")
        else:
            length = reply.headers.get("content-length", "")
            total = int(length) if length.isdigit() else None
        if size is not None and total not in {size, None}:
            raise SourceFailed(f"{label} offers a file of {total:,} bytes instead of {size:,}")
        if size is None and total is None and reply.headers.get("transfer-encoding") != "chunked":
            raise SourceFailed(f"{label} does not say how long the file is")
        self._wanted.admit((total or size or 0) - self._partial.size)
        return size if total is None else total

    def _remember(self, reply: HttpReply) -> None:
        """Note how to ask whether the file is still the same one, for this process and for one after it."""
        etag = reply.headers.get("etag", "")
        self._validator = etag if etag.startswith('"') else reply.headers.get("last-modified", "")
        self._partial.write_note({"url": self._mark, "validator": self._validator})

    async def _take(self, reply: HttpReply, total: int | None) -> None:
        """Write what comes, some of it at a time, and keep all of it when the connection fails or we are cancelled."""
        loop = asyncio.get_running_loop()
        buffer, flushed = bytearray(), loop.time()
        try:
            while (block := await reply.read()) is not None:
                buffer += block
                here = self._partial.size + len(buffer)
                self._check(buffer, here, total)
                self._wanted.report(here, total)
                if len(buffer) >= FLUSH_BYTES or loop.time() - flushed > FLUSH_SECONDS:
                    full, buffer, flushed = buffer, bytearray(), loop.time()
                    await self._partial.append(full)
        except (UpstreamFailed, asyncio.CancelledError):
            await self._partial.append(buffer)
            raise
        await self._partial.append(buffer)

    def _check(self, buffer: bytearray, here: int, total: int | None) -> None:
        label = self._source.label
        if not self._partial.size and not buffer.startswith(MAGIC[: len(buffer)]):
            raise SourceFailed(f"{label} sends no GGUF file")
        if total is not None and here > total:
            raise SourceFailed(f"{label} sends more than the {total:,} bytes of the file")


def _content_range(reply: HttpReply) -> tuple[int | None, int | None]:
    """Give the first byte's place and the whole size that a partial answer names."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", reply.headers.get("content-range", "").strip())
    if match is None:
        return None, None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _phrase(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


def _clause(label: str, error: UpstreamFailed) -> str:
    """Say in a few words what became of a connection."""
    if isinstance(error, UpstreamTimeout):
        what = {"connect": "could not be reached within", "between_tokens": "stopped sending for"}
        return f"{label} {what.get(error.phase, 'did not answer within')} {error.seconds:g} s"
    if isinstance(error, StreamBroken):
        return f"{label} broke off"
    if isinstance(error, ConnectionFailed):
        reason = error.message.partition(";")[0].rstrip(".")
        return reason[:1].lower() + reason[1:]
    return f"{label} does not answer as a web server does"
