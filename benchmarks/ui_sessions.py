"""For `ui.py`: the model behind the page, and many people at once, sessions of the page that each follow a run.

The model writes the time into each token, so whoever sees one knows how old it is. The sessions are websocket clients
of Streamlit's in a process of their own, with compression as browsers have it; how long the server's loop keeps
somebody waiting is asked of it every 50 ms from a third. Floors: the same runs with nobody looking on, and as many
sessions of an empty page that is sent as often.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from processes import TICKS, cpu_of, free_port, memory_of, wait_for_port

TURN = 1_000_000
"""Milliseconds after which stamps begin again: they have six digits."""
PER_SECOND = 20
OPENED_PER_SECOND = 8
SETTLE_SECONDS = 3.0
PROBE_SECONDS = 0.05
MARKDOWN = """## What a lighthouse is for

A **lighthouse** tells a ship where it is, and where it must not go. Its light is seen for `20` miles or so, and each
has a rhythm of its own, so that nobody takes one for another on a dark night, with the coast far away and wind rising.

- the lamp, which once burned oil and is a small bulb today
- the clockwork that turned it, wound up every two hours

```python
def seen_from(height: float, eye: float) -> float:
    return 2.08 * (height**0.5 + eye**0.5)
```

"""

BARE = ((sys.executable, __file__, "page"), "/_stcore/health")
"""The command of the empty page, its port goes behind, and the path that tells whether it is there."""
EMPTY_PAGE = """
import time
import streamlit as st

if pause := st.query_params.get("c"):
    slot = st.empty()
    while True:
        slot.markdown("lighthouse " * 20 + f"{round(time.time() * 1000) % 1_000_000:06}")
        time.sleep(float(pause))
st.button("press", key="press")
st.chat_input("ask")
"""


def stamp() -> int:
    """Give the time as the browser has it too, in milliseconds."""
    return round(time.time() * 1000) % TURN


def since(earlier: int, later: int) -> int:
    """Give the milliseconds between two stamps."""
    return (later - earlier) % TURN


def pieces(kind: str, count: int) -> Iterator[str]:
    """Give the tokens that do not tell the time: Markdown, or one long block of code."""
    if kind == "code":
        yield "```python\n"
        yield from (f"value_{number} = {number}\n" if number % 4 == 3 else "# so " for number in range(count - 1))
    else:
        yield from islice(cycle(re.findall(r"\S+\s*", MARKDOWN)), count)


class Upstream(asyncio.Protocol):
    """One connection to a model whose name says what it answers: `stamps-n40-d20-t300`, `markdown-n100`, `code-n1000`.

    n: tokens; d: milliseconds between two; t: milliseconds before the first.
    """

    def __init__(self) -> None:
        """Wait for a request."""
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        self._transport: Any = transport

    def connection_lost(self, _: Exception | None) -> None:
        """What is still to be written falls away by itself."""

    def data_received(self, data: bytes) -> None:
        """Answer a request when it is whole."""
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if found and len(body) >= (int(length[1]) if length else 0):
            self._got = b""
            if head.startswith(b"GET"):
                models = b'{"object":"list","data":[{"id":"stamps","object":"model"}]}'
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(models), models))
            else:
                asyncio.get_running_loop().create_task(self._answer(json.loads(body)["model"], stamp()))

    async def _answer(self, model: str, asked: int) -> None:
        loop, options = asyncio.get_running_loop(), dict(re.findall(r"-([a-z])(\d+)", model))
        count, pause = int(options.get("n", 100)), int(options.get("d", 0)) / 1000
        kind = model.partition("-")[0]
        due = loop.time() + int(options.get("t", 0)) / 1000
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        self._transport.write(head)
        for number, piece in enumerate(pieces(kind, count)):
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if self._transport.is_closing():
                return
            due += pause
            if kind == "stamps":
                first = f"{asked:06} " if number == 0 else ""
                piece = f"{first}{stamp():06} " + ("\n\n" if number % 60 == 59 else "")  # noqa: PLW2901
            self._event(model, {"content": piece})
        self._event(model, {}, "stop")
        self._event(model, None, usage={"prompt_tokens": 9, "completion_tokens": count, "total_tokens": count + 9})
        self._transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    def _event(self, model: str, delta: dict[str, str] | None, finish: str | None = None, **more: Any) -> None:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices, **more}
        data = b"data: %b\n\n" % json.dumps(body).encode()
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))


async def serve_upstream(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


def serve_page(port: int) -> None:
    """Serve an empty page, with the settings of ours, until killed."""
    import uvicorn
    from streamlit.starlette import App

    ours = Path(__file__).parents[1] / "src" / "ai_chat" / "ui" / ".streamlit"
    shutil.copytree(ours, ours.name)
    Path("app.py").write_text(EMPTY_PAGE, "utf-8")
    uvicorn.run(App("app.py"), host="127.0.0.1", port=port, log_config=None, access_log=False)


@contextmanager
def upstream() -> Iterator[tuple[str, int]]:
    """Run the model; give its URL and process."""
    port = free_port()
    with process([sys.executable, __file__, "upstream", str(port)]) as child:
        wait_for_port(port, "the model")
        yield f"http://127.0.0.1:{port}/v1", child.pid


@contextmanager
def process(command: Sequence[str], folder: str = ".", **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command there, with nothing of our own settings and with these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AI_CHAT_", "OPENAI_"))}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, cwd=folder, env={**inherited, **environment}, **quiet)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@dataclass
class Watched:
    """What the sessions have seen."""

    measuring: bool = False
    lags: list[int] = field(default_factory=list)
    """Milliseconds, of each token."""
    messages: int = 0
    bytes: int = 0
    begun: int = 0
    """Sessions that have seen something of their answer."""

    async def watch(self, url: str, conversation: str) -> None:
        """Follow an answer as a tab does."""
        import aiohttp
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        ask, last, told = BackMsg(), None, ForwardMsg()
        ask.rerun_script.query_string = f"c={conversation}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{url}/_stcore/stream", origin=url, compress=15, max_msg_size=0) as socket,
        ):
            await socket.send_bytes(ask.SerializeToString())
            async for message in socket:
                now = stamp()
                told.ParseFromString(message.data)
                self.messages += self.measuring
                self.bytes += len(message.data) * self.measuring
                for token in map(int, re.findall(r"\b\d{6}\b", told.delta.new_element.markdown.body)):
                    if last is None or 0 < since(last, token) < TURN // 2:
                        if last is not None and self.measuring:
                            self.lags.append(since(token, now))
                        self.begun += last is None
                        last = token


async def watch_all(url: str, seconds: float, conversations: Sequence[str]) -> None:
    """Open a session for each, a few a second; say when all are open; print what they saw in the seconds after that."""
    seen, tasks = Watched(), []
    for conversation in conversations:
        tasks.append(asyncio.create_task(seen.watch(url, conversation)))
        await asyncio.sleep(1 / OPENED_PER_SECOND)
    await asyncio.sleep(SETTLE_SECONDS)
    print("open", flush=True)
    seen.measuring = True
    await asyncio.sleep(seconds)
    seen.measuring = False
    broken = sum(task.done() for task in tasks)
    print(json.dumps([sorted(seen.lags), seen.messages, seen.bytes, seen.begun - broken]), flush=True)


def probe(url: str, path: str, seconds: float) -> list[float]:
    """Give the milliseconds, sorted, that the server took to say that it lives; a late answer delays no question."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    took: list[float] = []
    due, until = time.perf_counter(), time.perf_counter() + seconds
    while due < until:
        if (left := due - time.perf_counter()) > 0:
            time.sleep(left)
            due = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        took.append((time.perf_counter() - due) * 1000)
        due += PROBE_SECONDS
    return sorted(took)


def measured(
    title: str, sessions: Sequence[str], *, url: str, alive: str, server: int, model: int, seconds: float
) -> tuple[Sequence[str], float]:
    """Have sessions follow these conversations, none of them the runs alone; give a row, and the messages a second."""
    before = memory_of(server)
    command = [sys.executable, __file__, "watch", url, str(seconds), *sessions]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    pids = (server, model, child.pid)
    began, used, busy = time.perf_counter(), [cpu_of(pid) for pid in pids], _busy()
    loop = probe(url, alive, seconds)
    passed = time.perf_counter() - began
    mine = [cpu_of(pid) - earlier for pid, earlier in zip(pids, used, strict=True)]
    others = max(_busy() - busy - sum(mine), 0.0)
    after = memory_of(server)
    lags, messages, size, alive_still = json.loads(child.stdout.readline())
    child.wait()
    name = f"{alive_still} of {len(sessions)} {title}" if sessions else title
    sent = f"{messages / seconds:.0f} ({size / seconds / 1e6:.2f} MB)"
    cpu = (f"{mine[0] / passed:.2f}", f"{others / passed:.2f}")
    return (name, spread(loop), spread(lags), sent, *cpu, f"{before:.0f} → {after:.0f}"), messages / seconds


def _busy() -> float:
    """Give the seconds of CPU that all processes have used."""
    with Path("/proc/stat").open() as stat:
        user, nice, system, _, _, interrupts, *_ = map(int, stat.readline().split()[1:])
    return (user + nice + system + interrupts) / TICKS


def spread(figures: Sequence[float]) -> str:
    """Give the median, the 99th percentile and the greatest of sorted figures."""
    if not figures:
        return "-"
    return " / ".join(f"{figures[min(int(len(figures) * part), len(figures) - 1)]:.0f}" for part in (0.5, 0.99, 1))


if __name__ == "__main__":
    import uvloop

    if sys.argv[1] == "page":
        serve_page(int(sys.argv[2]))
    elif sys.argv[1] == "upstream":
        uvloop.run(serve_upstream(int(sys.argv[2])))
    else:
        uvloop.run(watch_all(sys.argv[2], float(sys.argv[3]), sys.argv[4:]))
