"""The page, in a real browser on the real command, beside an empty Streamlit page served the same way in the same run.

    uv run python benchmarks/ui.py [--only start page submit bytes clicks sessions] [--sessions 100 ...] [--seconds 20]

The model runs beside it, and writes into its tokens when it was asked and when it sent them: what an answer took beyond
the model's own first token is exact. Times of the browser are its own, from the key or the click to the change of the
page. Memory at rest is in `memory.py`.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from floors import table
from processes import free_port, wait_for_port
from ui_sessions import PER_SECOND, Load, measure, since, stamps_in

COMMAND = str(Path(sys.executable).with_name("ai-chat"))
SAMPLES = 10
STARTS = 5
PARTS = ("start", "page", "submit", "bytes", "clicks", "sessions")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
BOX = '[data-testid="stChatInputTextArea"]'
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
WATCH = """
const bench = window.bench = {};
addEventListener('keydown', (event) => { if (event.key === 'Enter') { bench.entered = Date.now(); } }, true);
addEventListener('click', () => { bench.clicked = Date.now(); bench.left = bench.idle = 0; }, true);
new MutationObserver(() => {
  const now = Date.now();
  const idle = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning';
  if (bench.clicked && !idle) { bench.left = now; }
  if (bench.left && idle && !bench.idle) { bench.idle = now; }
  if (bench.entered && !bench.shown) {
    const answer = [...document.querySelectorAll('[class*="st-key-answer-"]')].at(-1);
    const [, asked, sent] = answer?.textContent.match(/(\\d{6}) (\\d{6})/) ?? [];
    if (asked && (asked - bench.entered % 1e6 + 1e6) % 1e6 < 6e4) { Object.assign(bench, { asked, sent, shown: now }); }
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true,
                       attributeFilter: ['data-test-script-state'] });
"""
FLOOR = """
import streamlit as st
st.button("press", key="press")
st.chat_input("ask")
"""

# --- the app ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class App:
    """The app, running."""

    url: str
    pid: int
    seconds: float
    """From the command until it was ready."""

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Ask its API; a stream is given as it is, open."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - loopback
        reply = urllib.request.urlopen(request, timeout=60)  # noqa: S310
        return reply if path.endswith("stream") else json.load(reply)

    def chat(self, *, model: str, whole: bool = True, conversation: str | None = None, **more: str) -> dict[str, str]:
        """Put a question, or `regenerate` an answer; give what the run tells of itself when it has ended or begun."""
        body: dict[str, str | None] = {"model": f"openai/{model}", "conversation_id": conversation, **more}
        if "regenerate" not in more:
            body.setdefault("message", "How does a lighthouse work, and who was it that kept it?")
        with self.ask("/api/chat/stream", body) as reply:
            data = next(line for line in reply if line.startswith(b"data: "))
            if whole:
                reply.read()
        run: dict[str, str] = json.loads(data[6:])
        return run


@contextmanager
def upstream() -> Iterator[tuple[str, int]]:
    """Run the upstream; give its URL and process."""
    port = free_port()
    with _process([sys.executable, str(Path(__file__)), "upstream", str(port)], ".") as child:
        wait_for_port(port, "the upstream")
        yield f"http://127.0.0.1:{port}/v1", child.pid


@contextmanager
def running(url: str, command: Sequence[str] = (COMMAND, "--no-browser", "--port"), ready: str = "/health/ready") -> Any:
    """Run the app, with a data directory of its own, in front of that upstream."""
    with tempfile.TemporaryDirectory() as folder:
        port, began = free_port(), time.perf_counter()
        settings = {"AI_CHAT_DATA_DIR": folder, "AI_CHAT_CONFIG_DIR": folder, "OPENAI_BASE_URL": url}
        with _process([*command, str(port)], folder, **settings) as child:
            while not _answers(port, ready):
                if child.poll() is not None or time.perf_counter() > began + 60:
                    raise SystemExit(f"{command[0]} did not start")
                time.sleep(0.01)
            yield App(f"http://127.0.0.1:{port}", child.pid, time.perf_counter() - began)


@contextmanager
def _process(command: Sequence[str], folder: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AI_CHAT_", "OPENAI_"))}
    child = subprocess.Popen(command, cwd=folder, env={**inherited, **environment}, stdout=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def _answers(port: int, path: str) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


