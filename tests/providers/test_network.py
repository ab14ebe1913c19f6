"""The way out: proxies, and certificates of one's own."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import pytest

from ai_chat.core.errors import ConnectionFailed, SettingsError
from ai_chat.core.request import Timeouts
from ai_chat.providers.http import Http
from ai_chat.providers.network import Network

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.example.com/v1", "http://p:1"),
        ("http://api.example.com/v1", "http://q:2"),
        ("https://inside.corp/v1", None),
        ("https://a.inside.corp/v1", None),
        ("https://127.0.0.1:9/v1", None),
        ("http://localhost:9/v1", None),
    ],
    ids=["https", "http", "left out", "below what is left out", "this machine", "this machine by name"],
)
def test_each_address_has_its_proxy(url, proxy):
    """The scheme decides, `no` lists what is reached directly, and this machine always is."""
    network = Network(proxies=(("https", "http://p:1"), ("http", "http://q:2"), ("no", "inside.corp")))
    assert network.proxy_for(url) == proxy


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for `upstream.test` that nobody but this test trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed; install it with your system's package manager")
    folder = tmp_path_factory.mktemp("certificate")
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=upstream.test"),
        *("-addext", "subjectAltName=DNS:upstream.test", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
async def upstream(certificate):
    """A server behind TLS; gives its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(REPLY)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def proxy(upstream):
    """A proxy that leads every CONNECT to the upstream; gives its address and what it was asked."""
    asked = []

    async def pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
        there, back = await asyncio.open_connection("127.0.0.1", upstream)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def fetch(network):
    http = Http(network)
    try:
        reply = await http.get("https://upstream.test/v1/models", timeouts=Timeouts(connect=5, total=10))
        return await reply.read_all(100)
    finally:
        await http.aclose()


async def test_a_proxy_and_an_authority_of_ones_own_lead_to_the_upstream(proxy, certificate):
    """HTTPS_PROXY is asked to connect, and the certificate is checked against AI_CHAT_CA_FILE."""
    address, asked = proxy
    network = Network(proxies=(("https", address),), ca_file=str(certificate / "cert.pem"))
    assert await fetch(network) == b"hello"
    assert asked == ["CONNECT upstream.test:443 HTTP/1.1"]


async def test_a_certificate_that_nobody_signed_is_refused(proxy):
    """Without the authority the connection is refused, with the setting that mends it."""
    with pytest.raises(ConnectionFailed, match=r"certificate of upstream\.test is not trusted; set AI_CHAT_CA_FILE"):
        await fetch(Network(proxies=(("https", proxy[0]),)))


async def test_a_proxy_that_is_not_there_is_named():
    """A proxy nobody listens at is told from an upstream nobody listens at."""
    with pytest.raises(ConnectionFailed, match=r"proxy on the way to upstream\.test could not be reached"):
        await fetch(Network(proxies=(("https", "http://127.0.0.1:1"),)))


async def test_an_unreadable_authority_is_named(tmp_path):
    """A file that is no PEM is refused before anything is sent."""
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match=r"ca\.pem.* cannot be used"):
        await fetch(Network(ca_file=str(tmp_path / "ca.pem")))
