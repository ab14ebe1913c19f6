"""Documents in the app, in a real browser: adding, asking, following a citation, replacing, removing, cancelling."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.browser import PHONE, Program, playwright
from tests.e2e.test_app_in_browser import APP, browser, in_module, tab  # noqa: F401 - `browser` is a fixture
from tests.knowledge.documents import lines, pdf
from tests.upstream import Upstream, streamed

expect = playwright.expect
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

HANDBOOK = pdf(
    lines("The company was founded in 1999 by three friends.", "It makes bicycles and repairs them."),
    lines("Everybody has 25 days of paid leave a year.", "Five of them may be carried over until March."),
)
CHINESE = "# 员工手册\n\n## 年假\n\n每位员工每年有 15 天带薪年假，未休完的年假可以结转到次年三月底。\n"
SIDEBAR = "stSidebar"


@in_module(scope="module")
async def house(tmp_path_factory) -> AsyncIterator[tuple[Upstream, Program]]:
    """An upstream that follows a script, and the app in front of it."""
    async with (
        Upstream() as upstream,
        Program(tmp_path_factory.mktemp("home"), *APP, OPENAI_BASE_URL=upstream.url) as program,
    ):
        yield upstream, program


async def knowledge(page: Any, part: str | None = None) -> None:
    """Go to the page of documents."""
    if await page.tab.locator(".st-key-knowledge-head").count() == 0:
        await page.tab.locator(".st-key-knowledge button").click()
    await expect(page.tab.locator(".st-key-knowledge-head")).to_be_visible()
    if part is not None:
        await page.tab.get_by_role("radio", name=part, exact=True).click()
        await expect(page.tab.get_by_role("radio", name=part, exact=True)).to_be_checked()


async def back(page: Any) -> None:
    """Go back to the chat."""
    await page.tab.locator(".st-key-back button").first.click()  # the other is its tooltip's
    await expect(page.tab.locator(".st-key-knowledge-head")).to_have_count(0)


async def answers_from_all(page: Any) -> None:
    """Go back to the chat, and have its answers come from all documents."""
    await back(page)
    await page.tab.get_by_test_id(SIDEBAR).get_by_role("button", name="All documents").click()
    await expect(page.tab.locator(".st-key-footnote")).to_contain_text("Answers come from: All documents")


async def adding(page: Any, word: str = "Add") -> None:
    """Go to where documents are added; an empty knowledge base shows nothing else."""
    part, box = page.tab.get_by_role("radio", name=word, exact=True), page.tab.locator(".st-key-adding")
    await expect(part.or_(box).first).to_be_visible()
    if await part.count():
        await part.click()
    await expect(box).to_be_visible()


async def add(page: Any, collection: str, *files: tuple[str, str | bytes]) -> None:
    """Choose files and add them to a collection, on the page where that is done."""
    target = page.tab.locator(".st-key-adding").get_by_role("combobox")
    await target.click()
    await target.fill(collection)
    await target.press("Enter")
    await expect(target).to_have_value(collection)
    chosen = [
        {"name": name, "mimeType": "text/plain", "buffer": data if isinstance(data, bytes) else data.encode()}
        for name, data in files
    ]
    await page.tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(chosen)
    await page.tab.locator(".st-key-add-files button:enabled").click()


def job(page: Any) -> Any:
    """The newest ingest."""
    return page.tab.locator('[data-testid="stVerticalBlock"][class*="st-key-job-"]').first


async def seek(page: Any, query: str) -> Any:
    """Try a search; give where its results are."""
    await knowledge(page, "Search")
    question = page.tab.get_by_label("What to look for")
    await expect(question).to_be_visible()
    await question.fill(query)
    await page.tab.locator(".st-key-seek button").click()
    results = page.tab.locator(".st-key-results")
    await expect(results).to_be_visible()
    return results


async def top(element: Any) -> float:
    """Give where an element begins, which may be drawn anew just now."""
    while (box := await element.bounding_box()) is None:
        await asyncio.sleep(0.02)
    return float(box["y"])


async def test_documents_are_added_and_answers_cite_them(browser, house):  # noqa: F811
    """A Chinese text and an English PDF; a made-up number is not shown, a click on a real one opens its passage."""
    upstream, program = house
    seen = asyncio.Event()
    upstream.replies = [
        streamed("You have 25 days a year [1]", ", as [9] says too.\n\n", seen, "中文手册写的是 15 天年假 [2]。")
    ]
    async with tab(browser, program) as page:
        await knowledge(page)
        await expect(page.tab.get_by_text("Add documents of your own")).to_be_visible()
        await add(page, "house rules", ("handbook.pdf", HANDBOOK), ("员工手册.md", CHINESE))
        await expect(job(page)).to_contain_text("2 added")
        await expect(page.tab.locator(".st-key-documents")).to_contain_text("pdf · 2 pages")
        await answers_from_all(page)
        await page.ask("How many days of leave do I have? 年假有几天？")
        begun = page.answers.last.get_by_text("You have 25 days").first
        await expect(begun).to_contain_text("too.")
        await expect(begun.get_by_role("link", name="[1]")).to_be_visible()
        await expect(page.stop).to_be_visible()
        before = await top(begun)
        seen.set()
        await page.is_done()
        assert abs(await top(begun) - before) < 1
        await expect(page.answers.last).not_to_contain_text("[9]")
        box = page.answers.last.get_by_test_id("stExpander").first
        await expect(box).to_contain_text(re.compile(r"Search documents.*\d passages.*\d s"))
        await expect(page.answers.last.locator('[class*="st-key-source-"]')).to_have_count(2)
        for link in (begun.get_by_role("link", name="[1]"), page.answers.last.get_by_role("button").get_by_text("[1]")):
            await link.click()
            dialog = page.tab.get_by_role("dialog")
            await expect(dialog.locator(".cited")).to_be_visible()
            await expect(dialog).to_contain_text("house rules")
            await page.tab.keyboard.press("Escape")
            await expect(dialog).to_have_count(0)
        sent = upstream.chats[-1]["messages"]
        assert any("25 days of paid leave" in str(message["content"]) for message in sent)
        await page.tab.reload()
        await expect(page.answers.last.locator('[class*="st-key-source-"]')).to_have_count(2)
        await expect(page.tab.locator(".st-key-footnote")).to_contain_text("Answers come from: All documents")


async def test_a_newer_file_takes_the_place_of_the_older(browser, house):  # noqa: F811
    """What is found is the new text; an older answer shows its passage as it was, and says so; then it is removed."""
    upstream, program = house
    upstream.replies = [streamed("It opens at nine [1].")]
    async with tab(browser, program) as page:
        await knowledge(page)
        await adding(page)
        await add(page, "opening", ("hours.md", "The shop in Kassel opens at nine in the morning."))
        await expect(job(page)).to_contain_text("1 added")
        await answers_from_all(page)
        await page.ask("When does the shop in Kassel open?")
        await page.is_done()
        conversation = page.conversation
        await knowledge(page, "Add")
        await add(page, "opening", ("hours.md", "The shop in Kassel opens at half past seven."))
        await expect(job(page)).to_contain_text("1 replaced")
        results = await seek(page, "shop in Kassel")
        await expect(results).to_contain_text("half past seven")
        await expect(results).not_to_contain_text("nine in the morning")
        await expect(results.locator("mark").first).to_be_visible()
        await page.open(conversation)
        await page.answers.last.get_by_role("link", name="[1]").click()
        dialog = page.tab.get_by_role("dialog")
        await expect(dialog).to_contain_text("has been replaced since")
        await expect(dialog.locator(".cited")).to_contain_text("nine in the morning")
        await page.tab.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await knowledge(page)
        row = page.tab.locator('[class*="st-key-document-"]', has_text="hours.md").first
        await row.locator('[class*="st-key-menu-"] button').click()
        await page.tab.get_by_role("menuitem", name="Remove").click()
        await page.tab.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        await expect(page.tab.get_by_text("hours.md")).to_have_count(0)


async def test_a_passage_is_read_while_the_next_answer_is_written(browser, house):  # noqa: F811
    """The answer goes on behind it, and is whole when the passage is closed."""
    upstream, program = house
    seen = asyncio.Event()
    upstream.replies = [streamed("Three friends [1]."), streamed("The second answer begins ", seen, "and ends.")]
    async with tab(browser, program) as page:
        await knowledge(page)
        await adding(page)
        await add(page, "history", ("founders.md", "The company was founded by three friends from Kassel."))
        await expect(job(page)).to_contain_text("1 added")
        await answers_from_all(page)
        await page.ask("Who founded the company?")
        await page.is_done()
        await page.ask("And then?")
        await expect(page.answers.last).to_contain_text("The second answer begins")
        await page.answers.first.get_by_role("link", name="[1]").click()
        dialog = page.tab.get_by_role("dialog")
        await expect(dialog.locator(".cited")).to_be_visible()
        seen.set()
        await expect(page.answers.last).to_contain_text("begins and ends.")
        await page.is_done()  # as it ends, the page is drawn anew, and the dialog for a moment is not there
        await expect(dialog.locator(".cited")).to_be_visible()
        await page.tab.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(page.answers.last).to_contain_text(re.compile(r"passages? (was|were) read"))


async def test_a_refused_file_says_why_in_chinese(browser, house):  # noqa: F811
    """On a phone, in the reader's language, and nothing scrolls sideways."""
    _, program = house
    async with tab(browser, program, locale="zh-CN", viewport=PHONE, is_mobile=True, has_touch=True) as page:
        await page.tab.get_by_test_id("stExpandSidebarButton").click()
        await page.tab.locator(".st-key-knowledge button").click()
        await expect(page.tab.locator(".st-key-knowledge-head")).to_contain_text("知识库")
        await expect(page.tab.get_by_test_id(SIDEBAR)).to_have_attribute("data-collapsed", "true")
        await adding(page, "添加")
        await add(
            page, "表格", ("预算.xlsx", b"PK\x03\x04\x14\x00 xl/workbook.xml"), ("备注.txt", "今年的预算是三万元。")
        )
        await expect(job(page)).to_contain_text("新增 1 个 · 未接受 1 个")
        await expect(job(page)).to_contain_text("预算.xlsx — 不支持这种文件")
        assert await page.tab.locator("html").evaluate("element => element.scrollWidth <= innerWidth")


async def test_an_ingest_is_cancelled(browser, house):  # noqa: F811
    """A long text is stopped in the middle, and leaves nothing."""
    _, program = house
    text = "\n\n".join(
        f"Paragraph {number}: the bicycle number {number} was mended on day {number}." * 8 for number in range(6000)
    )
    async with tab(browser, program) as page:
        await knowledge(page)
        await adding(page)
        await add(page, "long", ("long.txt", text))
        await expect(job(page)).to_contain_text(re.compile(r"long\.txt: [\d,]+ of [\d,]+ passages"))
        await job(page).get_by_role("button", name="Cancel").click()
        await expect(job(page)).to_contain_text("Cancelled.")
        await job(page).get_by_role("button", name="Dismiss").click()
        await expect(page.tab.get_by_text("Cancelled.")).to_have_count(0)
        await expect(page.tab.get_by_text("long.txt")).to_have_count(0)
