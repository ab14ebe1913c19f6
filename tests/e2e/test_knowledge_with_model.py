"""Documents and the real embedded model together: two PDFs, two languages, the page, the API and both databases.

`AI_CHAT_TEST_KNOWLEDGE_MODEL` names another model than the small one of the tests, to be asked over PostgreSQL too; its
weights must be in the folder of the tests' weights. `AI_CHAT_TEST_PICTURES` names a folder for pictures of the page.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from pathlib import Path

import pytest
from tests.browser import Program, playwright
from tests.e2e.test_app_in_browser import APP, browser, tab  # noqa: F401 - `browser` is a fixture
from tests.e2e.test_knowledge_in_browser import SIDEBAR, add, adding, back, job, knowledge
from tests.knowledge.documents import printed

expect = playwright.expect
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.model]

CHOSEN = os.environ.get("AI_CHAT_TEST_KNOWLEDGE_MODEL")
MODEL = CHOSEN or "qwen2.5-coder-0.5b"
DATABASES = ("sqlite", "postgresql") if CHOSEN else ("sqlite",)
"""The other one is asked without a model in `tests/test_knowledge_base.py`."""
PICTURES = os.environ.get("AI_CHAT_TEST_PICTURES")
PATIENCE = 240.0
BREAK = '<h2 style="break-before: page">'
HANDBOOK = f"""<h1>Employee handbook</h1><p>The company was founded in 1999 by three friends.</p>
{BREAK}Leave</h2><p>Everybody has DAYS days of paid leave a year. Unused days expire in March.</p>
{BREAK}Travel</h2><p>Hotels may cost 140 euros a night. Receipts are handed in within a month.</p>"""
MANUAL = f"""<meta charset="utf-8"><h1>蓝鲸 X2 产品手册</h1><p>感谢您购买蓝鲸 X2。</p>
{BREAK}充电</h2><p>充满电需要 95 分钟，电池容量为 5200 毫安时。</p>
{BREAK}保修</h2><p>整机保修期为 18 个月，电池保修 6 个月。</p>"""


@pytest.fixture(params=DATABASES)
def settings(request, data_dir_with_weights: Path) -> dict[str, str]:
    """Give the variables of a program with the embedded model, over each database."""
    given = {"AI_CHAT_DATA_DIR": str(data_dir_with_weights), "AI_CHAT_LOCAL__MODEL": MODEL, "AI_CHAT_TEMPERATURE": "0"}
    if request.param == "postgresql":
        given["AI_CHAT_DATABASE"] = request.getfixturevalue("postgres_url")
    return given


async def choose_documents(page) -> None:
    """Have the answers come from all documents, unless they do."""
    pill = page.tab.get_by_test_id(SIDEBAR).get_by_role("button", name="All documents")
    footnote = page.tab.locator(".st-key-footnote")
    await expect(pill).to_be_visible()
    if "Answers come from" not in await footnote.inner_text():
        await pill.click()
    await expect(footnote).to_contain_text("Answers come from: All documents")


async def ask(page, question: str, word: str) -> None:
    """Ask, and see an answer with that word and a citation; follow it to the passage with the word."""
    await page.ask(question)
    await page.is_done(seconds=PATIENCE)
    await expect(page.answers.last).to_contain_text(word)
    await page.answers.last.locator('[class*="st-key-source-"] button').first.click()
    cited = page.tab.get_by_role("dialog").locator(".cited")
    await expect(cited).to_contain_text(word)
    await picture(page, f"{word}-passage")
    await page.tab.keyboard.press("Escape")
    await expect(page.tab.get_by_role("dialog")).to_have_count(0)
    await picture(page, word)


async def picture(page, name: str) -> None:
    """Keep a picture of the page, if somebody wants it."""
    if PICTURES:
        await page.tab.screenshot(path=Path(PICTURES) / f"{name}.png")


def found(program: Program, query: str) -> list[dict]:
    """Search over the API."""
    body = json.dumps({"query": query, "top_k": 3}).encode()
    url = f"{program.url}/api/knowledge/search"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own program
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)["data"]


async def test_the_embedded_model_answers_from_documents(browser, settings, clean_environment, tmp_path):  # noqa: F811
    """A Chinese and an English PDF are asked; the English one is replaced, and the answer follows."""
    english = printed(HANDBOOK.replace("DAYS", "26"), tmp_path)
    chinese = printed(MANUAL, tmp_path)
    newer = printed(HANDBOOK.replace("DAYS", "31"), tmp_path)
    async with Program(clean_environment, *APP, **settings) as program, tab(browser, program) as page:
        await knowledge(page)
        await add(page, "office", ("handbook.pdf", english), ("产品手册.pdf", chinese))
        await expect(job(page)).to_contain_text("2 added")
        await picture(page, "documents")
        await back(page)
        await choose_documents(page)
        await ask(page, "How many days of paid leave does everybody have?", "26")
        await page.tab.locator(".st-key-new-chat button").click()
        await choose_documents(page)
        await ask(page, "充满电需要多长时间？", "95")

        await knowledge(page)
        await adding(page)
        await add(page, "office", ("handbook.pdf", newer))
        await expect(job(page)).to_contain_text("1 replaced")
        await page.tab.locator(".st-key-new-chat button").click()
        await choose_documents(page)
        await ask(page, "How many days of paid leave does everybody have?", "31")

        passages = await asyncio.to_thread(found, program, "days of paid leave")
        assert passages[0]["page"] == 2
        assert "31 days" in passages[0]["text"]
        assert not any("26 days" in passage["text"] for passage in passages)
