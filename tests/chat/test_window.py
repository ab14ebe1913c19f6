"""The window: what of a conversation is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.chat.window import fit
from ai_chat.core.errors import ContextTooLong
from ai_chat.core.messages import Message, ToolCall, check_order


def words(message):
    return len(message.text.split())


def user(text):
    return Message(role="user", content=text)


def assistant(text):
    return Message(role="assistant", content=text)


SYSTEM = Message(role="system", content="be kind")
TALK = (SYSTEM, user("q1 x x"), assistant("a1 x x"), user("q2 x"), assistant("a2 x"), user("q3"))


@pytest.mark.parametrize(
    ("budget", "kept", "left_out"),
    [(100, 5, 0), (13, 5, 0), (12, 3, 1), (7, 3, 1), (6, 1, 2), (3, 1, 2)],
    ids=["all", "exactly", "one short", "two turns", "one turn less", "only the newest"],
)
def test_newest_turns_are_kept_as_far_as_they_fit(budget, kept, left_out):
    """The system prompt stays, whole turns go from the oldest on, and their number is told."""
    window = fit(TALK, budget, words)
    assert window.messages == (SYSTEM, *TALK[len(TALK) - kept :])
    assert window.turns_left_out == left_out


def test_what_cannot_fit_is_refused_with_both_numbers():
    """A newest turn beyond the window is an error, not a silent cut."""
    with pytest.raises(ContextTooLong, match=r"7 tokens.* 6;"):
        fit((SYSTEM, user("one two three four five")), 6, words)


def test_a_tool_result_stays_with_its_call():
    """A turn is kept whole, calls and results together."""
    call = Message(role="assistant", tool_calls=(ToolCall(id="c", name="f", arguments="{}"),))
    result = Message(role="tool", content="r r r r", tool_call_id="c")
    talk = (user("q1"), call, result, assistant("a1"), user("q2"))
    for budget in range(1, 10):
        kept = fit(talk, budget, words).messages
        check_order(kept)
        assert len(kept) in {1, len(talk)}


turns = st.lists(
    st.tuples(st.integers(1, 5), st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=3)),
    min_size=1,
    max_size=8,
)


def conversation(shape):
    messages = [SYSTEM]
    for number, (size, replies) in enumerate(shape):
        messages.append(user("w " * size))
        for index, (tool, length) in enumerate(replies):
            if tool:
                name = f"{number}-{index}"
                messages.append(Message(role="assistant", tool_calls=(ToolCall(id=name, name="f", arguments="{}"),)))
                messages.append(Message(role="tool", content="r " * length, tool_call_id=name))
            else:
                messages.append(assistant("a " * length))
    return tuple(messages)


@given(turns, st.integers(0, 60))
def test_whatever_the_history_the_window_is_sound(shape, budget):
    """In budget, in order, pairs together, beginning with a question, and fitting twice changes nothing."""
    talk = conversation(shape)
    try:
        window = fit(talk, budget, words)
    except ContextTooLong:
        newest = max(i for i, m in enumerate(talk) if m.role == "user")
        assert words(SYSTEM) + sum(map(words, talk[newest:])) > budget
        return
    assert sum(map(words, window.messages)) <= budget
    assert window.messages[0] == SYSTEM
    assert window.messages[1:] == talk[len(talk) - len(window.messages) + 1 :]
    assert window.messages[1].role == "user"
    check_order(window.messages)
    assert fit(window.messages, budget, words).messages == window.messages
