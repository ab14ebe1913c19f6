"""Ctrl-C and other ends at every moment: no trace, nothing left, the right exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest
from tests.cli.child import Child, run
from tests.providers.file_server import Answer, serving
from tests.upstream import Reply, streamed

from ai_chat.assembly import Services

SSE = {"Content-Type": "text/event-stream"}


async def test_an_open_stdin_that_is_silent(env, upstream):
    """A question in the arguments does not wait for ever for a pipe that nobody uses or closes."""
    async with Child("ask", "hi", env=env, stdin=None) as child:
        ended = await child.ended()
    assert (ended.code, ended.out) == (0, "Hello\n")
    assert "so it is left out" in ended.sentence


async def test_while_it_waits_for_stdin(env):
    """Ctrl-C ends the wait for a pipe that nobody closes, which was told."""
    async with Child("ask", env=env, stdin=None) as child:
        await child.shows("Waiting for standard input to end", on="err")
        child.interrupt()
        ended = await child.ended()
    assert ended.code == 130
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("option", ["--json", "--no-stream", "-mopenai/m"])
async def test_while_it_waits_for_the_answer(env, upstream, option):
    """Ctrl-C before anything has come closes the call and says nothing."""
    upstream.replies = [Reply(headers=SSE, end="stall")]
    async with Child("ask", option, "hi", env=env) as child:
        await upstream.stalled.wait()
        child.interrupt()
        ended = await child.ended()
    await upstream.left.wait()
    assert (ended.code, ended.out, ended.err) == (130, "", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_in_the_middle_of_an_answer(env, upstream, number, code):
    """A signal closes the call at once; what was shown stands."""
    upstream.replies = [streamed("Hello").stalled_after(2)]
    async with Child("ask", "hi", env=env) as child:
        await child.shows("Hello")
        child.interrupt(number)
        ended = await child.ended()
    await upstream.left.wait()
    assert (ended.code, ended.out, ended.err) == (code, "Hello", "")


async def test_the_part_that_came_is_kept(settings, upstream):
    """In a conversation, Ctrl-C keeps question and part, marked as stopped."""
    upstream.replies = [streamed("Hel").stalled_after(2)]
    async with Child("ask", "-c", "a", "hi", env=settings) as child:
        await child.shows("Hel")
        child.interrupt()
        assert (await child.ended()).code == 130
    services = Services.open()
    try:
        turns = await (await services.conversations()).path("a")
    finally:
        await services.aclose()
    assert [(turn.message.text, turn.state) for turn in turns] == [("hi", "finished"), ("Hel", "stopped")]


async def test_while_nobody_reads_the_output(env, upstream):
    """Ctrl-C ends a command whose output is stuck in a pipe."""
    upstream.replies = [streamed(*["x" * 10_000] * 50).stalled_after(51)]
    reading, writing = os.pipe()
    try:
        async with Child("ask", "hi", env=env, stdout=writing) as child:
            await asyncio.to_thread(_fill, reading)
            child.interrupt()
            ended = await child.ended()
    finally:
        os.close(reading)
        os.close(writing)
    assert (ended.code, ended.err) == (130, "")


def _fill(pipe: int) -> None:
    """Wait until a pipe is as full as it gets: the answer is far longer."""
    import fcntl
    import struct
    import termios
    import time

    size = fcntl.fcntl(pipe, 1032)  # F_GETPIPE_SZ
    while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0] < size - 10_000:
        time.sleep(0.01)


async def test_a_reader_that_leaves(env, upstream):
    """When the reader of the output has gone, the command ends quietly and closes the call."""
    go_on = asyncio.Event()
    upstream.replies = [streamed("one", go_on, *["more"] * 9).stalled_after(12)]
    reading, writing = os.pipe()
    async with Child("ask", "hi", env=env, stdout=writing) as child:
        os.close(writing)
        await upstream.stalled.wait()
        os.close(reading)
        go_on.set()
        ended = await child.ended()
    await upstream.left.wait()
    assert (ended.code, ended.err) == (141, "")


async def test_during_a_download(env, clean_environment):
    """Ctrl-C in a download keeps what came, and the next one goes on from there."""
    data = b"GGUF" + bytes(2**20)
    async with serving() as files:
        url = files.serve("/toy.gguf", Answer(data=data, stall=2**19), Answer(data=data))
        async with Child("models", "pull", url, env=env) as child:
            await files.stalled.wait()
            await child.shows("Fetching toy", on="err")
            child.interrupt()
            ended = await child.ended()
        await files.left.wait()
        assert (ended.code, ended.out, "Traceback" in ended.err) == (130, "", False)
        again = await run("models", "pull", url, env=env)
        assert again.code == 0
        file = clean_environment / "data" / "models" / "toy.gguf"
        assert (again.out, file.read_bytes()) == (f"{file}\n", data)
        assert "range" in files.asked("/toy.gguf")[1]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("ask", "hi"), ("--help",), ("ask", "--help"), ("doctor",)])
async def test_a_full_disk_behind_the_output(env, arguments):
    """An output that cannot be written is told in a sentence."""
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230, PTH123 - a device
        async with Child(*arguments, env=env, stdout=full) as child:
            ended = await child.ended()
    assert ended.code == 1
    assert ended.sentence == "Standard output cannot be written (No space left on device)."


@pytest.mark.parametrize(("descriptor", "code"), [(0, 0), (1, 1), (2, 0)], ids=["stdin", "stdout", "stderr"])
async def test_a_closed_standard_stream(env, descriptor, code):
    """A command that was started with one of its streams closed does without it."""
    async with Child("ask", "hi", env=env, preexec_fn=lambda: os.close(descriptor)) as child:
        ended = await child.ended()
    assert (ended.code, ended.out) == (code, "" if descriptor == 1 else "Hello\n")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("module", ["ai_chat.cli.commands", "ai_chat.cli.ask", "aiohttp"])
async def test_during_imports(env, module):
    """Ctrl-C while modules are loaded ends at once and without a trace."""
    program = f"""
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from ai_chat.cli import main
sys.exit(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "ask", "hi",
        env={"PATH": os.environ["PATH"], **env},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
