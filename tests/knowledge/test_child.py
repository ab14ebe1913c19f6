"""A child process that answers: its answers, how it fails, and that it is gone when it is not needed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ai_chat.core.children import LOG_BYTES
from ai_chat.knowledge.child import Child, ChildEnded

SCRIPT = Path(__file__).with_name("answering_child.py")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
MIB = 2**20


@pytest.fixture
async def make(no_leaks: None) -> AsyncIterator[Callable[..., Child]]:
    """Make a child that is closed at the end; nothing of it may be left then."""
    made: list[Child] = []

    def child(script: Path = SCRIPT, *, idle_seconds: float = 60.0, **fields) -> Child:
        made.append(Child(script, idle_seconds=idle_seconds, **fields))
        return made[-1]

    yield child
    for each in made:
        await each.aclose()


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not met():
            await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended yet."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# --- answers -------------------------------------------------------------------------------------------------------


async def test_a_question_is_answered_by_one_child_again_and_again(make):
    """Headers and raw bodies of any size go both ways, and the next question finds the same process."""
    child = make(arguments=["--model", "模型"])
    body = bytes(range(256)) * 20_000
    first, reversed_body = await child.ask({"do": "echo", "word": "你好\udcff"}, body, seconds=20)
    second, nothing = await child.ask({"do": "echo"}, seconds=20)
    assert reversed_body == body[::-1]
    assert nothing == b""
    assert first["echo"]["word"] == "你好\udcff"
    assert first["arguments"] == ["--model", "模型"]
    assert (first["pid"], child.alive) == (second["pid"], True) == (child.pid, True)


async def test_no_child_runs_before_the_first_question(make):
    """Making one starts nothing."""
    child = make()
    assert (child.alive, child.pid) == (False, None)


async def test_questions_get_in_line(make):
    """Several askers at once all get the answers to their own questions."""
    child = make()
    answers = await asyncio.gather(*(child.ask({"do": "echo", "number": number}, seconds=20) for number in range(20)))
    assert [told["echo"]["number"] for told, _ in answers] == list(range(20))


async def test_what_native_code_prints_is_no_answer(make):
    """Bytes on the standard output of the child land in its log."""
    child = make()
    told, _ = await child.ask({"do": "print"}, seconds=20)
    assert told["echo"] == {"do": "print"}
    await until(lambda: "native chatter" in child.log_tail)


# --- failures ------------------------------------------------------------------------------------------------------


async def test_a_killed_child_says_how_and_the_next_question_gets_a_new_one(make):
    """A signal fails the one question only."""
    child = make()
    with pytest.raises(ChildEnded) as failed:
        await child.ask({"do": "kill"}, seconds=20)
    assert failed.value.ending == "was ended by SIGKILL"
    told, _ = await child.ask({"do": "echo"}, seconds=20)
    assert told["pid"] == child.pid


async def test_what_an_answer_raises_stands_in_the_last_words(make):
    """An error that the script did not expect ends it, and its last line goes with the failure."""
    child = make()
    with pytest.raises(ChildEnded) as failed:
        await child.ask({"do": "raise", "words": "no such thing " + "x" * 3 * LOG_BYTES}, seconds=20)
    assert failed.value.ending == "ended with code 1"
    assert len(child.log_tail) <= LOG_BYTES
    with pytest.raises(ChildEnded, match="its last words: 'LookupError: no such thing'"):
        await child.ask({"do": "raise", "words": "no such thing"}, seconds=20)


async def test_a_script_that_cannot_run_is_a_child_that_ended(make, tmp_path):
    """A missing script fails the question, and does not wait for its limit."""
    with pytest.raises(ChildEnded, match="can't open file"):
        await make(tmp_path / "none.py").ask({"do": "echo"}, seconds=20)


async def test_a_python_that_is_not_there_is_a_child_that_ended(make, monkeypatch):
    """What cannot be run at all is told in the same way."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ChildEnded) as failed:
        await make().ask({"do": "echo"}, seconds=20)
    assert failed.value.ending == "could not be run (No such file or directory)"


async def test_an_answer_that_takes_too_long_ends_the_child(make):
    """At the limit the process is killed, and the next question is answered by another."""
    child = make()
    told, _ = await child.ask({"do": "echo"}, seconds=20)
    with pytest.raises(TimeoutError):
        await child.ask({"do": "sleep", "seconds": 60}, seconds=0.1)
    await until(lambda: not runs(told["pid"]))
    again, _ = await child.ask({"do": "echo"}, seconds=20)
    assert again["pid"] != told["pid"]


async def test_a_late_answer_is_never_the_next_ones(make):
    """An asker who leaves in mid-question takes the child with him; who waits in line gets the right answer."""
    child = make()
    leaves = asyncio.create_task(child.ask({"do": "sleep", "seconds": 0.2, "number": 1}, seconds=20))
    await until(lambda: child.alive)
    stays = asyncio.create_task(child.ask({"do": "echo", "number": 2}, seconds=20))
    await asyncio.sleep(0.1)
    leaves.cancel()
    told, _ = await stays
    assert told["echo"]["number"] == 2
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_who_leaves_the_line_harms_nobody(make):
    """An asker who is cancelled before his turn leaves the child to the one whose turn it is."""
    child = make()
    asks = asyncio.create_task(child.ask({"do": "sleep", "seconds": 0.3}, seconds=20))
    await until(lambda: child.alive)
    waits = asyncio.create_task(child.ask({"do": "echo"}, seconds=20))
    await asyncio.sleep(0)
    waits.cancel()
    told, _ = await asks
    assert told["pid"] == child.pid


@LINUX
async def test_memory_has_a_limit(make):
    """The child may grow so far and no further, and lives on."""
    child = make(memory_bytes=200 * MIB)
    assert (await child.ask({"do": "fill", "bytes": 50 * MIB}, seconds=20))[0] == {"memory": 50 * MIB}
    assert (await child.ask({"do": "fill", "bytes": 300 * MIB}, seconds=20))[0] == {"memory": "too little"}
    assert (await child.ask({"do": "echo"}, seconds=20))[0]["pid"] == child.pid


# --- endings -------------------------------------------------------------------------------------------------------


async def test_an_idle_child_ends_and_comes_back(make):
    """After a while without questions it is gone; the next one starts it again."""
    child = make(idle_seconds=0.1)
    told, _ = await child.ask({"do": "echo"}, seconds=20)
    await until(lambda: not child.alive and not runs(told["pid"]))
    again, _ = await child.ask({"do": "echo"}, seconds=20)
    assert again["pid"] != told["pid"]


async def test_a_child_at_work_is_not_idle(make):
    """An answer may take longer than the time after which an idle child ends."""
    child = make(idle_seconds=0.1)
    first, _ = await child.ask({"do": "echo"}, seconds=20)
    second, _ = await child.ask({"do": "sleep", "seconds": 0.5}, seconds=20)
    assert first["pid"] == second["pid"]


async def test_end_is_not_for_good_and_aclose_is(make):
    """After `end` a question starts a new process, after `aclose` none does."""
    child = make()
    told, _ = await child.ask({"do": "echo"}, seconds=20)
    await child.end()
    assert not runs(told["pid"])
    again, _ = await child.ask({"do": "echo"}, seconds=20)
    await child.aclose()
    assert not runs(again["pid"])
    with pytest.raises(ChildEnded, match="was closed"):
        await child.ask({"do": "echo"}, seconds=20)


async def test_closing_fails_those_who_ask(make):
    """A question under way and one in line both end when the child is closed."""
    child = make()
    asks = [asyncio.create_task(child.ask({"do": "sleep", "seconds": 60}, seconds=60)) for _ in range(2)]
    await until(lambda: child.alive)
    await child.aclose()
    failures = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(failure) for failure in failures] == [ChildEnded, ChildEnded]


async def test_closing_while_it_starts_leaves_nothing(make):
    """A child that is closed in the midst of its start does not stay behind."""
    child = make()
    asks = asyncio.create_task(child.ask({"do": "echo"}, seconds=20))
    await asyncio.sleep(0)
    await child.aclose()
    with pytest.raises(ChildEnded):
        await asks
    assert not child.alive


PARENT = """
import asyncio, os, sys
from pathlib import Path
from ai_chat.knowledge.child import Child

async def main():
    child = Child(Path(sys.argv[1]), idle_seconds=600)
    told, _ = await child.ask({"do": "echo"}, seconds=20)
    print(told["pid"], flush=True)
    asyncio.create_task(child.ask({"do": "sleep", "seconds": 600}, seconds=600))
    await asyncio.sleep(0.1)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@LINUX
async def test_it_ends_with_its_parent(tmp_path):
    """A parent that is killed in the midst of a question leaves no child behind."""
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", PARENT, SCRIPT], stdout=subprocess.PIPE, check=False
    )
    await until(lambda: not runs(int(done.stdout)))
