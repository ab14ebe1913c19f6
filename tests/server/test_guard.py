"""Whose requests are let in."""

from __future__ import annotations

import json

import pytest

from ai_chat.core.errors import SettingsError
from ai_chat.server.guard import REMEMBERED, Guard, listed_hosts, listed_origins

OURS = "127.0.0.1:8000"


async def knock(guard, *headers, path="/v1/models", method="GET", kind="http"):
    """Send a request; give what came back: the status, or `in`."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "path": path, "method": method, "headers": raw}
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await guard(scope, receive, send)
    if sent[0]["type"] == "http.response.start":
        assert json.loads(sent[1]["body"])["error"]["message"].endswith((".", "…"))
        return sent[0]["status"]
    return sent[0].get("code", "in")


async def inside(scope, receive, send):
    """What is guarded."""
    await send({"type": "in"})


@pytest.fixture
def guard():
    """One with a name and an origin of its own."""
    return Guard(inside, hosts=listed_hosts("chat.example, other.example:81"), origins=listed_origins("https://a.b/"))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000", "[::1]", "chat.example", "Chat.Example:9",
     "other.example:81"],
)  # fmt: skip
async def test_names_of_this_server(guard, host):
    """Every name of this machine's own is let in, on any port, and those of the settings."""
    assert await knock(guard, ("host", host)) == "in"
    assert await knock(guard, ("host", host)) == "in"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8000", "0.0.0.0",
                                  "localhost.", "other.example", "other.example:82"])  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/models", "/", "/web", "/health/live"])
async def test_a_foreign_name_is_refused(guard, host, path):
    """A name that was rebound to this machine is told by its Host header, whatever is asked."""
    assert await knock(guard, ("host", host), path=path) == 403


@pytest.mark.parametrize(
    "hosts",
    [[], ["localhost", "localhost"], ["localhost", "evil.example"], [""], ["localhost:port"], ["localhost:"],
     ["a b"], ["localhost/x"], ["user@localhost"], ["[::1"], ["\xe9"]],
)  # fmt: skip
async def test_a_host_header_that_is_none(guard, hosts):
    """None, two, or what is no name of a host: refused as the standard has it."""
    assert await knock(guard, *(("host", host) for host in hosts)) == 400


@pytest.mark.parametrize(
    ("host", "origin"),
    [(OURS, "http://127.0.0.1:8000"), (OURS, "https://127.0.0.1:8000"), ("localhost", "http://localhost:80"),
     ("chat.example", "https://chat.example"), ("chat.example:443", "https://chat.example"), (OURS, "https://A.b")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_pages_of_this_server_may_ask(guard, host, origin, kind):
    """A page may ask the server it came from, and so may those that the settings name."""
    request = ("host", host), ("origin", origin), ("sec-fetch-site", "cross-site")
    assert await knock(guard, *request, kind=kind, method="POST") == "in"


FOREIGN = [
    "http://evil.example", "http://127.0.0.1:8001", "http://localhost:8000", "null", "", "127.0.0.1:8000",
    "http://127.0.0.1:8000.evil.example", "http://127.0.0.1:8000@evil.example", "ftp://127.0.0.1:8000", "http://a.b",
    "https://a.b:8443", "file://", "http://127.0.0.1:8000/",
]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/conversations", "/v1", "/api"])
async def test_pages_of_others_may_not(guard, origin, path):
    """A page from elsewhere is told by its Origin, and must not spend the keys of the person who looks at it."""
    assert await knock(guard, ("host", OURS), ("origin", origin), path=path, method="POST") == 403


@pytest.mark.parametrize("origin", FOREIGN)
async def test_pages_of_others_open_no_websocket(guard, origin):
    """A browser lets any page open a websocket to anywhere; only the server can refuse."""
    assert await knock(guard, ("host", OURS), ("origin", origin), path="/_stcore/stream", kind="websocket") == 1008


async def test_a_websocket_to_a_foreign_name_is_refused(guard):
    """Names are checked there too."""
    assert await knock(guard, ("host", "evil.example"), kind="websocket") == 1008


async def test_two_origins_are_refused(guard):
    """The second might be the one that counts."""
    origins = [("origin", f"http://{OURS}"), ("origin", "http://evil.example")]
    assert await knock(guard, ("host", OURS), *origins) == 400


@pytest.mark.parametrize(
    ("site", "method", "path", "answer"),
    [("cross-site", "POST", "/api/x", 403), ("cross-site", "DELETE", "/v1/x", 403), ("cross-site", "GET", "/v1", "in"),
     ("same-origin", "POST", "/api/x", "in"), ("none", "POST", "/api/x", "in"), ("cross-site", "POST", "/x", "in")],
)  # fmt: skip
async def test_a_request_without_an_origin(guard, site, method, path, answer):
    """Where the browser tells no origin, it may still tell that the page is from another site."""
    assert await knock(guard, ("host", OURS), ("sec-fetch-site", site), method=method, path=path) == answer


async def test_programs_send_no_origin(guard):
    """What is no browser is let in."""
    assert await knock(guard, ("host", OURS), method="POST") == "in"


async def test_what_is_remembered_has_a_limit():
    """A client that invents names does not fill the memory."""
    guard = Guard(inside)
    for port in range(2 * REMEMBERED):
        host = f"localhost:{port}"
        assert await knock(guard, ("host", host), ("origin", f"http://{host}")) == "in"
    assert len(guard._fine_hosts) == len(guard._fine_origins) == REMEMBERED


async def test_little_of_a_header_is_repeated(guard):
    """A long value is cut in the sentence."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"host", b"evil" * 10_000)]}
    await guard(scope, None, send)
    assert len(sent[1]["body"]) < 400


@pytest.mark.parametrize(
    ("read", "listed"),
    [(listed_hosts, "a b"), (listed_hosts, "https://a"), (listed_hosts, "*"), (listed_origins, "a.b"),
     (listed_origins, "*"), (listed_origins, "https://a.b/c")],
)  # fmt: skip
def test_settings_that_cannot_be_used(read, listed):
    """A name that would never fit is told at the start."""
    with pytest.raises(SettingsError, match="AI_CHAT_SERVER__"):
        read(listed)
