"""The same words without `async`: all of it runs on one long-lived loop in a thread, or on a loop handed over."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from .assembly import Services
from .chat.answer import Answer
from .chat.session import Numbers, Session
from .client import AsyncChat, OnNotice, Prompt
from .core.events import Batch, Event, TextDelta, events_of
from .core.messages import Message
from .core.ports import Handler
from .core.request import Call, Timeouts
from .core.result import ChatResult
from .loop_thread import Job, LoopThread, Pipe


class SyncAnswer:
    """An answer that is being made: iterate it for its events, then read `result`. Use it in `with`."""

    def __init__(self, thread: LoopThread, answer: Answer) -> None:
        """Ask nothing yet: the first wait does."""
        self._thread = thread
        self._answer = answer
        self._pipe = Pipe()
        self._job: Job[None] | None = None
        self._pending: deque[Event] = deque()

    def batches(self) -> Iterator[Batch]:
        """Give the events as they arrived, several at once.

        Raises:
            ChatError: the call failed, or the answer broke off.
        """
        while (batch := self._next()) is not None:
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
            batch = self._next()
            if batch is None:
                raise StopIteration
            self._pending.extend(events_of(batch))
        return self._pending.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Whoever breaks out of a loop and drops the answer has left it. It must not go on at his cost.
        job: Job[None] | None = getattr(self, "_job", None)
        if job is not None:
            job.drop()

    def close(self) -> None:
        """Leave: the upstream is closed at once."""
        if self._job is not None:
            self._job.cancel()
        if not self._thread.closed:
            self._thread.run(self._answer.aclose())

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

    def _next(self) -> Batch | None:
        if self._job is None:
            self._job = self._thread.start(self._pipe.pump(self._answer))
        try:
            batch = self._pipe.get(self._thread.loop)
        except BaseException:
            self._job.cancel()
            raise
        if batch is None:
            self._job.wait()
        return batch


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

    def session(
        self,
        *,
        model: str | None = None,
        system: str | None = None,
        messages: Sequence[Message | Mapping[str, Any]] = (),
        booked_under: str | None = None,
        **parameters: Any,
    ) -> SyncSession:
        """Begin a conversation that remembers; see `AsyncChat.session`."""
        session = self._chat.session(
            model=model, system=system, messages=messages, booked_under=booked_under, **parameters
        )
        return SyncSession(self._thread, session)

    def close(self) -> None:
        """Let go of connections, of the embedded model and of the loop, if they are our own. Once is enough."""
        self._thread.stop(self._chat.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
