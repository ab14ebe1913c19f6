"""What a person can do here. Each is called before the page is drawn anew; what goes wrong is a line on that page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st

from ...assembly import Services
from ...core.conversations import Conversation, Turn
from ...core.errors import BadRequest, ChatError, Conflict
from ...core.presets import FORMS
from ..state import SHOWN, conversation, go_to, remember, remembered, say
from . import view
from .bridge import ask_house, services
from .trouble import note

P = ParamSpec("P")

COMPOSER = "composer-text"
SEARCH = "search-words"
ROOT = "root"
OWN_FORM = "own"
"""A schema of the user's own."""


def _noting(action: Callable[P, None]) -> Callable[P, None]:
    """Have an error be shown on the page instead of breaking it."""

    @wraps(action)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        _forget_said()
        try:
            action(*args, **kwargs)
        except ChatError as error:
            note(error)

    return guarded


def _forget_said() -> None:
    """Take away what was said about the last action: there is a new one."""
    remember("undo", None)
    remember("trouble", None)


# --- asking -------------------------------------------------------------------------------------------------------


def submit() -> None:
    """Ask what is in the box; if that cannot be, the text is back in it."""
    text = st.session_state[COMPOSER]
    if not text or not text.strip():
        return
    _forget_said()
    try:
        _ask(text)
    except ChatError as error:
        st.session_state[COMPOSER] = text
        if isinstance(error, Conflict):
            remember("trouble", say("still_writing"))
        else:
            note(error)


@_noting
def ask(text: str) -> None:
    """Ask this."""
    _ask(text)


def _ask(text: str, parent: str | None = None) -> None:
    here, model, preset, schema = conversation(), remembered(model_key()), remembered(preset_key()), _schema()
    tools = [] if schema else _tools()  # an answer of a form is made without them
    collections = [] if schema else remembered(collections_key())
    choices = {"preset": preset, "tools": tools, "schema": schema, "collections": collections}
    run = ask_house(lambda services: services.runs.ask(text, conversation=here, parent=parent, model=model, **choices))
    if here is None:
        remember(f"model-{run.conversation}", model)
        remember(f"preset-{run.conversation}", preset)
        remember(f"tools-{run.conversation}", tools)
        remember(f"collections-{run.conversation}", remembered("collections-new"))
        remember(f"form-{run.conversation}", remembered("form-new"))
        remember(f"schema-{run.conversation}", remembered("schema-new"))
        go_to(run.conversation)


@_noting
def ask_edited(turn: Turn) -> None:
    """Ask an edited question beside the one it was."""
    text = st.session_state[f"edited-{turn.id}"]
    if text.strip():
        _ask(text, parent=turn.parent or ROOT)
        remember("editing", None)


@_noting
def again(turn: Turn) -> None:
    """Have another answer beside this one."""
    model = remembered(model_key())
    ask_house(lambda services: services.runs.again(turn.id, model=model))


@_noting
def stop(run: str) -> None:
    """Stop an answer; the part that came is kept."""
    ask_house(lambda services: services.runs.stop(run))


@_noting
def decide(run: str, call: str, allow: bool) -> None:  # noqa: FBT001 - a callback's argument
    """Let a tool run that asks first, or not."""
    ask_house(lambda services: _decide(services, run, call, allow=allow))


async def _decide(services: Services, run: str, call: str, *, allow: bool) -> None:
    services.runs.decide(run, call, allow=allow)


def model_key() -> str:
    """Give the name under which the chosen model of this conversation is remembered."""
    return f"model-{conversation() or 'new'}"


def preset_key() -> str:
    """Give the name under which the chosen temperature of this conversation is remembered."""
    return f"preset-{conversation() or 'new'}"


def tools_key() -> str:
    """Give the name under which the chosen tools of this conversation are remembered."""
    return f"tools-{conversation() or 'new'}"


def collections_key() -> str:
    """Give the name under which the chosen collections of documents are remembered that answers come from here."""
    return f"collections-{conversation() or 'new'}"


def form_key() -> str:
    """Give the name under which the chosen form of this conversation's answers is remembered."""
    return f"form-{conversation() or 'new'}"


def schema_key() -> str:
    """Give the name under which a schema of the user's own is remembered."""
    return f"schema-{conversation() or 'new'}"


def _schema() -> Mapping[str, Any] | None:
    """Give the JSON Schema that is chosen here; an empty one is none, and None leaves what the conversation has."""
    form = remembered(form_key())
    if form is None or form != OWN_FORM:
        return FORMS.get(form, {}) if form is not None else None
    try:
        schema = json.loads(remembered(schema_key()) or "{}")
    except ValueError as error:
        raise BadRequest(f"The form is not JSON: {error}.", param="schema") from None
    if not isinstance(schema, dict):
        raise BadRequest("The form must be a JSON object, a JSON Schema.", param="schema")
    return schema


def _tools() -> list[str] | None:
    """Give the tools that are chosen here; a new conversation has those that the settings name."""
    chosen: list[str] | None = remembered(tools_key())
    return services().settings.tools.on if chosen is None and conversation() is None else chosen


# --- looking ------------------------------------------------------------------------------------------------------


@_noting
def open_conversation(name: str | None) -> None:
    """Show a conversation, or a new one."""
    go_to(name)


@_noting
def load_earlier() -> None:
    """Show more messages."""
    remember("shown", remembered("shown", SHOWN) + SHOWN)


def unfold(turn: str, unfolded: bool) -> None:  # noqa: FBT001 - a callback's argument
    """Show all of a long message, or less of it."""
    others = {name for name in remembered("unfolded", ()) if name != turn}
    remember("unfolded", others | {turn} if unfolded else others)


@_noting
def show_version(turn: Turn, version: str) -> None:
    """Show another version of a message."""
    ask_house(lambda services: view.show_version(services, turn, version))


# --- conversations ------------------------------------------------------------------------------------------------


@_noting
def rename(name: str) -> None:
    """Give a conversation the title that was written."""
    title = (remembered(f"title-{name}") or "").strip()
    remember("renaming", None)
    if title:
        ask_house(lambda services: _change_title(services, name, title))


async def _change_title(services: Services, name: str, title: str) -> None:
    store = await services.conversations()
    await store.change(name, title=title)


@_noting
def delete(deleted: Conversation) -> None:
    """Put a conversation away; it can be taken back."""
    ask_house(lambda services: _delete(services, deleted.id))
    if conversation() == deleted.id:
        go_to(None)
    remember("undo", deleted)


async def _delete(services: Services, name: str) -> None:
    for run in services.runs.running_in(name):
        await services.runs.stop(run.id)
    store = await services.conversations()
    await store.delete(name)


@_noting
def undo(deleted: Conversation) -> None:
    """Take a deleted conversation back, and show it."""
    ask_house(lambda services: _restore(services, deleted.id))
    go_to(deleted.id)


async def _restore(services: Services, name: str) -> None:
    store = await services.conversations()
    await store.restore(name)
