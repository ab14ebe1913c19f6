"""The client library, async and sync: the same words, the same answers."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading

import pytest
from tests.upstream import Upstream, streamed, whole

import ai_chat
from ai_chat import AsyncChat, Chat, Message
from ai_chat.core.errors import BadRequest, ClientMisused, LocalModelFailed, SettingsError, StreamBroken, UnknownModel
from ai_chat.core.events import ChoiceFinished, ExtraFields, Finished, Notice, ReasoningDelta, Started, TextDelta
from ai_chat.providers.scripted import Echo, Scripted, cut_after
from ai_chat.sync import SyncAnswer, SyncSession


@pytest.fixture
async def upstream(no_leaks, monkeypatch):
    """A scripted upstream that the settings point to."""
    async with Upstream(streamed("Hello", " there")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        yield server


# --- asking ---------------------------------------------------------------------------------------------------------


async def test_a_question_is_answered_with_a_report(upstream):
    """One line asks; the answer knows its tokens, its tries and its times."""
    upstream.replies = [whole("Hello there")]
    async with AsyncChat(model="gpt-4o-mini") as chat:
        result = await chat.complete("Hi", system="Be kind", temperature=0.3)
    assert result.text == "Hello there"
    assert result.report is not None
    assert (result.report.tries, result.report.model_served) == (1, "openai/gpt-4o-mini")
    assert result.report.cost is None
    assert upstream.chats[0]["messages"] == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "Hi"},
    ]
    assert upstream.chats[0]["temperature"] == 0.3


async def test_a_stream_gives_its_texts_and_then_its_result(upstream):
    """The pieces come as they are made; the whole answer stands behind them."""
    async with AsyncChat(model="m") as chat, chat.stream("Hi") as answer:
        texts = [text async for text in answer.texts()]
    assert texts == ["Hello", " there"]
    assert answer.whole
    assert answer.result.usage is not None
    assert answer.result.report.first_token is not None


async def test_without_a_model_a_server_of_ones_own_is_asked_for_its_first(upstream):
    """With an address of one's own and no model named, the first that it offers is used."""
    async with AsyncChat() as chat:
        await chat.complete("Hi", stream=False)
    assert upstream.chats[0]["model"] == "test-model"


async def test_unknown_parameters_pass_through(upstream):
    """A field that nobody here knows reaches the upstream."""
    async with AsyncChat(model="m") as chat:
        await chat.complete("Hi", enable_thinking=False)
    assert upstream.chats[0]["enable_thinking"] is False


@pytest.mark.parametrize(
    ("arguments", "param"),
    [({"temperature": 3}, "temperature"), ({"n": 0}, "n"), ({"top_p": "x"}, "top_p")],
    ids=["range", "count", "kind"],
)
async def test_bad_parameters_are_refused_before_any_call(upstream, arguments, param):
    """The same rules as on the wire, and nothing is sent."""
    async with AsyncChat(model="m") as chat:
        with pytest.raises(BadRequest) as caught:
            await chat.complete("Hi", **arguments)
    assert caught.value.param == param
    assert upstream.requests == []


async def test_without_a_key_a_foreign_model_is_explained(no_leaks):
    """A model of an upstream that has no key is told from the embedded one, with both ways out."""
    async with AsyncChat() as chat:
        with pytest.raises(UnknownModel, match="OPENAI_API_KEY"):
            await chat.complete("Hi", model="gpt-4o")
        with pytest.raises(SettingsError, match="DEEPSEEK_API_KEY is not set"):
            await chat.complete("Hi", model="deepseek/deepseek-chat")
        with pytest.raises(SettingsError, match="AI_CHAT_FAST_MODEL"):
            await chat.complete("Hi", model="fast")


async def test_a_broken_answer_is_an_error_that_keeps_its_part():
    """What came before the connection was lost is still there, counted and marked."""
    async with AsyncChat(handler=Scripted(cut_after("some words"))) as chat:
        answer = chat.stream("Hi")
        with pytest.raises(StreamBroken):
            async for _ in answer:
                pass
    assert answer.result.text == "some words"
    assert not answer.whole


# --- sessions -------------------------------------------------------------------------------------------------------


async def test_a_session_remembers():
    """Each question carries what was said before."""
    model = Scripted("first", "second")
    async with AsyncChat(handler=model) as chat:
        session = chat.session(system="Be kind")
        for question in ("one", "two"):
            async with session.stream(question) as answer:
                async for _ in answer:
                    pass
    assert [m.text for m in model.requests[1].messages] == ["Be kind", "one", "first", "two"]
    assert [m.text for m in session.messages] == ["Be kind", "one", "first", "two", "second"]


async def test_an_answer_left_early_joins_the_session_as_far_as_it_came():
    """A stopped answer is kept; one that never began leaves no trace."""
    model = Scripted("one two three", [StreamBroken("gone")])
    async with AsyncChat(handler=model) as chat:
        session = chat.session()
        async with session.stream("q") as answer:
            async for event in answer:
                if isinstance(event, TextDelta):
                    break
        with pytest.raises(StreamBroken):
            async for _ in session.stream("r"):
                pass
    assert [m.text for m in session.messages] == ["q", "one"]


async def test_two_questions_at_once_are_refused():
    """A session answers one question at a time, and says so."""
    async with AsyncChat(handler=Echo()) as chat:
        session = chat.session()
        async with session.stream("a") as answer:
            await anext(answer)
            with pytest.raises(BadRequest, match="still answering"):
                session.stream("b")


async def test_what_does_not_fit_the_window_is_left_out_and_told():
    """Old turns go first, a notice says how many, and the question itself is never cut."""
    model, notices = Scripted("ok"), []
    history = [Message(role=role, content="word " * 3000) for _ in range(3) for role in ("user", "assistant")]
    async with AsyncChat(handler=model, model="local") as chat:
        session = chat.session(messages=history)
        async with session.stream("last", on_notice=notices.append) as answer:
            async for _ in answer:
                pass
    assert model.requests[0].messages[-1].text == "last"
    assert len(model.requests[0].messages) < 7
    assert [(n.kind, n.data["turns"]) for n in notices if isinstance(n, Notice)] == [("window", 2)]


# --- sync -----------------------------------------------------------------------------------------------------------


def test_sync_asks_streams_and_remembers():
    """The same words without async."""
    with Chat(handler=Echo()) as chat:
        assert chat.complete("a b").text == "a b"
        with chat.stream("a b c") as answer:
            assert list(answer.texts()) == ["a", " b", " c"]
        assert answer.result.text == "a b c"
        session = chat.session()
        with session.stream("hello") as answer:
            assert "".join(answer.texts()) == "hello"
        assert [m.text for m in session.messages] == ["hello", "hello"]
    assert not [t for t in threading.enumerate() if t.name == "ai-chat"]


def test_sync_leaving_early_ends_the_call():
    """Leaving the block closes the source before the next line runs."""
    model = Scripted([*steps_of_one_word(), 60.0])
    with Chat(handler=model) as chat:
        with chat.stream("x") as answer:
            next(answer)
        assert model.sources[0].closed


def steps_of_one_word():
    return cut_after("a")[:-1]


def test_sync_errors_come_through_once():
    """The error that broke an answer is raised where it is read, behind the text before it."""
    with Chat(handler=Scripted(cut_after("a b"))) as chat, chat.stream("x") as answer:
        texts = []
        with pytest.raises(StreamBroken):  # noqa: PT012 - the text before the error is tested too
            for text in answer.texts():
                texts.append(text)  # noqa: PERF402
        assert texts == ["a", " b"]
        assert isinstance(answer.error, StreamBroken)


def test_a_slow_sync_reader_gets_everything():
    """More batches than wait at most: the upstream waits, and nothing is lost."""
    words = " ".join(str(number) for number in range(2000))
    with Chat(handler=Echo()) as chat, chat.stream(words) as answer:
        assert "".join(answer.texts()) == words


async def test_sync_runs_on_a_loop_that_is_handed_over():
    """A running loop of somebody else's serves, and is left running."""
    loop = asyncio.get_running_loop()

    def work():
        with Chat(handler=Echo(), loop=loop) as chat:
            return chat.complete("hi").text

    assert await asyncio.to_thread(work) == "hi"


@pytest.mark.parametrize(
    ("asynchronous", "synchronous"),
    [(AsyncChat, Chat), (ai_chat.Answer, SyncAnswer), (ai_chat.Session, SyncSession)],
    ids=["chat", "answer", "session"],
)
def test_both_faces_have_the_same_words(asynchronous, synchronous):
    """Every public method of one is a method of the other, with the same arguments."""
    renamed = {"aclose": "close"}
    for name, method in inspect.getmembers(asynchronous):
        if name.startswith("_") or name == "request":
            continue
        twin = getattr(synchronous, renamed.get(name, name))
        if inspect.isfunction(method):
            assert list(inspect.signature(twin).parameters) == list(inspect.signature(method).parameters), name


def test_the_front_door_is_sorted_and_open():
    """What `__all__` names is there, in order."""
    assert sorted(ai_chat.__all__) == ai_chat.__all__
    for name in ai_chat.__all__:
        assert getattr(ai_chat, name) is not None


async def test_thinking_is_not_sent_back():
    """What a model thought stays with its answer; the next question carries what was said alone."""
    thought = [
        Started("i", "m", 0),
        ReasoningDelta("hm"),
        TextDelta("yes"),
        ExtraFields("message", {"annotations": [1]}),
        ChoiceFinished("stop"),
        Finished(),
    ]
    model = Scripted(thought, [Started("i", "m", 0), ReasoningDelta("hm"), StreamBroken("gone")], "ok")
    async with AsyncChat(handler=model) as chat:
        session = chat.session()
        assert (await session.complete("a")).message.reasoning == "hm"
        with pytest.raises(StreamBroken):
            await session.complete("b")
        await session.complete("c")
    sent = model.requests[2].messages
    assert [(m.text, m.reasoning, dict(m.extra)) for m in sent[1:4:2]] == [("yes", None, {}), ("", None, {})]


@pytest.mark.parametrize("prompt", [None, 5, b"x", [1], {"role": "user"}], ids=repr)
async def test_a_prompt_that_is_none_is_refused(prompt):
    """A prompt is a text or a list of messages, and anything else is said to be neither."""
    async with AsyncChat(handler=Echo()) as chat:
        with pytest.raises(BadRequest):
            await chat.complete(prompt)


async def test_a_number_that_is_none_is_refused():
    """JSON has no NaN, and would make null of it."""
    async with AsyncChat(handler=Echo()) as chat:
        with pytest.raises(BadRequest, match="temperature is nan"):
            await chat.complete("x", temperature=float("nan"))


@pytest.mark.parametrize("leave", ["never begun", "broken out of"])
async def test_an_answer_that_was_dropped_does_not_hold_its_session_up(leave):
    """Who drops an answer has left it; the next question is answered."""
    async with AsyncChat(handler=Echo()) as chat:
        session = chat.session()
        if leave == "never begun":
            session.stream("a b")
        else:
            async for _ in session.stream("a b"):
                break
        assert (await session.complete("again")).text == "again"


async def test_a_closed_client_says_so():
    """Closing twice is fine, asking afterwards is not."""
    chat = AsyncChat(handler=Echo())
    await chat.aclose()
    await chat.aclose()
    with pytest.raises(ClientMisused, match="has been closed"):
        await chat.complete("x")


def test_a_closed_sync_client_says_so():
    """Closing twice is fine, asking afterwards is not."""
    chat = Chat(handler=Echo())
    chat.close()
    chat.close()
    with pytest.raises(ClientMisused, match="has been closed"):
        chat.complete("x")


def test_closing_ends_what_other_threads_wait_for():
    """A call under way in another thread ends with a sentence, not with a thread that waits for ever."""
    model = Scripted([Started("i", "m", 0), TextDelta("a"), 3600.0])
    chat, ends = Chat(handler=model), []
    answer = chat.stream("x")
    next(answer)

    def wait():
        try:
            list(answer)
        except ClientMisused as error:
            ends.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    chat.close()
    thread.join(10)
    assert len(ends) == 1
    assert model.sources[0].closed


def test_breaking_out_of_a_sync_answer_ends_it():
    """Who breaks out of the loop and drops the answer has left it."""
    model = Scripted([Started("i", "m", 0), TextDelta("a"), 3600.0])
    with Chat(handler=model) as chat:
        for _ in chat.stream("x"):
            break
        for _ in range(500):
            if model.sources[0].closed:
                break
            threading.Event().wait(0.01)
        assert model.sources[0].closed


def test_loops_that_cannot_serve_are_refused():
    """A loop that does not run, and the one that would have to wait for itself."""
    loop = asyncio.new_event_loop()
    with pytest.raises(ClientMisused, match="does not run"):
        Chat(handler=Echo(), loop=loop)
    loop.close()

    async def inside():
        chat = Chat(handler=Echo(), loop=asyncio.get_running_loop())
        with pytest.raises(ClientMisused, match="use AsyncChat"):
            chat.complete("x")

    asyncio.run(inside())


async def test_without_an_engine_nothing_is_fetched_for_it(unplugged, monkeypatch, clean_environment):
    """Who installed the library alone is told so before a gigabyte of weights comes."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    async with AsyncChat(model="local", data_dir=clean_environment / "data") as chat:
        with pytest.raises(LocalModelFailed, match=r"pip install .*\[local\]"):
            await chat.complete("Hi")
    assert unplugged == []
    assert not (clean_environment / "data").exists()


async def test_how_large_a_conversation_is():
    """Its messages, turns and tokens are told, and how much of the model's window they fill."""
    async with AsyncChat(handler=Scripted("one two"), model="local") as chat:
        session = chat.session(system="Be brief.")
        await session.complete("three")
        numbers = session.numbers
        assert (numbers.messages, numbers.turns, numbers.window) == (3, 1, 8192)
        assert numbers.share == numbers.tokens / 8192 > 0
        session.clear()
        assert (session.numbers.messages, session.numbers.turns) == (1, 0)
