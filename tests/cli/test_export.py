"""A conversation as Markdown."""

from __future__ import annotations

from dataclasses import replace

from tests.conversations import BORN, make_turn

from ai_chat.cli.export import markdown
from ai_chat.core.conversations import Conversation
from ai_chat.core.messages import Message, Step, ToolCall, ToolResult


def test_tools_stand_before_the_answer():
    """What was called, with what, and what came of it; a stopped call and a failed one say so."""
    calls = tuple(ToolCall(id=name, name="calculate", arguments=f'"{name}"') for name in "abc")
    results = (
        ToolResult(call_id="a", name="calculate", content="56088"),
        ToolResult(call_id="b", name="calculate", content="No number.", error="failed"),
    )
    turn = make_turn("c", message=Message(role="assistant", content="It is 56088."), model="local/x")
    turn = replace(turn, steps=(Step(message=Message(role="assistant", tool_calls=calls), results=results),))
    text = markdown(Conversation(id="c", title="Sums", created=BORN, updated=BORN), [turn])
    assert text.index('- `calculate` "a": 56088') < text.index("It is 56088.")
    assert '- `calculate` "b" (failed): No number.' in text
    assert '- `calculate` "c": stopped' in text
