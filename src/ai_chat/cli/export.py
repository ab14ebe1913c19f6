"""A conversation as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.conversations import Conversation, Turn
from ..core.errors import BadRequest
from ..core.messages import Step

STATES = {"stopped": "stopped by its reader", "failed": "broken off", "interrupted": "interrupted"}


def save(name: str, conversation: Conversation, turns: Sequence[Turn]) -> None:
    """Write a conversation to a new file of that name.

    Raises:
        BadRequest: the file is there already, or cannot be written.
    """
    path = Path(name)
    try:
        path = path.expanduser()
        with path.open("x", encoding="utf-8", errors="replace") as file:
            try:
                file.write(markdown(conversation, turns))
                file.flush()
            except OSError:
                path.unlink(missing_ok=True)  # no half of a conversation
                raise
    except FileExistsError:
        raise BadRequest(f"{path} is there already; name another file.") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadRequest(f"{path} cannot be written ({reason}); name another file.") from error


def markdown(conversation: Conversation, turns: Sequence[Turn]) -> str:
    """Write a conversation for people."""
    return "\n\n".join(_blocks(conversation, turns)) + "\n"


def _step(step: Step) -> Iterator[str]:
    """Write a round of tools as a list: what was called, with what, and what came of it."""
    for call, result in step.pairs:
        content = "stopped" if result is None else " ".join(result.content.split())
        failed = " (failed)" if result is not None and result.error else ""
        yield f"- `{call.name}` {call.arguments}{failed}: {content}"


def _blocks(conversation: Conversation, turns: Sequence[Turn]) -> Iterator[str]:
    yield f"# {conversation.title or conversation.id}"
    if conversation.system:
        yield f"## Instructions\n\n{conversation.system}"
    for turn in turns:
        who = "You" if turn.message.role == "user" else turn.model or turn.message.role
        yield f"## {who} ({turn.created.astimezone():%Y-%m-%d %H:%M})"
        for step in turn.steps:
            yield "\n".join(_step(step))
        yield turn.text or "(nothing)"
        if turn.state in STATES:
            yield f"*({STATES[turn.state]}{f': {turn.error}' if turn.error else ''})*"
