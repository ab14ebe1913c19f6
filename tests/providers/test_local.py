"""The embedded model as a provider, with a stand-in for the engine: waiting, sharing, failing, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.doubles import ask
from tests.grammar import all_events, check_grammar
from tests.sources import ANSWER, Stepped, read_into

from ai_chat.core.errors import (
    BadRequest,
    ChatError,
    ConnectionFailed,
    LocalModelFailed,
    StreamBroken,
    Unavailable,
    UnknownModel,
)
from ai_chat.core.events import Batch, Notice, Started, batch_of
from ai_chat.core.folding import fold
from ai_chat.core.request import Call, ChatRequest, Sampling, Timeouts
from ai_chat.core.stream import EventStream
from ai_chat.providers.engine import EngineOptions
from ai_chat.providers.fetching import Progress
from ai_chat.providers.local import FIRST_TOKEN, WAITING, LocalProvider
from ai_chat.providers.weight_rows import WeightsRow
from ai_chat.providers.weights import Choice

LIMITS = Timeouts()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(200):
        await asyncio.sleep(0)


class House:
    """Stands in for the weights, the engine and the way to it, and remembers what was done with them."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.engines: list[StandInEngine] = []
        self.sources: list[Stepped] = []
        self.requests: list[ChatRequest] = []
        self.limits: list[Timeouts] = []
        self.may_fetch = asyncio.Event()
        self.may_load = asyncio.Event()
        self.may_fetch.set()
        self.may_load.set()
        self.load_error: LocalModelFailed | None = None
        self.crash_while_loading = False
        self.open_error: ChatError | None = None
        self.free = 10**9
        self.time = 0.0

    @property
    def loaded(self) -> list[str]:
        return [engine.row for engine in self.engines if engine.alive]

    # --- weights

    def rows(self) -> Sequence[WeightsRow]:
        return [
            WeightsRow(name=name, file=name, size=1, sha256="", memory=1, context=context)
            for name, context in (("big", None), ("small", 512))
        ]

    def row(self, name: str) -> WeightsRow:
        for row in self.rows():
            if row.name == name:
                return row
        raise UnknownModel(f"There are no weights named {name!r}.")

    def choose(self, free_memory: int | None) -> Choice:
        return Choice(row=self.row("big")) if free_memory > 1000 else Choice(row=self.row("small"), notice="Short.")

    async def fetch(self, name: str, *, progress: Callable[[Progress], None]) -> Path:
        if not self.may_fetch.is_set():
            self.log.append(f"fetch {name}")
            progress(Progress(name=name, stage="downloading", done=1, total=2, source="somewhere"))
            await self.may_fetch.wait()
        return Path(name)

    # --- what a provider asks for

    def make_engine(self, path: Path, row: WeightsRow) -> StandInEngine:
        engine = StandInEngine(self, row.name)
        self.engines.append(engine)
        return engine

    def connect(self, engine: StandInEngine) -> House:
        return self

    async def open(self, call: Call, model: str, timeouts: Timeouts) -> Stepped:
        self.requests.append(call.request)
        self.limits.append(timeouts)
        await asyncio.sleep(0)
        if self.open_error is not None:
            raise self.open_error
        self.sources.append(Stepped())
        return self.sources[-1]

    async def aclose(self) -> None:
        self.log.append("disconnect")


class StandInEngine:
    """An engine without a child."""

    address = key = ""

    def __init__(self, house: House, row: str) -> None:
        self._house = house
        self.row = row
        self.alive = self.crashed = False
        self.ending = "was ended by SIGKILL"
        self.log_tail = f"last words of {row}"

    async def start(self) -> None:
        assert not self._house.loaded, "two models are loaded"
        self.alive = True
        try:
            await self._house.may_load.wait()
        except asyncio.CancelledError:
            await settle()  # a child takes a moment to end
            self.alive = False
            raise
        self._house.log.append(f"load {self.row}")
        if self._house.load_error is not None:
            self.alive = False
            self.crashed = self._house.crash_while_loading
            raise self._house.load_error

    def die(self) -> None:
        """End as if somebody had killed it."""
        self.alive, self.crashed = False, True

    async def wait(self, seconds: float) -> bool:
        return not self.alive

    async def stop(self) -> None:
        if self.alive:
            self._house.log.append(f"stop {self.row}")
        await asyncio.sleep(0)
        self.alive = False


@pytest.fixture
def house() -> House:
    """What stands in for everything below."""
    return House()


@pytest.fixture
async def make(house: House):
    """Make providers over the house; they are closed at the end."""
    made: list[LocalProvider] = []

    def provider(**fields) -> LocalProvider:
        made.append(
            LocalProvider(
                house,
                make_engine=house.make_engine,
                connect=house.connect,
                memory=lambda: house.free,
                monotonic=lambda: house.time,
                **fields,
            )
        )
        return made[-1]

    yield provider
    for each in made:
        await each.aclose()


@pytest.fixture
def local(make) -> LocalProvider:
    """A provider of one answer at a time."""
    return make(options=EngineOptions(parallel=1))


def heard(call: Call) -> list[Notice]:
    """Have a call keep what it is told."""
    notices: list[Notice] = []
    call.on_notice = notices.append
    return notices


async def begin(provider: LocalProvider, model: str = "", call: Call | None = None, limits: Timeouts = LIMITS):
    """Open in a task that has come to wait."""
    task = asyncio.create_task(provider.open(call or ask(), model, limits))
    await settle()
    return task


async def finish(source: Stepped, batches: Sequence[Batch] = ANSWER) -> None:
    """Have the engine give an answer."""
    for batch in batches:
        await source.give(batch)
        await settle()


# --- loading -------------------------------------------------------------------------------------------------------


async def test_nothing_is_loaded_before_it_is_asked(house, local):
    """The first call loads the model, the second finds it loaded."""
    assert house.log == []
    for _ in range(2):
        (await local.open(ask(), "", LIMITS)).close()
    assert house.log == ["load big"]


async def test_a_call_is_told_what_it_waits_for(house, local):
    """The weights come, then the model is loaded; what is there already is not told."""
    house.may_fetch.clear()
    first = heard(call := ask())
    task = await begin(local, call=call)
    house.may_fetch.set()
    (await task).close()
    second = heard(call := ask())
    (await local.open(call, "", LIMITS)).close()
    assert [(notice.kind, notice.text) for notice in first] == [
        ("download", "Fetching big from somewhere"),
        ("loading", "Loading big into memory, which takes some seconds."),
    ]
    assert (first[0].data["done"], first[0].data["total"], second) == (1, 2, [])


async def test_who_wakes_a_sleeping_engine_is_told(house, make):
    """After some minutes without a call the engine has given its memory back, and the next one waits for it."""
    local = make(options=EngineOptions(sleep_after=60))
    told = []
    for pause in (0.0, 59.0, 61.0):
        house.time += pause
        notices = heard(call := ask())
        (await local.open(call, "", LIMITS)).close()
        told.append([notice.text for notice in notices])
    assert told[1:] == [[], ["Waking big, which takes a second or two."]]


async def test_calls_at_the_same_time_share_one_loading(house, make):
    """One of two who wait may leave; the other gets the model all the same."""
    local = make()
    house.may_load.clear()
    first, second = await begin(local), await begin(local)
    first.cancel()
    await settle()
    house.may_load.set()
    (await second).close()
    assert house.log == ["load big"]


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("stage", ["may_fetch", "may_load"])
async def test_what_nobody_waits_for_is_given_up(house, local, stage):
    """When the last caller leaves, fetching and loading end; the next one begins them anew."""
    getattr(house, stage).clear()
    task = await begin(local)
    task.cancel()
    await settle()
    await settle()
    assert house.loaded == []
    getattr(house, stage).set()
    (await local.open(ask(), "", LIMITS)).close()
    assert house.loaded == ["big"]


async def test_what_is_given_up_is_gone_before_another_model_comes(house, local):
    """A model that was being loaded for nobody any more still has its memory for a moment."""
    house.may_load.clear()
    given_up = await begin(local, "big")
    given_up.cancel()
    await asyncio.sleep(0)
    house.may_load.set()
    (await local.open(ask(), "small", LIMITS)).close()
    assert house.log == ["load small"]


async def test_a_download_takes_nobodys_turn(house, local):
    """While one model is fetched another one answers."""
    (await local.open(ask(), "small", LIMITS)).close()
    house.may_fetch.clear()
    waiting = await begin(local, "big")
    (await local.open(ask(), "small", LIMITS)).close()
    assert not waiting.done()
    waiting.cancel()


async def test_one_model_goes_before_another_comes(house, local):
    """Two are never loaded at once, and a call for the other waits until the answer that is being made has ended."""
    source = await local.open(ask(), "small", LIMITS)
    notices = heard(call := ask())
    other = await begin(local, "big", call)
    assert house.loaded == ["small"]
    source.close()
    (await other).close()
    assert house.log == ["load small", "stop small", "disconnect", "load big"]
    assert [notice.kind for notice in notices] == ["queued", "loading"]


async def test_a_model_that_cannot_be_loaded_is_everyones_failure(house, make):
    """All who wait are told why; nothing is kept of it, and the next call tries again."""
    local = make()
    house.may_load.clear()
    house.load_error = LocalModelFailed("no")
    tasks = [await begin(local), await begin(local)]
    house.may_load.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [house.load_error] * 2
    house.load_error = None
    (await local.open(ask(), "", LIMITS)).close()


# --- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "row"), [("", "big"), ("local", "big"), ("small", "small"), ("local/small", "small")]
)
async def test_a_model_is_known_by_its_row(house, local, model, row):
    """The row's name will do, with or without the provider's before it; `local` is the best that fits."""
    (await local.open(ask(), model, LIMITS)).close()
    assert house.loaded == [row]


async def test_a_row_that_is_not_there_is_refused(house, local):
    """Before anything is fetched or loaded."""
    with pytest.raises(UnknownModel, match="nothing"):
        await local.open(ask(), "nothing", LIMITS)
    assert house.log == []


async def test_the_settings_say_what_local_means(house, make):
    """Then memory is not asked."""
    house.free = 0
    (await make(model="big").open(ask(), "", LIMITS)).close()
    assert house.loaded == ["big"]


async def test_with_little_memory_local_is_the_smaller_and_stays_it(house, local):
    """The caller is told when it is loaded; that it now takes memory itself does not change what it is."""
    house.free = 100
    notices = heard(call := ask())
    (await local.open(call, "", LIMITS)).close()
    house.free = 10**9
    (await local.open(ask(), "", LIMITS)).close()
    assert (notices[0].kind, notices[0].text) == ("memory", "Short.")
    assert house.log == ["load small"]


async def test_models_lists_local_and_every_row(local):
    """With the window they have here: ours, or the model's own if that is smaller."""
    assert [(model.id, model.context) for model in await local.models()] == [
        ("local", 8192),
        ("local/big", 8192),
        ("local/small", 512),
    ]


# --- asking --------------------------------------------------------------------------------------------------------


async def test_what_cannot_be_asked_is_refused_before_anything_is_loaded(house, local):
    """A request that the engine would misread costs no memory."""
    with pytest.raises(BadRequest):
        await local.open(ask(max_tokens=0), "", LIMITS)
    assert house.log == []


@pytest.mark.parametrize(
    ("given", "own", "first_token"),
    [
        pytest.param(Timeouts(first_token=20), None, FIRST_TOKEN, id="raised"),
        pytest.param(Timeouts(first_token=1000), None, 1000, id="kept if it is longer"),
        pytest.param(Timeouts(first_token=20), Timeouts(first_token=20), 20, id="the call's own"),
        pytest.param(Timeouts(first_token=None), None, None, id="none"),
    ],
)
async def test_the_first_token_may_take_minutes(house, local, given, own, first_token):
    """A processor reads a long prompt slowly; only a limit of the call itself is shorter."""
    call = ask()
    call.timeouts = own
    (await local.open(call, "", given)).close()
    assert house.limits[0].first_token == first_token


async def test_an_answer_passes_through(house, local):
    """What the engine says is the answer, and its end gives the turn to the next."""
    stream = EventStream(await local.open(ask(), "", LIMITS))
    reading = asyncio.create_task(fold(stream))
    await finish(house.sources[0])
    assert (await reading).text == "Hello world"
    (await local.open(ask(), "", LIMITS)).close()


async def test_a_long_prompt_is_told(house, local):
    """Reading it takes a while on a processor; a short one is not worth a word."""
    told = []
    for tokens in (10, 2000):
        notices = heard(call := ask())
        source = await local.open(call, "", LIMITS)
        reading = asyncio.create_task(source.read())
        extra = {"prompt_progress": {"total": tokens, "cache": 0, "processed": 0}}
        await house.sources[-1].give(batch_of(Started("1", "m", 1, extra=extra)))
        await reading
        source.close()
        told.append([notice.data for notice in notices if notice.kind == "reading"])
    assert told == [[], [{"tokens": 2000}]]


async def test_a_call_waits_for_its_turn_and_is_told(house, local):
    """Whoever leaves an answer, by closing it, lets the next in at once."""
    first = await local.open(ask(), "", LIMITS)
    notices = heard(call := ask())
    waiting = await begin(local, call=call)
    assert [(notice.kind, notice.data["before"]) for notice in notices] == [("queued", 1)]
    first.close()
    first.close()  # gives nothing back that it has not got
    second = await waiting
    third = await begin(local)
    assert not third.done()
    second.close()
    (await third).close()


async def test_waiting_is_bounded_by_the_limit_of_the_first_token(local):
    """The wait for a turn is part of the wait for the first token."""
    source = await local.open(ask(), "", LIMITS)
    call = ask()
    call.timeouts = limits = Timeouts(first_token=0.01)
    with pytest.raises(Unavailable, match="busy"):
        await local.open(call, "", limits)
    source.close()


async def test_an_engine_that_refuses_keeps_no_turn(house, local):
    """The error is the caller's, the turn the next one's."""
    house.open_error = BadRequest("no")
    with pytest.raises(BadRequest):
        await local.open(ask(), "", LIMITS)
    house.open_error = None
    (await local.open(ask(), "", LIMITS)).close()


@pytest.mark.usefixtures("no_leaks")
async def test_a_call_cancelled_at_any_moment_keeps_no_turn(house, local):
    """However far a call has come when it is cancelled, the next one gets its answer."""
    for steps in range(12):
        task = asyncio.create_task(local.open(ask(), "", LIMITS))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if not isinstance(outcome, BaseException):
            outcome.close()
        (await asyncio.wait_for(local.open(ask(), "", LIMITS), 10.0)).close()
        assert local._turns.running == 0


# --- several choices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "at_once", "seeds"),
    [
        pytest.param(None, 2, [None, None, None], id="without a seed as many as there are turns"),
        pytest.param(5, 1, [5, 6, 7], id="with a seed one by one, or they would change each other"),
    ],
)
async def test_choices_are_requests_of_their_own(house, make, seed, at_once, seeds):
    """Together they are one answer."""
    local = make(options=EngineOptions(parallel=2))
    stream = EventStream(await local.open(ask(n=3, sampling=Sampling(seed=seed)), "", LIMITS))
    got: list[Batch] = []
    reading = asyncio.create_task(read_into(got, stream))
    await settle()
    assert len(house.sources) == at_once
    for index in range(3):
        await finish(house.sources[index])
    await reading
    check_grammar(all_events(got))
    assert [(request.sampling.seed, request.n) for request in house.requests] == [(each, None) for each in seeds]


@pytest.mark.usefixtures("no_leaks")
async def test_leaving_several_choices_gives_all_turns_back(house, make):
    """Those that wait for a turn included."""
    local = make(options=EngineOptions(parallel=2))
    source = await local.open(ask(n=5), "", LIMITS)
    await settle()
    source.close()
    await settle()
    assert (local._turns.running, local._turns.waiting) == (0, 0)
    sources = [await local.open(ask(), "", LIMITS) for _ in range(2)]
    assert local._turns.running == 2
    for each in sources:
        each.close()


async def test_choices_of_one_call_let_another_call_in_between(house, make):
    """A call that asks for many choices does not keep others out until the last of them."""
    local = make(options=EngineOptions(parallel=1))
    many = await local.open(ask("many", n=9), "", LIMITS)
    other = await begin(local, call=ask("other"))
    reading = asyncio.create_task(fold(EventStream(many)))
    await finish(house.sources[0])
    assert [request.messages[0].text for request in house.requests] == ["many", "other"]
    (await other).close()
    reading.cancel()


async def test_a_third_choice_is_not_refused_where_the_first_was_let_in(house, make):
    """However many wait for another model by then."""
    local = make(options=EngineOptions(parallel=2))
    reading = asyncio.create_task(fold(EventStream(await local.open(ask(n=3), "big", LIMITS))))
    others = [await begin(local, "small") for _ in range(WAITING)]
    await finish(house.sources[0])
    await finish(house.sources[1])
    for other in others:
        (await other).close()
    await settle()
    await finish(house.sources[-1])
    assert len((await reading).choices) == 3


# --- dying ---------------------------------------------------------------------------------------------------------


async def test_an_engine_that_dies_in_mid_answer_is_named_and_the_next_call_starts_it_again(house, local):
    """The part that came is no short answer, whether the connection broke or just ended."""
    source = await local.open(ask(), "", LIMITS)
    reading = asyncio.create_task(source.read())
    house.engines[0].die()
    await house.sources[0].give(None)
    with pytest.raises(StreamBroken, match="engine was ended by SIGKILL in the middle"):
        await reading
    source.close()
    (await local.open(ask(), "", LIMITS)).close()
    assert house.log == ["load big", "disconnect", "load big"]


async def test_a_connection_that_breaks_under_a_living_engine_is_not_its_death(house, local):
    """Then the error stays what it was."""
    source = await local.open(ask(), "", LIMITS)
    reading = asyncio.create_task(source.read())
    await house.sources[0].asked.wait()
    house.sources[0]._waiting.set_exception(StreamBroken("lost"))
    with pytest.raises(StreamBroken, match="lost"):
        await reading
    source.close()


async def test_an_engine_that_dies_before_the_answer_may_be_asked_again(house, local):
    """Nothing has come, so a retry is right."""
    (await local.open(ask(), "", LIMITS)).close()
    house.open_error = ConnectionFailed("refused")
    task = asyncio.create_task(local.open(ask(), "", LIMITS))
    await asyncio.sleep(0)
    house.engines[0].die()
    with pytest.raises(ConnectionFailed, match="engine was ended by SIGKILL before the answer began") as failure:
        await task
    assert failure.value.retryable


async def test_an_engine_that_crashes_again_and_again_is_left_alone_for_a_while(house, local):
    """After three crashes within a minute calls fail at once, with the time until it is tried again."""
    house.load_error, house.crash_while_loading = LocalModelFailed("crashed"), True
    for _ in range(3):
        house.time += 1.0
        with pytest.raises(LocalModelFailed, match=r"^crashed$"):
            await local.open(ask(), "", LIMITS)
    house.time += 20.0
    with pytest.raises(
        LocalModelFailed, match="crashed 3 times in a row and is left alone for another 40 s"
    ) as failure:
        await local.open(ask(), "", LIMITS)
    assert failure.value.retry_after == 40.0
    house.time += 41.0
    house.load_error = None
    (await local.open(ask(), "", LIMITS)).close()


async def test_crashes_far_apart_are_no_loop(house, local):
    """One crash every minute is bad, and still worth a new start each time."""
    for _ in range(5):
        (await local.open(ask(), "", LIMITS)).close()
        house.engines[-1].die()
        house.time += 61.0
    assert len(house.engines) == 5


async def test_a_failure_that_is_no_crash_may_be_tried_at_once(house, local):
    """A missing library does not become a wait when it has been installed."""
    house.load_error = LocalModelFailed("not installed")
    for _ in range(5):
        with pytest.raises(LocalModelFailed, match="not installed"):
            await local.open(ask(), "", LIMITS)


async def test_last_words_survive_the_engine(house, local):
    """What it wrote can be asked for while it runs and when it has gone."""
    assert local.log_tail == ""
    (await local.open(ask(), "small", LIMITS)).close()
    assert local.log_tail == "last words of small"
    await local.aclose()
    assert local.log_tail == "last words of small"


# --- stopping ------------------------------------------------------------------------------------------------------


async def test_an_idle_engine_is_stopped_and_comes_back(house, make):
    """Its memory is given back when nobody has asked for a while."""
    local = make(idle_stop=0.0)
    (await local.open(ask(), "", LIMITS)).close()
    while house.loaded:
        await asyncio.sleep(0)
    (await local.open(ask(), "", LIMITS)).close()
    assert house.log[:3] == ["load big", "stop big", "disconnect"]


async def test_a_busy_engine_is_not_idle(house, make):
    """The time runs from the end of the last answer; one that is being made stops it."""
    local = make(idle_stop=0.0, options=EngineOptions(parallel=2))
    first = await local.open(ask(), "", LIMITS)
    (await local.open(ask(), "", LIMITS)).close()
    for _ in range(10):
        await settle()
    assert house.loaded == ["big"]
    first.close()


async def test_an_engine_that_is_asked_again_is_not_idle_since_the_first_time(local):
    """Each call winds the clock up anew."""
    (await local.open(ask(), "", LIMITS)).close()
    first = local._idle
    (await local.open(ask(), "", LIMITS)).close()
    assert first.cancelled()
    assert not local._idle.cancelled()


async def test_a_call_that_comes_with_the_end_of_the_idle_time_keeps_the_engine(house, local):
    """It is not stopped under an answer that has just begun."""
    (await local.open(ask(), "", LIMITS)).close()
    local._stop_idle()
    source = await local.open(ask(), "", LIMITS)
    await settle()
    assert house.loaded == ["big"]
    source.close()


@pytest.mark.usefixtures("no_leaks")
async def test_closing_ends_everything(house, make):
    """The engine is gone, what was loading is given up, and later calls are refused with the reason."""
    local = make()
    source = await local.open(ask(), "small", LIMITS)
    await local.aclose()
    source.close()
    assert house.loaded == []
    with pytest.raises(Unavailable, match="shut down"):
        await local.open(ask(), "", LIMITS)


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("stage", ["may_fetch", "may_load"])
async def test_closing_while_something_comes_tells_those_who_wait(house, make, stage):
    """They were not cancelled; the app ends."""
    local = make()
    getattr(house, stage).clear()
    task = await begin(local)
    await local.aclose()
    with pytest.raises(Unavailable, match="shut down"):
        await task
