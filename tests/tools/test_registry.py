"""Tools by name."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime as dt
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr

from ai_chat.core.errors import BadRequest, ClientMisused
from ai_chat.core.messages import ToolCall
from ai_chat.core.tools import Toolbox
from ai_chat.tools.registry import Registry, ToolError

CONTEXT = contextvars.ContextVar("CONTEXT", default="none")


def call(name, arguments="{}", **fields):
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(id="call_1", name=name, arguments=text, **fields)


async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def greet(name: str = "you") -> str:
    """Greet somebody."""
    return f"Hello {name}"


def gives(value, **limits) -> Registry:
    """Give a registry whose tool `give` gives that value, or calls it."""
    tools = Registry(**limits)

    @tools.tool
    async def give():
        """Give it."""
        return value() if callable(value) and not isinstance(value, type) else value

    return tools


@pytest.fixture
def tools():
    return Registry([double, greet])


# --- registering ----------------------------------------------------------------------------------------------------


def test_a_registry_is_a_toolbox(tools):
    """It tells of its tools in the order they were registered in."""
    box: Toolbox = tools
    assert [spec.name for spec in box.specs] == ["double", "greet"]
    assert tools.names == ("double", "greet")
    assert not box.asks_first("double")
    assert not box.asks_first("nobody")


def test_decorators():
    """With or without options, and the function stays what it was."""
    tools = Registry()

    @tools.tool
    def plain(a: int) -> int:
        """Do."""
        return a

    @tools.tool(name="remove-all", description="Remove everything.", side_effects=True, timeout=5)
    def remove():
        pass

    assert plain(1) == 1
    assert remove.__name__ == "remove"
    assert tools.names == ("plain", "remove-all")
    assert tools.asks_first("remove-all")
    assert tools.specs[1].description == "Remove everything."


def test_one_name_is_one_tool(tools):
    """The second of a name is refused, and there is a way out."""
    with pytest.raises(ClientMisused, match="There is a tool 'double' already; give this one another name="):
        tools.add(double)
    tools.add(double, name="twice")
    assert tools.names == ("double", "greet", "twice")


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_limits_are_numbers_above_zero(tools, timeout):
    """Anything else is refused when it is set."""
    with pytest.raises(ClientMisused, match="must be a number above zero"):
        tools.add(double, name="twice", timeout=timeout)
    with pytest.raises(ClientMisused, match="must be a number above zero"):
        Registry(timeout=timeout)
    with pytest.raises(ClientMisused, match="most_characters is 0"):
        Registry(most_characters=0)


async def test_some_of_the_tools(tools):
    """They are a toolbox of their own; a name that is none is refused with those that are."""
    some = tools.only(["greet"])
    assert some.names == ("greet",)
    assert (await some.run(call("greet"))).content == "Hello you"
    assert (await some.run(call("double", {"number": 1}))).error == "unknown_tool"
    assert tools.only(()).specs == ()
    with pytest.raises(BadRequest, match="There is no tool 'nobody'; the tools are double, greet"):
        tools.only(["greet", "nobody"])


# --- running --------------------------------------------------------------------------------------------------------


async def test_a_call_gives_a_result(tools):
    """Async or sync: its text, its id and how long it took."""
    result = await tools.run(call("double", {"number": 4}))
    assert (result.call_id, result.name, result.content, result.error) == ("call_1", "double", "8", None)
    assert 0 < result.seconds < 5
    assert (await tools.run(call("greet", {"name": "Ann"}))).content == "Hello Ann"
    assert (await tools.run(call("greet", ""))).content == "Hello you"


async def test_a_tool_that_there_is_not(tools):
    """The model is told which there are."""
    result = await tools.run(call("triple", {"number": 4}))
    assert result.error == "unknown_tool"
    assert result.content == "There is no tool 'triple'; the tools are double, greet."
    assert (await Registry().run(call("x"))).content == "There is no tool 'x'; there are no tools."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"number": "x"}, 'number is "x", and must be an integer. Call double again with arguments that fit.'),
        ({}, 'The object of arguments lacks "number", which is required. Call double again'),
        ('{"number": 4', "The arguments cannot be read: it ends before it is whole."),
        ("free text", "The arguments cannot be read"),
    ],
)
async def test_arguments_that_cannot_be_used(tools, arguments, said):
    """The model is told what is wrong, and the function is not called."""
    result = await tools.run(call("double", arguments))
    assert result.error == "bad_arguments"
    assert result.content.startswith(said)


async def test_a_tool_may_say_what_is_wrong():
    """A ToolError is meant for the model."""
    tools = Registry()

    @tools.tool
    def fail():
        """Fail."""
        raise ToolError("There is no such place; ask for another.")

    result = await tools.run(call("fail"))
    assert (result.error, result.content) == ("failed", "There is no such place; ask for another.")


def raises(error, *, sync):
    tools = Registry()

    def fail():
        """Fail."""
        raise error

    async def afail():
        """Fail."""
        raise error

    tools.add(fail if sync else afail, name="fail")
    return tools


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize(
    "error",
    [ValueError("sk-secret"), TimeoutError("own"), asyncio.CancelledError(), SystemExit(3), KeyboardInterrupt()],
)
async def test_an_exception_is_a_result(error, sync, caplog):
    """Its name is told, its text is for the log alone: it may hold a secret. Not even `sys.exit()` gets further."""
    with caplog.at_level(logging.WARNING, "ai_chat.tools"):
        result = await raises(error, sync=sync).run(call("fail"))
    assert (result.error, result.content) == ("failed", f"The tool failed: {type(error).__name__}")
    (record,) = caplog.records
    assert record.name == "ai_chat.tools"
    assert record.exc_info[1] is error


@pytest.mark.parametrize("error", [StopIteration(), GeneratorExit()], ids=["StopIteration", "GeneratorExit"])
async def test_exceptions_that_mean_something_to_python(error):
    """In a thread they are as good as any other."""
    assert (await raises(error, sync=True).run(call("fail"))).content == f"The tool failed: {type(error).__name__}"


async def test_the_caller_may_cancel():
    """That is the one thing that is raised, and the tool hears of it."""
    tools, heard = Registry(), []

    @tools.tool
    async def wait():
        """Wait."""
        try:
            await asyncio.sleep(60)
        finally:
            heard.append(True)

    task = asyncio.create_task(tools.run(call("wait")))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [True]


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_tool_that_takes_too_long(sync):
    """It is given up at its own limit, and the loop is not held up."""
    tools, gate = Registry(timeout=60), threading.Event()

    def hang():
        """Hang."""
        gate.wait(30)

    async def ahang():
        """Hang."""
        await asyncio.sleep(30)

    tools.add(hang if sync else ahang, name="hang", timeout=0.05)
    result = await tools.run(call("hang"))
    gate.set()
    assert (result.error, result.content) == ("timed_out", "The tool took longer than 0.05 seconds and was given up.")
    assert 0.04 < result.seconds < 5


async def test_calls_run_side_by_side():
    """Several sync functions at once take as long as one, and each gets its own arguments."""
    tools, together = Registry(), threading.Barrier(5)

    @tools.tool
    def meet(number: int) -> int:
        """Meet the others."""
        together.wait(10)
        return number

    results = await asyncio.gather(*(tools.run(call("meet", {"number": number})) for number in range(5)))
    assert [result.content for result in results] == ["0", "1", "2", "3", "4"]


async def test_so_many_threads_and_no_more():
    """A hundred calls at once all come to an end, sixteen at a time."""
    tools, lock, running, most = Registry(), threading.Lock(), 0, 0

    @tools.tool
    def work():
        """Work."""
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    results = await asyncio.gather(*(tools.run(call("work")) for _ in range(100)))
    assert {result.error for result in results} == {None}
    assert 1 < most <= 16


async def test_tools_that_hang_for_good():
    """Others run while some hang; when too many do, calls are refused until they have ended."""
    tools, gate = Registry(timeout=0.1), threading.Event()

    @tools.tool
    def hang():
        """Hang."""
        gate.wait(30)

    tools.add(greet)
    for _ in range(2):
        assert (await tools.run(call("greet"))).error is None
        results = await asyncio.gather(*(tools.run(call("hang")) for _ in range(16)))
        assert {result.error for result in results} == {"timed_out"}
    result = await tools.run(call("greet"))
    assert result.error == "failed"
    assert result.content.startswith("The tool cannot be run now: too many earlier calls")
    gate.set()
    for _ in range(500):
        if (await tools.run(call("greet"))).error is None:
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("no tool runs any more")


async def test_a_call_that_waited_too_long_never_begins():
    """What was given up in the queue is not run behind everybody's back."""
    tools, gate, begun = Registry(), threading.Event(), []

    def work(number: int):
        """Work."""
        begun.append(number)
        gate.wait(30)

    tools.add(work)
    tools.add(work, name="impatient", timeout=0.05)
    busy = [asyncio.create_task(tools.run(call("work", {"number": number}))) for number in range(16)]
    await asyncio.sleep(0)
    results = await asyncio.gather(*(tools.run(call("impatient", {"number": number})) for number in range(16, 20)))
    gate.set()
    assert {result.error for result in results} == {"timed_out"}
    assert {result.error for result in await asyncio.gather(*busy)} == {None}
    assert sorted(begun) == list(range(16))


def test_the_interpreter_ends_all_the_same():
    """A tool that hangs keeps no process alive."""
    program = """
import asyncio, time
from ai_chat.core.messages import ToolCall
from ai_chat.tools.registry import Registry

def hang():
    "Hang."
    time.sleep(600)

tools = Registry([hang], timeout=0.05)
print(asyncio.run(tools.run(ToolCall(id="1", name="hang", arguments=""))).error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("timed_out\n", "", 0)


def test_several_loops():
    """A registry belongs to no loop."""
    tools = Registry([greet, double])
    for _ in range(2):
        assert asyncio.run(tools.run(call("greet"))).error is None


async def test_a_thread_sees_the_context_of_its_caller():
    """What the caller set is there; what the tool sets stays with the tool."""
    tools = Registry()

    @tools.tool
    def look() -> str:
        """Look."""
        seen = CONTEXT.get()
        CONTEXT.set("changed")
        return seen

    CONTEXT.set("mine")
    assert (await tools.run(call("look"))).content == "mine"
    assert CONTEXT.get() == "mine"


async def test_a_sync_function_that_gives_something_to_await():
    """Decorators hide that a function is async: what it gives is awaited."""
    tools = Registry()

    @tools.tool
    def wrapped(number: int) -> Any:
        """Double."""
        return double(number)

    assert (await tools.run(call("wrapped", {"number": 2}))).content == "4"


# --- results --------------------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


class Count(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Place(BaseModel):
    name: str
    since: dt.date
    key: SecretStr = SecretStr("sk-1")


@dataclasses.dataclass
class Pair:
    left: Any
    right: Any


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (Text("text"), "text"),
        (Colour.RED, "red"),
        (Count.ONE, "1"),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ({"天": "气", "list": [1, (2, None)]}, '{"天":"气","list":[1,[2,null]]}'),
        (
            {1: "a", None: "b", False: "c", Colour.RED: "d", 1.5: []},
            '{"1":"a","null":"b","false":"c","red":"d","1.5":[]}',
        ),
        ({}, "{}"),
        (range(3), "[0,1,2]"),
        ({3}, "[3]"),
        (Place(name="a", since=dt.date(2026, 1, 2)), '{"name":"a","since":"2026-01-02","key":"**********"}'),
        (Pair(Pair(1, Colour.RED), [Text("x")]), '{"left":{"left":1,"right":"red"},"right":["x"]}'),
        ([Decimal("1.50"), UUID(int=1)], '["1.50","00000000-0000-0000-0000-000000000001"]'),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), '"2026-01-02T00:00:00Z"'),
        (Path("a") / "b", '"a/b"'),
        ([float("nan"), float("inf"), float("-inf")], '["NaN","Infinity","-Infinity"]'),
        ("half \ud83d\0 pair", "half \ufffd\ufffd pair"),
        ({"\ud83d": "\0"}, '{"\ufffd":"\ufffd"}'),
    ],
)
async def test_what_the_model_reads(value, content):
    """A text as it is, anything else as compact JSON that every upstream takes."""
    result = await gives(value).run(call("give"))
    assert (result.content, result.error) == (content, None)


def loop():
    inner: list[Any] = []
    inner.append(inner)
    return inner


def values() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"bytes", "a value of type bytes"),
        (values, "a value of type generator"),
        (object, "a value of type type"),
        ([object()], "a value of type object"),
        (ValueError("sk-secret"), "a value of type ValueError"),
        ({(1, 2): 3}, "a mapping with keys of type tuple"),
        (loop, "more than 60 levels"),
        (lambda: 10**5000, "an integer with too many digits"),
    ],
)
async def test_what_is_no_text_and_no_json(value, said):
    """The call failed, and the sentence says why."""
    result = await gives(value).run(call("give"))
    assert result.error == "failed"
    assert result.content == f"The tool failed: its result holds {said}, and must be text or JSON."


async def test_a_serializer_that_fails():
    """It is as good as a tool that fails."""

    class Odd(dict):
        def items(self):
            raise RuntimeError("sk-secret")

    result = await gives(Odd()).run(call("give"))
    assert (result.error, result.content) == ("failed", "The tool failed: RuntimeError")


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("x" * 10, "x" * 10),
        ("x" * 1_010, "x" * 10 + "\n[Cut here: the last 1,000 of 1,010 characters are left out.]"),
        (list(range(10**6)), "[0,1,2,3,4\n[Cut here: what follows these 10 characters is left out.]"),
        (["x" * 10**6] * 9, '["xxxxxxxx\n[Cut here: what follows these 10 characters is left out.]'),
        ({"x" * 10**6: 1}, '{"xxxxxxxx\n[Cut here: what follows these 10 characters is left out.]'),
    ],
)
async def test_a_long_result_is_cut(value, content):
    """The model is told that it was, and how much is missing as far as that is known."""
    assert (await gives(value, most_characters=10).run(call("give"))).content == content


async def test_a_huge_result_takes_no_time():
    """What lies behind the cut is not written, counted or copied."""
    began = time.perf_counter()
    for value in ("x" * 10**8, range(10**12), [["x" * 10**6] * 1_000] * 1_000):
        assert len((await gives(value).run(call("give"))).content) < 21_000
    assert time.perf_counter() - began < 2
