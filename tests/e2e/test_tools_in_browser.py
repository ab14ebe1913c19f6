"""Tools and forms in the app, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.browser import Program, playwright
from tests.e2e.test_app_in_browser import APP, browser, in_module, tab  # noqa: F401 - `browser` is a fixture
from tests.tools.open_meteo import OpenMeteo
from tests.upstream import Upstream, calling, streamed, whole

expect = playwright.expect
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

MINE = '''
from ai_chat import Tools

tools = Tools()


@tools.tool(side_effects=True)
def send(text: str) -> str:
    """Send a text."""
    return f"sent {text}"
'''
GOOD = {"sentiment": "positive", "confidence": 0.9, "keywords": ["好吃", "实惠"], "summary": "很好吃。"}


@in_module(scope="module")
async def house(tmp_path_factory) -> AsyncIterator[tuple[Upstream, Program]]:
    """An upstream that follows a script, a weather service on loopback, and the app in front of them."""
    home = tmp_path_factory.mktemp("home")
    (home / "mine.py").write_text(MINE)
    async with Upstream() as upstream, OpenMeteo() as weather:
        settings = {
            "OPENAI_BASE_URL": upstream.url,
            "AI_CHAT_TOOLS__GEOCODING_URL": weather.geocoding_url,
            "AI_CHAT_TOOLS__FORECAST_URL": weather.forecast_url,
            "AI_CHAT_TOOLS__FILES": json.dumps([str(home / "mine.py")]),
        }
        async with Program(home, *APP, **settings) as program:
            yield upstream, program


def boxes(page: Any) -> Any:
    """The boxes of the last answer's tools."""
    return page.answers.last.get_by_test_id("stExpander")


async def choose(page: Any, *names: str) -> None:
    """Press the tools of these names in the sidebar."""
    for name in names:
        await page.tab.get_by_test_id("stSidebar").get_by_role("button", name=name, exact=True).click()


async def test_each_call_has_a_box(browser, house):  # noqa: F811
    """Weather and arithmetic at once: two boxes with arguments, result and time, before and after a reload."""
    upstream, program = house
    upstream.replies = [
        calling(("get_current_weather", '{"city": "北京"}'), ("calculate", '{"expression": "123*456"}')),
        streamed("Beijing is fine, ", "and it is 56088."),
    ]
    async with tab(browser, program) as page:
        await choose(page, "Weather", "Calculator")
        await page.ask("北京今天天气怎么样？顺便算一下 123*456")
        await page.is_done()
        for _ in range(2):
            await expect(boxes(page)).to_have_count(2)
            await expect(boxes(page).first).to_contain_text(re.compile(r"Weather.*北京.*\d s"))
            await expect(boxes(page).last).to_contain_text(re.compile(r"Calculator.*123\*456"))
            await boxes(page).last.locator("summary").click()
            await expect(boxes(page).last).to_contain_text('"result": "56088"')
            await expect(page.answers.last).to_contain_text("and it is 56088.")
            await page.tab.reload()
            await expect(page.answers.last).to_be_visible()
    sent = [message["content"] for message in upstream.chats[-1]["messages"] if message["role"] == "tool"]
    assert "°C" in sent[0]
    assert json.loads(sent[1])["result"] == "56088"


async def test_a_call_that_fails(browser, house):  # noqa: F811
    """Its box says why, and the answer goes on."""
    upstream, program = house
    upstream.replies = [calling(("calculate", '{"expression": "1/0"}')), whole("That cannot be.")]
    async with tab(browser, program) as page:
        await choose(page, "Calculator")
        await page.ask("1/0?")
        await page.is_done()
        await expect(boxes(page)).to_contain_text("failed")
        await expect(page.answers.last).to_contain_text("That cannot be.")


@pytest.mark.parametrize(("word", "result"), [("Allow", "sent hello"), ("Don't allow", "not allowed")])
async def test_a_tool_that_changes_something_asks_first(browser, house, word, result):  # noqa: F811
    """Two buttons; what is pressed is done."""
    upstream, program = house
    upstream.replies = [calling(("send", '{"text": "hello"}')), whole("Done.")]
    async with tab(browser, program) as page:
        await choose(page, "send")
        await page.ask("Send hello")
        await page.tab.get_by_role("button", name=word, exact=True).click()
        await page.is_done()
        await expect(boxes(page)).to_have_count(1)
        await boxes(page).locator("summary").click()
        await expect(boxes(page)).to_contain_text(result)


async def test_an_answer_of_a_form(browser, house):  # noqa: F811
    """A review becomes its fields, one below the other."""
    upstream, program = house
    upstream.replies = [whole('{"sentiment": "great"}'), whole(json.dumps(GOOD, ensure_ascii=False))]
    async with tab(browser, program) as page:
        await page.tab.get_by_text("How it answers").click()
        await page.tab.locator(".st-key-forms").get_by_role("combobox").click()
        await page.tab.get_by_role("option", name="Review").click()
        await page.ask("菜很好吃，也实惠。")
        await page.is_done()
        for text in ("sentiment: positive", "confidence: 0.9", "keywords: 好吃 · 实惠", "summary: 很好吃。"):
            await expect(page.answers.last).to_contain_text(text)
