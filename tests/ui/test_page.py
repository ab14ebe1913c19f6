"""The page, run without a browser: what a person can do, and what is shown then."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tests.ui.conftest import Home

from ai_chat.assembly import settle
from ai_chat.core.conversations import Turn
from ai_chat.core.errors import AuthenticationFailed
from ai_chat.core.events import ChoiceFinished, Finished, ReasoningDelta, Started, TextDelta
from ai_chat.core.messages import Message
from ai_chat.providers.scripted import Echo, Scripted, cut_after
from ai_chat.ui.parts import actions
from ai_chat.ui.parts.messages import LONGEST
from ai_chat.ui.parts.sidebar import period
from ai_chat.ui.state import ROWS, SHOWN

BEGUN = Started("id", "m", 0)


def said(page: AppTest) -> list[str]:
    """Give what the messages on the page say."""
    return [element.value for element in (*page.text, *page.markdown)]


def captions(page: AppTest) -> str:
    """Give everything that is said quietly."""
    return "\n".join(caption.value for caption in page.caption)


def press(page: AppTest, key: str) -> AppTest:
    """Press the last button whose key begins like that."""
    found = [button for button in page.button if (button.key or "").startswith(key)]
    assert found, f"no button {key!r} among {[button.key for button in page.button]}"
    page = found[-1].click().run()
    assert not page.exception
    return page


def opened(page: AppTest, conversation: str) -> AppTest:
    """Open the page at a conversation."""
    page.query_params["c"] = conversation
    page.run()
    assert not page.exception
    return page


def ask(page: AppTest, text: str) -> AppTest:
    """Write something and send it."""
    page.chat_input[0].set_value(text).run()
    assert not page.exception
    return page


# --- asking -------------------------------------------------------------------------------------------------------


def test_an_answer_is_shown(home, page):
    """What is sent is answered; both are on the page, with how it was made, and the URL names the conversation."""
    house: Home = home(Echo())
    ask(page.run(), "one two three")
    assert said(page).count("one two three") == 3  # the question, the answer, the title
    assert "3 → 3 tokens" in captions(page)
    assert page.query_params["c"] == house.do(house.store.list())[0].id


def test_a_suggestion_is_asked(home, page):
    """An empty page offers four questions, and one press asks."""
    home(Echo())
    page.run()
    assert sum((button.key or "").startswith("suggestion-") for button in page.button) == 4
    press(page, "suggestion-1")
    assert said(page).count("Explain how a bicycle stays upright") == 3


def test_a_conversation_goes_on(home, page):
    """The model is sent what was said before."""
    provider = Echo()
    home(provider)
    ask(ask(page.run(), "one"), "two")
    assert [message.text for message in provider.requests[-1].messages] == ["one", "one", "two"]


def test_text_that_cannot_be_sent_is_back_in_the_box(home, page):
    """Nothing that was written is lost, and a line says what is wrong."""
    house: Home = home(Echo())
    ask(page.run(), "one")
    house.do(house.store.delete(page.query_params["c"]))
    ask(page, "precious words")
    assert page.chat_input[0].proto.value == "precious words"
    assert any("not here any more" in words for words in said(page))


def test_the_chosen_model_is_asked(home, page):
    """The choice at the head of the page goes with the question."""
    provider = Echo()
    house: Home = home(provider)
    page.run()
    assert captions(page).endswith("Runs on this machine: no key, and nothing leaves it.")
    ask(page, "one")
    assert house.do(house.store.list())[0].model is None  # the default stays the default, whatever it comes to mean


# --- while an answer is made --------------------------------------------------------------------------------------


def slowly(*steps: Any) -> list[Any]:
    """Give a script that takes a while between its steps."""
    return [BEGUN, *(each for step in steps for each in (step, 0.15)), ChoiceFinished("stop"), Finished()]


def test_a_page_that_is_opened_in_the_middle_follows(home, page):
    """A reload finds the answer that is being made, and shows it to its end."""
    house: Home = home(Scripted(slowly(*(TextDelta(f"word{number} ") for number in range(8)))))
    run = house.do(house.services.runs.ask("go"))
    opened(page, run.conversation)
    assert not run.running
    assert any("word0" in words and "word7" in words for words in said(page))


def test_stop_keeps_the_part(home, page):
    """What had come stays, a line says who stopped it, and it can be gone on with."""
    house: Home = home(Scripted(slowly(TextDelta("a part"), 30.0)))
    run = house.do(house.services.runs.ask("go"))
    threading.Timer(0.7, lambda: house.do(house.services.runs.stop(run.id))).start()
    opened(page, run.conversation)
    assert {"a part", "You stopped this answer."} <= set(said(page))
    assert any((button.key or "").startswith("go-on-") for button in page.button)


def test_what_another_process_left_is_interrupted(home, page):
    """A part whose process has gone is shown as that, and not waited for."""
    house: Home = home(Echo())
    conversation = house.do(house.store.create(title="left"))
    now = datetime.now(UTC) - timedelta(hours=1)
    message = Message(role="assistant", content="half an ans")
    turn = Turn(id="t", conversation=conversation.id, parent=None, message=message, created=now, state="running")
    house.do(house.store.add(turn, owner=None))
    opened(page, conversation.id)
    assert "half an ans" in said(page)
    assert any("The program ended" in words for words in said(page))


def test_reasoning_is_folded_away(home, page):
    """Thinking stands in front of the answer, closed."""
    home(Scripted([BEGUN, ReasoningDelta("let me see"), TextDelta("yes"), ChoiceFinished("stop"), Finished()]))
    ask(page.run(), "go")
    assert page.expander[0].label == "Reasoning"
    assert not page.expander[0].proto.expanded
    assert page.expander[0].markdown[0].value == "let me see"


# --- how an answer ends -------------------------------------------------------------------------------------------


def test_a_failure_is_one_line_with_a_way_out(home, page):
    """No trace is shown; what to do is, and one press tries again."""
    home(Scripted([AuthenticationFailed("The key was refused; check OPENAI_API_KEY.")], "better now"))
    ask(page.run(), "go")
    assert any("check OPENAI\\_API\\_KEY" in words for words in said(page))
    press(page, "retry-")
    assert "better now" in said(page)


def test_a_broken_answer_keeps_its_part(home, page):
    """What came before the connection broke is there, and the line says so."""
    home(Scripted(cut_after("as far as it")))
    ask(page.run(), "go")
    assert "as far as it" in said(page)
    assert any("connection broke" in words for words in said(page))


@pytest.mark.parametrize(
    ("reason", "words", "way_out"),
    [("length", "length limit", "go-on-"), ("content_filter", "content filter", "retry-")],
    ids=["length", "content filter"],
)
def test_an_answer_that_was_cut_says_so(home, page, reason, words, way_out):
    """The reason stands below it, with the way on."""
    home(Scripted([BEGUN, TextDelta("so far"), ChoiceFinished(reason), Finished()]))
    ask(page.run(), "go")
    assert any(words in line for line in said(page))
    assert any((button.key or "").startswith(way_out) for button in page.button)


def test_an_empty_answer_says_so(home, page):
    """Nothing is not shown as nothing."""
    home(Scripted([BEGUN, ChoiceFinished("stop"), Finished()]))
    ask(page.run(), "go")
    assert "The model answered with nothing." in said(page)


# --- versions -----------------------------------------------------------------------------------------------------


def test_another_answer_stands_beside_the_first(home, page):
    """Both are kept, and one can go from one to the other."""
    home(Scripted("the first", "the second"))
    press(ask(page.run(), "go"), "again-")
    assert "the second" in said(page)
    assert "the first" not in said(page)
    assert "2/2" in captions(page)
    press(page, "previous-")
    assert "the first" in said(page)
    assert "1/2" in captions(page)


def test_an_edited_question_stands_beside_the_first(home, page):
    """Editing loses nothing: the first wording is a version of its own."""
    house: Home = home(Echo())
    ask(page.run(), "one")
    press(page, "edit-")
    page.text_area[0].set_value("two")
    press(page, "send-")
    assert said(page).count("two") == 2
    assert "2/2" in captions(page)
    turns = house.do(house.store.path(page.query_params["c"]))
    assert [turn.message.text for turn in turns] == ["two", "two"]
    assert len(house.do(house.store.siblings(turns[0].id))) == 2
    press(page, f"previous-{turns[0].id}")
    assert said(page).count("one") == 3  # with its answer


def test_editing_can_be_called_off(home, page):
    """Then the question is as it was."""
    home(Echo())
    press(press(ask(page.run(), "one"), "edit-"), "cancel-")
    assert not page.text_area
    assert said(page).count("one") == 3


# --- long conversations -------------------------------------------------------------------------------------------


def filled(house: Home, messages: int, text: str = "message") -> str:
    """Make a conversation of so many messages."""

    async def fill() -> str:
        store = await house.services.conversations()
        conversation = await store.create(title="long")
        parent = None
        for number in range(messages):
            role: Any = "assistant" if number % 2 else "user"
            message = Message(role=role, content=f"{text} {number}")
            turn = Turn(
                id=f"t{number}", conversation=conversation.id, parent=parent, message=message, created=datetime.now(UTC)
            )
            await store.add(turn)
            parent = turn.id
        return conversation.id

    return house.do(fill())


def test_the_end_of_a_long_conversation_is_drawn(home, page):
    """The last messages come first; earlier ones come when they are asked for."""
    house: Home = home(Echo())
    opened(page, filled(house, SHOWN + 6))
    assert "message 5" not in said(page)
    assert "message 6" in said(page)
    press(page, "load-earlier")
    assert "message 0" in said(page)
    assert not any(button.key == "load-earlier" for button in page.button)


def test_a_very_long_message_is_clipped(home, page):
    """Its beginning is drawn, and all of it on request."""
    house: Home = home(Echo())
    opened(page, filled(house, 2, "x" * LONGEST))
    assert max(len(words) for words in said(page)) == LONGEST
    press(page, "clip-t1")
    assert max(len(words) for words in said(page)) == LONGEST + 2
    press(page, "clip-t1")
    assert max(len(words) for words in said(page)) == LONGEST


# --- the list -----------------------------------------------------------------------------------------------------


def titles(page: AppTest) -> list[str]:
    """Give the titles in the list."""
    return [button.label for button in page.sidebar.button if (button.key or "").startswith("open-")]


def test_conversations_are_listed_and_opened(home, page):
    """The newest comes first; a press opens one, and another begins a new one."""
    house: Home = home(Echo())
    first = house.ask("about apples").conversation
    house.ask("about pears")
    page.run()
    assert titles(page) == ["about pears", "about apples"]
    press(page, f"open-{first}")
    assert page.query_params["c"] == first
    press(page, "new-chat")
    assert "c" not in page.query_params


def test_the_list_is_bounded(home, page):
    """However many there are, so many are drawn, and more on request."""
    house: Home = home(Echo())

    async def fill() -> None:
        store = await house.services.conversations()
        for number in range(ROWS + 3):
            await store.create(title=f"number {number}")

    house.do(fill())
    assert len(titles(page.run())) == ROWS
    assert len(titles(press(page, "more-conversations"))) == ROWS + 3


def test_a_search_finds_words_of_messages_too(home, page):
    """Chinese ones as well; and a search without a find says so."""
    house: Home = home(Scripted("答案是自行车"))
    house.ask("what is it?")
    house.ask("其他问题", conversation=None)
    page.run()
    page.sidebar.text_input[0].set_value("what").run()
    assert titles(page) == ["what is it?"]
    page.sidebar.text_input[0].set_value("自行车").run()
    assert len(titles(page)) == 2
    page.sidebar.text_input[0].set_value("zebra").run()
    assert titles(page) == []
    assert "Nothing found for “zebra”" in captions(page)


def choose(page: AppTest, what: str) -> AppTest:
    """Choose something from the open conversation's menu."""
    page.menu_button[0].click(what).run()
    assert not page.exception
    return page


def test_a_conversation_is_renamed(home, page):
    """The new title is in the list and in the browser's tab."""
    house: Home = home(Echo())
    opened(page, house.ask("old name").conversation)
    choose(page, "rename")
    page.sidebar.text_input[1].set_value("new name").run()
    assert titles(page) == ["new name"]
    assert not any(button.key == "save-title" for button in page.button)


def test_renaming_can_be_called_off(home, page):
    """Then the title is as it was."""
    house: Home = home(Echo())
    opened(page, house.ask("old name").conversation)
    press(choose(page, "rename"), "cancel-title")
    assert titles(page) == ["old name"]


def test_a_deleted_conversation_can_be_taken_back(home, page):
    """It is gone at once, the page goes on, and one press brings it back whole."""
    house: Home = home(Echo())
    name = house.ask("precious").conversation
    choose(opened(page, name), "delete")
    assert titles(page) == []
    assert "c" not in page.query_params
    assert "Deleted “precious”" in captions(page)
    press(page, "undo-button")
    assert titles(page) == ["precious"]
    assert page.query_params["c"] == name
    assert said(page).count("precious") == 3


def test_the_offer_to_undo_goes_with_the_next_action(home, page):
    """It does not stay for ever."""
    house: Home = home(Echo())
    choose(opened(page, house.ask("precious").conversation), "delete")
    press(page, "new-chat")
    assert not any(button.key == "undo-button" for button in page.button)


def test_deleting_stops_what_is_being_written(home, page):
    """A model does not go on writing for nobody."""
    house: Home = home(Scripted(slowly(TextDelta("a part"), 30.0), "other"))
    run = house.do(house.services.runs.ask("precious"))
    conversation = house.do(house.store.get(run.conversation))
    house.do(actions._delete(house.services, conversation.id))
    assert run.state == "stopped"


def test_the_days_have_names():
    """Today, yesterday, a week, and all before."""
    today = datetime(2026, 3, 10, tzinfo=UTC).date()
    names = [period(today - timedelta(days=days), today) for days in (0, 1, 2, 6, 7, 400)]
    assert names == ["today", "yesterday", "week", "week", "earlier", "earlier"]
    assert period(today + timedelta(days=1), today) == "today"


# --- the rest -----------------------------------------------------------------------------------------------------


def test_the_page_speaks_chinese(home, page):
    """The language can be chosen, and the URL keeps it."""
    home(Echo())
    page.run()
    assert any(button.label == "New chat" for button in page.button)
    page.sidebar.segmented_control[0].set_value("zh").run()
    assert page.query_params["lang"] == "zh"
    assert any(button.label == "新对话" for button in page.button)
    ask(page, "你好")
    assert "首个 token" in captions(page)


def test_a_conversation_that_is_not_there(home, page):
    """A stale link leads to a page that says so, where one can go on."""
    home(Echo())
    opened(page, "no-such-id")
    assert any("not here" in words for words in said(page))
    assert page.chat_input


def test_a_program_that_ends_says_so(home, page):
    """The last thing that a page shows is what to do."""
    home(Echo())
    settle(None)
    page.run()
    assert not page.exception
    assert any("The program is ending" in words for words in said(page))
    assert page.chat_input  # what is being written in it must not go


def test_nothing_is_drawn_for_a_fault_but_a_line():
    """A fault of the page is no trace on it."""

    def script() -> None:
        from ai_chat.ui.parts.trouble import show_fault

        show_fault(ValueError("a secret detail"))

    page = AppTest.from_function(script).run()
    assert any("Something went wrong" in words for words in said(page))
    assert not any("secret" in words for words in said(page))
