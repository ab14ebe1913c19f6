"""What the tool loop adds to a round, over the two calls themselves; and five slow tools at once.

    uv run python benchmarks/tool_loop.py [ANSWERS]

The same calls are made through the same pipeline, against a model that answers at once: by the loop, with a tool that
does nothing, and one by one without it. Aims: 200 µs of CPU a round; five tools of a second in about one second.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from statistics import median

from floors import table

from ai_chat.chat.answer import Answer, complete
from ai_chat.chat.counting import Counts
from ai_chat.chat.session import Session, SessionParts
from ai_chat.chat.tool_loop import ToolUse
from ai_chat.cli.serve import COLLECT_EVERY
from ai_chat.core.messages import Message
from ai_chat.core.request import Call, ChatRequest, Timeouts, Trail
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted, call_steps, text_steps
from ai_chat.tools.registry import Registry

ANSWERS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
ROUNDS = 7
CALLING = call_steps(("look", '{"what": "x"}'))
SAYING = text_steps("It is there")
REQUEST = ChatRequest(model="m", messages=(Message(role="user", content="hi"),))


async def look(what: str) -> str:
    """Look for something.

    Args:
        what: What to look for.
    """
    return what


async def wait(number: int) -> int:
    """Take a second.

    Args:
        number: Which one it is.
    """
    await asyncio.sleep(1)
    return number


class Turns(Scripted):
    """Calls a tool and answers, in turn."""

    async def open(self, call: Call, model: str, timeouts: Timeouts):  # noqa: ANN201
        """Take the next."""
        self.requests.clear()
        self.sources.clear()
        self._scripts = (SAYING,) if call.request.messages[-1].role == "tool" else (CALLING,)
        return await super().open(call, model, timeouts)


class Model:
    """Where every name leads."""

    provider = Turns("a")
    model = label = "test/m"


class NoWords:
    """Counts nothing: it is not what is measured."""

    def text(self, *_: object) -> int:
        """Say one."""
        return 1

    message = messages = text


async def resolve(_: str) -> Model:
    """Lead everywhere to the same model."""
    return Model()


def make_call(request: ChatRequest, on_notice: object = None) -> Call:
    """Begin a call."""
    del on_notice
    return Call(request=request, trail=Trail(trace_id="t"))


async def main() -> None:
    """Measure and print."""
    handler = pipeline.build(Dispatch(resolve, timeouts=Timeouts(), counter=NoWords()))
    parts = SessionParts(handler=handler, make_call=make_call, counts=Counts(NoWords(), str), window_of=lambda _: None)

    async def with_loop(use: ToolUse) -> None:
        await complete(Session(parts, REQUEST, tools=use).stream("hi"))

    async def without() -> None:
        for last in (REQUEST.messages[0], Message(role="tool", content="x", tool_call_id="1")):
            request = ChatRequest(model="m", messages=(*REQUEST.messages, last), stream=True)
            await complete(Answer(handler, make_call(request)))

    use = ToolUse(box=Registry([look]))
    plain, looped = [], []
    for _ in range(ROUNDS):
        for kept, work in ((plain, without), (looped, lambda: with_loop(use))):
            began = time.process_time()
            for _ in range(ANSWERS):
                await work()
            kept.append((time.process_time() - began) * 1e6 / ANSWERS)
    Model.provider = Scripted(call_steps(*(("wait", f'{{"number": {n}}}') for n in range(5))), "done")
    began = time.perf_counter()
    await with_loop(ToolUse(box=Registry([wait])))
    slow = time.perf_counter() - began
    table(
        "The tool loop",
        ("what", "figure", "aim"),
        [
            ("two calls without it, CPU", f"{median(plain):.0f} µs", ""),
            ("a round of the loop adds, the tool's run included", f"{median(looped) - median(plain):.0f} µs", "200 µs"),
            ("five tools of 1 s in one round", f"{slow:.2f} s", "about 1 s"),
        ],
    )


if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)
    asyncio.run(main())
