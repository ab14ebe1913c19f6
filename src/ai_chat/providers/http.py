"""The house's one door to the network: requests out, bytes back, failures mapped to the tree."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..core.errors import ChatError, ClientMisused, ServerFailed, StreamBroken
from ..core.request import Timeouts
from .http_failures import amid_answer, before_answer, host, timed_out, timed_out_before
from .network import Network

if TYPE_CHECKING:
    import aiohttp

DIRECT = Network()
NO_HURRY = Timeouts()
LARGE_BYTES = 2**20
"""A body longer than this is written piece by piece, so that it does not hold up the loop."""
DRAIN_SECONDS = 1.0
"""How long a finished reply may take to send its last bytes before its connection is given up."""


class HttpReply:
    """An answer whose head has come. Read it to the end or close it."""

    def __init__(self, response: aiohttp.ClientResponse, http: Http, timeouts: Timeouts, started: float) -> None:
        """Take over a response; `started` is the loop's time when the request was sent."""
        self._response = response
        self._content = response.content
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._between = timeouts.between_tokens
        self._total_at = started + timeouts.total if timeouts.total is not None else None
        self._timeouts = timeouts
        self._waiting_until: float | None = None
        self._first_until = started + timeouts.first_token if timeouts.first_token is not None else None
        self._phase = "first_token"
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._error: ChatError | None = None
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def read(self) -> bytes | None:
        """Wait for the next bytes, however many came; None at the end.

        Raises:
            StreamBroken: the connection was lost before the end.
            UpstreamTimeout: nothing came for too long.
        """
        if self._error is not None:
            raise self._error
        if self._closed:
            return None
        if self._content.at_eof():
            self.close()
            return None
        self._wait_begins()
        try:
            data = await self._content.readany()
        except Exception as error:  # noqa: BLE001 - each becomes one of ours, or is raised again
            data = self._salvage(error)
        except BaseException:
            self.close()
            raise
        self._waiting_until = None
        self._phase = "between_tokens"
        if not data:
            self.close()
            return None
        return data

    def _salvage(self, error: Exception) -> bytes:
        """Give what had come before the connection was lost; the error follows with the next read.

        The library holds it in its buffer and will not give it out once it knows of the loss. No text may be dropped.
        """
        ours = amid_answer(error, self._where())
        if ours is None and self._http.closed:
            ours = StreamBroken("The client was closed in the middle of the answer.")
        data: bytes = self._content._read_nowait(-1)  # noqa: SLF001
        self.close()
        if ours is None:
            raise error
        if not data:
            raise ours from error
        self._error = ours
        return data

    async def read_all(self, limit: int) -> bytes:
        """Read to the end.

        Raises:
            ServerFailed: it is longer than `limit` bytes.
        """
        blocks: list[bytes] = []
        size = 0
        while (block := await self.read()) is not None:
            size += len(block)
            if size > limit:
                self.close()
                raise ServerFailed(f"The upstream's answer is longer than {limit:,} bytes, which is no chat answer.")
            blocks.append(block)
        return b"".join(blocks)

    async def read_up_to(self, limit: int) -> bytes:
        """Read the beginning, `limit` bytes at most, and let go of the rest; a lost connection just ends it."""
        blocks = b""
        try:
            while len(blocks) < limit and (block := await self.read()) is not None:
                blocks += block
        except ChatError:
            pass
        self.close()
        return blocks[:limit]

    def close(self) -> None:
        """Let go. A connection whose answer was read to its end is kept for the next call, any other is closed."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if not self._content.at_eof():
            self._response.close()

    def finish(self) -> None:
        """Let go of an answer whose last bytes are on their way, so that its connection can be used again."""
        if self._closed or self._content.at_eof():
            self.close()
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._http.keep(self._drain())

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while await self._content.readany():
                    pass
        except Exception:  # noqa: BLE001 - the answer is whole; only the connection is lost
            self._response.close()
        except BaseException:
            self._response.close()
            raise

    def _where(self) -> str:
        return self._http.name_of(str(self._response.url))

    def _wait_begins(self) -> None:
        """Note until when the next bytes must have come. One timer serves a whole stream: firing, it looks again."""
        now = self._loop.time()
        until = self._first_until if self._phase == "first_token" else None
        if self._phase == "between_tokens" and self._between is not None:
            until = now + self._between
        if self._total_at is not None and (until is None or self._total_at < until):
            until = self._total_at
        self._waiting_until = until
        if until is not None and (self._timer is None or until < self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(until, self._look)

    def _look(self) -> None:
        until = self._waiting_until
        now = self._loop.time()
        if until is None or until > now:
            self._timer = self._loop.call_at(until if until is not None else now + (self._between or 1.0), self._look)
            return
        phase, seconds = self._phase, self._timeouts.between_tokens
        if until == self._total_at:
            phase, seconds = "total", self._timeouts.total
        elif phase == "first_token":
            seconds = self._timeouts.first_token
        self._content.set_exception(timed_out(self._where(), phase, seconds or 0.0))
        self._response.close()


class Http:
    """Requests on one event loop, over kept connections."""

    def __init__(
        self,
        network: Network = DIRECT,
        *,
        keep_alive: bool = True,
        connections: int = 1000,
        label: str | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            network: proxies and certificates.
            label: what to call the other end in messages, where its address says nothing to anybody.
            keep_alive: whether a connection serves more than one request.
            connections: how many may be open at once.
        """
        self._network = network
        self._label = label
        self._keep_alive = keep_alive
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeouts: Timeouts = NO_HURRY
    ) -> HttpReply:
        """Fetch a file, wherever redirects lead; never with a key among the headers. See `send` for the rest."""
        return await self.send("GET", url, headers=headers or {}, body=None, timeouts=timeouts, follow=True)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeouts: Timeouts,
        follow: bool = False,
    ) -> HttpReply:
        """Send a request and wait for the head of its answer, whatever its status.

        A redirect is an answer like any other unless `follow` is set: a key must not go where it was not sent.

        Raises:
            ClientMisused: the door belongs to another event loop.
            ConnectionFailed: the host was not reached.
            SettingsError: the certificate file cannot be used.
            UpstreamTimeout: it was not reached, or did not answer, in time.
        """
        loop = asyncio.get_running_loop()
        session = self._session or self._open(loop)
        if loop is not self._loop:
            raise ClientMisused("This client is open on another event loop; make one for each loop, or use Chat.")
        started = loop.time()
        limits = [seconds for seconds in (timeouts.first_token, timeouts.total) if seconds is not None]
        patience = min(limits) if limits else None
        where = self.name_of(url)
        try:
            async with asyncio.timeout(patience):
                response = await session.request(
                    method,
                    url,
                    data=io.BytesIO(body) if body is not None and len(body) > LARGE_BYTES else body,
                    headers=headers,
                    proxy=self._network.proxy_for(url),
                    allow_redirects=follow,
                    timeout=_client_timeout(timeouts.connect),
                )
        except TimeoutError as error:
            raise timed_out_before(error, where, timeouts) from error
        except Exception as error:
            ours = before_answer(error, where)
            if ours is None:
                raise
            raise ours from error
        return HttpReply(response, self, timeouts, started)

    async def aclose(self) -> None:
        """Close every connection."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def closed(self) -> bool:
        """Whether nothing is open: not yet, or not any more."""
        return self._session is None

    def keep(self, work: Any) -> None:
        """Run some work behind a reply; it ends with the door."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def name_of(self, url: str) -> str:
        """Say how messages call whoever is at a URL."""
        return self._label or host(url)

    def _open(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - 120 ms that `--help` and a test double need not pay

        connector = aiohttp.TCPConnector(
            limit=self._connections, ssl=self._network.ssl_context(), force_close=not self._keep_alive, ttl_dns_cache=60
        )
        self._loop = loop
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=2**17,
        )
        return self._session


@lru_cache(maxsize=64)
def _client_timeout(connect: float | None) -> aiohttp.ClientTimeout:
    import aiohttp  # noqa: PLC0415 - loaded by `_open` already

    return aiohttp.ClientTimeout(total=None, sock_connect=connect, connect=connect)
