"""Documents on the page: adding, listing, trying and removing them, and answers that cite them."""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tests.ui.conftest import Home
from tests.ui.test_page import ask, opened, press, said

from ai_chat.core.errors import LocalModelFailed, SettingsError
from ai_chat.core.knowledge import Document
from ai_chat.providers.scripted import Echo, Scripted
from ai_chat.ui.parts import knowledge_documents
from ai_chat.ui.parts.knowledge_jobs import MOST_REFUSED

ENGLISH = "# Handbook\n\n## Leave\n\nEverybody has 25 days of leave.\n\n## Travel\n\nHotels may cost 140 EUR a night.\n"
CHINESE = "# 手册\n\n每位员工每年有 15 天年假，未休完的可以结转。\n"
SECONDS = 30.0


class Vectors:
    """Makes vectors of which characters a text has, at once or when it may."""

    def __init__(self, name: str = "test/vectors") -> None:
        self.name = name
        self.may = asyncio.Event()
        self.may.set()
        self.error: Exception | None = None

    async def embed(self, texts):
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return [_vector(text) for text in texts]

    async def aclose(self):
        pass


def _vector(text: str) -> bytes:
    counts = [0.0] * 64
    for character in text.lower():
        counts[ord(character) % 64] += 1.0
    length = math.sqrt(sum(count * count for count in counts)) or 1.0
    return array("f", [count / length for count in counts]).tobytes()


@pytest.fixture
def library(home) -> Callable[..., Home]:
    """Open a house with documents of a given model, whose vectors are made here."""

    def opened_house(provider: Any = None, vectors: Vectors | None = None, **texts: str) -> Home:
        house: Home = home(provider or Echo())
        house.services.knowledge._make_embedder = lambda: vectors or Vectors()
        for name, text in texts.items():
            put(house, name.replace("_", "."), text)
        return house

    return opened_house


def put(house: Home, name: str, text: str, collection: str = "default") -> Document:
    """Add a document, and give it."""

    async def added() -> Document:
        knowledge = house.services.knowledge
        job = await knowledge.add_uploads([(name, text.encode())], collection)
        (outcome,) = (await job.over()).outcomes
        assert outcome.document is not None, outcome
        return outcome.document

    return house.do(added())


def knowledge(page: AppTest, part: str | None = None) -> AppTest:
    """Open the page of documents."""
    page.query_params["v"] = "knowledge"
    page.run()
    if part is not None:
        control = next(each for each in page.main.segmented_control if each.key.startswith("knowledge-part"))
        control.set_value(part).run()
    assert not page.exception
    return page


def settled(page: AppTest, house: Home) -> AppTest:
    """Draw the page until nothing is being added."""
    until = time.monotonic() + SECONDS
    while any(job.state == "running" for job in house.services.knowledge.jobs):
        assert time.monotonic() < until
        time.sleep(0.05)
    page.run()
    assert not page.exception
    return page


def captions(page: AppTest) -> str:
    """Give everything that is said quietly, without the signs that keep it from being Markdown."""
    return "\n".join(caption.value for caption in page.caption).replace("\\", "")


def html(page: AppTest) -> str:
    """Give what is drawn as HTML."""
    return "\n".join(element.proto.body for element in page.get("html"))


def names(page: AppTest) -> list[str]:
    """Give the documents in the list."""
    return [button.label.replace("\\", "") for button in page.main.button if button.key.startswith("view-")]


# --- adding -------------------------------------------------------------------------------------------------------


def test_an_empty_knowledge_base_says_what_it_is_for(library, page):
    """One sentence, and what adds to it; the conversation is one press away."""
    library()
    page.run()
    press(page, "knowledge")
    assert page.query_params["v"] == "knowledge"
    assert "Add documents of your own" in captions(page)
    assert "up to 64 MB each" in captions(page)
    assert not page.main.segmented_control
    press(page, "back")
    assert "v" not in page.query_params
    assert page.chat_input


def test_files_are_added(library, page):
    """Two are taken and listed; one is not, and its reason stands there."""
    house = library()
    knowledge(page)
    page.file_uploader[0].set_value(
        [
            ("手册.md", CHINESE.encode(), "text/markdown"),
            ("handbook.md", ENGLISH.encode(), "text/markdown"),
            ("table.xlsx", b"PK\x03\x04 xl/", "application/zip"),
        ]
    ).run()
    press(page, "add-files")
    settled(page, house)
    assert "2 added · 1 not taken" in captions(page)
    assert any("**table.xlsx** — Files of this kind are not read" in words for words in said(page))
    assert names(page) == ["handbook.md", "手册.md"]
    assert "md · 1 passage · 1 KB · " in captions(page)
    press(page, "job-dismiss")
    assert "2 added" not in captions(page)
    assert not page.file_uploader or not page.file_uploader[0].value


def test_refusals_are_in_the_readers_language(library, page):
    """The code of a refusal becomes a sentence in Chinese."""
    house = library()
    page.query_params["lang"] = "zh"
    knowledge(page)
    page.file_uploader[0].set_value([("空.txt", b"  \n ", "text/plain"), ("x.md", b"# a", "text/plain")]).run()
    press(page, "add-files")
    settled(page, house)
    assert "新增 1 个 · 未接受 1 个" in captions(page)
    assert any("文件里没有文字" in words for words in said(page))


def test_many_refusals_are_told_by_their_number(library, page):
    """A folder of pictures does not fill the page."""
    house = library()
    files = [(f"{number}.png", b"\x89PNG\r\n\x1a\n\x00", "image/png") for number in range(MOST_REFUSED + 3)]
    knowledge(page)
    page.file_uploader[0].set_value(files).run()
    press(page, "add-files")
    settled(page, house)
    assert "and 3 more" in captions(page)


def test_a_text_is_pasted(library, page):
    """It needs a name; then it is there, in the collection that was chosen."""
    house = library(a_md=ENGLISH)
    put(house, "b.md", CHINESE, "差旅 2026")
    knowledge(page, "add")
    page.selectbox(key="knowledge-target").set_value("差旅 2026").run()
    page.text_area[0].set_value("住宿每晚 600 元。")
    press(page, "add-text")
    assert any("Give the text a name" in words for words in said(page))
    page.main.text_input[0].set_value("须知")
    page.text_area[0].set_value("住宿每晚 600 元。")
    press(page, "add-text")
    settled(page, house)
    assert [each.name for each in house.do(house.services.knowledge.documents("差旅 2026"))] == ["b.md", "须知.md"]
    assert page.text_area[0].value == ""


def test_an_ingest_is_watched_and_cancelled(library, page):
    """How far it has come is told while it runs; what was cancelled has left nothing."""
    vectors = Vectors()
    vectors.may.clear()
    house = library(vectors=vectors)
    knowledge(page)
    page.file_uploader[0].set_value([("handbook.md", ENGLISH.encode(), "text/markdown")]).run()
    press(page, "add-files")
    until = time.monotonic() + SECONDS
    while "0 of 1 passages" not in page.run().get("progress")[0].proto.text:
        assert time.monotonic() < until
    assert any("Adding to “default”" in words for words in said(page))
    press(page, "job-cancel")
    assert any("Cancelled" in words for words in said(page.run()))
    assert house.do(house.services.knowledge.documents()) in ([], ())


def test_an_ingest_that_another_began_is_seen(library, page):
    """Whoever opens the page sees what goes on."""
    vectors = Vectors()
    house = library(vectors=vectors)
    vectors.may.clear()
    house.do(house.services.knowledge.add_text("something", "other.md", "theirs"))
    knowledge(page)
    assert any("Adding to “theirs”" in words for words in said(page))
    house._loop.call_soon_threadsafe(vectors.may.set)
    settled(page, house)
    assert any("Added to “theirs”" in words for words in said(page))


# --- the list -----------------------------------------------------------------------------------------------------


def test_documents_are_listed_by_collection(library, page):
    """Each with its number; one collection alone can be looked at."""
    house = library(b_md=ENGLISH, a_md=CHINESE)
    put(house, "c.md", ENGLISH, "travel")
    knowledge(page)
    assert names(page) == ["a.md", "b.md", "c.md"]
    assert "default · 2 documents" in captions(page)
    assert "travel · 1 document" in captions(page)
    page.main.selectbox[0].set_value("travel").run()
    assert names(page) == ["c.md"]


def test_a_long_list_has_pages_and_a_filter(library, page, monkeypatch):
    """So many are drawn; the others are on the next page, or found by their names."""
    monkeypatch.setattr(knowledge_documents, "PAGE", 5)
    library(**{f"n{number:02}_md": f"text {number}" for number in range(12)})
    knowledge(page)
    assert names(page) == [f"n{number:02}.md" for number in range(5)]
    page.pagination[0].set_value(3).run()
    assert names(page) == ["n10.md", "n11.md"]
    page.main.text_input[0].set_value("N1").run()
    assert names(page) == ["n10.md", "n11.md"]
    page.main.text_input[0].set_value("zebra").run()
    assert "Nothing found for “zebra”" in captions(page)


def test_the_passages_of_a_document_are_shown(library, page):
    """In a dialog, with where each stands."""
    library(a_md=ENGLISH)
    knowledge(page)
    press(page, "view-")
    assert "Everybody has 25 days" in html(page)
    assert "Handbook" in html(page)


def test_removing_asks_first(library, page):
    """No loses nothing; yes does."""
    house = library(a_md=ENGLISH)
    knowledge(page)
    page.main.menu_button[0].click("remove").run()
    assert any("Your own file stays" in words for words in said(page))
    press(page, "removal-cancel")
    assert names(page) == ["a.md"]
    page.main.menu_button[0].click("remove").run()
    press(page, "removal-remove")
    assert "Add documents of your own" in captions(page.run())
    assert not house.do(house.services.knowledge.collections())


def test_vectors_of_another_model_are_made_anew(library, page):
    """A line says so, and one press mends it."""
    vectors = Vectors("test/old")
    house = library(vectors=vectors, a_md=ENGLISH, b_md=CHINESE)
    vectors.name = "test/new"
    knowledge(page)
    assert any("2 documents were indexed by another model" in words for words in said(page))
    press(page, "reindex")
    settled(page, house)
    assert not any("another model" in words for words in said(page))
    assert any("Re\\-indexed" in words for words in said(page))
    assert "2 replaced" in captions(page)


def test_a_model_that_is_set_wrongly_hides_nothing(library, page):
    """A line says what is wrong; the documents are there."""
    house = library(a_md=ENGLISH)
    knowledge_base = house.services.knowledge

    def broken():
        raise SettingsError("AI_CHAT_KNOWLEDGE__EMBEDDING is wrong.")

    del vars(knowledge_base)["_embedder"]
    knowledge_base._make_embedder = broken
    knowledge(page)
    assert any("EMBEDDING is wrong" in words.replace("\\", "") for words in said(page))
    assert names(page) == ["a.md"]
    knowledge_base._make_embedder = Vectors


# --- trying a search ----------------------------------------------------------------------------------------------


def seek(page: AppTest, query: str) -> AppTest:
    """Look for something."""
    page.main.text_input[0].set_value(query)
    return press(page, "seek")


def test_a_search_shows_what_it_finds(library, page):
    """Rank, place, scores, and the passage with the words that were looked for; it opens in its context."""
    house = library(a_md=ENGLISH)
    put(house, "手册.md", CHINESE, "zh")
    seek(knowledge(page, "search"), "年假 days")
    assert sorted(words[:4] for words in said(page) if "\\. **" in words) == ["1\\. ", "2\\. "]
    assert "<mark>年假</mark>" in html(page)
    assert "25 <mark>days</mark> of" in html(page)
    assert "score " in captions(page)
    assert "meaning 0." in captions(page)
    press(page, "context-1")
    assert '<div class="passage">' in html(page)
    seek(page, " ")
    assert not any(words.startswith("1\\.") for words in said(page))


def test_a_search_within_a_collection(library, page):
    """Only what was chosen is searched."""
    house = library(a_md=ENGLISH)
    put(house, "手册.md", CHINESE, "zh")
    knowledge(page, "search")
    page.multiselect[0].set_value(["zh"])
    page.number_input[0].set_value(1)
    seek(page, "leave 年假")
    assert [words for words in said(page) if "\\. **" in words] == ["1\\. **手册.md · 手册**"]


def test_a_search_by_words_alone_says_so(library, page):
    """Without vectors the words are searched, and a line says why."""
    vectors = Vectors()
    library(vectors=vectors, a_md=ENGLISH)
    vectors.error = LocalModelFailed("The embedding model broke.")
    seek(knowledge(page, "search"), "hotels")
    assert any("Searched by words only. The embedding model broke" in words for words in said(page))
    assert "<mark>Hotels</mark>" in html(page)
    seek(page, "zebra")
    assert "No passage about this was found." in captions(page)


# --- in conversations ---------------------------------------------------------------------------------------------


def pick(page: AppTest, *collections: str) -> AppTest:
    """Choose collections in the sidebar."""
    group = next(each for each in page.sidebar.pills if each.key.startswith("grounded-"))
    group.set_value(list(collections)).run()
    assert not page.exception
    return page


def test_no_documents_no_choice(library, page):
    """Where there is nothing, nothing is offered."""
    library()
    page.run()
    assert [group.label for group in page.sidebar.pills] == ["Tools"]
    assert "Search documents" not in page.sidebar.pills[0].options


def test_all_documents_or_some(library, page):
    """The one excludes the other; what is chosen stands below the box and is kept with the conversation."""
    house = library(a_md=ENGLISH)
    put(house, "b.md", CHINESE, "zh")
    pick(page.run(), "*")
    assert "Answers come from: All documents" in captions(page)
    pick(page, "*", "zh")
    assert "Answers come from: zh" in captions(page)
    pick(page, "zh", "*")
    assert "Answers come from: All documents" in captions(page)
    ask(page, "How much leave?")
    assert house.do(house.store.list())[0].options["collections"] == ["*"]
    assert "Answers come from: All documents" in captions(page)


def test_a_conversation_keeps_its_documents(library, page):
    """Another tab has the same choice; taking it away is kept as well."""
    house = library(a_md=ENGLISH)
    run = house.ask("How much leave?", collections=["*"])
    opened(page, run.conversation)
    assert "Answers come from: All documents" in captions(page)
    pick(page)
    assert "Answers come from" not in captions(page)
    ask(page, "and now?")
    assert house.do(house.store.list())[0].options["collections"] == []


def test_answers_of_a_form_have_no_documents(library, page):
    """The choice waits until answers are text again."""
    library(a_md=ENGLISH)
    pick(page.run(), "*")
    next(each for each in page.sidebar.selectbox if each.key.startswith("form-")).set_value("review").run()
    assert "Answers come from" not in captions(page)
    assert next(each for each in page.sidebar.pills if each.key.startswith("grounded-")).disabled


def sources(page: AppTest) -> list[str]:
    """Give the sources below the answers."""
    return [button.label.replace("\\", "") for button in page.main.button if (button.key or "").startswith("source-")]


def test_an_answer_cites(library, page):
    """What it cites is listed and linked, what it made up is not there; the passage opens in its context."""
    house = library(Scripted("25 days [1], as the book [9] says. `a[1]`"), handbook_md=ENGLISH)
    run = house.ask("How much leave?", collections=["*"])
    opened(page, run.conversation)
    (answer,) = [words for words in said(page) if "25 days" in words]
    assert answer == f"25 days [\\[1\\]](#source-{run.id}-1), as the book says. `a[1]`"
    assert sources(page) == ["[1] handbook.md · Handbook"]
    assert '<div class="found">' in html(page)
    press(page, "source-")
    assert '<div class="cited">' in html(page)
    assert "Everybody has 25 days" in html(page)
    assert "Handbook · default" in captions(page)


def test_what_was_read_and_not_cited_can_be_looked_at(library, page):
    """A quiet line tells how many passages there were."""
    house = library(Scripted("I do not know."), handbook_md=ENGLISH)
    opened(page, house.ask("How much leave?", collections=["*"]).conversation)
    assert "1 passage was read, it is not cited" in [box.label for box in page.expander]
    assert sources(page) == ["[1] handbook.md · Handbook"]


@pytest.mark.parametrize(("change", "words"), [("replace", "has been replaced"), ("remove", "has been removed")])
def test_a_source_that_has_changed_says_so(library, page, change, words):
    """The passage is shown as it was found."""
    house = library(Scripted("25 days [1]."), handbook_md=ENGLISH)
    run = house.ask("How much leave?", collections=["*"])
    if change == "replace":
        put(house, "handbook.md", "Everybody has 30 days now.")
    else:
        (document,) = house.do(house.services.knowledge.documents())
        house.do(house.services.knowledge.remove(document.id))
    press(opened(page, run.conversation), "source-")
    assert any(words in line for line in said(page))
    assert "Everybody has 25 days" in html(page)
    assert "30 days" not in html(page)


def test_a_dialog_goes_with_its_conversation(library, page):
    """Who goes elsewhere does not find it open there."""
    house = library(Scripted("25 days [1]."), handbook_md=ENGLISH)
    press(opened(page, house.ask("How much leave?", collections=["*"]).conversation), "source-")
    assert '<div class="cited">' in html(page.run())
    press(page, "new-chat")
    assert '<div class="cited">' not in html(page)
