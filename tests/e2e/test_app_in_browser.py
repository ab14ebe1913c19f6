"""The app in a real browser, in front of the program as a process of its own."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.browser import DESKTOP, PHONE, Program, chromium, playwright, scene
from tests.upstream import Upstream, failing, streamed

expect = playwright.expect

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
in_module = partial(pytest_asyncio.fixture, loop_scope="module")

APP = ("--no-browser",)
WORDS = [f"word{number} " for number in range(400)]
LATE = """
// What an idle page asks of itself every two seconds is held back here, and sent right behind the next click.
const interval = window.setInterval, send = WebSocket.prototype.send;
let looking = false;
window.setInterval = (work, time, ...rest) =>
  time !== 2000 ? interval(work, time, ...rest)
    : interval(() => { looking = true; try { work(); } finally { looking = false; } }, 200, ...rest);
WebSocket.prototype.send = function (message) {
  if (looking) { window.held = message; return; }
  send.call(this, message);
  if (window.held) { send.call(this, window.held); window.held = null; window.late = (window.late ?? 0) + 1; }
};
"""
LOOKS = 12
"""Each second one took the messages away before it was mended."""


@in_module(scope="module")
async def browser() -> AsyncIterator[Any]:
    """One browser for all tests; each has a window of its own."""
    async with chromium() as opened:
        yield opened


@in_module(scope="module")
async def house(tmp_path_factory) -> AsyncIterator[tuple[Upstream, Program]]:
    """An upstream that follows a script, and the app in front of it."""
    async with (
        Upstream() as upstream,
        Program(tmp_path_factory.mktemp("home"), *APP, OPENAI_BASE_URL=upstream.url) as program,
    ):
        yield upstream, program


class Page:
    """The app in one tab, in the words of a person who uses it."""

    def __init__(self, tab: Any, url: str) -> None:
        """Stand for a tab."""
        self.tab = tab
        self._url = url

    async def open(self, conversation: str = "") -> None:
        """Go to the app."""
        await self.tab.goto(f"{self._url}/{conversation}")
        await expect(self.box).to_be_visible()
        await expect(self.tab.get_by_test_id("stSkeleton")).to_have_count(0)

    @property
    def box(self) -> Any:
        """Where one writes."""
        return self.tab.get_by_test_id("stChatInputTextArea")

    @property
    def answers(self) -> Any:
        """All answers."""
        return self.tab.locator('[class*="st-key-answer-"]')

    @property
    def stop(self) -> Any:
        """The button that is there while an answer is made."""
        return self.tab.locator(".st-key-stop button")

    def button(self, key: str) -> Any:
        """Give the last button of that kind."""
        return self.tab.locator(f'[class*="st-key-{key}-"] button').last

    async def ask(self, text: str) -> None:
        """Write something and send it."""
        await self.box.fill(text)
        await self.box.press("Enter")

    async def is_done(self, seconds: float = 40.0) -> None:
        """Wait until nothing is being written."""
        await expect(self.button("again")).to_be_visible(timeout=seconds * 1000)
        await expect(self.stop).to_have_count(0)

    @property
    def conversation(self) -> str:
        """The conversation's part of the address."""
        return re.search(r"\?.*", self.tab.url)[0]  # type: ignore[index]


@asynccontextmanager
async def tab(browser: Any, program: Program, **options: Any) -> AsyncIterator[Page]:
    """Give the app in a new window; at the end nothing may have gone wrong in it, or been asked of another machine."""
    context = await browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
    opened = await context.new_page()
    faults: list[str] = []
    console: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda request: faults.append(request.url) if "127.0.0.1" not in request.url else None)
    opened.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
    try:
        page = Page(opened, program.url)
        await page.open()
        yield page
        faults += await opened.get_by_test_id("stException").all_text_contents()
    except Exception as error:
        error.add_note(await scene(opened, program, [*console, *faults]))
        raise
    finally:
        await context.close()
    assert not [fault for fault in faults if not fault.startswith(("data:", "blob:"))]


# --- sending --------------------------------------------------------------------------------------------------------


async def test_a_question_is_answered(browser, house):
    """What is sent is answered, the tab has its name, and below the answer stands how it was made."""
    upstream, program = house
    upstream.replies = [streamed("A **bold** ", "answer with `code`.", usage=(1234, 567))]
    async with tab(browser, program) as page:
        await page.ask("What is it?")
        await page.is_done()
        await expect(page.answers.last.locator("strong")).to_have_text("bold")
        await expect(page.answers.last).to_contain_text("1,234 → 567 tokens")
        await expect(page.tab).to_have_title("What is it?")


async def test_an_answer_is_seen_while_it_is_made(browser, house):
    """The first words are there before the last are written, and the text grows without jumping."""
    upstream, program = house
    second, third = asyncio.Event(), asyncio.Event()
    pieces = "First paragraph.\n\n", second, "Second paragraph that is longer.\n\n", third, "Third."
    upstream.replies = [streamed(*pieces)]
    async with tab(browser, program) as page:
        await page.ask("go")
        await expect(page.answers.last).to_contain_text("First paragraph")
        await expect(page.answers.last).not_to_contain_text("Second")
        first = page.answers.last.get_by_text("First paragraph.").first
        top = (await first.bounding_box())["y"]
        second.set()
        await expect(page.answers.last).to_contain_text("Second paragraph")
        await expect(page.answers.last).not_to_contain_text("Third")
        third.set()
        await page.is_done()
        await expect(page.answers.last).to_contain_text("Third")
        assert abs((await first.bounding_box())["y"] - top) < 3


async def test_enter_while_composing_does_not_send(browser, house):
    """Who writes Chinese confirms a word with Enter; that is not the end of the message."""
    upstream, program = house
    upstream.replies = [streamed("ok")]
    before = len(upstream.chats)
    async with tab(browser, program) as page:
        await page.box.focus()
        keys = await page.tab.context.new_cdp_session(page.tab)
        await keys.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
        await page.box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "isComposing": True, "bubbles": True})
        await page.tab.wait_for_timeout(500)
        assert len(upstream.chats) == before
        await keys.send("Input.insertText", {"text": "你好"})
        await page.box.press("Enter")
        await page.is_done()
        assert upstream.chats[-1]["messages"][-1]["content"] == "你好"


async def test_what_is_written_meanwhile_is_not_lost(browser, house):
    """While an answer is made one can write on; what is sent too early is back in the box, and a line says why."""
    upstream, program = house
    rest = asyncio.Event()
    upstream.replies = [streamed("slow ", rest, "answer")]
    async with tab(browser, program) as page:
        await page.ask("go")
        await expect(page.answers.last).to_contain_text("slow")
        await page.ask("precious words")
        await expect(page.tab.get_by_text("An answer is still being written")).to_be_visible()
        await expect(page.box).to_have_value("precious words")
        rest.set()
        await page.is_done()
        await expect(page.box).to_have_value("precious words")


async def test_a_draft_survives_a_reload(browser, house):
    """What was being written is still in the box."""
    _, program = house
    async with tab(browser, program) as page:
        await page.box.fill("half a thought")
        await page.tab.reload()
        await expect(page.box).to_have_value("half a thought")


# --- following and stopping -------------------------------------------------------------------------------------------


async def test_stop_keeps_the_part(browser, house):
    """Stop ends it at once; what had come stays, and the line below says who stopped it."""
    upstream, program = house
    upstream.replies = [streamed("The part that came. ", 60.0, "never")]
    async with tab(browser, program) as page:
        await page.ask("go")
        await expect(page.answers.last).to_contain_text("The part that came.")
        await page.stop.click()
        await expect(page.answers.last).to_contain_text("You stopped this answer.")
        await expect(page.answers.last).to_contain_text("The part that came.")
        await expect(page.button("go-on")).to_be_visible()


async def test_a_reload_in_the_middle_goes_on(browser, house):
    """The answer is made to its end whoever looks on."""
    upstream, program = house
    rest = asyncio.Event()
    upstream.replies = [streamed("begun ", rest, "and ended")]
    async with tab(browser, program) as page:
        await page.ask("go")
        await expect(page.answers.last).to_contain_text("begun")
        await page.tab.reload()
        await expect(page.answers.last).to_contain_text("begun")
        await expect(page.answers.last).not_to_contain_text("and ended")
        rest.set()
        await expect(page.answers.last).to_contain_text("begun and ended")
        await page.is_done()


async def test_a_click_in_the_middle_goes_on(browser, house):
    """Choosing another conversation and coming back finds the answer where it is by then."""
    upstream, program = house
    rest = asyncio.Event()
    upstream.replies = [streamed("begun ", rest, "and ended")]
    async with tab(browser, program) as page:
        await page.ask("a question of its own")
        await expect(page.answers.last).to_contain_text("begun")
        await page.tab.locator(".st-key-new-chat button").click()
        await expect(page.tab.locator(".st-key-empty")).to_be_visible()
        await expect(page.answers).to_have_count(0)
        await page.tab.locator('[class*="st-key-open-"] button', has_text="a question of its own").first.click()
        await expect(page.answers.last).to_contain_text("begun")
        rest.set()
        await expect(page.answers.last).to_contain_text("begun and ended")


async def test_a_second_tab_follows(browser, house):
    """Two tabs show one conversation: the one that looks on sees the question and the answer come."""
    upstream, program = house
    upstream.replies = [streamed("one")]
    async with tab(browser, program) as asking, tab(browser, program) as looking:
        await asking.ask("first")
        await asking.is_done()
        await looking.open(asking.conversation)
        await looking.is_done()
        rest = asyncio.Event()
        upstream.replies = [streamed("two ", rest, "three")]
        await asking.ask("second")
        await expect(looking.answers.last).to_contain_text("two")
        await expect(looking.answers.last).not_to_contain_text("three")
        rest.set()
        await expect(looking.answers.last).to_contain_text("two three")
        await looking.is_done()


async def test_a_look_that_comes_late_takes_nothing_away(browser, house):
    """The page looks by itself whether it shows what there is; a look may arrive while it is drawn for a click."""
    upstream, program = house
    upstream.replies = [streamed("an answer that stays")]
    async with tab(browser, program) as page:
        await page.ask("a question that stays")
        await page.is_done()
        await page.tab.add_init_script(LATE)
        await page.open(page.conversation)
        for number in range(LOOKS):
            await page.tab.wait_for_function("window.held")
            await expect(page.answers).to_have_text(re.compile("an answer that stays"))
            await page.tab.locator('[class*="st-key-active-"] button').first.click()
            await page.tab.wait_for_function(f"window.late === {number + 1}")
        await page.tab.wait_for_function("window.held")  # the last click's drawing has ended
        await expect(page.tab.locator('[class*="st-key-question-"]')).to_contain_text("a question that stays")
        await page.is_done()


async def test_an_answer_costs_little_on_the_wire(browser, house):
    """A thousand tokens, paragraph by paragraph, take less than 0.3 MB in all."""
    upstream, program = house
    paragraph = "twelve words make a line that is long enough to be real. "
    pieces: list[Any] = []
    for number in range(1000):
        pieces += [paragraph.split(" ")[number % 12] + " ", 0.01]
        if number % 60 == 59:
            pieces.append("\n\n")
    upstream.replies = [streamed(*pieces, usage=(10, 1000))]
    async with tab(browser, program) as page:
        received = [0]
        wire = await page.tab.context.new_cdp_session(page.tab)
        await wire.send("Network.enable")
        wire.on("Network.webSocketFrameReceived", lambda frame: received.append(_size(frame["response"])))
        await page.ask("go")
        await page.is_done()
        assert 5_000 < sum(received) < 300_000


def _size(response: dict[str, Any]) -> int:
    binary = response["opcode"] == 2
    return len(response["payloadData"]) * 3 // 4 if binary else len(response["payloadData"])


# --- a program that dies ----------------------------------------------------------------------------------------------


async def test_a_killed_program_loses_a_second_at_most(browser, tmp_path):
    """After kill -9 and a new start the page has the answer but for its last second, and says what happened."""
    pieces: list[Any] = []
    for word in WORDS:
        pieces += [word, 0.02]
    async with Upstream(streamed(*pieces)) as upstream:
        program = Program(tmp_path, *APP, OPENAI_BASE_URL=upstream.url)
        async with program, tab(browser, program) as page:
            await page.ask("go")
            await expect(page.answers.last).to_contain_text("word150 ")
            seen = await page.answers.last.inner_text()
            await program.kill()
            await program.start()
            await page.tab.reload()
            await expect(page.answers.last).to_contain_text("The program ended while this was being written")
            kept = await page.answers.last.inner_text()
            last_seen, last_kept = (int(re.findall(r"word(\d+)", text)[-1]) for text in (seen, kept))
            assert last_kept > last_seen - 60  # a second and what the browser was ahead by
            upstream.replies = [streamed("and on")]
            await page.button("go-on").click()
            await expect(page.answers.last).to_contain_text("and on")


# --- what can be done with messages -----------------------------------------------------------------------------------


async def test_versions_of_question_and_answer(browser, house):
    """Another answer and an edited question stand beside the first, and one can go to and fro."""
    upstream, program = house
    upstream.replies = [streamed("first answer"), streamed("second answer"), streamed("third answer")]
    async with tab(browser, program) as page:
        await page.ask("the question")
        await page.is_done()
        await page.button("again").click()
        await expect(page.answers.last).to_contain_text("second answer")
        await page.is_done()
        await page.button("previous").click()
        await expect(page.answers.last).to_contain_text("first answer")
        await page.tab.locator('[class*="st-key-question-"]').hover()
        await page.button("edit").click()
        editor = page.tab.locator('[class*="st-key-edited-"] textarea')
        await expect(editor).to_be_focused()
        await editor.fill("the edited question")
        await page.button("send").click()
        await expect(page.answers.last).to_contain_text("third answer")
        await page.is_done()
        assert upstream.chats[-1]["messages"][-1]["content"] == "the edited question"
        await page.button("previous").click()
        await expect(page.answers.last).to_contain_text("second answer")


async def test_an_answer_is_copied_as_markdown(browser, house):
    """The clipboard has what the model wrote, not what the page made of it."""
    upstream, program = house
    text = "Some **bold** text.\n\n- a\n- b\n\n$5 and `x`"
    upstream.replies = [streamed(text)]
    async with tab(browser, program, permissions=["clipboard-read", "clipboard-write"]) as page:
        await page.ask("go")
        await page.is_done()
        await page.tab.locator('[class*="st-key-copy-"] button').last.click()
        await expect(page.tab.get_by_role("button", name="Copied")).to_be_visible()
        assert await page.tab.evaluate("navigator.clipboard.readText()") == text


async def test_a_failure_has_a_way_out(browser, house):
    """One line, no trace, and a press tries again."""
    upstream, program = house
    upstream.replies = [failing(401, "Incorrect API key"), streamed("works now")]
    async with tab(browser, program) as page:
        await page.ask("go")
        await expect(page.answers.last).to_contain_text("The key is missing or wrong")
        await expect(page.tab.get_by_text("Traceback")).to_have_count(0)
        await page.button("retry").click()
        await expect(page.answers.last).to_contain_text("works now")


async def test_no_picture_is_loaded_from_elsewhere(browser, house):
    """A picture in an answer is a link; `tab` sees to it that nothing asks another machine."""
    upstream, program = house
    upstream.replies = [streamed("Look: ![cat](https://pictures.example/c.png?q=secret) and <img src='//x.example/y'>")]
    async with tab(browser, program) as page:
        await page.ask("go")
        await page.is_done()
        await expect(page.answers.last.get_by_role("link", name="Image: cat")).to_be_visible()
        await expect(page.answers.last.locator("img")).to_have_count(0)


# --- the list ---------------------------------------------------------------------------------------------------------


async def test_delete_and_undo(browser, house):
    """A deleted conversation is back, whole, with one press."""
    upstream, program = house
    upstream.replies = [streamed("precious answer")]
    async with tab(browser, program) as page:
        await page.ask("precious question")
        await page.is_done()
        await page.button("menu").click()
        await page.tab.get_by_role("menuitem", name="Delete").click()
        await expect(page.tab.locator(".st-key-empty")).to_be_visible()
        await page.tab.locator(".st-key-undo-button button").click()
        await expect(page.answers.last).to_contain_text("precious answer")


async def test_the_page_is_chinese_for_chinese_browsers(browser, house):
    """The browser's language is taken, and the page says which it speaks."""
    _, program = house
    async with tab(browser, program, locale="zh-CN") as page:
        await expect(page.tab.locator(".st-key-new-chat button")).to_contain_text("新对话")
        await expect(page.box).to_have_attribute("placeholder", "输入你的问题")
        await expect(page.tab.locator("html")).to_have_attribute("lang", "zh-CN")


# --- the phone --------------------------------------------------------------------------------------------------------


async def test_on_a_phone_everything_is_in_reach(browser, house):
    """Nothing scrolls sideways, the list is out of the way and goes away again, and the box is on the screen."""
    upstream, program = house
    wide = "| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n| " + " | ".join(["a long cell"] * 6) + " |"
    upstream.replies = [
        streamed(f"```python\n{'x = 1; ' * 60}\n```\n\n{wide}\n\n{'unbroken' * 40}\n\n\\[{'x+' * 90}y\\]")
    ]
    async with tab(browser, program, viewport=PHONE, is_mobile=True, has_touch=True) as page:
        await page.ask("a question that is rather long, so that its title does not fit the screen of a phone")
        await page.is_done()
        for selector in ("html", ".stMain, [data-testid='stAppScrollToBottomContainer']"):
            assert await page.tab.locator(selector).first.evaluate("element => element.scrollWidth <= innerWidth")
        box = await page.box.bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"]
        await expect(page.tab.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
        await page.tab.get_by_test_id("stExpandSidebarButton").click()
        await page.tab.locator(".st-key-new-chat button").click()
        await expect(page.tab.locator(".st-key-empty")).to_be_visible()
        await expect(page.tab.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")


# --- the real model ---------------------------------------------------------------------------------------------------


async def test_the_embedded_model_answers(browser, data_dir_with_weights: Path, clean_environment: Path):
    """Without any key: a question, an answer that streams, and all of it in the database."""
    settings = {"AI_CHAT_DATA_DIR": str(data_dir_with_weights), "AI_CHAT_LOCAL__MODEL": "qwen2.5-coder-0.5b"}
    async with Program(clean_environment, *APP, **settings) as program, tab(browser, program) as page:
        await expect(page.tab.get_by_text("Runs on this machine")).to_be_visible()
        await page.ask("Say hello to Ann in one short sentence.")
        await page.is_done(seconds=150.0)
        await expect(page.answers.last).to_contain_text("local/qwen2.5-coder-0.5b")
        with sqlite3.connect(data_dir_with_weights / "ai-chat.db") as database:
            states = database.execute("SELECT state FROM turns").fetchall()
        assert states == [("finished",), ("finished",)]
