"""Whose turn it is: order, bounds, and two models that never meet."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.errors import Unavailable
from ai_chat.providers.turns import Turns


def silent(_: int) -> None:
    """Listen to nothing."""


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Callers:
    """Calls that take turns and hold them until they are told to go."""

    def __init__(self, parallel: int = 2, waiting: int = 32) -> None:
        self.turns = Turns(parallel, waiting=waiting)
        self.inside: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str) -> None:
        """Have a call come; the first letter of its name is the model it wants."""
        self._leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._call(name))
        await settle()

    async def go(self, name: str) -> None:
        """Have a call end."""
        self._leave[name].set()
        await settle()

    async def cancel(self, name: str) -> None:
        """Have a call be cancelled, wherever it is."""
        self.tasks[name].cancel()
        await settle()

    async def _call(self, name: str) -> None:
        await self.turns.take(name[0], patience=None, tell=silent)
        self.inside.append(name)
        try:
            await self._leave[name].wait()
        finally:
            self.inside.remove(name)
            self.turns.give_back()


async def test_as_many_as_there_are_turns_come_in():
    """The third of two waits until one of them has ended."""
    callers = Callers(parallel=2)
    for name in ("a1", "a2", "a3"):
        await callers.come(name)
    assert callers.inside == ["a1", "a2"]
    await callers.go("a1")
    assert callers.inside == ["a2", "a3"]


async def test_another_model_waits_for_the_last_answer_of_the_present_one():
    """With a turn free, a call for another model waits all the same."""
    callers = Callers()
    await callers.come("a1")
    await callers.come("b1")
    assert callers.inside == ["a1"]
    await callers.go("a1")
    assert callers.inside == ["b1"]


async def test_nobody_overtakes_one_who_waits_for_another_model():
    """Calls for the present model cannot keep another one out for ever."""
    callers = Callers()
    for name in ("a1", "b1", "a2"):
        await callers.come(name)
    assert callers.inside == ["a1"]
    await callers.go("a1")
    assert callers.inside == ["b1"]
    await callers.go("b1")
    assert callers.inside == ["a2"]


async def test_whoever_leaves_the_queue_lets_those_behind_him_in():
    """A call for another model that is cancelled no longer holds up the ones that could run."""
    callers = Callers()
    for name in ("a1", "b1", "a2"):
        await callers.come(name)
    await callers.cancel("b1")
    assert callers.inside == ["a1", "a2"]


async def test_a_turn_that_comes_with_a_cancel_is_given_back():
    """A caller who is cancelled in the moment of being let in leaves his turn to the next."""
    callers = Callers(parallel=1)
    for name in ("a1", "a2", "a3"):
        await callers.come(name)
    callers.turns.give_back()  # lets a2 in, which does not know it yet
    callers.tasks["a2"].cancel()
    await settle()
    assert callers.inside == ["a1", "a3"]


async def test_the_queue_is_bounded():
    """Those who come when too many wait are turned away with the time to come back."""
    callers = Callers(parallel=1, waiting=1)
    await callers.come("a1")
    await callers.come("a2")
    with pytest.raises(Unavailable, match="1 calls wait") as refusal:
        await callers.turns.take("a", patience=None, tell=silent)
    assert refusal.value.retry_after is not None


async def test_one_who_has_had_a_turn_may_wait_beyond_the_bound():
    """The second choice of an answer is not refused where the first was let in."""
    callers = Callers(parallel=1, waiting=0)
    await callers.come("a1")
    second = asyncio.create_task(callers.turns.take("a", patience=None, tell=silent, beyond_bound=True))
    await settle()
    assert (callers.turns.waiting, second.done()) == (1, False)
    await callers.go("a1")
    await second
    assert (callers.turns.waiting, callers.turns.running) == (0, 1)


async def test_patience_ends():
    """Who waits too long is told that the model was busy, and is not in the queue any more."""
    callers = Callers(parallel=1)
    await callers.come("a1")
    with pytest.raises(Unavailable, match=r"busy with other calls for 0\.01 s"):
        await callers.turns.take("a", patience=0.01, tell=silent)
    assert callers.turns.waiting == 0


async def test_who_waits_is_told_how_many_come_first():
    """Both those who have a turn and those who wait before us are counted; who need not wait hears nothing."""
    callers = Callers(parallel=1)
    heard: list[int] = []
    await callers.turns.take("a", patience=None, tell=heard.append)
    await callers.come("a2")
    last = asyncio.create_task(callers.turns.take("a", patience=None, tell=heard.append))
    await settle()
    assert heard == [2]
    last.cancel()


@given(
    st.lists(st.tuples(st.sampled_from(["come", "go", "cancel"]), st.sampled_from("ab"), st.integers(0, 9))),
    st.integers(1, 3),
)
async def test_turns_are_never_lost_nor_shared_by_two_models(steps, parallel):
    """Whatever order calls come, end and are cancelled in: bounds hold, and at the end everyone has had a turn."""
    callers = Callers(parallel)
    for number, (step, model, which) in enumerate(steps):
        if step == "come":
            await callers.come(f"{model}{number}")
        elif callers.tasks:
            name = sorted(callers.tasks)[which % len(callers.tasks)]
            await (callers.go(name) if step == "go" else callers.cancel(name))
        assert len(callers.inside) <= parallel
        assert len({name[0] for name in callers.inside}) <= 1
        assert callers.inside or not callers.turns.waiting
    for name in callers.tasks:
        callers._leave[name].set()
    await asyncio.wait_for(asyncio.gather(*callers.tasks.values(), return_exceptions=True), 10.0)
    assert (callers.turns.running, callers.turns.waiting) == (0, 0)


async def test_calls_that_are_all_cancelled_at_once_leave_no_turn_taken():
    """A turn that falls free goes to nobody who has been cancelled in the same moment."""
    callers = Callers(parallel=2)
    names = [f"a{number}" for number in range(8)]
    for name in names:
        await callers.come(name)
    for name in names:
        callers.tasks[name].cancel()
    results = await asyncio.gather(*callers.tasks.values(), return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
    assert (callers.turns.running, callers.turns.waiting) == (0, 0)
