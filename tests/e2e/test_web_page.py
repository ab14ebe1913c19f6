"""`/web` in a real browser, in front of the program as a process of its own."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest
import pytest_asyncio
from tests.upstream import Upstream, failing, offering, streamed, whole

browsers = pytest.importorskip("playwright.async_api", reason="the page is tested with playwright: uv sync installs it")
expect = browsers.expect

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]
in_module = partial(pytest_asyncio.fixture, loop_scope="module")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
SLOW = 30_000
"""Milliseconds that what is fast may take on a machine that is not."""
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=SLOW)


class Program:
    """`ai-chat serve` as a process, which can be killed and begun anew at the same place."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.url = ""
        self._home = home
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), **settings}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        """Begin it, where it was before."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "ai_chat", "serve", "--port", port]
        self._process = await asyncio.create_subprocess_exec(
            *command, stderr=asyncio.subprocess.PIPE, env=self._environment, cwd=self._home
        )
        assert self._process.stderr is not None
        said = (await self._process.stderr.readline()).decode()
        found = re.search(r"http://[\d.:]+", said)
        assert found, said
        self.url = found[0]

    async def kill(self) -> None:
        """End it without a word."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals) -> None:
        """End it."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.wait()


@in_module(scope="module")
async def house(tmp_path_factory) -> AsyncIterator[tuple[Upstream, Program]]:
    """An upstream and the program in front of it, for all tests that leave them as they are."""
    home = tmp_path_factory.mktemp("home")
    models = offering("test-model", "other-model")
    async with Upstream(models=models) as upstream, Program(home, OPENAI_BASE_URL=upstream.url) as program:
        yield upstream, program


@pytest.fixture
def upstream(house) -> Upstream:
    """The upstream; it says Hello, and has not been asked yet."""
    upstream: Upstream = house[0]
    upstream.replies = [streamed("Hello")]
    upstream.requests.clear()
    return upstream


@in_module()
async def program(tmp_path, upstream) -> AsyncIterator[Program]:
    """The program for one test alone: nothing in its list, and free to be killed."""
    async with Program(tmp_path, OPENAI_BASE_URL=upstream.url) as program:
        yield program


@in_module(scope="module")
async def chromium(tmp_path_factory) -> AsyncIterator[Any]:
    """A browser."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium on the path; install one to test the page")
    home = str(tmp_path_factory.mktemp("browser"))
    async with browsers.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS, env={**os.environ, "HOME": home})
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(chromium, program, **options: Any) -> AsyncIterator[Any]:
    """Open the page in a profile of its own; in the end nothing may have gone wrong in it, or left this machine."""
    context = await chromium.new_context(**{"locale": "en-US", **options})
    wrong: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None)
    page.on("request", lambda request: None if request.url.startswith(program.url) else wrong.append(request.url))
    try:
        await page.goto(f"{program.url}/web")
        yield page
        assert not [fault for fault in wrong if not fault.startswith("data:image/svg")]
    finally:
        await context.close()


@in_module()
async def page(chromium, house, upstream) -> AsyncIterator[Any]:
    """The page, with that upstream behind it."""
    async with opened(chromium, house[1]) as page:
        yield page


@in_module()
async def own_page(chromium, program) -> AsyncIterator[Any]:
    """The page of a program for one test alone."""
    async with opened(chromium, program) as page:
        yield page


async def until(page, expression: str) -> None:
    """Wait until that is so in the page."""
    for _ in range(SLOW // 50):
        if await page.evaluate(expression):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"it never came to {expression}")


async def ask(page, text: str = "Hi") -> None:
    await page.fill("#box", text)
    await page.press("#box", "Enter")


def answer(page):
    return page.locator(".answer").last


async def finished(page) -> None:
    await expect(answer(page).locator(".caption")).to_be_visible()


# --- answers ---------------------------------------------------------------------------------------------------------


async def test_an_answer_streams(page, upstream):
    """Text is shown while it comes; the conversation gets an address and a place in the list, the answer figures."""
    go_on = asyncio.Event()
    upstream.replies = [streamed("first", go_on, " second")]
    await ask(page, "What is this?")
    await expect(answer(page).locator(".text")).to_have_text("first")
    await expect(page.locator("#send")).to_have_attribute("aria-label", "Stop")
    await expect(answer(page)).to_have_attribute("aria-busy", "true")
    go_on.set()
    await finished(page)
    await expect(answer(page).locator(".text")).to_have_text("first second")
    await expect(answer(page).locator(".caption")).to_contain_text("5 → 7 tokens")
    await expect(page.locator("#list .open")).to_have_text("What is this?")
    await expect(page.locator("#status")).to_have_text("The answer is complete")
    assert "?c=" in page.url


@pytest.mark.model
async def test_the_model_on_this_machine_answers(chromium, data_dir_with_weights, tmp_path):
    """Without a key, the embedded model answers in the page."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("AI_CHAT_")}
    async with Program(tmp_path, **settings) as program, opened(chromium, program) as page:
        await ask(page, "Say hello.")
        await expect(answer(page).locator(".caption")).to_contain_text("tokens/s", timeout=180_000)
        await expect(answer(page).locator(".caption")).to_contain_text("local/qwen2.5")
        await expect(answer(page).locator(".text")).not_to_be_empty()


async def test_stopping_keeps_the_part(page, upstream):
    """Stop ends the answer at once; what had come is there, also after a reload."""
    upstream.replies = [streamed("a part", asyncio.Event())]
    await ask(page)
    await expect(answer(page).locator(".text")).to_have_text("a part")
    await page.click("#send")
    for _ in range(2):
        await expect(answer(page).locator(".note")).to_have_text("Stopped. What had come is kept.")
        await expect(answer(page).locator(".text")).to_have_text("a part")
        await page.reload()


async def test_a_reload_in_mid_answer_goes_on(page, upstream):
    """The page that comes back shows the answer from its beginning, and follows it to its end."""
    go_on = asyncio.Event()
    upstream.replies = [streamed("one ", go_on, "two")]
    await ask(page)
    await expect(answer(page).locator(".text")).to_have_text("one")
    await page.reload()
    await expect(answer(page).locator(".text")).to_have_text("one")
    go_on.set()
    await finished(page)
    await expect(answer(page).locator(".text")).to_have_text("one two")
    assert len(upstream.chats) == 1


async def test_other_tabs_follow(page, upstream):
    """A tab opened in mid-answer, and one that showed the conversation before, both show it to its end."""
    await ask(page, "First")
    await finished(page)
    early = await page.context.new_page()
    await early.goto(page.url)
    go_on = asyncio.Event()
    upstream.replies = [streamed("one ", go_on, "two")]
    await ask(page, "Second")
    await expect(answer(page).locator(".text")).to_have_text("one")
    late = await page.context.new_page()
    await late.goto(page.url)
    for tab in (early, late):
        await expect(tab.locator(".question")).to_have_count(2)
        await expect(answer(tab).locator(".text")).to_have_text("one")
    go_on.set()
    for tab in (early, late, page):
        await finished(tab)
        await expect(answer(tab).locator(".text")).to_have_text("one two")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
async def test_a_server_that_ends_is_waited_for(own_page, upstream, program, number):
    """The page says that it reconnects; of the server that came back it learns that the answer was interrupted."""
    page = own_page
    upstream.replies = [streamed("a part", asyncio.Event()), streamed("whole")]
    await ask(page)
    await expect(answer(page).locator(".text")).to_have_text("a part")
    await asyncio.sleep(1.2)  # the part is in the store once a second
    await program.end(number)
    await expect(answer(page).locator(".note")).to_contain_text("Reconnecting…")
    await program.start()
    await expect(answer(page).locator(".note")).to_contain_text("Interrupted")
    await expect(answer(page).locator(".text")).to_have_text("a part")
    await answer(page).get_by_text("Try again").click()
    await expect(answer(page).locator(".text")).to_have_text("whole")


async def test_a_lost_server_is_not_asked_for_ever(own_page, upstream, program):
    """After some tries the page says so, and one may try by hand."""
    page = own_page
    upstream.replies = [streamed("a part", asyncio.Event())]
    await page.clock.install()
    await ask(page)
    await expect(answer(page).locator(".text")).to_have_text("a part")
    await program.kill()
    for _ in range(60):
        if await answer(page).get_by_text("The connection is lost.").is_visible():
            break
        await page.clock.run_for(2000)
        await asyncio.sleep(0.05)
    await expect(answer(page).locator(".note")).to_contain_text("The connection is lost.")
    await answer(page).get_by_text("Reconnect", exact=True).dispatch_event("click")  # the clock stands still
    await expect(answer(page).locator(".note")).to_contain_text("Reconnecting…")
    await program.start()
    await answer(page).get_by_text("Reconnect", exact=True).dispatch_event("click")  # the clock stands still
    await expect(answer(page).locator(".note")).to_contain_text("Interrupted")


# --- what goes wrong -------------------------------------------------------------------------------------------------


async def test_a_question_that_nobody_took_is_not_lost(own_page, program):
    """Without a server the text comes back into the box, and a line says why; trying again sends it."""
    page = own_page
    await program.kill()
    await ask(page, "Dear me")
    await expect(page.locator("#problem")).to_contain_text("The server cannot be reached.")
    await expect(page.locator("#box")).to_have_value("Dear me")
    await expect(page.locator(".question")).to_have_count(0)
    await program.start()
    await page.locator("#problem").get_by_text("Try again").click()
    await finished(page)
    await expect(page.locator(".question .bubble")).to_have_text("Dear me")
    await expect(page.locator("#problem")).to_be_hidden()
    await expect(page.locator("#box")).to_have_value("")


async def test_a_model_that_fails_says_so_with_a_way_out(page, upstream):
    """An error is one line below the answer, also after a reload, and another answer takes its place."""
    upstream.replies = [failing(401, code="invalid_api_key"), streamed("Hello")]
    await ask(page)
    await expect(answer(page).locator(".note.bad")).to_contain_text("The key was not accepted.")
    await page.reload()
    await answer(page).locator(".note.bad").get_by_text("Try again").click()
    await expect(answer(page).locator(".text")).to_have_text("Hello")
    await expect(page.locator(".answer")).to_have_count(1)


@pytest.mark.parametrize(
    ("finish", "words"), [("length", "length limit"), ("content_filter", "content filter")], ids=["length", "filter"]
)
async def test_an_answer_that_is_not_whole_says_why(page, upstream, finish, words):
    """A length limit and a filter are said in words."""
    upstream.replies = [streamed("Hel", finish=finish)]
    await ask(page)
    await expect(answer(page).locator(".note")).to_contain_text(words)


async def test_a_draft_outlives_a_reload(page):
    """What was written and not sent is still there."""
    await page.locator("#box").press_sequentially("not yet")
    await page.reload()
    await expect(page.locator("#box")).to_have_value("not yet")


# --- writing ---------------------------------------------------------------------------------------------------------


async def test_enter_that_ends_a_word_does_not_send(page, upstream):
    """While a word is composed Enter belongs to it, in Safari also just after; Shift and Enter break the line."""
    cdp = await page.context.new_cdp_session(page)
    await page.focus("#box")
    await cdp.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
    await page.evaluate("press({ isComposing: true, keyCode: 229 })".replace("press", PRESS))
    await cdp.send("Input.insertText", {"text": "你"})
    await page.evaluate(f"box.dispatchEvent(new CompositionEvent('compositionend')); {PRESS}({{ keyCode: 13 }})")
    await asyncio.sleep(0.1)
    await page.evaluate(f"{PRESS}({{ keyCode: 229 }})")
    await expect(page.locator("#box")).to_have_value("你")
    await page.press("#box", "Shift+Enter")
    await page.locator("#box").press_sequentially("好")
    await expect(page.locator(".question")).to_have_count(0)
    await page.press("#box", "Enter")
    await finished(page)
    assert [message["content"] for message in upstream.chats[0]["messages"]] == ["你\n好"]


PRESS = (
    "((keys) => box.dispatchEvent(new KeyboardEvent("
    "'keydown', { key: 'Enter', bubbles: true, cancelable: true, ...keys })))"
)


async def test_a_question_can_be_asked_anew(page, upstream):
    """An edited question stands in the place of the old one, with the same history before it."""
    for text in ("one", "two"):
        await ask(page, text)
        await expect(page.locator(".question")).to_have_count(1 if text == "one" else 2)
        await finished(page)
    await page.locator(".question").last.hover()
    await page.locator(".question").last.get_by_label("Edit").click()
    await expect(page.locator("#box")).to_have_value("two")
    await ask(page, "three")
    await expect(page.locator(".question .bubble")).to_have_text(["one", "three"])
    await finished(page)
    assert [message["content"] for message in upstream.chats[2]["messages"]] == ["one", "Hello", "three"]


async def test_another_answer_leaves_the_first_one_within_reach(page, upstream):
    """Asking again adds an answer, and one can go back to the others."""
    upstream.replies = [streamed("first"), streamed("second")]
    await ask(page)
    await finished(page)
    await answer(page).get_by_label("Answer again").click()
    await expect(answer(page).locator(".text")).to_have_text("second")
    await answer(page).get_by_label("Previous answer").click()
    for _ in range(2):
        await expect(answer(page).locator(".text")).to_have_text("first")
        await expect(answer(page).locator(".tools")).to_contain_text("1/2")
        await page.reload()
    await answer(page).get_by_label("Next answer").click()
    await expect(answer(page).locator(".text")).to_have_text("second")


# --- the list --------------------------------------------------------------------------------------------------------


async def test_conversations_are_found_renamed_deleted_and_taken_back(own_page):
    """The list does what a list has to do."""
    page = own_page
    for text in ("About apples", "About pears"):
        await ask(page, text)
        await finished(page)
        await page.click("#new")
    names = page.locator("#list .name")
    await expect(names).to_have_text(["About pears", "About apples"])
    await page.fill("#search", "apples")
    await expect(names).to_have_text(["About apples"])
    await page.fill("#search", "")
    await expect(names).to_have_text(["About pears", "About apples"])
    await names.last.hover()
    await page.get_by_label("Rename").last.click()
    await page.keyboard.type("Fruit")
    await page.keyboard.press("Enter")
    await expect(names).to_have_text(["Fruit", "About pears"])
    await names.first.click()
    await expect(page.locator("#title")).to_have_text("Fruit")
    await page.get_by_label("Delete").first.click()
    await expect(names).to_have_text(["About pears"])
    await expect(page.locator("#welcome")).to_be_visible()
    await page.get_by_text("Undo").click()
    await expect(names).to_have_count(2)
    await expect(page.locator(".question .bubble")).to_have_text("About apples")
    await page.go_back()
    await expect(page.locator("#welcome")).to_be_visible()


async def test_a_model_can_be_chosen(page, upstream):
    """The chosen model is asked, the conversation remembers it, and the default takes over again."""
    await expect(page.locator("#model option")).not_to_have_count(0)
    await page.select_option("#model", "openai/other-model")
    await ask(page)
    await finished(page)
    await page.reload()
    await expect(page.locator("#model")).to_have_value("openai/other-model")
    await page.select_option("#model", "")
    await ask(page)
    await expect(page.locator(".question")).to_have_count(2)
    await finished(page)
    assert [chat["model"] for chat in upstream.chats] == ["other-model", "test-model"]


# --- events as they come over the wire -------------------------------------------------------------------------------

WIRE = (
    '\ufeff: ping\r\n\r\nid: 1\r\nevent: run\r\ndata: {"a":"你好"}\r\n\r\n'
    "data: one\ndata:two\ndata:  three\n\n"
    "id: 2\revent: text\rdata\rdata: 🙂\r\r"
    "event: nothing\n\nid: no\0\nretry: 1\nunknown: x\ndata: last\n\ndata: never ended"
).encode()
EVENTS = [
    ["1", "run", '{"a":"你好"}'],
    ["1", "message", "one\ntwo\n three"],
    ["2", "text", "\n🙂"],
    ["2", "message", "last"],
]
READ = """async ([bytes, every]) => {
  const read = async (cuts) => {
    const edges = [0, ...cuts, bytes.length];
    const pieces = edges.slice(1).map((edge, at) => new Uint8Array(bytes.slice(edges[at], edge)));
    const events = [];
    const begin = (stream) => { for (const piece of pieces) stream.enqueue(piece); stream.close(); };
    const body = new ReadableStream({ start: begin });
    for await (const { id, kind, data } of readEvents(body)) events.push([id, kind, data]);
    return events;
  };
  return Promise.all(every.map(read));
}"""


async def test_events_are_read_wherever_the_bytes_are_cut(page):
    """Two pieces with every cut there is, and one byte after the other, give the same events."""
    every = [[cut] for cut in range(len(WIRE) + 1)] + [list(range(1, len(WIRE)))]
    for events in await page.evaluate(READ, [list(WIRE), every]):
        assert events == EVENTS


async def test_a_stream_that_keeps_silent_is_left(page):
    """A connection on which nothing comes, not even a ping, ends."""
    script = "async () => { for await (const _ of readEvents(new ReadableStream({}), 50)); return 'over'; }"
    assert await page.evaluate(script) == "over"


# --- Markdown --------------------------------------------------------------------------------------------------------

DRAWN = """(text) => {
  const view = new MarkdownView(document.createElement("div"));
  view.set(text);
  view.draw();
  return view.root.innerHTML;
}"""
MARKDOWN = """\
# Head *line*
Some **bold**, *thin*, ***both***, ~~gone~~, `code *not*`, ``a ` b`` and snake_case_name.
**“引号”**后面，**中文。**再来。 2 * 3 * 4, $5 to $9, $a_b$, \\(x*y*z\\), 1\\*2.

- one
- two
  1. inner

     more of it
  2. second
lazy
- [x] done

3) three
4) four

> quote
> - with `list`

```py
if a < b:

    print("*")
```
a | b
--|:-:
1 \\| 2 | **x**
- after

$$
\\int_0^1
$$
---
[link](https://example.com/a_(b) "title"), <https://example.com>, see https://example.com/x_y_z.
![picture](http://example.com/p.png)
a|b
no table"""


async def test_markdown_becomes_what_it_means(page):
    """The marks that models use are drawn; emphasis works beside Chinese punctuation, and money is no mathematics."""
    html = await page.evaluate(DRAWN, MARKDOWN)
    for part in (
        "<h3>Head <em>line</em></h3>",
        "<strong>bold</strong>, <em>thin</em>, <em><strong>both</strong></em>, <del>gone</del>, <code>",
        "<code>code *not*</code>, <code>a ` b</code> and snake_case_name",
        "<strong>“引号”</strong>后面，<strong>中文。</strong>再来。 2 * 3 * 4, $5 to $9,",
        '<span class="math">a_b</span>, <span class="math">x*y*z</span>, 1*2.',
        '<ol start="1"><li><p>inner</p><p>more of it</p></li><li><p>second\nlazy</p></li></ol>',
        '<li class="task"><p>☑ done</p></li>',
        '<ol start="3"><li><p>three</p></li><li><p>four</p></li></ol>',
        "<blockquote><p>quote</p><ul><li><p>with <code>list</code></p></li></ul></blockquote>",
        '<code>if a &lt; b:\n\n    print("*")</code>',
        '<tr><td>1 | 2</td><td style="text-align: center;"><strong>x</strong></td></tr>',
        '<div class="math">\\int_0^1</div><hr>',
        '<a href="https://example.com/a_(b)" target="_blank" rel="noopener noreferrer">link</a>',
        ">https://example.com</a>, see <a",
        ">https://example.com/x_y_z</a>.\n<a",
        ">picture</a>\na|b\nno table</p>",
    ):
        assert part in html


@pytest.mark.parametrize("seed", range(3))
async def test_markdown_in_pieces_is_the_same_as_whole(page, seed):
    """However a text is cut, the end is what would be drawn at once, and what is final is never drawn again."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    cuts = sorted(chance.sample(range(1, len(MARKDOWN)), 250))
    pieces = [MARKDOWN[a:b] for a, b in zip([0, *cuts], [*cuts, len(MARKDOWN)], strict=True)]
    script = """(pieces) => {
      const view = new MarkdownView(document.createElement("div"));
      let kept = [];
      let replaced = 0;
      for (const piece of pieces) {
        view.append(piece);
        view.draw();
        replaced += kept.filter((node, at) => view.root.children[at] !== node).length;
        kept = [...view.root.children].slice(0, view.kept);
      }
      return [view.root.innerHTML, replaced, view.root.children.length - view.kept];
    }"""
    html, replaced, tail = await page.evaluate(script, pieces)
    assert html == await page.evaluate(DRAWN, MARKDOWN)
    assert (replaced, tail) == (0, 1)


async def test_nothing_a_model_writes_is_run(page, upstream):
    """HTML is shown as it is written, addresses other than of the web are no links, and no picture is fetched."""
    upstream.replies = [
        streamed(
            "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\n\n",
            "[a](javascript:window.hacked=1) [b](JaVaScRiPt:window.hacked=1) [c](data:text/html,x) [d](vbscript:x)\n",
            "![e](https://example.com/e.png) <svg onload='window.hacked=1'>\n",
            "```<b onclick=1>\n</code><img src=x onerror='window.hacked=1'>\n```\n",
        )
    ]
    await ask(page, "<img src=x onerror='window.hacked=1'>")
    await finished(page)
    await page.reload()
    await finished(page)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("#messages").locator("img, script, iframe, [onerror], [onload], [onclick]").count() == 0
    hrefs = await answer(page).locator("a").evaluate_all("(links) => links.map((link) => link.href)")
    assert hrefs == ["https://example.com/e.png"]
    await expect(page.locator(".bubble")).to_have_text("<img src=x onerror='window.hacked=1'>")


async def test_hostile_texts_are_drawn_soon(page):
    """Marks without an end, and quotes and lists without a floor, take no time to speak of."""
    script = "(text) => { const begun = performance.now(); (" + DRAWN + ")(text); return performance.now() - begun; }"
    marks = [
        "*a ",
        "**a",
        "_a ",
        "[",
        "![a](",
        "`a``",
        "> ",
        "- ",
        "\\(",
        "$a",
        "|",
        "a|\n-|\n",
        "# ",
        "<https://",
        "~~a",
    ]
    times = {mark: await page.evaluate(script, mark * (60_000 // len(mark))) for mark in marks}
    assert max(times.values()) < 2000, times


# --- sizes, languages ------------------------------------------------------------------------------------------------

WIDE = (
    "| a | b | c | d |\n|---|---|---|---|\n"
    + f"| {'wide ' * 9} |" * 4
    + f"\n\n```\n{'x' * 300}\n```\n\n{'y' * 300}\n\n$${'z' * 300}$$"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_all_without_scrolling_sideways(chromium, house, upstream, scheme):
    """Nothing is wider than 390 pixels, in either scheme, and the list comes and goes as a drawer."""
    upstream.replies = [whole(WIDE)]
    async with opened(chromium, house[1], viewport=PHONE, has_touch=True, color_scheme=scheme) as page:
        await ask(page, "w" * 300)
        await finished(page)
        widths = (
            "['html', 'body', 'main', '#thread', '#messages'].map((name) => document.querySelector(name).scrollWidth)"
        )
        assert max(await page.evaluate(widths)) <= PHONE["width"]
        light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (int(re.findall(r"\d+", light)[0]) > 128) == (scheme == "light")
        await expect(page.locator("#side")).not_to_be_visible()
        await page.get_by_role("button", name="Conversations").click()
        await expect(page.locator("#list .name").first).to_be_in_viewport()
        await page.keyboard.press("Escape")
        await expect(page.locator("#side")).not_to_be_visible()


async def test_the_end_is_kept_in_sight_only_for_who_is_there(page, upstream):
    """New text scrolls while the reader is at the end; one who reads further up is left alone, and can jump."""
    go_on = asyncio.Event()
    upstream.replies = [streamed("line\n\n" * 60, go_on, "line\n\n" * 60)]
    left = "thread.scrollHeight - thread.clientHeight - thread.scrollTop"
    await ask(page)
    await expect(answer(page).locator("p")).to_have_count(60)
    await until(page, f"{left} < 3")
    await page.locator("#thread").hover()
    await page.mouse.wheel(0, -400)
    await until(page, f"{left} > 300")
    before = await page.evaluate("thread.scrollTop")
    go_on.set()
    await finished(page)
    assert await page.evaluate("thread.scrollTop") == before
    await page.click("#to-end")
    await until(page, f"{left} < 3")
    await expect(page.locator("#to-end")).to_be_hidden()


async def test_both_languages_say_the_same(page):
    """The catalogues have the same keys, and the same places in each text."""
    texts = await page.evaluate("TEXTS")
    places = {
        name: {key: set(re.findall(r"{\w+}", text)) for key, text in words.items()} for name, words in texts.items()
    }
    assert places["en"] == places["zh"]
    used = set(re.findall(r'say\("(\w+)"|data-(?:text|label|hint)="(\w+)"', await page.content()))
    assert {name for pair in used for name in pair if name} <= texts["en"].keys()


async def test_the_language_is_the_browsers_until_another_is_chosen(chromium, house):
    """A Chinese browser gets a Chinese page; the other language stays once it was chosen."""
    async with opened(chromium, house[1], locale="zh-CN") as page:
        await expect(page.locator("#welcome h2")).to_have_text("今天想聊点什么？")
        await page.get_by_text("English").click()
        await expect(page.locator("#welcome h2")).to_have_text("What would you like to know?")
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_waiting_is_told(page):
    """A download has a bar and its megabytes; loading and a queue are said, and what a later server tells."""
    script = """(notices) => {
      const answer = new Answer();
      return notices.map((data) => {
        answer.take({ kind: data.kind === "retry" ? "retry" : "notice", data });
        return [answer.note.textContent, answer.note.querySelector("progress")?.value ?? null];
      });
    }"""
    notices = [
        {"kind": "download", "text": "", "data": {"model": "q", "done": 250e6, "total": 1066e6}},
        {"kind": "loading", "text": "", "data": {"model": "q"}},
        {"kind": "queued", "text": "", "data": {"before": 2}},
        {"kind": "retry", "text": "", "data": {"code": "rate_limit_exceeded", "seconds": 2.5}},
        {"kind": "news", "text": "Something new.", "data": {}},
    ]
    assert await page.evaluate(script, notices) == [
        ["Fetching the model q, once: 250 of 1,066 MB", 250e6],
        ["Loading the model q", None],
        ["Waiting for a turn, 2 before this one", None],
        ["Too many requests for now. Asking again in 3 s…", None],
        ["Something new.", None],
    ]


async def test_all_can_be_done_with_the_keyboard(own_page):
    """Every control is reached with Tab, and has a name."""
    page = own_page
    await ask(page)
    await finished(page)
    reached = []
    for _ in range(20):
        await page.keyboard.press("Tab")
        focused = page.locator("body :focus")
        if await focused.count():  # else it is in the browser's own bars
            await expect(focused).to_have_accessible_name(re.compile(r"\S"))
            reached.append(await focused.evaluate("(node) => node.id || node.className"))
    assert {"new", "search", "name", "icon again", "box", "model", "language"} <= set(reached)
