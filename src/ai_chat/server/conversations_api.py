"""`/api/conversations`: what was said, to list, find, read, rename, delete and take back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ..assembly import Services
from ..core.conversations import Conversation, Turn
from ..core.errors import NotFound
from ..core.ports import ConversationStore
from ..wire.messages import encode_message
from .replies import json_response, shown

router = APIRouter(prefix="/conversations")

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]


class NewConversation(BaseModel):
    """A conversation to begin."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=500)
    model: str | None = Field(None, max_length=200)
    system: str | None = None


class Change(BaseModel):
    """What to change of a conversation; what is not sent stays."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=500)
    model: str | None = Field(None, max_length=200)
    system: str | None = None
    leaf: str | None = Field(None, max_length=200)
    """A message; the end of its branch is what is shown."""


@router.get("")
async def conversations(request: Request, q: str | None = None, limit: Limit = 50, offset: Offset = 0) -> Response:
    """List conversations, the newest first; with `q` those in which all its words stand, the best first."""
    store = await _store(request)
    if q is not None and q.strip():
        found = (await store.search(q, limit=limit + offset))[offset:]
    else:
        found = await store.list(limit=limit, offset=offset)
    return json_response({"data": [_row(request, conversation) for conversation in found]})


@router.post("")
async def begin(new: NewConversation, request: Request) -> Response:
    """Begin a conversation without a message."""
    store = await _store(request)
    conversation = await store.create(title=new.title, model=new.model, system=new.system)
    return json_response(_row(request, conversation), status=201)


@router.get("/{conversation}")
async def read(conversation: str, request: Request) -> Response:
    """Give one, without its messages."""
    found = await (await _store(request)).get(conversation)
    return json_response(_row(request, _known(found, conversation)))


@router.patch("/{conversation}")
async def change(conversation: str, wanted: Change, request: Request) -> Response:
    """Rename it, or set its model, its instructions or the branch that is looked at."""
    store = await _store(request)
    fields = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    if wanted.leaf is not None:
        fields["leaf"] = await store.tip(wanted.leaf)
    changed = await store.change(conversation, **fields)
    return json_response(_row(request, _known(changed, conversation)))


@router.delete("/{conversation}")
async def delete(conversation: str, request: Request) -> Response:
    """Put it away; for some days it can be taken back. What runs in it is stopped."""
    if not await (await _store(request)).delete(conversation):
        raise _unknown(conversation)
    for run in _services(request).runs.running_in(conversation):
        run.stop()
    return json_response({"id": conversation, "deleted": True})


@router.post("/{conversation}/restore")
async def restore(conversation: str, request: Request) -> Response:
    """Take a deleted one back."""
    store = await _store(request)
    if not await store.restore(conversation):
        raise _unknown(conversation)
    return json_response(_row(request, _known(await store.get(conversation), conversation)))


@router.get("/{conversation}/messages")
async def messages(conversation: str, request: Request, leaf: str | None = None, limit: Limit = 200) -> Response:
    """Give the last messages on the way to `leaf`, or to the one looked at last, oldest first."""
    store = await _store(request)
    _known(await store.get(conversation), conversation)
    path = await store.path(conversation, leaf, limit=limit)
    if leaf is not None and not path:
        raise NotFound(f"The conversation has no message {shown(leaf)}; leave leaf out for its end.", param="leaf")
    return json_response({"data": [_message(request, turn) for turn in path]})


@router.get("/{conversation}/messages/{message}/siblings")
async def siblings(conversation: str, message: str, request: Request) -> Response:
    """Give a message and what stands in its place on other branches, oldest first."""
    found = await (await _store(request)).siblings(message)
    if not found or found[0].conversation != conversation:
        raise NotFound(f"The conversation has no message {shown(message)}.")
    return json_response({"data": [_message(request, turn) for turn in found]})


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _store(request: Request) -> ConversationStore:
    return await _services(request).conversations()


def _known(found: Conversation | None, name: str) -> Conversation:
    if found is None:
        raise _unknown(name)
    return found


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no conversation {shown(name)}; GET /api/conversations lists those there are.")


def _row(request: Request, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created": _time(conversation.created),
        "updated": _time(conversation.updated),
        "model": conversation.model,
        "system": conversation.system,
        "leaf": conversation.leaf,
        "tools": list(conversation.options.get("tools") or ()),
        "collections": list(conversation.options.get("collections") or ()),
        "running": [run.id for run in _services(request).runs.running_in(conversation.id)],
    }


def _message(request: Request, turn: Turn) -> dict[str, Any]:
    """Write a turn; of one that is being written here, its text so far comes by its run."""
    run = _services(request).runs.get(turn.id)
    return {
        "id": turn.id,
        "conversation_id": turn.conversation,
        "parent_id": turn.parent,
        "created": _time(turn.created),
        "state": turn.state,
        "run_id": turn.id if run is not None and run.running else None,
        "message": encode_message(turn.message),
        "text": turn.text,
        "steps": [
            {
                "calls": [call.told for call in step.message.tool_calls],
                "results": [result.told for result in step.results],
            }
            for step in turn.steps
        ],
        "sources": [source.told for source in turn.cited],
        "finish_reason": turn.finish_reason,
        "error": turn.error,
        "error_code": turn.error_code,
        "usage": turn.figures if turn.usage is not None else None,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
