"""What can go wrong on the wire, in the words of the error tree."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ..core.errors import ChatError, ConnectionFailed, ServerFailed, StreamBroken, UpstreamTimeout
from ..core.request import Timeouts

NOT_HTTP = (ServerFailed, "{where} did not answer in HTTP; check that the base URL points to an API.")
FAILURES: dict[str, tuple[type[ChatError], str]] = {
    "ClientConnectorCertificateError": (
        ConnectionFailed,
        "The certificate of {where} is not trusted; set AI_CHAT_CA_FILE to the authority that signed it.",
    ),
    "ClientProxyConnectionError": (
        ConnectionFailed,
        "The proxy on the way to {where} could not be reached; check HTTPS_PROXY and NO_PROXY.",
    ),
    "ClientHttpProxyError": (
        ConnectionFailed,
        "The proxy on the way to {where} refused to connect; check HTTPS_PROXY.",
    ),
    "ClientConnectorDNSError": (
        ConnectionFailed,
        "The host {where} is not known; check the base URL and the network.",
    ),
    "ClientSSLError": (ConnectionFailed, "A secure connection to {where} failed; check that it speaks https."),
    "ClientConnectorError": (
        ConnectionFailed,
        "{where} could not be reached ({reason}); check the base URL and the network.",
    ),
    "InvalidURL": (ConnectionFailed, "{where} is no address to send a request to; check the base URL."),
    "ValueError": (ConnectionFailed, "{where} is no address to send a request to; check the base URL."),
    "ClientResponseError": NOT_HTTP,
    "HttpProcessingError": NOT_HTTP,
    "ClientError": (ConnectionFailed, "The connection to {where} was lost before an answer came; ask again."),
    "ConnectionError": (ConnectionFailed, "The connection to {where} was lost before an answer came; ask again."),
}
"""By the name of the HTTP library's class, so that it is not loaded just to fail; the nearest class decides."""

PHASES = {
    "connect": "{where} could not be reached within {seconds:g} s",
    "first_token": "{where} sent nothing for {seconds:g} s after the request",
    "between_tokens": "{where} stopped sending for {seconds:g} s in the middle of its answer",
    "total": "The answer of {where} took longer than {seconds:g} s in all",
}


def before_answer(error: Exception, where: str) -> ChatError | None:
    """Translate what a request failed with; None for what is no failure of the wire but a bug."""
    for kind in type(error).__mro__:
        if kind.__name__ in FAILURES:
            ours, sentence = FAILURES[kind.__name__]
            return ours(sentence.format(where=where, reason=_reason(error)))
    return None


def _reason(error: Exception) -> str:
    """Say what the system says of it; what asyncio makes of that repeats the address."""
    number = getattr(getattr(error, "os_error", None), "errno", None)
    return os.strerror(number).lower() if number else type(error).__name__


def amid_answer(error: Exception, where: str) -> ChatError | None:
    """Translate what reading an answer failed with; None for what is no failure of the wire but a bug."""
    if isinstance(error, ChatError):
        return error
    if before_answer(error, where) is None:
        return None
    return StreamBroken(f"The connection to {where} was lost in the middle of the answer; ask again to get all of it.")


def timed_out(where: str, phase: str, seconds: float) -> UpstreamTimeout:
    """Make the error for a time limit that ran out."""
    what = PHASES[phase].format(where=where, seconds=seconds)
    message = f"{what}; ask again, or raise AI_CHAT_TIMEOUT__{phase.upper()}."
    return UpstreamTimeout(message, phase=phase, seconds=seconds)


def timed_out_before(error: TimeoutError, where: str, timeouts: Timeouts) -> UpstreamTimeout:
    """Make the error for a time limit that ran out before the head of an answer came."""
    if type(error) is not TimeoutError:  # the library's own, which knows only how long connecting may take
        return timed_out(where, "connect", timeouts.connect or 0.0)
    first, total = timeouts.first_token, timeouts.total
    if first is not None and (total is None or first <= total):
        return timed_out(where, "first_token", first)
    return timed_out(where, "total", total or 0.0)


def host(url: str) -> str:
    """Name a URL's host in a message, without a user name or password."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return url
