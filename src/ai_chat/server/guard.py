"""Who may ask: no page of another site, whatever name it reaches this machine by.

A server on loopback is within reach of every page that a person's browser shows. What keeps such a page from spending
the person's keys: the Host header, which tells a name that was rebound to this machine, and Origin with
Sec-Fetch-Site, which tell whose page it is (Fetch standard, section 3.2; Fetch Metadata, section 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from ..core.errors import BadRequest, ChatError, PermissionRefused, SettingsError
from .paths import APIS, first_segment
from .replies import send_error, shown, trace_header

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
REMEMBERED = 100
"""Values of Host, and pairs of it with an Origin, that are known to be fine."""
POLICY_VIOLATION = 1008
"""The code that closes a websocket (RFC 6455, section 7.4.1)."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Guard:
    """Refuses requests that are not for this server, or come from a page of somebody else's."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        """Stand before `app`.

        Args:
            app: what is guarded.
            hosts: names under which it is reached besides this machine's own, as `name` or `name:port`.
            origins: pages that may ask although they are elsewhere, as `https://name`.
        """
        self._app = app
        self._hosts = LOOPBACK | set(hosts)
        self._origins = frozenset(origins)
        self._fine_hosts: set[bytes] = set()
        self._fine_origins: set[tuple[bytes, bytes]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check where a request comes from, and pass it on."""
        if scope["type"] in {"http", "websocket"}:
            try:
                self._check(scope)
            except ChatError as error:
                await _refuse(scope, receive, send, error)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        host, origin, site = _told(scope["headers"])
        if host not in self._fine_hosts:
            self._check_host(host)
        is_websocket = scope["type"] == "websocket"
        if not is_websocket and first_segment(scope["path"]) not in APIS:
            return
        if origin is not None:
            if (origin, host) not in self._fine_origins:
                self._check_origin(origin, host)
        elif site == b"cross-site" and (is_websocket or scope["method"] not in READING):
            raise PermissionRefused("The request comes from a page of another site, which may not ask this server.")

    def _check_host(self, value: bytes) -> None:
        host = value.decode("latin-1").lower()
        found = _HOST.fullmatch(host)
        if found is None:
            raise BadRequest(f"The Host header is {shown(value)}, and must be the name of this server.")
        if found[1] not in self._hosts and host not in self._hosts:
            raise PermissionRefused(
                f"The Host header is {shown(value)}, which is no name of this server; if it is one, add it to "
                "AI_CHAT_SERVER__HOSTS."
            )
        _remember(self._fine_hosts, value)

    def _check_origin(self, value: bytes, host: bytes) -> None:
        origin = value.decode("latin-1").lower()
        if origin not in self._origins and not _is_same(origin, host.decode("latin-1").lower()):
            raise PermissionRefused(
                f"The request comes from a page of {shown(value)}, which may not ask this server; if it may, add it to "
                "AI_CHAT_SERVER__ORIGINS."
            )
        _remember(self._fine_origins, (value, host))


def listed_hosts(names: str) -> frozenset[str]:
    """Read the setting of further hosts.

    Raises:
        SettingsError: one is no name of a host.
    """
    hosts = frozenset(_names(names))
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            raise SettingsError(
                f"AI_CHAT_SERVER__HOSTS holds {shown(host)}, which is no name of a host; write chat.example.com."
            )
    return hosts


def listed_origins(names: str) -> frozenset[str]:
    """Read the setting of further origins.

    Raises:
        SettingsError: one is no origin.
    """
    origins = frozenset(name.rstrip("/") for name in _names(names))
    for origin in origins:
        found = _ORIGIN.fullmatch(origin)
        if found is None or _HOST.fullmatch(found[2]) is None:
            raise SettingsError(
                f"AI_CHAT_SERVER__ORIGINS holds {shown(origin)}, which is no origin; write https://chat.example.com."
            )
    return origins


def _names(listed: str) -> Iterable[str]:
    return (name.strip().lower() for name in listed.split(",") if name.strip())


def _told(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes | None, bytes | None]:
    """Give Host, Origin and Sec-Fetch-Site; a Host there has to be, and none of them twice (RFC 9112, section 3.2)."""
    host = origin = site = None
    for name, value in headers:
        if name == b"host":
            if host is not None:
                raise BadRequest("There are two Host headers; send one.")
            host = value
        elif name == b"origin":
            if origin is not None:
                raise BadRequest("There are two Origin headers; send one.")
            origin = value
        elif name == b"sec-fetch-site":
            site = value
    if host is None:
        raise BadRequest("There is no Host header; send one that names this server.")
    return host, origin, site


def _is_same(origin: str, host: str) -> bool:
    """Whether a page comes from the server that it asks. Which scheme it was asked by, a proxy in front may know."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return False
    default = f":{_DEFAULT_PORTS[found[1]]}"
    return found[2].removesuffix(default) == host.removesuffix(default)


def _remember(known: set[bytes] | set[tuple[bytes, bytes]], value: object) -> None:
    if len(known) < REMEMBERED:  # clients may send any number of them
        known.add(value)  # type: ignore[arg-type]


async def _refuse(scope: Scope, receive: Receive, send: Send, error: ChatError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": error.message})
    else:
        await send_error(send, error, [trace_header()])
