"""The parts of the server put together."""

from __future__ import annotations

import asyncio
import io
import json

import pytest
from fastapi import Request
from pydantic import BaseModel, Field
from tests.server.conftest import QUESTION, serving

from ai_chat.server import app as server_app
from ai_chat.server.refusals import Fault

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/nothing", "/api", "/api/nothing", "/health", "/metrics", "/metrics/x", "/web/x", "/x"]
)
async def test_what_is_not_defined(server, path):
    """Whatever is not there is a 404 in JSON, also at the bare prefixes."""
    got = await server.get(path)
    assert (got.status, got.error["code"]) == (404, "not_found")


@pytest.mark.parametrize(("path", "method"), [("/v1/models", "DELETE"), ("/health/live", "POST")])
async def test_a_method_that_is_not_taken(server, path, method):
    """The answer names those that are."""
    got = await server.ask(method, path)
    assert (got.status, got.error["code"]) == (405, "method_not_allowed")
    assert "GET" in got.headers["allow"]


async def test_every_answer_below_v1_has_a_name(server):
    """The id of a request stands on answers and refusals alike."""
    requests = [("GET", "/v1/models"), ("GET", "/v1/nothing"), ("GET", "/v1/models/x"), ("POST", "/v1/models")]
    ids = {(await server.ask(*request)).headers["x-request-id"] for request in requests}
    assert len(ids) == len(requests)


async def test_without_a_page_the_root_leads_to_the_small_one(server):
    """`ai-chat serve` shows something to whoever opens it."""
    got = await server.get("/")
    assert (got.status, got.headers["location"]) == (307, "/web")


async def test_the_small_page(server):
    """It is one file that may load nothing from anywhere."""
    got = await server.get("/web")
    assert got.status == 200
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.headers["cache-control"] == "no-cache"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in got.headers["content-security-policy"]


async def test_everything_else_is_the_page(no_leaks):
    """With a page, all paths that are not the server's own are its."""
    asked = []

    async def page(scope, receive, send):
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    async with serving(ui=page) as server:
        assert (await server.get("/")).body == "page"
        assert (await server.get("/v1x")).body == "page"
        assert (await server.get("/v1/x")).status == 404
    assert asked == ["/", "/v1x"]


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                                  "application/jsonp", "text/plain; application/json"])  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/conversations"])
async def test_a_body_that_is_not_said_to_be_json(server, kind, path):
    """What a form could send is refused."""
    headers = {"content-type": kind} if kind else {}
    got = await server.ask("POST", path, data=b"{}", headers=headers, skip_auto_headers={"content-type"})
    assert (got.status, got.error["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"])
async def test_json_by_any_spelling(server, kind):
    """Parameters and case do not matter."""
    got = await server.ask("POST", "/v1/chat/completions", data=json.dumps(QUESTION), headers={"content-type": kind})
    assert got.status == 200


async def in_pieces(size):
    """A body whose length nobody tells."""
    for _ in range(size // 2**16):
        yield bytes(2**16)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/echo"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_a_body_that_is_too_long(no_leaks, monkeypatch, path, told):
    """It is refused before it is read, or, where its length is not told, as soon as it is too long."""
    monkeypatch.setattr(server_app, "_routes", with_echo(server_app._routes))
    size = 2 * 2**20
    async with serving(server={"max_body_mb": 1}) as server:
        got = await server.ask("POST", path, data=io.BytesIO(bytes(size)) if told else in_pieces(size), headers=JSON)
        assert (got.status, got.error["code"]) == (413, "request_too_large")
        assert "AI_CHAT_SERVER__MAX_BODY_MB" in got.error["message"]
        assert (await server.get("/health/live")).status == 200


# --- what routes may raise -------------------------------------------------------------------------------------------


class Wanted(BaseModel):
    """A body."""

    count: int = Field(ge=1)
    names: list[str] = []


def with_echo(make):
    """Add routes for what no route of ours does."""

    def routes(*arguments):
        made = make(*arguments)

        @made.post("/api/echo")
        async def echo(wanted: Wanted) -> Wanted:
            return wanted

        @made.get("/api/fault")
        async def fault(request: Request) -> None:
            raise ValueError("sk-secret")

        return made

    return routes


@pytest.fixture
async def echoing(no_leaks, monkeypatch):
    """A server with such routes."""
    monkeypatch.setattr(server_app, "_routes", with_echo(server_app._routes))
    async with serving() as server:
        yield server


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ('{"count": 0}', "count", "count is '0'"),
        ('{"names": []}', "count", "count is missing"),
        ('{"count": 1, "names": [1]}', "names[0]", "names[0] is '1'"),
        ('{"count": {}}', "count", "count cannot be used"),
        ("[]", None, "The body"),
        ("{", None, "not JSON"),
        ("", None, "The body is missing"),
    ],
)
async def test_fields_that_do_not_fit(echoing, body, param, said):
    """The error names the field, its value and the mend, in the same form as everywhere."""
    got = await echoing.ask("POST", "/api/echo", data=body, headers=JSON)
    assert (got.status, got.error["param"], got.error["type"]) == (400, param, "invalid_request_error")
    assert said in got.error["message"]


async def test_an_exception_that_nobody_expected(echoing, caplog):
    """A route's own fault is a 500 that says nothing of it, and stands in the log."""
    got = await echoing.get("/api/fault")
    assert (got.status, got.error) == (500, Fault().facts)
    assert "sk-secret" in caplog.text


async def test_the_description_of_the_api(server):
    """It is served here; the page that would show it comes from elsewhere and is not."""
    assert "/v1/models" in (await server.get("/api/openapi.json")).body["paths"]
    assert (await server.get("/docs")).status == 404


# --- pages of others -------------------------------------------------------------------------------------------------


async def test_a_page_that_the_settings_name(no_leaks, upstream):
    """It may ask first and read the answers, refusals included; others may not."""
    origin = {"origin": "https://chat.example"}
    async with serving(server={"origins": "https://chat.example"}) as server:
        first = await server.ask(
            "OPTIONS", "/v1/chat/completions",
            headers={**origin, "access-control-request-method": "POST", "access-control-request-headers": "x-a"},
        )  # fmt: skip
        got = await server.ask("POST", "/v1/chat/completions", json=QUESTION, headers=origin)
        refused = await server.ask("POST", "/v1/chat/completions", data="x", headers=origin)
        foreign = await server.ask(
            "POST", "/v1/chat/completions", json=QUESTION, headers={"origin": "https://evil.example"}
        )
    assert (first.status, got.status, refused.status, foreign.status) == (200, 200, 415, 403)
    allowed = [reply.headers.get("access-control-allow-origin") for reply in (first, got, refused, foreign)]
    assert allowed == ["https://chat.example"] * 3 + [None]


async def test_a_client_that_leaves_in_the_middle_of_its_request(server, caplog):
    """Half a request is no failure of ours."""
    host, port = server.url.removeprefix("http://").split(":")
    for path in ("/v1/chat/completions", "/api/echo"):
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
        writer.write(head.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await server.get("/health/live")).status == 200
    assert not caplog.records
