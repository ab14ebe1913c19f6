"""The same words without `async`: all of it runs on one long-lived loop in a thread, or on a loop handed over."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from .assembly import Services
from .chat.answer import Answer
from .chat.session import Session
from .client import AsyncChat, OnNotice, Prompt
from .core.events import Batch, Event, TextDelta, events_of
from .core.messages import Message
from .core.ports import Handler
from .core.request import Call, Timeouts
from .core.result import ChatResult

T = TypeVar("T")

WAITING_BATCHES = 256
"""Batches read ahead of a slow reader; then the upstream waits too."""
CANCEL_SECONDS = 5.0
"""How long a cancelled piece of work may take to close its connections before it is left to its loop."""


class Job(Generic[T]):
    """One piece of work in one task on a loop in another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> None:
        """Start the work."""
        self._loop = loop
        self._task: asyncio.Task[T] | None = None
        self._done = threading.Event()
        loop.call_soon_threadsafe(self._start, work)

    def wait(self) -> T:
        """Wait for the work's result. An interrupt here cancels it there, and waits until it has let go."""
        try:
            self._done.wait()
        except BaseException:
            self.cancel()
            raise
        if self._task is None:
            raise RuntimeError("the work never began")
        return self._task.result()

    def cancel(self) -> None:
        """Cancel the work and wait until it is over."""
        if not self._done.is_set():
            self._loop.call_soon_threadsafe(self._cancel)
            self._done.wait(CANCEL_SECONDS)

    def _start(self, work: Coroutine[Any, Any, T]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._over)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _over(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # whoever does not wait has said that it does not want to know
        self._done.set()


class LoopThread:
    """An event loop in a daemon thread, or a running one that belongs to somebody else."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Take over `loop`, which must run in another thread, or start one."""
        self._thread: threading.Thread | None = None
        if loop is None:
            loop = _new_loop()
            self._thread = threading.Thread(target=loop.run_forever, name="ai-chat", daemon=True)
            self._thread.start()
        self.loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and wait for its result."""
        return Job(self.loop, work).wait()

    def stop(self) -> None:
        """End the loop, if it is our own."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            thread.join()
            self.loop.close()


class SyncAnswer:
    """An answer that is being made: iterate it for its events, then read `result`. Use it in `with`."""

    def __init__(self, thread: LoopThread, answer: Answer) -> None:
        """Ask nothing yet: the first wait does."""
        self._thread = thread
        self._answer = answer
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._room: asyncio.Event | None = None
        self._job: Job[None] | None = None
        self._events: Iterator[Event] = self._read()

    def batches(self) -> Iterator[Batch]:
        """Give the events as they arrived, several at once.

        Raises:
            ChatError: the call failed, or the answer broke off.
        """
        if self._job is None:
            self._job = Job(self._thread.loop, self._pump())
        try:
            while (batch := self._queue.get()) is not None:
                room = self._room
                if room is not None and self._queue.qsize() < WAITING_BATCHES // 2:
                    self._thread.loop.call_soon_threadsafe(room.set)
                yield batch
        except BaseException:
            self._job.cancel()
            raise
        self._queue.put(None)  # whoever asks again is told again that it is over
        self._job.wait()

    def texts(self) -> Iterator[str]:
        """Give only the first choice's text, piece by piece."""
        for batch in self.batches():
            for event in events_of(batch):
                if type(event) is TextDelta and event.text and event.choice == 0:
                    yield event.text

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave: the upstream is closed at once."""
        if self._job is not None:
            self._job.cancel()
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

    def _read(self) -> Iterator[Event]:
        for batch in self.batches():
            yield from events_of(batch)

    async def _pump(self) -> None:
        """Read the whole stream in one task: pumping it wait by wait would break cancel scopes."""
        waiting = self._queue
        try:
            async for batch in self._answer.batches():
                waiting.put(batch)
                if waiting.qsize() >= WAITING_BATCHES:
                    self._room = asyncio.Event()
                    if waiting.qsize() >= WAITING_BATCHES:  # looked at again: the reader may have been quicker
                        await self._room.wait()
                    self._room = None
        finally:
            waiting.put(None)


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
        **parameters: Any,
    ) -> SyncSession:
        """Begin a conversation that remembers; see `AsyncChat.session`."""
        session = self._chat.session(model=model, system=system, messages=messages, **parameters)
        return SyncSession(self._thread, session)

    def close(self) -> None:
        """Let go of connections, of the embedded model and of the loop, if they are our own."""
        self._thread.run(self._chat.aclose())
        self._thread.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
