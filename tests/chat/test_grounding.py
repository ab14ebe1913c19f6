"""Answers from documents: what is searched first, what the model is sent, what is shown and kept."""

from __future__ import annotations

import asyncio
import json

from tests.chat.test_runs import home, read, running, text_in  # noqa: F401 - `home` is a fixture
from tests.knowledge.passages import passage

from ai_chat.chat.grounding import query_of
from ai_chat.core.errors import StorageFailed
from ai_chat.core.knowledge import Scope
from ai_chat.core.messages import Message, check_order
from ai_chat.providers.scripted import text_steps
from ai_chat.tools.registry import Registry
from ai_chat.tools.search import KnowledgeSearch

HOURS = passage("hours.md", "The shop opens at nine.")
PRICES = passage("prices.md", "Parking costs 2 euros.")


class Retriever:
    """Finds what it is given, or fails."""

    def __init__(self, *found, error=None) -> None:
        self.found = found
        self.error = error
        self.asked = []

    async def search(self, query, *, top_k, scope):
        self.asked.append((query, top_k, scope))
        if self.error is not None:
            raise self.error
        return self.found[:top_k]


def searching(retriever):
    def toolbox(names, sources=None):
        assert list(names) == ["search_knowledge_base"]
        return Registry([KnowledgeSearch(retriever, sources).search_knowledge_base])

    return toolbox


async def test_documents_are_searched_before_the_model_is_asked(home):  # noqa: F811
    """The search is a call like any other, and the answer cites what it found; what it made up is not shown."""
    retriever = Retriever(HOURS, PRICES)
    async with running(home, "At nine [1], they say [9].", toolbox=searching(retriever), top_k=3) as runs:
        run = await runs.ask("When does it open?", collections=["town"])
        events = await read(runs, run)
        (request,) = runs.scripted.requests
    assert [event.kind for event in events] == ["run", "tool_call", "tool_result", "text", "usage", "done"]
    assert text_in(events) == "At nine [1], they say."
    assert events[-1].data["cited"] == [1]
    assert [source["name"] for source in events[2].data["sources"]] == ["hours.md", "prices.md"]
    assert retriever.asked == [("When does it open?", 3, Scope(collections=("town",)))]
    assert [message.role for message in request.messages] == ["user", "assistant", "tool"]
    assert "[1] hours.md · p. 2 · Hours\nThe shop opens at nine." in request.messages[2].text
    assert [tool.name for tool in request.tools] == ["search_knowledge_base"]
    check_order(request.messages)

    turn = await home.turn(run.id)
    assert turn.text == "At nine [1], they say."
    assert [source.passage for source in turn.cited] == [HOURS]
    assert [source.passage for source in turn.sources] == [HOURS, PRICES]


async def test_later_questions_go_on_counting(home):  # noqa: F811
    """What was found before keeps its number, is named to the model and not repeated; a stored answer remembers it."""
    async with running(home, "At nine [1].", toolbox=searching(Retriever(HOURS))) as runs:
        run = await runs.ask("When does it open?", collections=["*"])
        await read(runs, run)
    later = Retriever(PRICES, HOURS)
    async with running(home, "2 euros [2], and [1] again.", toolbox=searching(later)) as runs:
        following = await runs.ask("And what does it cost to park the car there?", conversation=run.conversation)
        await read(runs, following)
        (request,) = runs.scripted.requests
    assert later.asked[0][2] == Scope()
    turn = await home.turn(following.id)
    assert [(source.number, source.passage.name) for source in turn.cited] == [(2, "prices.md"), (1, "hours.md")]
    earlier = request.messages[2]
    assert earlier.role == "tool"
    assert "hours.md" in earlier.text
    assert HOURS.chunk.text not in earlier.text
    check_order(request.messages)


async def test_what_was_found_is_kept_while_the_model_thinks(home):  # noqa: F811
    """It can be saved before its first word, and stopped then it keeps its passages."""
    async with running(home, (60.0, *text_steps("At nine [1].")), toolbox=searching(Retriever(HOURS))) as runs:
        run = await runs.ask("When does it open?", collections=["town"])
        while run.log.last < 3:
            await asyncio.sleep(0.005)
        assert run.part() is None  # nothing has been written yet that would have to be saved
        run.stop()
        await run.over()
    turn = await home.turn(run.id)
    assert (turn.state, turn.text) == ("stopped", "")
    assert [source.passage for source in turn.sources] == [HOURS]


async def test_a_search_that_fails_is_told_to_the_model(home):  # noqa: F811
    """The answer comes all the same, and the box says why there are no documents."""
    broken = Retriever(error=StorageFailed("The documents cannot be read."))
    async with running(home, "I cannot look.", toolbox=searching(broken)) as runs:
        run = await runs.ask("When?", collections=["town"])
        events = await read(runs, run)
    result = events[2].data
    assert (result["error"], result["content"]) == ("failed", "The documents cannot be read.")
    assert text_in(events) == "I cannot look."
    assert "cited" not in events[-1].data


async def test_an_empty_choice_takes_them_away(home):  # noqa: F811
    """Without collections nothing is searched."""
    retriever = Retriever(HOURS)
    async with running(home, "a [1]", "b [1]", toolbox=searching(retriever)) as runs:
        run = await runs.ask("When?", collections=["town"])
        await read(runs, run)
        following = await runs.ask("And?", conversation=run.conversation, collections=[])
        events = await read(runs, following)
    assert len(retriever.asked) == 1
    assert text_in(events) == "b [1]"  # not a citation: nobody searched


def test_a_short_question_takes_the_one_before_it_along():
    """`And on Sundays?` finds nothing by itself."""
    history = [Message(role="user", content="When does the library open?"), Message(role="assistant", content="At 9.")]
    assert query_of("And on Sundays?", history) == "When does the library open?\nAnd on Sundays?"
    assert query_of("周日呢？", history) == "When does the library open?\n周日呢？"
    long = "What are the opening hours of the swimming pool?"
    assert query_of(long, history) == long
    assert query_of("And?", []) == "And?"


def test_arguments_of_the_first_search_are_json():
    """The call looks as a model would have made it."""
    from ai_chat.chat.grounding import Grounding
    from ai_chat.core.sources import Sources

    (call,) = Grounding(sources=Sources(), top_k=4).first("几点开门？", [])
    assert json.loads(call.arguments) == {"query": "几点开门？", "top_k": 4}
