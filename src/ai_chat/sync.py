"""The same words without `async`: all of it runs on one long-lived loop in a thread, or on a loop handed over."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar, overload

from .assembly import Services
from .chat.answer import Answer
from .chat.session import Numbers, Session
from .chat.structured import ATTEMPTS, Parsed, ParseStream
from .client import AsyncChat, OnNotice, Prompt
from .core.events import Batch, Event, TextDelta, events_of
from .core.messages import Message
from .core.ports import Handler
from .core.request import Call, Timeouts
from .core.result import ChatResult
from .core.sources import Source
from .loop_thread import LoopThread, Reading

T = TypeVar("T")


class SyncAnswer(Reading[Batch]):
    """An answer that is being made: iterate it for its events, then read `result`. Use it in `with`."""

    def __init__(self, thread: LoopThread, answer: Answer) -> None:
        """Ask nothing yet: the first wait does."""
        super().__init__(thread, answer.batches(), answer.aclose)
        self._answer = answer
        self._pending: deque[Event] = deque()

    def batches(self) -> Iterator[Batch]:
        """Give the events as they arrived, several at once.

        Raises:
            ChatError: the call failed, or the answer broke off.
        """
        while (batch := self.next_thing()) is not None:
            yield batch

    def texts(self) -> Iterator[str]:
        """Give only the first choice's text, piece by piece."""
        for batch in self.batches():
            for event in events_of(batch):
                if type(event) is TextDelta and event.text and event.choice == 0:
                    yield event.text

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self._pending:
            batch = self.next_thing()
            if batch is None:
                raise StopIteration
            self._pending.extend(events_of(batch))
        return self._pending.popleft()

    @property
    def call(self) -> Call:
        """The call behind the answer."""
        return self._answer.call

    @property
    def error(self) -> BaseException | None:
        """What ended the answer before it was whole."""
        return self._answer.error

    @property
    def whole(self) -> bool:
        """Whether the answer came to its own end."""
        return self._answer.whole

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has come."""
        return self._answer.has_begun

    @property
    def result(self) -> ChatResult:
        """The answer so far; see `Answer.result`."""
        return self._answer.result


class SyncParseStream(Reading[Any], Generic[T]):
    """A value that is being made: iterate it for what has come of it, then read `parsed`. Use it in `with`."""

    def __init__(self, thread: LoopThread, stream: ParseStream[T]) -> None:
        """Ask nothing yet: the first wait does."""
        super().__init__(thread, stream, stream.aclose)
        self._stream = stream

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        part = self.next_thing()
        if part is None:
            raise StopIteration
        return part

    @property
    def call(self) -> Call:
        """The call that goes on, or was the last."""
        return self._stream.call

    @property
    def parsed(self) -> Parsed[T]:
        """The value and what it took; see `ParseStream.parsed`."""
        return self._stream.parsed

    @property
    def error(self) -> BaseException | None:
        """What ended it before there was a value."""
        return self._stream.error


class SyncSession:
    """A conversation in memory. One question at a time."""

    def __init__(self, thread: LoopThread, session: Session) -> None:
        """Take over a session."""
        self._thread = thread
        self._session = session

    @property
    def messages(self) -> tuple[Message, ...]:
        """What has been said, the system prompt included."""
        return self._session.messages

    @property
    def numbers(self) -> Numbers:
        """How large it is; see `Session.numbers`."""
        return self._session.numbers

    def clear(self) -> None:
        """Forget what has been said; the system prompt stays."""
        self._session.clear()

    def complete(self, text: str, *, on_notice: OnNotice | None = None) -> ChatResult:
        """Ask, and give the whole answer; see `Session.complete`."""
        return self._thread.run(self._session.complete(text, on_notice=on_notice))

    def stream(self, text: str, *, on_notice: OnNotice | None = None) -> SyncAnswer:
        """Ask, and give the answer as it comes; see `Session.stream`."""
        return SyncAnswer(self._thread, self._session.stream(text, on_notice=on_notice))


class Chat:
    """Asks models; `AsyncChat` without the `async`.

    >>> def hello() -> str:
    ...     with Chat(model="local") as chat:
    ...         return chat.complete("Say hello").text
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        handler: Handler | None = None,
        services: Services | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        **settings: Any,
    ) -> None:
        """Open nothing yet; arguments as for `AsyncChat`.

        Args:
            loop: a loop that runs in another thread already, to use instead of one of our own.
        """
        self._chat = AsyncChat(model=model, handler=handler, services=services, **settings)
        self._thread = LoopThread(loop)

    def complete(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        **parameters: Any,
    ) -> ChatResult:
        """Ask, and give the whole answer; see `AsyncChat.complete`."""
        return self._thread.run(
            self._chat.complete(
                prompt, model=model, system=system, on_notice=on_notice, timeouts=timeouts, **parameters
            )
        )

    def stream(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        **parameters: Any,
    ) -> SyncAnswer:
        """Ask, and give the answer as it comes; see `AsyncChat.stream`."""
        answer = self._chat.stream(
            prompt, model=model, system=system, on_notice=on_notice, timeouts=timeouts, **parameters
        )
        return SyncAnswer(self._thread, answer)

    @overload
    def parse(self, form: type[T], prompt: Prompt, **options: Any) -> Parsed[T]: ...
    @overload
    def parse(self, form: Any, prompt: Prompt, **options: Any) -> Parsed[Any]: ...
    def parse(
        self,
        form: Any,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        attempts: int = ATTEMPTS,
        **parameters: Any,
    ) -> Parsed[Any]:
        """Ask for a value of a type, and give it; see `AsyncChat.parse`."""
        options = {"model": model, "system": system, "on_notice": on_notice, "timeouts": timeouts, "attempts": attempts}
        return self._thread.run(self._chat.parse(form, prompt, **options, **parameters))

    @overload
    def parse_stream(self, form: type[T], prompt: Prompt, **options: Any) -> SyncParseStream[T]: ...
    @overload
    def parse_stream(self, form: Any, prompt: Prompt, **options: Any) -> SyncParseStream[Any]: ...
    def parse_stream(
        self,
        form: Any,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        on_notice: OnNotice | None = None,
        timeouts: Timeouts | None = None,
        attempts: int = ATTEMPTS,
        **parameters: Any,
    ) -> SyncParseStream[Any]:
        """Ask for a value of a type, and give it as it comes; see `AsyncChat.parse_stream`."""
        options = {"model": model, "system": system, "on_notice": on_notice, "timeouts": timeouts, "attempts": attempts}
        return SyncParseStream(self._thread, self._chat.parse_stream(form, prompt, **options, **parameters))

    def session(
        self,
        *,
        model: str | None = None,
        system: str | None = None,
        messages: Sequence[Message | Mapping[str, Any]] = (),
        booked_under: str | None = None,
        sources: Sequence[Source] = (),
        **parameters: Any,
    ) -> SyncSession:
        """Begin a conversation that remembers; see `AsyncChat.session`."""
        session = self._chat.session(
            model=model, system=system, messages=messages, booked_under=booked_under, sources=sources, **parameters
        )
        return SyncSession(self._thread, session)

    def close(self) -> None:
        """Let go of connections, of the embedded model and of the loop, if they are our own. Once is enough."""
        self._thread.stop(self._chat.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
