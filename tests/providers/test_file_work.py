"""Blocking work in threads, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from ai_chat.providers.file_work import Stopped, in_thread


async def test_a_result_comes_back() -> None:
    """What the work gives is given."""
    assert await in_thread(lambda stop: stop.is_set()) is False


async def test_an_error_comes_back() -> None:
    """What the work raises is raised."""
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda _: 1 // 0)


@pytest.mark.parametrize("cancels", [1, 3])
async def test_cancelling_waits_for_the_thread(cancels: int) -> None:
    """However often it is cancelled, the work is told to stop and has ended before the waiting does."""
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    started, go_on, ended = asyncio.Event(), threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        loop.call_soon_threadsafe(started.set)
        stop.wait()
        go_on.wait()
        ended.set()
        raise Stopped

    task = asyncio.create_task(in_thread(work))
    await started.wait()
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ended.is_set()
    del task
    gc.collect()
    assert complaints == []
