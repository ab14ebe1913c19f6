"""The page, in a real browser on the real command, beside an empty Streamlit page served the same way in the same run.

    uv run python benchmarks/ui.py [--only start page submit bytes clicks sessions] [--sessions 100 ...] [--seconds 20]

The model runs beside it, and writes into its tokens when it was asked and when it sent them: what an answer took beyond
the model's own first token is exact. Times of the browser are its own, from the key or the click to the change of the
page. Memory at rest is in `memory.py`.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from floors import table
from processes import free_port
from ui_sessions import BARE, OPENED_PER_SECOND, PER_SECOND, TURN, measured, pieces, process, since, upstream

COMMAND = str(Path(sys.executable).with_name("ai-chat"))
CHROMIUM = "/usr/bin/chromium"
Row = tuple[str, str, str, str]
"""What is measured, the floor, ours, the aim."""
SAMPLES = 10
STARTS = 5
LOOK = 1_000
"""Milliseconds after a click, from which on it is the page itself that begins to look around, every 2 s."""
PARTS = ("start", "page", "submit", "bytes", "clicks", "sessions")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
QUESTION = "And who kept it, in the end?"
BOX = '[data-testid="stChatInputTextArea"]'
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
WATCH = """
const bench = window.bench = {};
addEventListener('keydown', (event) => { if (event.key === 'Enter') { bench.entered = Date.now(); } }, true);
addEventListener('click', () => { Object.assign(bench, { clicked: Date.now(), left: 0, idle: 0 }); }, true);
new MutationObserver(() => {
  const now = Date.now();
  const idle = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning';
  if (bench.clicked && !idle && !bench.left) { bench.left = now; }
  if (bench.left && idle && !bench.idle) { bench.idle = now; }
  if (bench.entered && !bench.shown) {
    const answer = [...document.querySelectorAll('[class*="st-key-answer-"]')].at(-1);
    const [, asked, sent] = answer?.textContent.match(/(\\d{6}) (\\d{6})/) ?? [];
    if (asked && (asked - bench.entered % 1e6 + 1e6) % 1e6 < 6e4) { Object.assign(bench, { asked, sent, shown: now }); }
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true,
                       attributeFilter: ['data-test-script-state'] });
"""


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
def running(
    url: str, command: Sequence[str] = (COMMAND, "--no-browser", "--port"), ready: str = "/health/ready"
) -> Iterator[App]:
    """Run the app, with a data directory of its own, in front of that upstream."""
    with tempfile.TemporaryDirectory() as folder:
        port, began = free_port(), time.perf_counter()
        settings = {"AI_CHAT_DATA_DIR": folder, "AI_CHAT_CONFIG_DIR": folder, "OPENAI_BASE_URL": url}
        with process([*command, str(port)], folder, **settings) as child:
            while child.poll() is None and time.perf_counter() < began + 60:
                with suppress(OSError):  # also what answers, but is not ready
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5).close()
                    break
                time.sleep(0.01)
            else:
                raise SystemExit(f"{command[-2]} did not start")
            yield App(f"http://127.0.0.1:{port}", child.pid, time.perf_counter() - began)


@dataclass(frozen=True)
class Scene:
    """What the page is looked at with."""

    chromium: Any
    app: App
    bare: App
    """The empty page."""
    many: str
    """A conversation of 500 messages."""

    @contextmanager
    def opened(self, of: App, path: str = "/") -> Iterator[Any]:
        """Open a page in a fresh profile; give it with the seconds until one could write, when it is idle."""
        context = self.chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.add_init_script(WATCH)
        began = time.perf_counter()
        page.goto(of.url + path, wait_until="commit")
        page.wait_for_selector(BOX)
        took = time.perf_counter() - began
        page.wait_for_selector(IDLE)
        page.wait_for_timeout(500)
        yield page, took
        context.close()


def ask(page: Any, url: str, conversation: str) -> tuple[int, int]:
    """Ask something; give the milliseconds from the key to the model, and from its first token to the page."""
    page.goto(f"{url}/?c={conversation}")
    page.wait_for_selector(f".st-key-active-{conversation}")
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(500)
    page.fill(BOX, QUESTION)
    page.press(BOX, "Enter")
    page.wait_for_function("bench.shown", timeout=30_000)
    seen = page.evaluate("bench")
    page.wait_for_timeout(1500)
    return since(seen["entered"] % TURN, int(seen["asked"])), since(int(seen["sent"]), seen["shown"] % TURN)


def click_times(page: Any, *selectors: str) -> list[int]:
    """Click these in turns; give the milliseconds until the script had ended."""
    from playwright.sync_api import TimeoutError as NotSeen

    took: list[int] = []
    for number in range(SAMPLES * 2):
        page.click(selectors[number % len(selectors)])
        with suppress(NotSeen):  # it was over before the page had said that it runs
            page.wait_for_function("bench.idle", timeout=3_000)
            if page.evaluate("bench.left - bench.clicked") < LOOK:
                took.append(page.evaluate("bench.idle - bench.clicked"))
        page.wait_for_timeout(400)
        if len(took) == SAMPLES:
            break
    return took


def filled(app: App, messages: int, model: str) -> str:
    """Make a conversation of so many messages, which goes on with that model; give its id."""
    conversation = None
    for _ in range(messages // 2):
        conversation = app.chat(model="markdown-n120", conversation=conversation)["conversation_id"]
    assert conversation is not None
    app.ask(f"/api/conversations/{conversation}", {"model": f"openai/{model}"}, "PATCH")
    return conversation


def start_rows(url: str) -> Iterator[Row]:
    """From the command to being ready."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(STARTS):
        for column, options in enumerate((BARE, ())):
            with running(url, *options) as app:
                times[column].append(app.seconds)
    yield "command → ready, s", told(times[0], 2), told(times[1], 2), "4"


def page_rows(scene: Scene) -> Iterator[Row]:
    """First load of the page."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(STARTS):
        for column, each in zip(times, (scene.bare, scene.app), strict=True):
            with scene.opened(each) as (_, took):
                column.append(took)
    yield "first page load, s", told(times[0], 2), told(times[1], 2), "3"


def submit_rows(scene: Scene) -> Iterator[Row]:
    """From the key to the first text on the page, less what the model itself took."""
    for wait in (0, 300):
        model = f"stamps-n30-d20-t{wait}"
        few = [filled(scene.app, 10, model) for _ in range(SAMPLES)]
        scene.app.ask(f"/api/conversations/{scene.many}", {"model": f"openai/{model}"}, "PATCH")
        for stored, aim, conversations in ((10, 200, few), (500, 300, [scene.many] * SAMPLES)):
            with scene.opened(scene.app) as (page, _):
                seen = [ask(page, scene.app.url, conversation) for conversation in conversations]
            there, back = zip(*seen, strict=True)
            both = told([sum(each) for each in seen])
            title = f"key → first text, less the model's {wait} ms, {stored} messages, ms"
            yield title, "", f"{both}: {median(there):.0f} to the model, {median(back):.0f} back", str(aim)


def byte_rows(scene: Scene) -> Iterator[Row]:
    """What an answer of 1,000 tokens sends over the websocket."""
    for kind, text in (("markdown", "prose"), ("code", "one block of code")):
        model = f"{kind}-n1000-d20"
        conversation, answer = filled(scene.app, 10, model), sum(len(piece.encode()) for piece in pieces(kind, 1000))
        with scene.opened(scene.app, f"/?c={conversation}") as (page, _):
            sizes: list[int] = []
            devtools = page.context.new_cdp_session(page)
            devtools.on("Network.webSocketFrameReceived", lambda event: sizes.append(_size(event)))  # noqa: B023
            devtools.send("Network.enable")
            page.fill(BOX, QUESTION)
            page.press(BOX, "Enter")
            page.wait_for_timeout(3000)
            page.wait_for_selector(IDLE, timeout=60_000)
            page.wait_for_timeout(500)
        yield f"websocket, 1,000 tokens of {text}, MB", f"{answer / 1e6:.3f}", f"{sum(sizes) / 1e6:.3f}", "0.3"


def _size(event: dict[str, Any]) -> int:
    data: str = event["response"]["payloadData"]
    return len(base64.b64decode(data)) if event["response"]["opcode"] == 2 else len(data)


def click_rows(scene: Scene) -> Iterator[Row]:
    """From a click to idle."""
    with scene.opened(scene.bare) as (page, _):
        floor = told(click_times(page, ".st-key-press button"))
    one, other = (filled(scene.app, 10, "markdown-n100") for _ in range(2))
    newest = scene.app.ask(f"/api/conversations/{one}/messages")["data"][-1]["id"]
    scene.app.chat(model="markdown-n100", regenerate=newest)
    for title, selectors in (
        ("the other language", ('.st-key-languages button[aria-checked="false"]',)),
        ("another version of an answer", ('[class*="st-key-previous-"] button', '[class*="st-key-next-"] button')),
        ("a conversation of 10", (f".st-key-open-{other} button", f".st-key-open-{one} button")),
        ("a conversation of 500, and back", (f".st-key-open-{scene.many} button", f".st-key-open-{one} button")),
    ):
        with scene.opened(scene.app, f"/?c={one}") as (page, _):
            yield f"click → idle: {title}, ms", floor, told(click_times(page, *selectors)), "300"


def session_rows(url: str, model: int, runs: int, seconds: float) -> Iterator[Sequence[str]]:
    """Many people at once: runs alone, runs that are followed, and a page without runs that is sent as often."""
    name = f"stamps-n{PER_SECOND * round(seconds + runs / OPENED_PER_SECOND + 30)}-d{1000 // PER_SECOND}"
    rate = 1.0
    for title in (f"{runs} runs, nobody looking", "sessions, each follows a run"):
        with running(url) as app:
            asked = [app.chat(model=name, whole=False)["conversation_id"] for _ in range(runs)]
            row, rate = measured(
                title, asked if title.startswith("sessions") else (), url=app.url, alive="/health/live",
                server=app.pid, model=model, seconds=seconds,
            )  # fmt: skip
            yield row
    with running(url, *BARE) as bare:
        title, pauses = "of an empty page, sent as often", [str(runs / max(rate, 1.0))] * runs
        yield measured(
            title, pauses, url=bare.url, alive=BARE[1], server=bare.pid, model=model, seconds=seconds
        )[0]  # fmt: skip


def told(figures: Sequence[float], digits: int = 0) -> str:
    """Give the median, and the greatest in brackets."""
    return f"{median(figures):.{digits}f} ({max(figures):.{digits}f})"


def page_part(url: str, parts: Sequence[str]) -> Iterator[Row]:
    """What is measured in the browser."""
    from playwright.sync_api import sync_playwright

    with running(url) as app, running(url, *BARE) as bare, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        scene = Scene(chromium, app, bare, many=filled(app, 500, "markdown-n100"))
        with scene.opened(bare):  # the browser's own first time
            pass
        for name, rows in {"page": page_rows, "submit": submit_rows, "bytes": byte_rows, "clicks": click_rows}.items():
            if name in parts:
                yield from rows(scene)
        chromium.close()


def main(parts: Sequence[str], sessions: Sequence[int], seconds: float) -> None:
    """Measure and print."""
    with upstream() as (url, model):
        rows: list[Row] = list(start_rows(url)) if "start" in parts else []
        rows += page_part(url, parts) if set(parts) - {"start", "sessions"} else ()
        if rows:
            table("the page: median (greatest)", ("what", "floor", "ai-chat", "aim"), rows)
        for count in sessions if "sessions" in parts else ():
            head = ("load", "loop waits", "delivery", "messages/s", "CPU, cores", "others' CPU", "MB")
            title = f"{count} × {PER_SECOND} tokens/s: median / 99 % / greatest, ms (aim with 100: greatest 150)"
            table(title, head, list(session_rows(url, model, count, seconds)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sessions", nargs="+", type=int, default=[100])
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    main(given.only, given.sessions, given.seconds)
