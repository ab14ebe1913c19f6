"""The tools that were called for an answer: a box for each, with its arguments, its result and its time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ...core.conversations import Turn
from ...core.knowledge import SEARCH_TOOL
from ...core.sources import Source
from ..state import say
from ..texts import has
from . import actions
from .captions import seconds
from .citations import draw_found, sources_of
from .places import counted
from .tools import title_of
from .trouble import plain

MOST_SHOWN = 4_000
"""Characters of a result that a box shows."""
MOST_ARGUMENTS = 80
"""Characters of the arguments that stand in a box's head."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call as a box shows it."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it."""

    content: str
    error: str | None
    ms: float
    sources: tuple[Source, ...] = ()
    """Passages that were found."""


def draw_steps(place: Any, turn: Turn) -> None:
    """Draw the boxes of an answer that has been written."""
    for step in turn.steps:
        for call, result in step.pairs:
            came = None if result is None else Came(result.content, result.error, result.seconds * 1000, result.sources)
            _draw(place, Called(call.id, call.name, call.arguments), came, running=False)


class Boxes:
    """The boxes of an answer that is being written."""

    def __init__(self, place: Any, run: str) -> None:
        """Draw them in that place, for that run."""
        self._place = place
        self._run = run
        self._boxes: dict[str, tuple[Any, Called]] = {}
        self._asking: Any = None
        self._asked: frozenset[str] = frozenset()

    def started(self, data: Mapping[str, Any]) -> None:
        """Draw a call that is being run."""
        called = Called(data["id"], data["name"], data["arguments"])
        self._boxes[called.id] = _draw(self._place, called, None, running=True), called

    def ended(self, data: Mapping[str, Any]) -> None:
        """Fill in what came of it."""
        box, called = self._boxes[data["id"]]
        came = Came(data["content"], data["error"], data["ms"], sources_of(data))
        _draw_result(box, came)
        box.update(label=_label(called, came), state="error" if came.error else "complete")

    def ask(self, calls: frozenset[str]) -> None:
        """Ask whether calls may run that wait for a person's word."""
        if calls == self._asked:
            return
        self._asked = calls
        if self._asking is None:
            self._asking = self._place.empty()
        if not calls:
            self._asking.empty()
            return
        with self._asking.container(gap="xsmall"):
            for call in sorted(calls):
                _draw_question(self._run, call, self._boxes[call][1] if call in self._boxes else None)


def _draw_question(run: str, call: str, called: Called | None) -> None:
    with st.container(key=f"confirm-{run}-{call}", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(plain(say("may_run", tool=title_of(called.name) if called is not None else call)))
        for allow, words in ((True, "allow"), (False, "deny")):
            st.button(
                say(words),
                key=f"{words}-{run}-{call}",
                type="primary" if allow else "secondary",
                on_click=actions.decide,
                args=(run, call, allow),
            )


def _draw(place: Any, called: Called, came: Came | None, *, running: bool) -> Any:
    failed = came is None or came.error is not None
    box = place.status(
        _label(called, came), state="running" if running else "error" if failed else "complete", expanded=False
    )
    # Not in a `with`: that would say it is complete at its end.
    if called.name == SEARCH_TOOL:
        box.caption(plain(_values(called)))
    else:
        box.caption(say("arguments"))
        box.code(_pretty(called.arguments), language="json", wrap_lines=True)
    if came is not None:
        _draw_result(box, came)
    elif not running:
        box.caption(say("never_ended"))
    return box


def _draw_result(box: Any, came: Came) -> None:
    if came.sources:
        draw_found(box, came.sources)
        return
    box.caption(say("tool_error") if came.error else say("result"))
    text = _pretty(came.content)
    box.code(text[:MOST_SHOWN] + ("…" if len(text) > MOST_SHOWN else ""), language="json", wrap_lines=True)


def _label(called: Called, came: Came | None) -> str:
    told = " ".join(_values(called).split())
    told = told if len(told) <= MOST_ARGUMENTS else f"{told[:MOST_ARGUMENTS]}…"
    parts = [f"**{plain(title_of(called.name))}**", plain(told)]
    if came is not None:
        if came.sources:
            parts.append(counted("passages", len(came.sources)))
        parts.append(say("took", seconds=seconds(came.ms / 1000)))
        key = f"failed_{came.error}"
        if came.error is not None:
            parts.append(say(key) if has(key) else came.error)
    return " · ".join(part for part in parts if part)


def _values(called: Called) -> str:
    """Give what a tool was asked, without the names of its arguments."""
    try:
        read = json.loads(called.arguments)
    except (ValueError, RecursionError):
        return called.arguments
    if called.name == SEARCH_TOOL and isinstance(read, dict) and isinstance(read.get("query"), str):
        return str(read["query"])  # how many passages it may be says nothing
    values = [value for value in read.values() if value is not None] if isinstance(read, dict) else [read]
    return ", ".join(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text
