"""Models for tests, shipped: one that echoes, one that follows a script. They need no network at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from ..core.errors import StreamBroken
from ..core.events import (
    Batch,
    ChoiceFinished,
    Event,
    Finished,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
    batch_of,
)
from ..core.folding import unfold
from ..core.messages import Message
from ..core.ports import ModelInfo
from ..core.request import Call, ChatRequest, Timeouts
from ..core.result import ChatResult, Choice
from ..core.stream import EventStream, Source
from ..core.usage import Usage

Wait = float
"""Seconds of silence in a script."""
Step = Event | Wait | BaseException
"""What a script does next: say something, be silent, or fail."""


class ScriptedSource:
    """Plays one script."""

    def __init__(self, steps: Iterable[Step]) -> None:
        """Play `steps` in order, one event a batch."""
        self._steps = iter(steps)
        self.closed = False

    async def read(self) -> Batch | None:
        """Give the next event; None when the script has ended or the source was closed."""
        for step in self._steps:
            if self.closed:
                return None
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, (int, float)):
                await asyncio.sleep(step)
                continue
            return batch_of(step)
        return None

    def close(self) -> None:
        """Stop playing."""
        self.closed = True


class Scripted:
    """A provider that answers each request with the next of its scripts, and remembers what it was asked.

    A script is a text, a whole result, or a list of steps: events, seconds of silence, errors. It is a `Handler` too:
    call it to get a stream without a pipeline.
    """

    def __init__(self, *scripts: str | ChatResult | Sequence[Step]) -> None:
        """Answer with `scripts` in turn; the last one is repeated."""
        self._scripts = scripts or ("",)
        self.requests: list[ChatRequest] = []
        self.sources: list[ScriptedSource] = []

    async def open(self, call: Call, model: str, timeouts: Timeouts) -> Source:
        """Begin the next script; an error that stands first is raised here, before the answer has begun."""
        del timeouts
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(call.request)
        if isinstance(script, str):
            steps: Sequence[Step] = text_steps(script, model)
        elif isinstance(script, ChatResult):
            steps = unfold(script)
        else:
            steps = script
        if steps and isinstance(steps[0], BaseException):
            raise steps[0]
        source = ScriptedSource(steps)
        self.sources.append(source)
        return source

    async def __call__(self, call: Call) -> EventStream:
        """Answer as a handler."""
        return EventStream(await self.open(call, call.request.model, Timeouts()))

    async def models(self) -> tuple[ModelInfo, ...]:
        """Offer one model."""
        return (ModelInfo(id="scripted"),)

    async def aclose(self) -> None:
        """Nothing to let go of."""


class Echo(Scripted):
    """A provider that says back what it was told last."""

    async def open(self, call: Call, model: str, timeouts: Timeouts) -> Source:
        """Say the last user message back, word by word, once for each choice asked for."""
        del timeouts
        self.requests.append(call.request)
        asked = next((m.text for m in reversed(call.request.messages) if m.role == "user"), "")
        if call.request.stream:
            steps: Sequence[Step] = text_steps(asked, model, choices=call.request.choices)
        else:
            steps = unfold(echo_result(asked, model, call.request.choices))
        source = ScriptedSource(steps)
        self.sources.append(source)
        return source


def text_steps(text: str, model: str = "scripted", *, choices: int = 1) -> tuple[Event, ...]:
    """Give the events of a plain answer, one per word, with usage counted in words."""
    events: list[Event] = []
    words = text.split(" ")
    for choice in range(choices):
        events.append(Started("chatcmpl-scripted", model, 0, choice))
        events += [TextDelta(word if number == 0 else f" {word}", choice) for number, word in enumerate(words)]
        events.append(ChoiceFinished("stop", choice))
    usage = Usage(input_tokens=len(words), output_tokens=len(words) * choices)
    return (*events, UsageReported(usage), Finished())


def call_steps(*calls: tuple[str, str], text: str = "", model: str = "scripted") -> tuple[Event, ...]:
    """Give the events of an answer that calls tools, each as its name and the JSON text of its arguments."""
    events: list[Event] = [Started("chatcmpl-scripted", model, 0)]
    if text:
        events.append(TextDelta(text))
    for index, (name, arguments) in enumerate(calls):
        half = len(arguments) // 2
        events.append(ToolCallDelta(index=index, id=f"call_{name}_{index}", name=name, arguments=arguments[:half]))
        events.append(ToolCallDelta(index=index, arguments=arguments[half:]))
    usage = Usage(input_tokens=1, output_tokens=len(calls))
    return (*events, ChoiceFinished("tool_calls"), UsageReported(usage), Finished())


def echo_result(text: str, model: str, choices: int = 1) -> ChatResult:
    """Give a plain whole answer."""
    words = len(text.split(" "))
    made = tuple(
        Choice(index=index, message=Message(role="assistant", content=text), finish_reason="stop")
        for index in range(choices)
    )
    usage = Usage(input_tokens=words, output_tokens=words * choices)
    return ChatResult(id="chatcmpl-scripted", model=model, created=0, choices=made, usage=usage)


def cut_after(text: str, model: str = "scripted") -> tuple[Step, ...]:
    """Give the steps of an answer whose connection is lost behind `text`."""
    events = text_steps(text, model)
    kept = [event for event in events if isinstance(event, (Started, TextDelta))]
    return (*kept, StreamBroken("The connection was lost in the middle of the answer."))
