"""Work that ends when there is nobody left to do it for."""

from __future__ import annotations

import asyncio

import pytest

from ai_chat.server.presence import Presence, Stopping


async def stays():
    """A client that does not leave."""
    await asyncio.Event().wait()


async def leaves():
    """One that does, after it said something that does not matter."""
    leaves.said = not getattr(leaves, "said", False)
    return {"type": "http.request" if leaves.said else "http.disconnect"}


async def test_work_that_is_done(no_leaks):
    """Nothing happens to it."""
    with Presence(stays, Stopping()) as presence:
        await asyncio.sleep(0)
    assert presence.gone is None


async def test_a_client_that_leaves(no_leaks):
    """The work is cancelled, and the block says by whom."""
    with Presence(leaves, Stopping()) as presence:
        await asyncio.Event().wait()
    assert presence.gone == "client"
    await asyncio.sleep(0)  # the task itself is not cancelled


@pytest.mark.parametrize("early", [True, False])
async def test_a_server_that_stops(no_leaks, early):
    """So is it when the server stops, before the work or during it."""
    stopping = Stopping()
    if early:
        stopping.set()
    else:
        asyncio.get_running_loop().call_soon(stopping.set)
    with Presence(stays, stopping) as presence:
        await asyncio.Event().wait()
    assert presence.gone == "server"
    assert not stopping.present


async def test_a_cancel_from_elsewhere_goes_on(no_leaks):
    """Only its own cancel is swallowed."""
    stopping = Stopping()

    async def work():
        with Presence(stays, stopping):
            await asyncio.Event().wait()

    for also_stop in (True, False):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        if also_stop:
            stopping.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_an_error_of_the_work_goes_on(no_leaks):
    """What the work raises is raised."""
    with pytest.raises(ValueError, match="mine"), Presence(stays, Stopping()):
        raise ValueError("mine")
