"""How the embedded model is asked from documents: passages and examples before the question, no second search."""

from __future__ import annotations

from dataclasses import replace

from ai_chat.core.knowledge import CITE
from ai_chat.core.messages import Message, ToolCall
from ai_chat.core.request import ChatRequest, ToolSpec
from ai_chat.providers.local_tools import choice_request, wanted, with_results

SEARCH = ToolSpec(name="search_knowledge_base", description="Search documents.", parameters={"type": "object"})
CLOCK = ToolSpec(name="get_current_time", description="Tell the time.", parameters={"type": "object"})
FOUND = f"[1] hours.md\nThe shop opens at nine.\n\n{CITE}"


def searched(*before, text=FOUND, tools=(SEARCH,), others=()):
    calls = (ToolCall(id="s1", name="search_knowledge_base", arguments='{"query": "q"}'), *(call for call, _ in others))
    return ChatRequest(
        model="local",
        messages=(
            *before,
            Message(role="user", content="When does it open?"),
            Message(role="assistant", content="", tool_calls=calls),
            Message(role="tool", content=text, tool_call_id="s1"),
            *(Message(role="tool", content=told, tool_call_id=call.id) for call, told in others),
        ),
        tools=tools,
    )


def test_passages_stand_before_the_question():
    """The rules and the examples come first, so that the engine knows what it has read of them."""
    system, *examples, question = with_results(searched()).messages
    assert system.role == "system"
    assert [message.role for message in examples] == ["user", "assistant"] * 3
    assert question.content == "Passages:\n[1] hours.md\nThe shop opens at nine.\n\nQuestion: When does it open?"


def test_instructions_of_the_user_stay():
    """They stand in the one system message that there is."""
    asked = with_results(searched(Message(role="system", content="Be brief.")))
    assert [message.role for message in asked.messages].count("system") == 1
    assert asked.messages[0].text.startswith("Be brief.\n\n")


def test_what_other_tools_told_is_there_as_well():
    """Data of a clock and passages of documents answer one question together."""
    call = ToolCall(id="c1", name="get_current_time", arguments="{}")
    question = with_results(searched(others=[(call, "10:00")], tools=(SEARCH, CLOCK))).messages[-1].text
    assert "The shop opens at nine." in question
    assert "Other data:\n1. get_current_time({}) = 10:00" in question


def test_earlier_searches_are_left_out():
    """Their answers stay; what they found is not there any more."""
    earlier = searched(text="Found: [1] hours.md").messages
    asked = with_results(searched(*earlier, Message(role="assistant", content="At nine [1].")))
    said = asked.messages[7:-1]
    assert [(message.role, message.text) for message in said] == [
        ("user", "When does it open?"),
        ("assistant", "At nine [1]."),
    ]


def test_it_searches_once_for_a_question():
    """Other tools may still be called; when there are none it is not asked."""
    assert not wanted(searched())
    both = searched(tools=(SEARCH, CLOCK))
    assert wanted(both)
    assert "search_knowledge_base(" not in choice_request(both).messages[0].text
    assert wanted(replace(searched(), messages=searched().messages[:1]))


def test_a_search_that_failed_is_data_like_any_other():
    """There are no passages to cite, and the model is told of the error."""
    question = with_results(searched(text="Error: The documents cannot be read.")).messages[-1].text
    assert "Passages:" not in question
    assert "Error: The documents cannot be read." in question
