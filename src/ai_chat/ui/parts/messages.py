"""The messages of a conversation, and what can be done with each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NoReturn

import streamlit as st

from ...core.conversations import Turn
from ..state import remember, remembered, say
from . import actions
from .bridge import services
from .captions import caption
from .citations import draw_sources, links_of
from .column import Column
from .copying import copy_button
from .fields import draw_fields, fields_of
from .following import Places, follow, follow_elsewhere, places, show_text
from .markdown import for_renderer
from .steps import draw_steps
from .trouble import plain, quiet_line, sentence_of
from .view import View

LONGEST = 20_000
"""Characters of one message that are drawn unless more is asked for."""


def draw_messages(view: View) -> None:
    """Draw the conversation's messages, and follow the one that is being written."""
    thread = Column("thread", lasting=view.is_running)
    if view.has_earlier:
        with thread.place("earlier", horizontal_alignment="center"):
            st.button(say("load_earlier"), key="load-earlier", type="tertiary", on_click=actions.load_earlier)
    last = len(view.turns) - 1
    for number, turn in enumerate(view.turns):
        versions = view.siblings.get(turn.id, ())
        if turn.message.role == "user":
            with thread.place(f"question-{turn.id}", gap=None, horizontal_alignment="right"):
                _draw_question(turn, versions)
        elif turn.message.role == "assistant":
            _draw_answer(thread, turn, versions, is_last=number == last)
    thread.end()


def _draw_question(turn: Turn, versions: Sequence[str]) -> None:
    if remembered("editing") == turn.id:
        _draw_editor(turn)
        return
    st.text(_clipped(turn))
    _draw_clip(turn)
    if not versions:
        _draw_edit(turn)
        return
    with st.container(
        key=f"tools-{turn.id}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap=None
    ):
        _draw_versions(turn, versions)
        _draw_edit(turn)


def _draw_edit(turn: Turn) -> None:
    st.button(
        say("edit"),
        key=f"edit-{turn.id}",
        wrap=True,
        icon=":material/edit:",
        type="tertiary",
        on_click=remember,
        args=("editing", turn.id),
    )


def _draw_editor(turn: Turn) -> None:
    with st.container(key=f"editor-{turn.id}", gap="xsmall"):
        st.text_area(
            say("edit_label"),
            turn.message.text,
            key=f"edited-{turn.id}",
            label_visibility="collapsed",
            height="content",
        )
        with st.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            st.button(
                say("cancel"), key=f"cancel-{turn.id}", type="tertiary", on_click=remember, args=("editing", None)
            )
            st.button(say("send"), key=f"send-{turn.id}", type="primary", on_click=actions.ask_edited, args=(turn,))


def _draw_answer(thread: Column, turn: Turn, versions: Sequence[str], *, is_last: bool) -> None:
    """Draw an answer. The last one keeps the places in which it was written; each place costs the browser time."""
    run = services().runs.get(turn.id)
    kind = f"{'last' if is_last else 'old'}-{turn.id}"
    with thread.place(f"answer-{turn.id}", kind=kind, gap=None):
        where = places() if is_last else Places(st, st, st, st)
        if is_last and turn.state == "running":
            thread.end()
            _follow(turn, where)
        if turn.message.reasoning:
            with where.reasoning.expander(say("reasoning")):
                st.markdown(for_renderer(turn.message.reasoning[:LONGEST], image=say("image")))
        draw_steps(where.steps, turn)
        if (fields := fields_of(turn.text)) is not None and turn.state != "running":
            draw_fields(where.answer, fields)
        else:
            links = links_of(turn.id, turn.cited)
            show_text(where.answer, _clipped(turn), in_blocks=is_last, links=links)
        with where.below if is_last else nullcontext():
            _draw_clip(turn)
            draw_sources(turn)
            if run is not None and run.unsaved is not None:
                quiet_line(say("unsaved"), f"trouble-{turn.id}", icon=":material/save:")
            _draw_ending(turn, is_last=is_last)
            _draw_tools(turn, versions)


def _follow(turn: Turn, where: Places) -> NoReturn:
    """Show how an answer is written, and draw the page again when it has ended."""
    run = services().runs.get(turn.id)
    if run is not None:
        follow(run, where)
    else:
        follow_elsewhere(turn, where)
    st.rerun()


def _draw_tools(turn: Turn, versions: Sequence[str]) -> None:
    with st.container(key=f"tools-{turn.id}", horizontal=True, vertical_alignment="center", gap=None):
        if turn.text:
            copy_button(turn.text, key=f"copy-{turn.id}")
        st.button(
            say("again"),
            key=f"again-{turn.id}",
            wrap=True,
            icon=":material/refresh:",
            type="tertiary",
            on_click=actions.again,
            args=(turn,),
        )
        _draw_versions(turn, versions)
        if turn.usage is not None or turn.first_token is not None:
            st.caption(plain(caption(turn)))


def _draw_versions(turn: Turn, versions: Sequence[str]) -> None:
    if len(versions) < 2:  # noqa: PLR2004 - a version alone is none
        return
    place = list(versions).index(turn.id)
    with st.container(
        key=f"versions-{turn.id}", horizontal=True, vertical_alignment="center", gap=None, width="content"
    ):
        st.button(
            say("previous"),
            key=f"previous-{turn.id}",
            wrap=True,
            icon=":material/chevron_left:",
            type="tertiary",
            disabled=place == 0,
            on_click=actions.show_version,
            args=(turn, versions[place - 1]),
        )
        st.caption(f"{place + 1}/{len(versions)}")
        st.button(
            say("next"),
            key=f"next-{turn.id}",
            wrap=True,
            icon=":material/chevron_right:",
            type="tertiary",
            disabled=place == len(versions) - 1,
            on_click=actions.show_version,
            args=(turn, versions[(place + 1) % len(versions)]),
        )


def _clipped(turn: Turn) -> str:
    text = turn.text
    return text if len(text) <= LONGEST or _is_unfolded(turn) else text[:LONGEST]


def _draw_clip(turn: Turn) -> None:
    size = len(turn.text)
    if size > LONGEST:
        unfolded = _is_unfolded(turn)
        words = say("show_less") if unfolded else say("show_all", count=f"{size:,}")
        st.button(words, key=f"clip-{turn.id}", type="tertiary", on_click=actions.unfold, args=(turn.id, not unfolded))


def _is_unfolded(turn: Turn) -> bool:
    return turn.id in remembered("unfolded", ())


def _draw_ending(turn: Turn, *, is_last: bool) -> None:
    """Say in a quiet line how an answer ended, if not well, with the way out."""
    words, goes_on = _ending(turn)
    if words is None:
        return
    with st.container(key=f"ending-{turn.id}", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(plain(words))
        if not is_last:
            st.empty()  # in the button's place, where it would be seen until the script has ended
        elif goes_on and turn.message.text:
            st.button(
                say("go_on"),
                key=f"go-on-{turn.id}",
                type="secondary",
                on_click=actions.ask,
                args=(say("go_on_prompt"),),
            )
        else:
            st.button(say("try_again"), key=f"retry-{turn.id}", type="secondary", on_click=actions.again, args=(turn,))


def _ending(turn: Turn) -> tuple[str | None, bool]:
    """Give how it ended, and whether going on with it makes sense."""
    if turn.state == "failed":
        return _failure(turn), False
    if turn.state in {"stopped", "interrupted"}:
        return say(turn.state), True
    if turn.finish_reason == "length":
        return say("cut_off"), True
    if turn.finish_reason == "content_filter":
        return say("filtered"), False
    if not turn.text:
        return say("empty_answer"), False
    return None, False


def _failure(turn: Turn) -> str:
    """Say in the reader's language why it failed."""
    return sentence_of(turn.error_code, turn.error or "")
