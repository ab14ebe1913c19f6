"""The engine's child: what it is told, how it fails, and that it ends with us."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import TEST_MODEL

from ai_chat.core.children import LOG_BYTES
from ai_chat.core.errors import LocalModelFailed
from ai_chat.providers.engine import CHILD, Engine, EngineOptions

STAND_IN = Path(__file__).with_name("stand_in")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent's thread")


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Engine]:
    """Make an engine of a stand-in library, whose model file says what it shall do."""
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))

    def engine(what: str = "", **fields) -> Engine:
        path = tmp_path / "model.gguf"
        path.write_text(f"GGUF {what}")
        return Engine(path, name="local/tiny", **fields)

    return engine


async def told(engine: Engine, words: str) -> None:
    """Wait until the child has written these words."""
    while words not in engine.log_tail:
        await asyncio.sleep(0.01)


# --- starting ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_leaks")
async def test_a_started_engine_has_an_address_and_a_stopped_one_is_gone(make):
    """Start waits until the model can be asked; stop waits until the child has ended."""
    engine = make()
    await engine.start()
    assert (engine.address, engine.alive) == ("http://127.0.0.1:1", True)
    await engine.stop()
    assert (engine.alive, engine.crashed) == (False, False)


async def test_the_key_stands_where_nobody_else_looks(make):
    """Command line, environment and repr of an engine do not hold its key, though the server has it."""
    engine = make("tell")
    await engine.start()
    await engine.stop()
    child = json.loads(engine.log_tail.partition("\n")[2])
    assert child["api_keys"] == [engine.key]
    assert engine.key not in repr((child["argv"], child["environ"], engine, vars(engine)["_command"]))


async def test_every_slot_has_the_whole_window(make):
    """Two answers at once get the context that each was promised; memory of one is not the other's."""
    engine = make("tell", options=EngineOptions(context=1000, parallel=3, threads=2))
    await engine.start()
    await engine.stop()
    child = json.loads(engine.log_tail.partition("\n")[2])
    assert (child["n_ctx"], child["n_parallel"], child["kv_unified"], child["threads"]) == (3000, 3, False, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="there it is a flag")
async def test_ctrl_c_does_not_reach_the_engine(make):
    """It ends an answer; the engine is in a session of its own and goes on."""
    engine = make()
    await engine.start()
    assert os.getsid(engine._process.pid) != os.getsid(0)
    await engine.stop()


async def test_what_the_engine_prints_does_not_disturb_its_answer(make):
    """However much the library writes, the child goes on; only the end of it is kept."""
    engine = make("chatter")
    await engine.start()
    await told(engine, "the last words")
    assert len(engine.log_tail) == LOG_BYTES
    await engine.stop()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        pytest.param("fail", "(tensor 'a' is not within the file bounds)", id="a damaged file"),
        pytest.param("fail silently", "Failed to init server", id="no reason in the log"),
        pytest.param("lack", 'pip install "ai-chat-app[local]"', id="not installed"),
        pytest.param(
            "crash", "SIGABRT while it loaded local/tiny (its last words: 'GGML_ASSERT(something) failed'", id="a crash"
        ),
    ],
)
@pytest.mark.usefixtures("no_leaks")
async def test_an_engine_that_does_not_start_says_why(make, what, says):
    """The reason is in one sentence, and no child is left."""
    with pytest.raises(LocalModelFailed) as failure:
        await make(what).start()
    assert says in failure.value.message
    assert "\n" not in failure.value.message


@pytest.mark.parametrize(("what", "crashed"), [("fail", False), ("lack", False), ("crash", True)])
async def test_a_refusal_is_no_crash(make, what, crashed):
    """An engine that says why it does not start will say it again; one that just ends may have had bad luck."""
    engine = make(what)
    with pytest.raises(LocalModelFailed):
        await engine.start()
    assert engine.crashed is crashed


@pytest.mark.parametrize(
    ("command", "says"),
    [
        pytest.param(("/nonexistent/python",), "could not be run", id="no such program"),
        pytest.param((sys.executable, "-c", "print('hello')"), "it said b'hello", id="no JSON"),
        pytest.param((sys.executable, "-c", "import os; os.close(0)"), "ended with code 0", id="ends at once"),
    ],
)
@pytest.mark.usefixtures("no_leaks")
async def test_a_child_that_is_no_engine_is_noticed(make, command, says):
    """Whatever runs in place of the engine, the failure is ours and in one sentence."""
    with pytest.raises(LocalModelFailed, match=says):
        await make(command=command).start()


@pytest.mark.usefixtures("no_leaks")
async def test_loading_has_an_end(make):
    """An engine that loads for ever is ended, and the limit is named."""
    with pytest.raises(LocalModelFailed, match=r"not loaded within 0\.2 s"):
        await make("load for ever", load_seconds=0.2).start()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "cannot be read (No such file", id="missing"),
        pytest.param("<html>", "begin with b'<htm'", id="no GGUF"),
        pytest.param("", "begin with b''", id="empty"),
    ],
)
async def test_a_file_that_holds_no_model_is_refused_before_anything_runs(tmp_path, content, says):
    """To the engine a missing file and a wrong one are the same, so they are told apart before."""
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_text(content)
    engine = Engine(path, command=["/nonexistent/python"])
    with pytest.raises(LocalModelFailed) as failure:
        await engine.start()
    assert says in failure.value.message


async def test_a_folder_is_no_model(tmp_path):
    """A path that cannot be opened is named with the system's reason."""
    with pytest.raises(LocalModelFailed, match="Is a directory"):
        await Engine(tmp_path).start()


# --- ending --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_leaks")
async def test_a_cancelled_start_leaves_no_child(make):
    """Whoever gives up while the model loads gets rid of the child too."""
    engine = make("load for ever")
    start = asyncio.create_task(engine.start())
    await told(engine, "loading")
    start.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await start
    assert not engine.alive


@pytest.mark.usefixtures("no_leaks")
async def test_a_crash_is_told_from_a_stop(make):
    """An engine that was killed by somebody else says so."""
    engine = make()
    await engine.start()
    os.kill(engine._process.pid, signal.SIGKILL)
    assert await engine.wait(10.0)
    assert (engine.crashed, engine.ending) == (True, "was ended by SIGKILL")
    await engine.stop()


async def test_stopping_twice_is_stopping(make):
    """Stop may be called at any time, also before a start."""
    engine = make()
    await engine.stop()
    await engine.start()
    await asyncio.gather(engine.stop(), engine.stop())
    await engine.stop()
    assert not engine.alive


def test_the_child_ends_with_its_input(make):
    """On every system the end of standard input ends the child, also while it loads."""
    engine = make("load for ever")
    pipe = subprocess.PIPE
    with subprocess.Popen(engine._command, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        try:
            child.stdin.write(engine._handed_over())
            child.stdin.flush()
            assert child.stderr.readline()
            assert child.stderr.read(7) == b"loading"
            child.stdin.close()
            assert child.wait(10.0) == 0
        finally:
            child.kill()


def test_a_child_without_a_parent_does_nothing(make):
    """A parent that ends before it has said anything leaves nothing running."""
    child = subprocess.run(make()._command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10.0, check=False)
    assert (child.returncode, child.stdout, child.stderr) == (0, b"", b"")


PARENT = """
import asyncio, os, sys, time
from pathlib import Path
from ai_chat.providers.engine import Engine

async def main():
    engine = Engine(Path(sys.argv[1]))
    start = asyncio.create_task(engine.start())
    while engine._process is None or sys.argv[2] not in engine.log_tail:
        await asyncio.sleep(0.01)
    if sys.argv[2] == "":
        await start
    if os.fork() == 0:  # holds the pipes of the engine, and so keeps the end of its input from it
        time.sleep(60)
        os._exit(0)
    print(engine._process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@LINUX
@pytest.mark.parametrize("state", ["loading", ""], ids=["while it loads", "while it serves"])
def test_the_child_ends_with_a_killed_parent(make, state):
    """Though a stranger holds its input open, the child does not outlive a parent that was killed without warning."""
    engine = make("load for ever" if state else "")
    assert not is_running(end_with_parent(["-c", PARENT, str(engine.path), state]))


def end_with_parent(arguments: list[str]) -> int:
    """Run a parent that prints its child's id, kill it, wait for the child to be gone, and give its id."""
    parent = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, start_new_session=True)
    try:
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
        parent.wait()
        wait_until_gone(child)
        return child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be buried does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that is not our child; the test's own time limit ends the wait."""
    while is_running(pid):
        os.sched_yield()


def test_the_child_needs_nothing_of_the_package():
    """It starts fast, and no module of its folder stands in for one of the standard library's."""
    code = f"import runpy, sys; runpy.run_path({str(CHILD)!r}); print([n for n in sys.modules if 'ai_chat' in n])"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# --- with the real engine and real weights -------------------------------------------------------------------------


async def test_a_truncated_file_is_named(weights, tmp_path):
    """The engine's own reason stands in the sentence."""
    whole = next(weights.glob("*.gguf"))
    cut = tmp_path / "cut.gguf"
    with whole.open("rb") as file:
        cut.write_bytes(file.read(20_000_000))
    with pytest.raises(LocalModelFailed, match="not within the file bounds"):
        await Engine(cut).start()


ASKING_PARENT = """
import asyncio, sys
from pathlib import Path
from ai_chat.core.messages import Message
from ai_chat.core.request import Call, ChatRequest, Timeouts, Trail
from ai_chat.providers.http import Http
from ai_chat.providers.local import LocalProvider
from ai_chat.providers.weights import Weights

async def main():
    local = LocalProvider(Weights(Path(sys.argv[1]), Http()), model=sys.argv[2])
    question = ChatRequest(model="local", messages=(Message(role="user", content="Count from 1 to 1000."),))
    opening = asyncio.create_task(local.open(Call(request=question, trail=Trail(trace_id="t")), "", Timeouts()))
    if sys.argv[3] == "generating":
        source = await opening
        for _ in range(3):
            await source.read()
        process = local._model._loaded.engine._process
    else:
        while not (tasks := [t for t in asyncio.all_tasks() if t.get_name() == "engine log"]):
            await asyncio.sleep(0.01)
        process = tasks[0].get_coro().cr_frame.f_locals["process"]
        await asyncio.sleep(0.2)
    print(process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@LINUX
@pytest.mark.parametrize("state", ["loading", "generating"])
def test_no_engine_outlives_a_killed_parent(weights, state):
    """Whatever it does when the parent is killed without warning, it ends too."""
    assert not is_running(end_with_parent(["-c", ASKING_PARENT, str(weights), TEST_MODEL, state]))
