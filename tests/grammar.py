"""A checker of the stream grammar, for whatever a reader got: see `ai_chat.core.events`."""

from collections.abc import Iterable

from ai_chat.core.events import (
    Batch,
    ChoiceFinished,
    Event,
    ExtraFields,
    Finished,
    Notice,
    Started,
    ToolCallDelta,
    UsageReported,
    events_of,
)


def all_events(batches: Iterable[Batch]) -> list[Event]:
    """All events of some batches, in order."""
    return [event for batch in batches for event in events_of(batch)]


def check_grammar(events: Iterable[Event]) -> None:
    """Fail unless the events are one whole answer."""
    answer = _Answer()
    for event in events:
        answer.take(event)
    assert answer.finished, "the answer has no Finished"


class _Answer:
    """What has come of one answer."""

    def __init__(self) -> None:
        self.head: tuple[str, str, int] | None = None
        self.open: set[int] = set()
        self.ended: set[int] = set()
        self.calls: dict[tuple[int, int], ToolCallDelta] = {}
        self.usage = False
        self.finished = False

    def take(self, event: Event) -> None:
        """Fail unless the event may stand here."""
        assert not self.finished, f"{event} follows Finished"
        match event:
            case Started():
                self._start(event)
            case ChoiceFinished(choice=choice):
                assert choice in self.open, f"{event} ends a choice that is not open"
                self.open.remove(choice)
                self.ended.add(choice)
            case Notice() | ExtraFields(place="reply"):
                assert self.head is not None, f"{event} stands before the answer"
            case UsageReported() | Finished():
                self._end(event)
            case _:
                assert event.choice in self.open, f"{event} belongs to a choice that is not open"
                if isinstance(event, ToolCallDelta):
                    self._call(event)

    def _start(self, event: Started) -> None:
        head = (event.id, event.model, event.created)
        assert self.head in (None, head), f"{event} has another head than {self.head}"
        assert event.choice not in self.open | self.ended, f"{event} starts a choice again"
        assert not self.usage, f"{event} follows the usage"
        self.head = head
        self.open.add(event.choice)

    def _end(self, event: UsageReported | Finished) -> None:
        assert self.ended, f"{event} stands before any choice has ended"
        assert not self.open, f"{event} stands before choices {self.open} have ended"
        if isinstance(event, UsageReported):
            assert not self.usage, "the usage is reported twice"
            self.usage = True
        else:
            self.finished = True

    def _call(self, event: ToolCallDelta) -> None:
        first = self.calls.setdefault((event.choice, event.index), event)
        if first is not event:
            assert event.id is None, f"{event} gives its id again"
            assert event.name is None, f"{event} gives its name again"
