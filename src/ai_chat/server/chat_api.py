"""`/api/chat`: ask, and read an answer that goes on whoever reads it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ..assembly import Services
from ..client import check_collections
from ..core.errors import BadRequest
from .conversations_api import router as conversations
from .replies import json_response, shown
from .run_stream import RunStream
from .usage_api import router as usage

router = APIRouter(prefix="/api")
router.include_router(conversations)
router.include_router(usage)

Id = Annotated[str, Field(min_length=1, max_length=200)]


class Question(BaseModel):
    """What is asked, and where it belongs."""

    model_config = ConfigDict(extra="forbid")  # a misspelt conversation_id would begin a conversation unnoticed

    message: str | None = None
    regenerate: Id | None = None
    """In place of a message: another answer to that question, or to the question of that answer."""
    conversation_id: Id | None = None
    """None begins a conversation."""
    parent_id: Id | None = None
    """The message it follows, `root` for none; None is the end of what was looked at last."""
    model: Id | None = None
    mode: Literal["standard"] | None = None
    preset: Literal["default", "factual", "technical", "creative", "exploratory"] | None = None
    """A named temperature, which the conversation keeps; `default` takes it away."""
    tools: Annotated[list[Id], Field(max_length=100)] | None = None
    """Names of the tools that the model may call, which the conversation keeps; an empty list takes them away."""
    collections: Annotated[list[Id], Field(max_length=100)] | None = None
    """Names of collections of documents to answer from, `*` for all, which the conversation keeps; an empty list takes
    them away."""
    form: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    """JSON Schema that answers must fit, which the conversation keeps; an empty one takes it away."""


class Decision(BaseModel):
    """A person's word on a tool that asks first."""

    model_config = ConfigDict(extra="forbid")

    allow: bool


@router.post("/chat/stream")
async def chat(question: Question, request: Request) -> Response:
    """Begin an answer and stream it. The answer goes on when its reader leaves; stop it, or read it again."""
    services = _services(request)
    runs = services.runs
    if (question.message is None) == (question.regenerate is None):
        raise BadRequest("message is missing, and must be the text to answer; or send regenerate.", param="message")
    if question.collections:
        check_collections(question.collections, await services.knowledge.collections())
    if question.message is not None:
        run = await runs.ask(
            question.message,
            conversation=question.conversation_id,
            parent=question.parent_id,
            model=question.model,
            preset=question.preset,
            tools=question.tools,
            collections=question.collections,
            schema=question.form,
        )
    else:
        if question.conversation_id is not None or question.parent_id is not None:
            raise BadRequest("regenerate knows its place; leave conversation_id and parent_id out.", param="regenerate")
        run = await runs.again(question.regenerate or "", model=question.model)
    return RunStream(run.read(), request.app.state.stopping)


@router.get("/chat/runs/{run}/stream")
async def run_stream(
    run: str, request: Request, after: str | None = None, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Stream an answer from behind the event `after` on; without it from behind `Last-Event-ID`, or from the start."""
    number = _number(after if after is not None else last_event_id, "after" if after is not None else "Last-Event-ID")
    runs = _services(request).runs
    found = runs.get(run)
    if found is not None and not found.running and number == found.log.last:
        return Response(status_code=204)  # by which the standard's reader knows not to come again
    return RunStream(await runs.read(run, number), request.app.state.stopping)


@router.get("/chat/runs/{run}")
async def run_state(run: str, request: Request) -> Response:
    """Say how a run stands, without its text."""
    runs = _services(request).runs
    found = runs.get(run)
    turn = found.turn if found is not None else await runs.turn(run)
    body: dict[str, Any] = {
        "run_id": run,
        "conversation_id": turn.conversation,
        "message_id": turn.id,
        "status": found.state if found is not None else turn.state,
        "last_event": found.log.last if found is not None else None,
    }
    return json_response(body)


@router.post("/chat/runs/{run}/stop")
async def stop(run: str, request: Request) -> Response:
    """Stop an answer; the part that came is kept. One that has ended stays as it is."""
    return json_response({"run_id": run, "status": await _services(request).runs.stop(run)})


@router.post("/chat/runs/{run}/calls/{call}")
async def decide(run: str, call: str, decision: Decision, request: Request) -> Response:
    """Let a tool run that changes something outside and asked first (a `notice` of the kind `confirm`), or not."""
    runs = _services(request).runs
    runs.decide(run, call, allow=decision.allow)
    return json_response({"run_id": run, "call_id": call, "allow": decision.allow})


@router.get("/tools")
async def tools(request: Request) -> Response:
    """List the tools that the model may be allowed to call."""
    return json_response({"data": _services(request).toolkit.described})


@router.get("/models")
async def models(request: Request) -> Response:
    """List the models that a picker shows, the default first."""
    offered = await _services(request).models.offered()
    rows = [{"id": row.id, "context": row.context, "default": not number} for number, row in enumerate(offered)]
    return json_response({"data": rows})


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _number(text: str | None, name: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004 - fits every reader's numbers
        raise BadRequest(f"{name} is {shown(text)}, and must be the number of an event.", param="after")
    return int(text)
