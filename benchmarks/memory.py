"""Memory of the two servers, at rest and with somebody on the page; the embedded model is not loaded.

    uv run python benchmarks/memory.py

Aims: `ai-chat serve` 90 MB, the app 160 MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from floors import table
from processes import free_port, memory_of, wait_for_port

COMMAND = str(Path(sys.executable).with_name("ai-chat"))
SETTLE_SECONDS = 3.0


def look_at_the_page(port: int) -> None:
    """Open the page as a browser does: its files, and a session whose script runs once."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from websockets.sync.client import connect

    urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
    ask = BackMsg()
    ask.rerun_script.query_string = ""
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream", origin=f"http://127.0.0.1:{port}") as session:  # type: ignore[arg-type]
        session.send(ask.SerializeToString())
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until:
            try:
                session.recv(timeout=0.5)
            except TimeoutError:
                continue


def measure(*arguments: str, page: bool) -> list[float]:
    """Give the MB at rest, and with the page open if there is one. The first start makes the database."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "AI_CHAT_DATA_DIR": folder, "AI_CHAT_CONFIG_DIR": folder}
        for number in range(2):
            port = free_port()
            child = subprocess.Popen([COMMAND, *arguments, "--port", str(port)], env=environment, cwd=folder)
            wait_for_port(port, "ai-chat")
            time.sleep(SETTLE_SECONDS)
            figures = [memory_of(child.pid)]
            if page and number:
                look_at_the_page(port)
                figures.append(memory_of(child.pid))
            child.terminate()
            child.wait()
    return figures


def main() -> None:
    """Measure and print."""
    serve = measure("serve", page=False)
    app = measure("--no-browser", page=True)
    rows = [
        ("ai-chat serve, at rest", f"{serve[0]:.0f}", "90"),
        ("ai-chat, at rest", f"{app[0]:.0f}", "160"),
        ("ai-chat, with the page open", f"{app[1]:.0f}", "160"),
    ]
    table("memory, MB", ("what", "ai-chat", "aim"), rows)


if __name__ == "__main__":
    main()
