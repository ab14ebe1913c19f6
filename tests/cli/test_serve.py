"""`ai-chat serve` and `ai-chat` as processes: ports, signals, what they say."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys

import aiohttp
import pytest
from tests.cli.child import Child, run
from tests.upstream import streamed

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
URL = re.compile(rb"http://127\.0\.0\.1:\d+")


async def url_of(child):
    """Wait until it listens."""
    await child.shows("(Ctrl-C ends it)", on="err")
    return URL.search(child._read["err"])[0].decode()


async def test_it_serves_and_says_where(env, upstream):
    """One line tells the address once requests are answered."""
    async with Child("serve", "--port", "0", env=env) as child, aiohttp.ClientSession() as session:
        url = await url_of(child)
        async with session.get(f"{url}/health/ready") as reply:
            assert reply.status == 200
        async with session.post(f"{url}/v1/chat/completions", json=QUESTION) as reply:
            assert (await reply.json())["choices"][0]["message"]["content"] == "Hello"
        child.interrupt()
        ended = await child.ended()
    assert (ended.code, ended.out) == (130, "")
    assert ended.sentence == f"the API listens on {url} (Ctrl-C ends it)"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_in_the_middle_of_streams(env, upstream, number, code):
    """It ends at once however many streams are open, they end with an error, and no trace is shown."""
    upstream.replies = [streamed("Hello").stalled_after(2)]
    async with Child("serve", "--port", "0", env=env) as child, aiohttp.ClientSession() as session:
        url = await url_of(child)

        async def ask() -> bytes:
            async with session.post(f"{url}/v1/chat/completions", json=QUESTION | {"stream": True}) as reply:
                came = await reply.content.readany()
                begun.release()
                return came + await reply.content.read()

        begun = asyncio.Semaphore(0)
        asking = [asyncio.create_task(ask()) for _ in range(5)]
        for _ in asking:
            await begun.acquire()
        child.interrupt(number)
        ended = await asyncio.wait_for(child.ended(), 2)
        texts = await asyncio.gather(*asking)
    assert (ended.code, "Traceback" in ended.err, ended.err.count("\n")) == (code, False, 1)
    assert all(b"service_unavailable" in text and b"[DONE]" not in text for text in texts)


async def test_a_port_in_use(env):
    """It is one sentence that names the port and the way out, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = await run("serve", "--port", port, env=env)
    assert (ended.code, ended.out) == (2, "")
    assert f"The port {port} is in use" in ended.sentence
    assert "--port" in ended.sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("serve", "--port", "x"), "--port"), (("serve", "--port", "65536"), "--port"),
     (("--no-browser", "ask", "hi"), "--no-browser")],
)  # fmt: skip
async def test_bad_arguments(env, arguments, said):
    """They are one sentence and exit code 2."""
    ended = await run(*arguments, env=env)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.sentence


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AI_CHAT_SERVER__ORIGINS", "chat.example"), ("AI_CHAT_SERVER__HOSTS", "*"), ("AI_CHAT_SERVER__MAX_BODY_MB", "0")],
)
async def test_bad_settings(env, variable, value):
    """A setting of the server that cannot be used is named."""
    ended = await run("serve", "--port", "0", env={**env, variable: value})
    assert (ended.code, ended.out) == (2, "")
    assert variable in ended.sentence


async def test_a_database_that_cannot_be_opened(env, clean_environment):
    """It is told in a sentence, and nothing is served."""
    folder = clean_environment / "data"
    folder.mkdir()
    (folder / "ai-chat.db").write_bytes(b"no database at all, but long enough to be looked at" * 99)
    ended = await run("serve", "--port", "0", env=env)
    assert ended.code == 1
    assert ended.sentence


async def test_answers_that_were_cut_off(env, upstream):
    """What the program's last end interrupted is told when it starts again."""
    upstream.replies = [streamed("Hello").stalled_after(2)]
    async with Child("serve", "--port", "0", env=env) as child, aiohttp.ClientSession() as session:
        url = await url_of(child)
        async with session.post(f"{url}/api/chat/stream", json={"message": "Hi", "model": "m"}) as reply:
            while b"Hello" not in await reply.content.readline():
                pass
            child.interrupt(signal.SIGKILL)
            await child.ended()
    async with Child("serve", "--port", "0", env=env) as child:
        await child.shows("One answer was cut off", on="err")
        child.interrupt()
        assert (await child.ended()).code == 130


# --- the app ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def app_env(env, clean_environment):
    """The environment of a child that has a display, and a browser that writes down what it is to open."""
    browser = clean_environment / "browser"
    opened = clean_environment / "opened"
    browser.write_text(f"#!/bin/sh\necho $1 > {opened}.new && mv {opened}.new {opened}\n")
    browser.chmod(0o755)
    return {**env, "BROWSER": f"{browser} %s", "DISPLAY": ":0"}


async def test_the_app(app_env, clean_environment):
    """Alone, the command serves page and API, and opens the browser once they answer."""
    opened = clean_environment / "opened"
    async with Child("--port", "0", env=app_env) as child, aiohttp.ClientSession() as session:
        url = await url_of(child)
        while not opened.exists():
            await asyncio.sleep(0.01)
        assert opened.read_text() == f"{url}\n"
        async with session.get(url) as reply:
            assert (reply.status, reply.content_type) == (200, "text/html")
        async with session.post(f"{url}/v1/chat/completions", json=QUESTION) as reply:
            assert reply.status == 200
        async with session.get(f"{url}/v1/nothing") as reply:
            assert (reply.status, reply.content_type) == (404, "application/json")
        child.interrupt()
        ended = await asyncio.wait_for(child.ended(), 5)
    assert (ended.code, ended.out) == (130, "")
    assert ended.sentence == f"the app is at {url} (Ctrl-C ends it)"


@pytest.mark.parametrize("why", ["no display", "not wanted"])
async def test_no_browser(app_env, clean_environment, why):
    """Without a display, or where it is not wanted, nothing is opened."""
    if why == "no display":
        del app_env["DISPLAY"]
    async with Child("--port", "0", *(["--no-browser"] if why == "not wanted" else []), env=app_env) as child:
        await url_of(child)
        child.interrupt(signal.SIGTERM)
        assert (await asyncio.wait_for(child.ended(), 5)).code == 143
    assert not (clean_environment / "opened").exists()


async def test_the_pages_websocket(app_env):
    """The page's own websocket is let in, another site's is not, and an open one does not hold up the end."""
    async with Child("--port", "0", "--no-browser", env=app_env) as child, aiohttp.ClientSession() as session:
        url = await url_of(child)
        stream = f"{url}/_stcore/stream"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(stream, origin="http://evil.example")
        assert refused.value.status == 403
        async with session.ws_connect(stream, origin=url) as socket:
            child.interrupt()
            ended = await asyncio.wait_for(child.ended(), 5)
            await socket.close()
    assert (ended.code, "Traceback" in ended.err) == (130, False)


@pytest.mark.parametrize(("library", "arguments"), [("streamlit", ["--no-browser"]), ("fastapi", ["serve"])])
async def test_a_missing_library_is_named(env, library, arguments):
    """Without the libraries of a server, one sentence says how to get them."""
    program = (
        f"import sys; sys.modules[{library!r}] = None; from ai_chat.cli import main; sys.exit(main({arguments!r}))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env={"PATH": os.environ["PATH"], **env}, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode() == (
        f"ai-chat: The command needs {library}, which is not installed; "
        'install it with: pip install "ai-chat-app[app]"\n'
    )
