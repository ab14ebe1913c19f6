"""Following an answer while it is made: the page only looks on, so no click, reload or closed tab takes it away."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

from ...core.conversations import Turn
from ...core.errors import ChatError
from ...core.runs import RunEvent, RunLog
from ..state import say
from .blocks import Growing, blocks_of
from .bridge import ask_house
from .citations import links_of, sources_of
from .markdown import NO_LINKS, Links, for_renderer, unfinished
from .progress import Waiting
from .steps import Boxes, draw_steps

LOOK_SECONDS = 0.1
"""At least so often it is looked whether the reader wants something else; a click waits for no longer."""
PACE_SECONDS = 0.06
"""At least so much time between two sendings of an answer's end."""
PACE_OF_EACH = 0.001
"""Seconds by which each page that follows slows all of them: one processor draws for all, and a hundred pages that are
a little slower are better than some that stand still."""
BYTES_PER_SECOND = 6_000
"""What sending the end of an answer again and again may take: a long block of code is sent less often."""
COUNT_SECONDS = 1.0
"""Time between two sendings of how many tokens have come."""
ELSEWHERE_SECONDS = 1.0
"""Time between two looks at an answer that another process writes."""


class Followed(Protocol):
    """An answer that is being made; a run is one."""

    id: str
    log: RunLog
    tokens: int
    """About how many have come."""

    @property
    def asking(self) -> frozenset[str]:
        """The calls of tools that wait for a person's word."""
        ...

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of an answer stand. They are the same while it is made and afterwards, so that nothing jumps."""

    reasoning: Any
    steps: Any
    answer: Any
    below: Any


def places() -> Places:
    """Make the places of an answer."""
    return Places(st.container(gap=None), st.container(gap="xsmall"), st.container(gap="small"), st.container(gap=None))


def show_text(place: Any, text: str, *, in_blocks: bool, links: Links = NO_LINKS) -> None:
    """Show Markdown; in blocks if it has just been written that way, so that the browser need not draw it anew."""
    for block in blocks_of(text) if in_blocks else [text]:
        if block.strip():
            place.markdown(for_renderer(block, image=say("image"), links=links), anchors=False)


class Followers:
    """How many pages follow an answer now."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._number = 0

    def __enter__(self) -> None:
        with self._lock:
            self._number += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._number -= 1

    @property
    def pace(self) -> float:
        """Seconds between two sendings that this many can keep."""
        return max(PACE_SECONDS, self._number * PACE_OF_EACH)


followers = Followers()


class Shown:
    """What is shown of a growing answer."""

    def __init__(self, where: Places, run: str) -> None:
        """Show nothing yet."""
        self._where = where
        self.boxes = Boxes(where.steps, run)
        self._run = run
        self._image = say("image")
        self._links: Links = NO_LINKS
        self._growing = Growing()
        self._slot: Any = None
        self._reasoning_slot: Any = None
        self._reasoning = ""
        self._thought = 0
        self._pending = ""
        self._due = 0.0
        self._counter: Any = None
        self._count_due = 0.0
        self.waiting = Waiting(where.below.empty())

    def take(self, events: list[RunEvent]) -> None:
        """Take what has come."""
        for event in events:
            if event.kind == "text":
                self._pending += event.data["text"]
            elif event.kind == "reasoning":
                self._reasoning += event.data["text"]
            elif event.kind == "tool_call":
                self.boxes.started(event.data)
            elif event.kind == "tool_result":
                self.boxes.ended(event.data)
                self._links = {**self._links, **links_of(self._run, sources_of(event.data))}

    @property
    def has_begun(self) -> bool:
        """Whether there is anything of the answer itself."""
        return bool(self._growing.tail or self._slot is not None or self._pending)

    def draw(self, *, at_once: bool = False) -> None:
        """Send what is new, if it is time."""
        if time.monotonic() < self._due and not at_once:
            return
        sent = self._draw_reasoning() + self._draw_answer()
        if sent:
            self._due = time.monotonic() + max(followers.pace, sent / BYTES_PER_SECOND)

    def count(self, tokens: int) -> None:
        """Tell how much has come, now and again."""
        now = time.monotonic()
        if tokens == 0 or now < self._count_due:
            return
        if self._counter is None:
            self._counter = self._where.below.empty()
        self._counter.caption(say("so_far", count=f"{tokens:,}"))
        self._count_due = now + COUNT_SECONDS

    def _draw_reasoning(self) -> int:
        """Send the thinking, if there is more of it; give the bytes that took."""
        if len(self._reasoning) == self._thought:
            return 0
        if self._reasoning_slot is None:
            self._reasoning_slot = self._where.reasoning.expander(say("thinking")).empty()
        self._thought = len(self._reasoning)
        self._reasoning_slot.markdown(for_renderer(self._reasoning))
        return len(self._reasoning.encode())

    def _draw_answer(self) -> int:
        """Send the answer's end, if there is more of it; give the bytes that took."""
        if not self._pending:
            return 0
        self.waiting.clear()
        frozen = self._growing.add(self._pending)
        self._pending = ""
        for block in frozen:
            self._write(for_renderer(block, image=self._image, links=self._links), block)
            self._slot = None
        tail = self._growing.tail
        self._write(unfinished(tail, image=self._image, links=self._links), tail)
        return len(tail.encode())

    def _write(self, shown: str, block: str) -> None:
        if not block.strip():
            return
        if self._slot is None:
            self._slot = self._where.answer.empty()
        self._slot.markdown(shown, anchors=False)


def follow(run: Followed, where: Places) -> None:
    """Show an answer until it has ended. A click of the reader's ends this at once, and the next drawing goes on."""
    with followers:
        _follow(run, Shown(where, run.id))


def _follow(run: Followed, shown: Shown) -> None:
    position = 0
    while True:
        running = run.running
        events = run.log.after(position)
        if events:
            position = events[-1].number
            shown.take(events)
        if not shown.has_begun:
            shown.waiting.show(run.log.newest("notice", "retry", "reasoning", "tool_call", "tool_result"))
        shown.boxes.ask(run.asking)
        shown.draw(at_once=not running)
        shown.count(run.tokens)
        if not running:
            return
        _look_up()
        if shown.has_begun:
            time.sleep(followers.pace)
        run.log.wait(position, LOOK_SECONDS)


def follow_elsewhere(turn: Turn, where: Places) -> None:
    """Show an answer that another process writes, as the store has it, until it has ended."""
    steps, slot, note = where.steps.empty(), where.answer.empty(), where.below.empty()
    while turn.state == "running":
        note.caption(say("written_elsewhere"))
        with steps.container(gap="xsmall"):
            draw_steps(st, turn)
        slot.markdown(unfinished(turn.text, links=links_of(turn.id, turn.sources)))
        until = time.monotonic() + ELSEWHERE_SECONDS
        while time.monotonic() < until:
            _look_up()
            time.sleep(LOOK_SECONDS)
        try:
            turn = ask_house(lambda services: services.runs.turn(turn.id))  # noqa: B023 - it is called here
        except ChatError:
            return


def _look_up() -> None:
    """Let the reader's click, or his leaving, end this: looking at the session is where Streamlit does so."""
    st.session_state.get("following")
