"""Functions as tools of the client library: given as they are, run for the model, in every form of asking."""

from __future__ import annotations

import json

import pytest
from tests.upstream import Upstream, calling, streamed, whole

from ai_chat import AsyncChat, Chat, Tools
from ai_chat.core.errors import BadRequest, ClientMisused
from ai_chat.providers.scripted import Scripted, call_steps


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture
async def upstream(no_leaks, monkeypatch):
    """An upstream that calls `add` and then answers."""
    async with Upstream(calling(("add", '{"a": 2, "b": 3}')), streamed("It is", " five")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        yield server


async def test_a_function_is_run_for_the_model(upstream):
    """It is sent as a strict schema, its result goes back, and the answer knows what was called."""
    async with AsyncChat(model="m") as chat:
        result = await chat.complete("2 + 3?", tools=[add])
    first, second = upstream.chats
    assert first["tools"][0]["function"]["parameters"]["required"] == ["a", "b"]
    assert second["messages"][-1]["role"] == "tool"
    assert second["messages"][-1]["content"] == "5"
    assert (result.text, result.steps[0].results[0].content) == ("It is five", "5")


async def test_in_a_stream_and_in_a_session(upstream):
    """The pieces come as they are made; a session remembers the calls."""
    async with AsyncChat(model="m") as chat:
        async with chat.stream("2 + 3?", tools=[add]) as answer:
            assert [text async for text in answer.texts()] == ["It is", " five"]
        upstream.replies = [calling(("add", '{"a": 2, "b": 3}')), whole("five"), whole("bye")]
        session = chat.session(tools=[add])
        await session.complete("2 + 3?")
        await session.complete("Thanks")
    assert [message["role"] for message in upstream.chats[-1]["messages"]] == [
        "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip


async def test_what_the_caller_gave_is_not_changed(upstream):
    """His list of messages is as it was."""
    messages = [{"role": "user", "content": "2 + 3?"}]
    before = json.dumps(messages)
    async with AsyncChat(model="m") as chat:
        await chat.complete(messages, tools=[add])
    assert json.dumps(messages) == before


async def test_side_effects_ask_first(upstream):
    """Without a word they do not happen, and the model is told."""
    sent = []
    tools = Tools()

    @tools.tool(name="add", side_effects=True)
    def send(a: int, b: int) -> str:
        """Send two numbers."""
        sent.append((a, b))
        return "sent"

    async with AsyncChat(model="m") as chat:
        result = await chat.complete("Send", tools=tools)
        assert (sent, result.steps[0].results[0].error) == ([], "declined")
        upstream.replies = [calling(("add", '{"a": 2, "b": 3}')), whole("done")]

        async def yes(call):
            return True

        await chat.complete("Send", tools=tools, confirm=yes)
    assert sent == [(2, 3)]


async def test_definitions_are_passed_through(upstream):
    """Who gives definitions runs the calls himself."""
    definition = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    async with AsyncChat(model="m") as chat:
        result = await chat.complete("2 + 3?", tools=[definition])
        assert [call.name for call in result.message.tool_calls] == ["add"]
        with pytest.raises(BadRequest, match="functions and definitions"):
            await chat.complete("2 + 3?", tools=[definition, add])
        with pytest.raises(ClientMisused):
            await chat.complete("2 + 3?", tools=[lambda a: a])


def test_without_async(monkeypatch):
    """The same words."""
    scripted = Scripted(call_steps(("add", '{"a": 2, "b": 3}')), "five")
    with Chat(model="m", handler=scripted) as chat:
        result = chat.complete("2 + 3?", tools=[add])
        with chat.stream("again", tools=[add]) as answer:
            assert "".join(answer.texts()) == "five"
    assert (result.text, result.steps[0].results[0].content) == ("five", "5")


async def test_a_model_that_only_writes(no_leaks, monkeypatch):
    """With `react` its text is read as calls, and it is sent no tools that it would refuse."""
    says = (whole('Thought: add\nAction: add\nAction Input: {"a": 2, "b": 3}'), whole("Final Answer: five"))
    async with Upstream(*says) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        async with AsyncChat(model="m") as chat:
            result = await chat.complete("2 + 3?", tools=[add], react=True)
        assert (result.text, result.steps[0].results[0].content) == ("five", "5")
        assert all("tools" not in sent for sent in server.chats)
