"""JSON from a web service: one GET, bounded in size and time. The tools that ask the web are handed this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ..core.errors import ServerFailed, UpstreamFailed, UpstreamTimeout
from ..core.request import Timeouts
from .http import Http, HttpReply

LIMIT = 2**20
"""Bytes of an answer at most."""
EXCERPT = 200
"""Characters of a refusal that are told."""
HEADERS = {"accept": "application/json"}


class JsonFetch:
    """Gets JSON; a `Fetch` of `core.ports`."""

    def __init__(self, http: Http, *, limit: int = LIMIT) -> None:
        """Take the way out, which is the caller's to close, and how many bytes an answer may have."""
        self._http = http
        self._limit = limit

    async def __call__(self, url: str, parameters: Mapping[str, str | float], *, timeout: float) -> Any:  # noqa: ASYNC109
        """Get the JSON value at a URL; see `core.ports.Fetch`."""
        where = self._http.name_of(url)
        try:
            status, data = await self._get(with_query(url, parameters), timeout)
        except UpstreamTimeout as error:
            message = f"{where} did not answer within {timeout:g} s."
            raise UpstreamTimeout(message, phase=error.phase, seconds=timeout) from error
        if not 200 <= status < 300:  # noqa: PLR2004 - as HTTP has it
            reason = data[: EXCERPT * 4].decode("utf-8", "replace")[:EXCERPT]
            raise UpstreamFailed(f"{where} answered with status {status}: {reason}", upstream_status=status)
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise ServerFailed(f"{where} answered with something that is no JSON.", upstream_status=status) from error

    async def _get(self, url: str, timeout: float) -> tuple[int, bytes]:  # noqa: ASYNC109
        timeouts = Timeouts(connect=timeout, first_token=None, between_tokens=None, total=timeout)
        reply = await self._http.get(url, headers=HEADERS, timeouts=timeouts)
        try:
            return reply.status, await self._bounded(reply)
        finally:
            reply.close()

    async def _bounded(self, reply: HttpReply) -> bytes:
        data = bytearray()
        while (block := await reply.read()) is not None:
            data += block
            if len(data) > self._limit:
                raise ServerFailed(f"The answer is longer than {self._limit:,} bytes.", upstream_status=reply.status)
        return bytes(data)


def with_query(url: str, parameters: Mapping[str, str | float]) -> str:
    """Add parameters to a URL, encoded as UTF-8."""
    if not parameters:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters, quote_via=quote)}"
