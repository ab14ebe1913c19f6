"""CPU that a request costs on its way through `ai-chat serve`, beside two that only pass it on, in the same run.

    uv run python benchmarks/server.py [SECONDS]

nginx is the floor (`proxy_pass`, buffering off, connections kept); aiohttp on both sides, looking at nothing, is what
Python takes for it. Each is one process on core 0, its upstream and the load share the other core; what is compared is
the CPU time of its process tree, with 64 connections. Runs are taken in turns, so that noise meets all.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from floors import MOCK, mock_upstream, table
from processes import cpu_of, free_port, memory_of, wait_for_port

ROUNDS = 3
CONNECTIONS = 64
PATH = "/v1/chat/completions"
QUESTION = [{"role": "user", "content": "Say something of sixty-four words."}]
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream model {{ server {upstream}; keepalive 128; }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_requests 1000000;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    location / {{ proxy_pass http://model; }}
  }}
}}
"""


@dataclass(frozen=True)
class Case:
    """A kind of request."""

    title: str
    model: str
    stream: bool


CASES = (
    Case("request", "mock", stream=False),
    Case("stream of 67 events, in one read", "mock-n64", stream=True),
    Case("stream of 67 events, 1 ms apart", "mock-n64-d1", stream=True),
)


@dataclass(frozen=True)
class Contender:
    """Something that runs, and listens."""

    name: str
    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def running(name: str, port: int, command: list[str], **environment: str) -> Iterator[Contender]:
    """Run a contender on core 0, until it listens."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["taskset", "-c", "0", *command], env={**os.environ, **environment}, **quiet)  # type: ignore[call-overload]
    try:
        wait_for_port(port, name)
        yield Contender(name, port, process)
    finally:
        process.terminate()
        process.wait()


def proxy(port: int, upstream: str) -> None:
    """Pass requests on with aiohttp on both sides, and look at nothing."""
    from aiohttp import ClientSession, TCPConnector, web

    async def app() -> web.Application:
        session = ClientSession(connector=TCPConnector(limit=0))

        async def pass_on(request: web.Request) -> web.StreamResponse:
            headers = {"content-type": "application/json"}
            async with session.post(upstream + PATH, data=await request.read(), headers=headers) as reply:
                if reply.content_type != "text/event-stream":
                    return web.Response(body=await reply.read(), content_type=reply.content_type)
                answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
                await answer.prepare(request)
                async for data in reply.content.iter_any():
                    await answer.write(data)
                return answer

        made = web.Application()
        made.router.add_post(PATH, pass_on)
        return made

    import uvloop

    web.run_app(app(), host="127.0.0.1", port=port, access_log=None, print=None, loop=uvloop.new_event_loop())


class Load:
    """The load generator."""

    def __init__(self, folder: Path) -> None:
        """Compile it, and write down what it sends."""
        self._binary = folder / "load"
        compiler = shutil.which("gcc") or shutil.which("cc") or "gcc"
        subprocess.run([compiler, "-O2", "-o", self._binary, MOCK.with_name("load.c")], check=True)
        self._bodies = {}
        for case in CASES:
            file = self._bodies[case] = folder / f"{case.model}.json"
            model = f"openai/{case.model}"
            body = {"model": model, "messages": QUESTION, "stream": case.stream}
            file.write_text(json.dumps(body, separators=(",", ":")), "utf-8")  # as the official client writes it

    def run(self, contender: Contender, case: Case, seconds: float) -> float:
        """Give the µs of CPU that each request took."""
        before = cpu_of(contender.process.pid)
        command = ["taskset", "-c", "1", self._binary, str(contender.port), PATH, str(CONNECTIONS), str(seconds), "0"]
        out = subprocess.run([*command, self._bodies[case]], check=True, capture_output=True).stdout
        told = json.loads(out)
        if told["err"] or not told["ok"]:
            raise SystemExit(f"{contender.name} failed at a {case.title}: {told}")
        return (cpu_of(contender.process.pid) - before) * 1e6 / float(told["ok"])


def main(seconds: float) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(mock_upstream())
        address = url.removeprefix("http://").removesuffix("/v1")
        ports = [free_port() for _ in range(3)]
        conf = folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=folder, upstream=address, port=ports[0]), "utf-8")
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            raise SystemExit("this benchmark needs nginx; install it")
        command = str(Path(sys.executable).with_name("ai-chat"))
        ours = {"OPENAI_BASE_URL": url, "AI_CHAT_DATA_DIR": str(folder / "data"), "AI_CHAT_CONFIG_DIR": str(folder)}
        serve = [command, "serve", "--port", str(ports[2])]
        bare = [sys.executable, __file__, "proxy", str(ports[1]), f"http://{address}"]
        contenders = [
            stack.enter_context(running("nginx", ports[0], [nginx, "-c", str(conf), "-p", str(folder)])),
            stack.enter_context(running("aiohttp", ports[1], bare)),
            stack.enter_context(running("ai-chat serve", ports[2], serve, **ours)),
        ]
        time.sleep(1)
        load = Load(folder)
        rows = []
        for case in CASES:
            for contender in contenders:
                load.run(contender, case, 1)
            figures = [[load.run(each, case, seconds) for each in contenders] for _ in range(ROUNDS)]
            medians = [statistics.median(column) for column in zip(*figures, strict=True)]
            rows.append((case.title, *(f"{figure:.0f}" for figure in medians), f"{medians[2] / medians[0]:.1f}",
                         f"{medians[2] / medians[1]:.2f}"))  # fmt: skip
        head = ("CPU, µs each", *(each.name for each in contenders), "over nginx", "over aiohttp")
        table(f"{CONNECTIONS} connections, one process on one core", head, rows)
        print(f"\nmemory of ai-chat serve after this: {memory_of(contenders[-1].process.pid):.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["proxy"]:
        proxy(int(sys.argv[2]), sys.argv[3])
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
