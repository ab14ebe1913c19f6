"""`ai-chat chat`: over the lines of a pipe, and at a terminal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.cli.child import COMMAND, Child, Ended, run
from tests.upstream import failing, streamed

from ai_chat.assembly import Services


async def talk(env, *lines: str, options: tuple[str, ...] = ()) -> Ended:
    """Say these lines to a chat."""
    return await run("chat", *options, env=env, stdin="".join(f"{line}\n" for line in lines).encode())


def identity(ended: Ended) -> str:
    """Give the id of the conversation that was held."""
    return re.findall(r"conversation ([0-9a-f]+)", ended.err)[-1]


# --- lines of a pipe ----------------------------------------------------------------------------------------------


async def test_answers_stand_on_stdout(env, upstream):
    """Each line gets an answer; figures and hints go to stderr."""
    upstream.replies = [streamed("Hi Ann"), streamed("Ann")]
    ended = await talk(env, "I am Ann", "Who am I?")
    assert (ended.code, ended.out) == (0, "Hi Ann\nAnn\n")
    assert [message["content"] for message in upstream.chats[1]["messages"]] == ["I am Ann", "Hi Ann", "Who am I?"]
    assert "5 tokens in, 7 out" in ended.err


async def test_a_chat_is_kept_and_gone_on_with(env, upstream):
    """The id that is told goes on with the conversation."""
    first = await talk(env, "I am Ann")
    assert f"ai-chat chat -c {identity(first)}" in first.err
    await talk(env, "Who am I?", options=("-c", identity(first)))
    assert len(upstream.chats[1]["messages"]) == 3


async def test_a_message_of_several_lines(env, upstream):
    """A backslash at the end of a line goes on with the next one."""
    await talk(env, "one\\", "two")
    assert upstream.chats[0]["messages"][0]["content"] == "one\ntwo"


async def test_commands(env, upstream, clean_environment):
    """Slash commands change what is asked, show it, and write it down."""
    target = clean_environment / "talk.md"
    save = f"/save {target}"
    lines = ("/system be kind", "/model openai/m", "hi", "/usage", save, save, "/nonsense", "/exit", "never read")
    ended = await talk(env, *lines)
    sent = upstream.chats[0]
    assert (sent["model"], [message["role"] for message in sent["messages"]]) == ("m", ["system", "user"])
    assert "Answers: 1, 5 tokens in and 7 out, cost unknown." in ended.err
    assert "There is no command /nonsense" in ended.err
    assert f"{target} is there already" in ended.err
    assert (ended.code, len(upstream.chats)) == (2, 1)
    saved = target.read_text("utf-8")
    assert saved.startswith("# hi\n\n## Instructions\n\nbe kind\n\n## You (")
    assert "## openai/m (" in saved
    assert saved.endswith("\n\nHello\n")


async def test_retry_asks_the_same_again(settings, upstream):
    """A retried answer becomes a second answer to the same question; the model does not see the first."""
    upstream.replies = [streamed("one"), streamed("two"), streamed("three")]
    ended = await talk(settings, "hi", "/retry", "next", options=("-c", "a"))
    assert ended.out == "one\ntwo\nthree\n"
    assert [len(chat["messages"]) for chat in upstream.chats] == [1, 1, 3]
    services = Services.open()
    try:
        store = await services.conversations()
        path = await store.path("a")
        assert [turn.message.text for turn in path] == ["hi", "two", "next", "three"]
        assert [turn.message.text for turn in await store.siblings(path[1].id)] == ["one", "two"]
    finally:
        await services.aclose()


async def test_clear_begins_anew(env, upstream):
    """After /clear nothing of what was said is sent, and another conversation is kept."""
    ended = await talk(env, "one", "/clear", "two", options=("-c", "a"))
    assert len(upstream.chats[1]["messages"]) == 1
    assert "A new conversation" in ended.err


async def test_a_failure_does_not_end_the_conversation(env, upstream):
    """After an answer that failed the next line is answered; the exit code tells."""
    upstream.replies = [failing(500), streamed("yes")]
    ended = await talk(env, "one", "two")
    assert (ended.code, ended.out) == (1, "yes\n")


async def test_ctrl_c_ends_a_pipe(env, upstream):
    """Without a terminal, Ctrl-C ends everything, not just one answer."""
    upstream.replies = [streamed("Hel").stalled_after(2)]
    async with Child("chat", env=env, stdin=b"one\ntwo\n") as child:
        await child.shows("Hel")
        child.interrupt()
        ended = await child.ended()
    assert (ended.code, len(upstream.chats)) == (130, 1)


async def test_ctrl_c_while_it_waits_for_a_line(env):
    """Ctrl-C ends the wait for the next line."""
    async with Child("chat", env=env, stdin=None) as child:
        await child.shows("conversation", on="err")
        child.interrupt()
        assert (await child.ended()).code == 130


# --- a terminal ---------------------------------------------------------------------------------------------------


READY = "\x1b[?2004h"
"""What a terminal is sent when the prompt begins to read: bracketed paste is switched on."""


class Screen:
    """A command at a terminal of its own."""

    def __init__(self, terminal: int, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._terminal = terminal
        self._shown = b""
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(terminal, self._read)

    def _read(self) -> None:
        try:
            self._shown += os.read(self._terminal, 2**16)
        except OSError:  # the other end is closed
            asyncio.get_running_loop().remove_reader(self._terminal)
        self._news.set()

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    async def shows(self, text: str) -> None:
        """Wait until the text is shown; what was shown before it is forgotten."""
        while text.encode() not in self._shown:
            assert self.process.returncode is None, self._shown
            self._news.clear()
            await self._news.wait()
        self._shown = self._shown.partition(text.encode())[2]


@asynccontextmanager
async def screen(env, *arguments: str) -> AsyncIterator[Screen]:
    """Run a chat at a terminal."""
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "chat", *arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **env},
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Screen(ours, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)


needs_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


@needs_a_terminal
async def test_ctrl_c_stops_an_answer(env, upstream):
    """At a terminal Ctrl-C stops the answer, keeps the part that came, and the conversation goes on."""
    upstream.replies = [streamed("Hel").stalled_after(2), streamed("Bye")]
    async with screen(env) as terminal:
        await terminal.shows(READY)
        terminal.type("one\r")
        await terminal.shows("Hel")
        terminal.process.send_signal(signal.SIGINT)  # what a terminal makes of Ctrl-C while nobody reads its keys
        await terminal.shows("Stopped; what came is kept.")
        await upstream.left.wait()
        await terminal.shows(READY)
        terminal.type("two\r")
        await terminal.shows("Bye")
        await terminal.shows(READY)
        terminal.type("\x04")
        await terminal.shows("Go on with: ai-chat chat -c ")
        assert await terminal.process.wait() == 0
    assert [message["content"] for message in upstream.chats[1]["messages"]] == ["one", "Hel", "two"]


@needs_a_terminal
async def test_ctrl_c_twice_leaves(env):
    """At the prompt the first Ctrl-C takes back what was typed, or says how to leave; the next one leaves."""
    async with screen(env) as terminal:
        await terminal.shows(READY)
        terminal.type("half a quest")
        await terminal.shows("half a quest")
        terminal.type("\x03")
        await terminal.shows(READY)
        terminal.type("\x03")
        await terminal.shows("Ctrl-C once more or Ctrl-D leaves.")
        await terminal.shows(READY)
        terminal.type("\x03")
        assert await terminal.process.wait() == 130


@needs_a_terminal
async def test_lines_are_joined_and_remembered(env, upstream, clean_environment):
    """Alt+Enter and a backslash begin another line; what was typed is there next time, for its owner alone."""
    async with screen(env) as terminal:
        await terminal.shows(READY)
        terminal.type("one\x1b\rtwo\\\rthree\r")
        await terminal.shows("Hello")
        terminal.type("/exit\r")
        assert await terminal.process.wait() == 0
    assert upstream.chats[0]["messages"][0]["content"] == "one\ntwo\nthree"
    history = clean_environment / "data" / "chat-history"
    assert "+three" in history.read_text("utf-8")
    assert history.stat().st_mode & 0o777 == 0o600


@needs_a_terminal
async def test_sigterm_at_the_prompt(env):
    """SIGTERM ends a conversation that waits for a person, and gives the terminal back."""
    async with screen(env) as terminal:
        await terminal.shows(READY)
        terminal.process.terminate()
        assert await terminal.process.wait() == 143
