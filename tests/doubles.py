"""Small stand-ins that several tests share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_chat.core.messages import Message
from ai_chat.core.ports import Provider
from ai_chat.core.request import Call, ChatRequest, Trail
from ai_chat.gateway.dispatch import Resolve


class Words:
    """Counts words, so that a test can do it by eye."""

    def text(self, text: str, model: str) -> int:
        return len(text.split())

    def message(self, message: Message, model: str) -> int:
        return len(message.text.split())

    def messages(self, messages: Sequence[Message], model: str, tools=None, tool_choice=None, extra=None) -> int:
        return sum(len(message.text.split()) for message in messages)


@dataclass
class To:
    """A route to a given provider."""

    provider: Provider
    model: str = "m"
    label: str = "test/m"


def to(provider: Provider) -> Resolve:
    """Resolve every name to one provider."""

    async def resolve(name: str) -> To:
        return To(provider)

    return resolve


def ask(text: str = "one two three", *, stream: bool = True, **fields) -> Call:
    """Make a call with one question."""
    messages = (Message(role="user", content=text),)
    return Call(request=ChatRequest(model="m", messages=messages, stream=stream, **fields), trail=Trail(trace_id="t"))
