"""The suite's plug: connections to this machine pass, all others are refused."""

from __future__ import annotations

import errno
import ipaddress
from typing import Any


class Loopback:
    """Sees what the interpreter is about to connect to or look up, in any thread and through any library.

    It is an audit hook, so nothing has to be replaced. Child processes are out of its sight, and so are names that
    uvloop resolves; connections that uvloop is given are not.
    """

    def __init__(self) -> None:
        self.tried: list[str] = []
        """What was refused since the test began."""
        self.expected = False
        """Whether the test means to try."""

    def begin(self) -> None:
        """Forget the last test."""
        self.tried = []
        self.expected = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse as a machine without a network does."""
        if not event.startswith("socket."):
            return
        host = _host(event, arguments)
        if host is not None and not _is_here(host):
            self.tried.append(host)
            raise OSError(errno.ENETUNREACH, f"the tests have no network, so {host} cannot be reached")


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Give the host that is to be reached, if the event is about one."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        return str(address[0]) if isinstance(address, tuple) else None  # a path, or nothing
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
        return host.decode() if isinstance(host, bytes) else host
    return None


def _is_here(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
