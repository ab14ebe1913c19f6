"""`ai-chat serve` and `ai-chat` as processes: ports, signals, what they say."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sqlite3

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


async def test_answers_that_were_cut_off(env, clean_environment):
    """What the program's last end interrupted is counted when it starts again."""
    async with Child("serve", "--port", "0", env=env) as child:
        await url_of(child)
        child.interrupt()
        await child.ended()
    with sqlite3.connect(clean_environment / "data" / "ai-chat.db") as database:
        columns = [row[1] for row in database.execute("pragma table_info(turns)")]
    assert "state" in columns
