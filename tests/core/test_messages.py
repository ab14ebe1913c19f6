"""Messages, and the order they must stand in."""

import pytest

from ai_chat.core.errors import BadRequest
from ai_chat.core.messages import ROLES, ImagePart, Message, OtherPart, Role, TextPart, ToolCall, check_order

USER = Message(role="user", content="Hi")
SAID = Message(role="assistant", content="Hello")


def calling(*ids: str) -> Message:
    return Message(role="assistant", tool_calls=tuple(ToolCall(id=id_, name="f", arguments="{}") for id_ in ids))


def answering(id_: str | None) -> Message:
    return Message(role="tool", content="4", tool_call_id=id_)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(None, "", id="none"),
        pytest.param("Hi", "Hi", id="plain"),
        pytest.param((TextPart(text="a"), ImagePart(url="data:,"), TextPart(text="b")), "ab", id="parts"),
        pytest.param((OtherPart(type="file", data={"type": "file"}),), "", id="no text among the parts"),
    ],
)
def test_text(content: str | tuple[TextPart, ...] | None, text: str) -> None:
    """The text of a message is that of its text parts."""
    assert Message(role="user", content=content).text == text


def raised(check, *arguments) -> BadRequest | None:
    """What a check finds wrong; None if nothing."""
    try:
        check(*arguments)
    except BadRequest as error:
        return error
    return None


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="empty"),
        pytest.param([Message(role=role) for role in ROLES if role != "tool"], id="everybody but tools"),
        pytest.param([USER, calling("a"), answering("a"), SAID], id="one call"),
        pytest.param([USER, calling("a", "b"), answering("b"), answering("a")], id="two calls, answered in any order"),
        pytest.param([calling("a"), answering("a"), calling("a"), answering("a")], id="an id used again"),
    ],
)
def test_messages_in_order(messages: list[Message]) -> None:
    """Every call is answered right behind it, and nothing else is."""
    assert not raised(check_order, messages)


@pytest.mark.parametrize(
    ("messages", "param", "words"),
    [
        pytest.param([answering("a")], "messages[0].tool_call_id", "'a'", id="no call at all"),
        pytest.param([USER, answering(None)], "messages[1].tool_call_id", "None", id="no id"),
        pytest.param([calling("a"), answering("b")], "messages[1].tool_call_id", "'b'", id="another id"),
        pytest.param([calling("a"), answering("a"), answering("a")], "messages[2].tool_call_id", "'a'", id="twice"),
        pytest.param([calling("a"), USER, answering("a")], "messages[0].tool_calls", "'a'", id="someone in between"),
        pytest.param([USER, calling("a", "b"), answering("b")], "messages[1].tool_calls", "'a'", id="one is missing"),
        pytest.param([USER, calling("a"), calling("b")], "messages[1].tool_calls", "'a'", id="two callers"),
        pytest.param([USER, calling("a")], "messages[1].tool_calls", "'a'", id="an open end"),
    ],
)
def test_messages_out_of_order(messages: list[Message], param: str, words: str) -> None:
    """The first message at fault is named, with the id and what to do."""
    with pytest.raises(BadRequest, match=words) as caught:
        check_order(messages)

    assert caught.value.param == param
    assert param.partition(".")[0] in caught.value.message


def test_roles_are_the_wires() -> None:
    """`ROLES` lists what the type allows."""
    assert set(ROLES) == set(Role.__args__)
