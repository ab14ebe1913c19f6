"""Older turns as a summary: made by a model when a conversation no longer fits, kept, and later extended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.conversations import Turn
from ..core.errors import ChatError
from ..core.events import Notice
from ..core.messages import Message
from ..core.request import ChatRequest
from .answer import Answer, complete
from .record import Record
from .session import SessionParts, room_for

OPTION = "summary"
"""Where a conversation keeps it, among its options."""
TOKENS = 600
"""Upper bound on a summary's length."""
CLIPPED = 2_000
"""Characters of one message that the summarising model is shown: its beginning and its end."""
INSTRUCTIONS = (
    "You keep the notes of a conversation between a user and an assistant. Write what somebody needs to know to go on "
    "with it: facts, names, numbers, decisions, the user's wishes, open questions. Keep what the notes so far hold and "
    "add what is new. Write in the language of the conversation, in plain sentences, at most 250 words, nothing else."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was said up to some turn."""

    text: str
    upto: str
    """The id of the last turn that it covers; on a branch without it, it counts for nothing."""
    turns: int
    """How many questions it covers."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Summary | None:
        """Read the one that a conversation keeps."""
        kept = options.get(OPTION)
        try:
            return cls(text=str(kept["text"]), upto=str(kept["upto"]), turns=int(kept["turns"])) if kept else None
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def option(self) -> dict[str, Any]:
        """Write it as a conversation keeps it."""
        return {"text": self.text, "upto": self.upto, "turns": self.turns}

    @property
    def message(self) -> Message:
        """Give what the model is sent of it."""
        notes = f"Notes of the first {self.turns} turns of this conversation:\n{self.text}"
        return Message(role="system", content=notes)


class Summaries:
    """Makes summaries of conversations that no longer fit."""

    def __init__(self, template: Callable[[], ChatRequest], *, keep: int) -> None:
        """Make them with a model.

        Args:
            template: gives a request to it; its messages are not used.
            keep: newest turns that always stay as they were said.
        """
        self._template = template
        self._keep = keep

    async def history(
        self, record: Record, parts: SessionParts, template: ChatRequest, notify: Callable[[Notice], None]
    ) -> Sequence[Message]:
        """Give what a model is sent of a conversation: as it was said, or with a summary in place of what does not fit.

        A summary that cannot be made is told of; then the oldest turns will be left out.
        """
        turns = record.turns
        summary, covered = _known(record.conversation.options, turns)
        rest = turns[covered:]
        messages = _sent(summary, rest)
        room = room_for(parts, template)
        if room is None or parts.counts.total(messages, template.model) <= room:
            return messages
        older, newest = _parted(rest, self._keep)
        if not older:
            return messages
        notify(Notice("summary", "Summing up what no longer fits the model's window.", {"turns": len(older)}))
        try:
            summary = await self._extended(summary, older, parts)
        except ChatError as error:
            notify(Notice("summary_failed", f"The older turns could not be summed up and are left out: {error}"))
            return messages
        await record.note(**{OPTION: summary.option})
        return _sent(summary, newest)

    async def _extended(self, summary: Summary | None, turns: Sequence[Turn], parts: SessionParts) -> Summary:
        notes = summary.text if summary is not None else "(none yet)"
        said = "\n\n".join(f"{turn.message.role.upper()}: {_clipped(turn.message.text)}" for turn in turns)
        request = replace(
            self._template(),
            messages=(
                Message(role="system", content=INSTRUCTIONS),
                Message(role="user", content=f"NOTES SO FAR:\n{notes}\n\nWHAT WAS SAID SINCE:\n{said}"),
            ),
            stream=False,
            max_tokens=TOKENS,
        )
        result = await complete(Answer(parts.handler, parts.make_call(request, None, purpose="summary")))
        questions = sum(turn.message.role == "user" for turn in turns)
        before = summary.turns if summary is not None else 0
        return Summary(text=result.text.strip() or notes, upto=turns[-1].id, turns=before + questions)


def _known(options: Mapping[str, Any], turns: Sequence[Turn]) -> tuple[Summary | None, int]:
    """Give the summary that is kept, and how many of these turns it covers."""
    summary = Summary.of(options)
    if summary is not None:
        for place, turn in enumerate(turns, 1):
            if turn.id == summary.upto:
                return summary, place
    return None, 0


def _parted(turns: Sequence[Turn], keep: int) -> tuple[Sequence[Turn], Sequence[Turn]]:
    """Part turns before the last `keep` questions."""
    questions = [place for place, turn in enumerate(turns) if turn.message.role == "user"]
    cut = questions[-keep] if len(questions) > keep else 0
    return turns[:cut], turns[cut:]


def _sent(summary: Summary | None, turns: Sequence[Turn]) -> Sequence[Message]:
    messages = Record.sent(turns)
    return messages if summary is None else [summary.message, *messages]


def _clipped(text: str) -> str:
    return text if len(text) <= CLIPPED else f"{text[: CLIPPED * 3 // 4]} […] {text[-CLIPPED // 4 :]}"
