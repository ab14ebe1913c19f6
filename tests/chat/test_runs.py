"""Answers that are made in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.conversations import decode, encode
from tests.doubles import Words, to

from ai_chat.chat import run as one_run
from ai_chat.chat import runs as all_runs
from ai_chat.chat.choices import no_tools
from ai_chat.chat.counting import Counts
from ai_chat.chat.record import ROOT, Keeping
from ai_chat.chat.run_parts import RunParts
from ai_chat.chat.runs import Runs
from ai_chat.chat.session import SessionParts
from ai_chat.chat.structured import StructuredParts
from ai_chat.core.errors import BadRequest, Conflict, NotFound, RateLimited, StorageFailed, Unavailable, UnknownModel
from ai_chat.core.events import Notice, ReasoningDelta, Started, TextDelta
from ai_chat.core.messages import Message
from ai_chat.core.request import Call, ChatRequest, Timeouts, Trail
from ai_chat.core.runs import RunEvent
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted, cut_after, text_steps
from ai_chat.stores import open_conversations
from ai_chat.stores.ids import new_id

HEAD = Started("c", "m", 1)
FOREVER = 1000.0


class Home:
    """What runs need: a real database, a scripted model, and a store that can be made to fail."""

    def __init__(self, store) -> None:
        self.store = store
        self.saved = 0
        self.failing = False

    async def keeping(self) -> Keeping:
        return Keeping(store=self, new_id=new_id, now=lambda: datetime.now(UTC))

    async def save(self, turn) -> None:
        if self.failing:
            raise StorageFailed("The disk has no room.")
        await self.store.save(turn)

    async def save_parts(self, turns, *, owner) -> None:
        if self.failing:
            raise StorageFailed("The disk has no room.")
        self.saved += len(turns)
        await self.store.save_parts(turns, owner=owner)

    def __getattr__(self, name):
        return getattr(self.store, name)

    def runs(self, *scripts, owner="me", alive=("me",), toolbox=no_tools, structured=False, top_k=5) -> Runs:
        scripted = Scripted(*scripts)
        handler = pipeline.build(Dispatch(to(scripted), timeouts=Timeouts(), counter=Words()), log=None)
        session = SessionParts(
            handler=handler,
            make_call=lambda request, on_notice, **of: Call(
                request=request, trail=Trail(trace_id="t"), on_notice=on_notice, **of
            ),
            counts=Counts(Words(), str),
            window_of=lambda _: 1000,
        )
        made = Runs(
            RunParts(
                keeping=self.keeping,
                session=session,
                template=lambda model: ChatRequest(
                    model=model or "default", messages=(Message(role="user", content="-"),), stream=True
                ),
                label=lambda model: f"test/{model or 'default'}",
                owner=owner,
                is_alive=lambda name, _: name in alive,
                toolbox=toolbox,
                passages=lambda _: top_k,
                structured=StructuredParts(
                    handler=handler, make_call=session.make_call, support=lambda _: "json_schema"
                )
                if structured
                else None,
            )
        )
        made.scripted = scripted
        return made


@pytest.fixture
async def home(tmp_path, no_leaks) -> AsyncIterator[Home]:
    store = await open_conversations(f"sqlite:///{tmp_path / 'chat.db'}", encode=encode, decode=decode)
    yield Home(store)
    await store.aclose()


@asynccontextmanager
async def running(home, *scripts, **options):
    runs = home.runs(*scripts, **options)
    yield runs
    await runs.aclose()


async def read(runs: Runs, run, after: int = 0) -> Sequence[RunEvent]:
    return [event async for events in await runs.read(run.id, after) for event in events]


def text_in(events) -> str:
    text = ""
    for event in events:
        if event.kind == "text":
            text = event.data["text"] if event.data.get("whole") else text + event.data["text"]
    return text


async def until_text(run, text: str) -> None:
    while run.log.text() != text:
        await asyncio.sleep(0.005)


# --- a run from its beginning to its end ----------------------------------------------------------------------------


async def test_events_of_an_answer(home):
    """`run` comes first and `done` last, numbered without a gap; what it took stands before the end."""
    async with running(home, (HEAD, ReasoningDelta("hm"), *text_steps("one two")[1:])) as runs:
        run = await runs.ask("hi")
        events = await read(runs, run)

    assert [event.kind for event in events] == ["run", "reasoning", "text", "usage", "done"]
    assert events[0].data == {
        "run_id": run.id,
        "conversation_id": run.conversation,
        "question_id": run.question.id,
        "message_id": run.id,
        "model": "test/default",
    }
    assert text_in(events) == "one two"
    assert (events[-2].data["output_tokens"], events[-2].data["model"]) == (2, "test/m")
    assert events[-1].data == {"status": "finished", "finish_reason": "stop"}
    assert [event.kind for event in events].count("done") == 1


async def test_what_is_kept(home):
    """Question and answer are in the tree, with all that is known of the answer; the first line is the title."""
    async with running(home, "one two") as runs:
        run = await runs.ask("\n  Tell me\nmore")
        await run.over()

    question, answer = await home.path(run.conversation)
    assert (question.message.text, answer.parent, answer.id) == ("\n  Tell me\nmore", question.id, run.id)
    assert (answer.message.text, answer.state, answer.finish_reason) == ("one two", "finished", "stop")
    assert answer.usage.output_tokens == 2
    assert answer.total is not None
    assert (await home.get(run.conversation)).title == "Tell me"


async def test_a_conversation_is_gone_on_with(home):
    """The next question is sent with what was said, behind the turn that was looked at last."""
    async with running(home, "one", "two") as runs:
        first = await runs.ask("a")
        await first.over()
        second = await runs.ask("b", conversation=first.conversation, model="other")
        await second.over()
        sent = runs.scripted.requests[1]

    assert [message.text for message in sent.messages] == ["a", "one", "b"]
    assert sent.model == "other"
    assert (await home.get(first.conversation)).model == "other"
    assert [turn.message.text for turn in await home.path(first.conversation)] == ["a", "one", "b", "two"]


async def test_a_preset_is_kept(home):
    """A named temperature is the conversation's from then on; a name that is none is refused, and nothing is kept."""
    async with running(home, "one") as runs:
        first = await runs.ask("a", preset="factual")
        await first.over()
        await (await runs.ask("b", conversation=first.conversation)).over()
        await (await runs.ask("c", conversation=first.conversation, preset="exploratory")).over()
        assert [request.sampling.temperature for request in runs.scripted.requests] == [0.1, 0.1, 1.2]
        with pytest.raises(BadRequest, match="preset is 'wild', and must be one of factual, technical"):
            await runs.ask("d", preset="wild")
    assert len(await home.list()) == 1


async def test_another_answer_is_a_sibling(home):
    """The question is sent again without its first answer, and both answers stay."""
    async with running(home, "one", "two", "three") as runs:
        first = await runs.ask("a")
        await first.over()
        for turn in (first.id, first.question.id):
            await (await runs.again(turn)).over()
        assert [[m.text for m in request.messages] for request in runs.scripted.requests] == [["a"]] * 3

    assert [turn.message.text for turn in await home.siblings(first.id)] == ["one", "two", "three"]


async def test_another_question_is_a_sibling(home):
    """A question that takes the place of the first one begins at the root and is sent alone."""
    async with running(home, "one", "two") as runs:
        first = await runs.ask("a")
        await first.over()
        second = await runs.ask("b", conversation=first.conversation, parent=ROOT)
        await second.over()
        assert [message.text for message in runs.scripted.requests[1].messages] == ["b"]

    assert [turn.message.text for turn in await home.siblings(first.question.id)] == ["a", "b"]


# --- readers --------------------------------------------------------------------------------------------------------


async def test_readers_come_and_go(home):
    """Two hundred readers, begun at any time and anywhere, get the same text; leaving does not stop the answer."""
    words = " ".join(f"w{n}" for n in range(30))
    steps = [step for event in text_steps(words) for step in (event, 0.002)]
    async with running(home, steps) as runs:
        run = await runs.ask("a")
        readers = []
        for _ in range(200):
            readers.append(asyncio.create_task(read(runs, run)))
            await asyncio.sleep(0)
        readers[0].cancel()
        all_read = await asyncio.gather(*readers, return_exceptions=True)
        late = await read(runs, run)

    assert {text_in(events) for events in [*all_read[1:], late]} == {words}
    assert len(late) < len(all_read[-1])


async def test_a_reader_goes_on_where_it_was(home):
    """Behind its last number nothing is missing and nothing comes twice."""
    async with running(home, "one two three") as runs:
        run = await runs.ask("a")
        await run.over()
        for after in range(run.log.last + 1):
            events = await read(runs, run, after)
            assert all(event.number > after for event in events)
            expected = ["one two three", " two three", " three", ""][max(0, min(after - 1, 3))] if after else None
            assert expected is None or text_in(events) == expected


async def test_a_number_beyond_the_end(home):
    """A reader who claims to have what has not come is told how far it is."""
    async with running(home, "one") as runs:
        run = await runs.ask("a")
        await run.over()
        with pytest.raises(BadRequest, match="after is 99, and the run has events 1 to 4"):
            await runs.read(run.id, 99)


async def test_what_is_no_longer_kept_comes_from_the_store(home, monkeypatch):
    """A run that has been let go is read out of the store, as a whole and under numbers that go on."""
    monkeypatch.setattr(all_runs, "KEPT_SECONDS", -1.0)
    async with running(home, "one two", "three") as runs:
        first = await runs.ask("a")
        await first.over()
        await (await runs.ask("b")).over()
        assert runs.get(first.id) is None
        events = await read(runs, first, after=7)

    assert [event.kind for event in events] == ["run", "text", "usage", "done"]
    assert [event.number for event in events] == [8, 9, 10, 11]
    assert events[1].data == {"text": "one two", "whole": True}


async def test_only_so_many_are_kept(home, monkeypatch):
    """However many runs there were, the memory holds a bounded number of them."""
    monkeypatch.setattr(all_runs, "MOST_KEPT", 3)
    async with running(home, "one") as runs:
        for _ in range(10):
            await (await runs.ask("a")).over()
        assert len(runs._runs) <= 5


async def test_an_answer_of_another_process_is_followed(home, monkeypatch):
    """What another living process writes is looked at until it ends."""
    monkeypatch.setattr(all_runs, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(all_runs, "SAVE_SECONDS", 0.02)
    steps = [HEAD, TextDelta("one"), 0.15, TextDelta(" two"), *text_steps(" three")[1:]]
    async with running(home, steps, owner="them") as theirs, running(home, alive=("me", "them")) as ours:
        run = await theirs.ask("a")
        events = await read(ours, run)
        with pytest.raises(NotFound):
            await ours.read(run.question.id)

    assert text_in(events) == "one two three"
    assert events[-1].data["status"] == "finished"


# --- stopping and breaking ------------------------------------------------------------------------------------------


async def test_stop_keeps_the_part(home):
    """The upstream is closed at once; what came is in the store, with the tokens it took."""
    async with running(home, [HEAD, TextDelta("one two"), FOREVER]) as runs:
        run = await runs.ask("a")
        await until_text(run, "one two")
        assert await runs.stop(run.id) == "stopped"
        assert runs.scripted.sources[0].closed
        assert await runs.stop(run.id) == "stopped"
        events = await read(runs, run)

    answer = await home.turn(run.id)
    assert (answer.message.text, answer.state, answer.finish_reason) == ("one two", "stopped", None)
    assert (answer.usage.output_tokens, answer.usage.estimated) == (2, True)
    assert events[-1].data["status"] == "stopped"


async def test_stop_before_the_first_word(home):
    """A run that is stopped as soon as it was begun asks nobody."""
    async with running(home, "one") as runs:
        run = await runs.ask("a")
        assert await runs.stop(run.id) == "stopped"
        assert not runs.scripted.requests
    assert (await home.turn(run.id)).state == "stopped"


@pytest.mark.parametrize(
    ("script", "text", "code"),
    [
        ([RateLimited("Too many.", retry_after=3.0)], "", "rate_limit_exceeded"),
        (cut_after("one two"), "one two", "stream_broken"),
        ([HEAD, TextDelta("one"), RuntimeError("sk-secret")], "one", "server_error"),
    ],
    ids=["refused", "cut", "fault"],
)
async def test_what_goes_wrong_is_an_event(home, script, text, code):
    """The part that came is kept, and the sentence with it; a foreign error's text is not shown."""
    async with running(home, script) as runs:
        run = await runs.ask("a")
        events = await read(runs, run)

    errors = [event.data for event in events if event.kind == "error"]
    answer = await home.turn(run.id)
    assert [error["code"] for error in errors] == [code]
    assert (answer.state, answer.message.text, answer.error) == ("failed", text, errors[0]["message"])
    assert "secret" not in str(events)
    assert events[-1].data["status"] == "failed"


async def test_a_question_that_fits_no_window_is_kept(home):
    """It is not lost: it stands in the conversation, and its answer says both numbers."""
    async with running(home, "one") as runs:
        run = await runs.ask("word " * 5000)
        events = await read(runs, run)
        assert not runs.scripted.requests

    assert events[-2].data["code"] == "context_length_exceeded"
    assert "5,000" in events[-2].data["message"]
    assert (await home.path(run.conversation))[0].message.text == "word " * 5000


async def test_what_was_left_out_stays_with_the_answer(home):
    """The number of turns that no longer fitted is told while it is asked, and with the answer's figures afterwards."""
    async with running(home, "one", "two", "three") as runs:
        conversation = None
        for words in (400, 300, 300):
            run = await runs.ask("word " * words, conversation=conversation)
            conversation = run.conversation
            events = await read(runs, run)

    (told,) = [event.data for event in events if event.kind == "notice"]
    (usage,) = [event.data for event in events if event.kind == "usage"]
    assert (told["kind"], told["data"], usage["turns_left_out"]) == ("window", {"turns": 1}, 1)
    assert [turn.left_out for turn in await home.path(conversation)] == [None] * 5 + [1]


async def test_notices_before_the_answer(home):
    """What is told while a model loads is an event; a thousand signs of progress are one."""

    class Loading(Scripted):
        async def open(self, call, model, timeouts):
            for done in range(1000):
                call.notify(Notice("download", "Fetching", {"done": done, "total": 1000}))
            return await super().open(call, model, timeouts)

    async with running(home, "one") as runs:
        runs._parts = replace(
            runs._parts,
            session=replace(
                runs._parts.session,
                handler=pipeline.build(Dispatch(to(Loading("one")), timeouts=Timeouts(), counter=Words()), log=None),
            ),
        )
        run = await runs.ask("a")
        await run.over()

    notices = [event for event in run.log.after(0) if event.kind == "notice"]
    assert [notice.data["data"]["done"] for notice in notices] == [999]


async def test_an_upstream_that_never_ends(home, monkeypatch):
    """An answer has a bound; what came until then is kept."""
    monkeypatch.setattr(one_run, "MOST_CHARACTERS", 1000)
    async with running(home, [HEAD, *[TextDelta("x" * 100)] * 50]) as runs:
        run = await runs.ask("a")
        await run.over()
    answer = await home.turn(run.id)
    assert (answer.state, len(answer.message.text)) == ("failed", 1100)


# --- what is asked wrongly ------------------------------------------------------------------------------------------


async def test_what_there_is_not(home):
    """A conversation, message or run that is not there is named; nothing is begun."""
    async with running(home, "one") as runs:
        run = await runs.ask("a")
        await run.over()
        for asking in (
            lambda: runs.ask("b", conversation="nowhere"),
            lambda: runs.ask("b", conversation=run.conversation, parent="nowhere"),
            lambda: runs.again("nowhere"),
            lambda: runs.read("nowhere"),
            lambda: runs.stop("nowhere"),
        ):
            with pytest.raises(NotFound, match="nowhere"):
                await asking()
        with pytest.raises(BadRequest, match="empty"):
            await runs.ask(" \n")
    assert len(await home.list()) == 1
    assert len(await home.path(run.conversation)) == 2


async def test_a_conversation_that_is_being_answered(home):
    """Behind an answer that is not whole nothing can follow; another branch can."""
    async with running(home, [HEAD, TextDelta("one"), FOREVER], "two") as runs:
        run = await runs.ask("a")
        await until_text(run, "one")
        assert list(runs.running_in(run.conversation)) == [run]
        with pytest.raises(Conflict, match="still being written"):
            await runs.ask("b", conversation=run.conversation)
        with pytest.raises(Conflict):
            await runs.again(run.id)
        other = await runs.ask("b", conversation=run.conversation, parent=ROOT)
        await other.over()
        assert runs.running == 1


async def test_too_many_at_once(home, monkeypatch):
    """Beyond the bound a question is refused and not kept, and the others go on."""
    monkeypatch.setattr(all_runs, "MOST_RUNNING", 2)
    async with running(home, [HEAD, TextDelta("one"), FOREVER]) as runs:
        for _ in range(2):
            await until_text(await runs.ask("a"), "one")
        with pytest.raises(Unavailable, match="2 answers are being made"):
            await runs.ask("a")
        assert len(await home.list()) == 2


async def test_a_model_that_nobody_knows(home):
    """The question is kept, and the answer says what is wrong."""
    async with running(home, [UnknownModel("No such model.")]) as runs:
        runs._parts = replace(runs._parts, label=_refuse)
        run = await runs.ask("a", model="gpt-none")
        events = await read(runs, run)
    assert events[0].data["model"] == "gpt-none"
    assert events[-2].data["code"] == "model_not_found"


def _refuse(_):
    raise UnknownModel("No such model.")


# --- the store ------------------------------------------------------------------------------------------------------


async def test_the_part_is_saved_while_it_comes(home, monkeypatch):
    """What has come is in the store after a moment, marked as running; without news nothing is written."""
    monkeypatch.setattr(all_runs, "SAVE_SECONDS", 0.02)
    async with running(home, [HEAD, TextDelta("one"), FOREVER]) as runs:
        run = await runs.ask("a")
        await until_text(run, "one")
        while (stored := await home.turn(run.id)).message.text != "one":
            await asyncio.sleep(0.01)
        assert stored.state == "running"
        saved = home.saved
        await asyncio.sleep(0.1)
        assert home.saved == saved


async def test_a_process_that_was_killed(home):
    """The next one finds what it left, marks it as interrupted and reads the part that was saved."""
    async with running(home, [HEAD, TextDelta("one"), FOREVER], owner="dead") as theirs:
        run = await theirs.ask("a")
        await until_text(run, "one")
        await home.save_parts([run.part()], owner="dead")
        async with running(home, "two") as ours:
            assert [turn.id for turn in await ours.sweep()] == [run.id]
            events = await read(ours, run)
            assert (text_in(events), events[-1].data["status"]) == ("one", "interrupted")
            again = await ours.again(run.id)
            await again.over()
        run.stop()
    assert [turn.message.text for turn in await home.siblings(run.id)] == ["one", "two"]


async def test_the_end_of_the_process(home):
    """Closing ends what runs as interrupted, with all that came in the store; then nothing can be asked."""
    async with running(home, [HEAD, TextDelta("one"), FOREVER]) as runs:
        run = await runs.ask("a")
        await until_text(run, "one")
        await runs.aclose()
        with pytest.raises(Unavailable, match="ending"):
            await runs.ask("b")
    answer = await home.turn(run.id)
    assert (answer.state, answer.message.text) == ("interrupted", "one")


async def test_a_store_that_fails_for_a_while(home, monkeypatch):
    """The answer goes on, its reader is told that it is not kept, and it is kept as soon as it can be."""
    monkeypatch.setattr(all_runs, "SAVE_SECONDS", 0.02)
    async with running(home, "one two") as runs:
        home.failing = True
        run = await runs.ask("a")
        events = await read(runs, run)
        assert text_in(events) == "one two"
        assert [event.data["code"] for event in events if event.kind == "error"] == ["storage_error"]
        assert (await home.turn(run.id)).state == "running"
        home.failing = False
        while run.unsaved is not None:
            await asyncio.sleep(0.01)
    answer = await home.turn(run.id)
    assert (answer.state, answer.message.text) == ("finished", "one two")


async def test_a_question_that_cannot_be_kept(home):
    """Nothing is left behind of it, and nobody is asked."""

    async def full(*_, **__):
        raise StorageFailed("The disk has no room.")

    home.add = full
    async with running(home, "one") as runs:
        with pytest.raises(StorageFailed):
            await runs.ask("a")
        assert not runs.scripted.requests
    assert await home.list() == ()


async def test_the_last_state_is_not_overtaken(home, monkeypatch):
    """Saving parts all the time while answers end never leaves one that looks as if it ran."""
    monkeypatch.setattr(all_runs, "SAVE_SECONDS", 0.0)
    steps = [step for event in text_steps("one two three") for step in (event, 0.003)]
    async with running(home, steps) as runs:
        made = [await runs.ask("a") for _ in range(30)]
        await asyncio.gather(*(run.over() for run in made))
        await asyncio.sleep(0.05)
    turns = [await home.turn(run.id) for run in made]
    assert {(turn.state, turn.message.text) for turn in turns} == {("finished", "one two three")}
