"""`ai-chat ask`, in this process."""

from __future__ import annotations

import json

import pytest
from tests.upstream import streamed, whole

from ai_chat.assembly import Services
from ai_chat.cli.ask import ENDINGS, ask
from ai_chat.cli.process import Interrupts
from ai_chat.cli.question import Question
from ai_chat.core.errors import ChatError, ContextTooLong, StreamBroken

pytestmark = pytest.mark.usefixtures("settings")


async def put(prompt: str = "hi", **fields) -> int:
    """Ask."""
    return await ask(Question(prompt=prompt, parameters=fields.pop("parameters", {}), **fields), Interrupts())


async def turns_of(conversation: str):
    """Give what the store has of a conversation."""
    services = Services.open()
    try:
        store = await services.conversations()
        return await store.get(conversation), await store.path(conversation)
    finally:
        await services.aclose()


@pytest.mark.parametrize("piece", ["Hel", "Hel\n"], ids=["without a newline", "with one"])
async def test_the_answer_is_one_text(capsysbinary, upstream, piece):
    """The pieces stand on stdout as they are, and the last line is ended once."""
    upstream.replies = [streamed("你", piece)]
    assert await put() == 0
    assert capsysbinary.readouterr() == ("你Hel\n".encode(), b"")


async def test_what_is_sent(upstream):
    """Model, instructions, prompt and parameters reach the upstream under their own names."""
    await put("hi", model="openai/m", system="be kind", parameters={"temperature": 0.0, "stop": ["x"], "seed": 1})
    sent = upstream.chats[0]
    assert sent["messages"] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]
    assert (sent["model"], sent["temperature"], sent["stop"], sent["seed"]) == ("m", 0.0, ["x"], 1)
    assert sent["stream"] is True


async def test_json(capsysbinary, upstream):
    """`--json` prints exactly one object with exactly these keys, and true values."""
    upstream.replies = [streamed("你", "好", usage=(5, 7))]
    assert await put(as_json=True) == 0
    out, err = capsysbinary.readouterr()
    answer = json.loads(out)
    timings = answer.pop("timings")
    trace_id = answer.pop("trace_id")
    assert answer == {
        "content": "你好",
        "model": "openai/test-model",
        "finish_reason": "stop",
        "tool_calls": [],
        "steps": [],
        "usage": {
            "input_tokens": 5,
            "cached_input_tokens": None,
            "output_tokens": 7,
            "reasoning_tokens": None,
            "estimated": False,
        },
        "cost": None,
        "tries": 1,
    }
    assert list(timings) == ["first_token_ms", "total_ms", "tokens_per_second"]
    assert 0 < timings["first_token_ms"] <= timings["total_ms"]
    assert len(trace_id) == 32
    assert (out.count(b"\n"), "你好".encode() in out, err) == (1, True, b"")


async def test_json_of_an_answer_in_one_piece(capsysbinary, upstream):
    """Without streaming the time to the first token is not known, and so null; tool calls have OpenAI's form."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    upstream.replies = [whole(None, finish="tool_calls", tool_calls=[call])]
    assert await put(as_json=True, whole=True) == 0
    out, err = capsysbinary.readouterr()
    answer = json.loads(out)
    assert upstream.chats[0].get("stream") in {None, False}
    assert (answer["content"], answer["tool_calls"]) == (None, [call])
    assert answer["timings"]["first_token_ms"] is None
    assert err.decode() == ENDINGS["tool_calls"] + "\n"


async def test_usage_that_nobody_told_is_counted(capsysbinary, upstream):
    """Where the upstream is silent about tokens they are counted and marked as estimated."""
    upstream.replies = [streamed("one two", usage=None)]
    await put(as_json=True)
    usage = json.loads(capsysbinary.readouterr().out)["usage"]
    assert usage["estimated"] is True
    assert usage["output_tokens"] == 2


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_is_no_whole_one(capsysbinary, upstream, reason):
    """An answer that was cut by its limit or by a filter is followed by a line that says so."""
    upstream.replies = [streamed("Hel", finish=reason)]
    assert await put() == 0
    out, err = capsysbinary.readouterr()
    assert (out, err.decode()) == (b"Hel\n", ENDINGS[reason] + "\n")


async def test_reasoning_is_not_part_of_the_output(capsysbinary, upstream):
    """A pipe gets the answer alone, without the thinking before it."""
    upstream.replies = [streamed({"reasoning_content": "let me think"}, "42")]
    await put()
    assert capsysbinary.readouterr() == (b"42\n", b"")


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_refusal_is_shown(capsysbinary, upstream, as_json):
    """The words in which a model refuses are shown as its answer, or on stderr beside the JSON."""
    upstream.replies = [streamed({"refusal": "I will not."})]
    await put(as_json=as_json)
    out, err = capsysbinary.readouterr()
    if as_json:
        assert json.loads(out)["content"] is None
        assert err == b"The model refused: I will not.\n"
    else:
        assert (out, err) == (b"I will not.\n", b"")


async def test_a_broken_answer_shows_its_part(capsysbinary, upstream):
    """What came before a stream broke is shown, and the break is an error."""
    upstream.replies = [streamed("Hel", "lo").cut_after(2)]
    with pytest.raises(StreamBroken):
        await put()
    assert capsysbinary.readouterr().out == b"Hel\n"


@pytest.mark.parametrize("text", ["a" * 10**7, "天" * 3_400_000], ids=["letters", "Chinese"])
async def test_ten_megabytes_are_refused_before_they_are_sent(upstream, text):
    """A message far beyond a known window is refused with both numbers, without counting all of it."""
    with pytest.raises(ContextTooLong, match=r"has [\d,]{9,} tokens .* leaves room for 120,627;"):
        await put(text, model="openai/gpt-4o-mini")
    assert upstream.requests == []


async def test_ten_megabytes_reach_an_upstream_that_takes_them(capsysbinary, upstream):
    """Where nobody knows the window, the upstream decides."""
    assert await put("a" * 10**7) == 0
    assert len(upstream.chats[0]["messages"][0]["content"]) == 10**7
    assert capsysbinary.readouterr().out == b"Hello\n"


# --- conversations ------------------------------------------------------------------------------------------------


async def test_a_conversation_is_gone_on_with(upstream):
    """With an id, what was said before is sent along, and instructions and model are remembered."""
    upstream.replies = [streamed("Hi Ann"), streamed("Ann")]
    await put("I am Ann\nand so on", conversation="a", system="be kind", model="openai/m")
    await put("Who am I?", conversation="a")
    assert upstream.chats[1]["model"] == "m"
    assert [(message["role"], message["content"]) for message in upstream.chats[1]["messages"]] == [
        ("system", "be kind"),
        ("user", "I am Ann\nand so on"),
        ("assistant", "Hi Ann"),
        ("user", "Who am I?"),
    ]
    conversation, turns = await turns_of("a")
    assert conversation.title == "I am Ann"
    assert [turn.parent for turn in turns] == [None, *(turn.id for turn in turns[:-1])]
    assert (turns[1].usage.output_tokens, turns[1].model, turns[1].finish_reason) == (7, "openai/m", "stop")


async def test_a_failed_answer_is_kept_and_not_sent_again(upstream):
    """A question that got no answer stays in the store, but the model is not shown it as if it had answered."""
    upstream.replies = [streamed().cut_after(0), streamed("Hel").cut_after(2), streamed("yes")]
    for question in ("one", "two"):
        with pytest.raises(ChatError):
            await put(question, conversation="a")
    await put("three", conversation="a")
    sent = [message["content"] for message in upstream.chats[-1]["messages"]]
    assert sent == ["two", "Hel", "three"]
    _, turns = await turns_of("a")
    assert [turn.state for turn in turns if turn.message.role == "assistant"] == ["failed", "failed", "finished"]
    assert turns[1].error.startswith("The connection")


async def test_nothing_is_kept_without_an_id(settings, upstream, clean_environment):
    """Of a plain question the books have the counts, and nothing has a word of what was said."""
    await put("a private question")
    files = [file for file in (clean_environment / "data").rglob("*") if file.is_file()]
    assert [file.parent.name for file in files] == ["journal"]
    assert not [file for file in files if b"private" in file.read_bytes() or b"Hello" in file.read_bytes()]


async def test_the_title_is_short(upstream):
    """A long first line is cut, and one sees that it is."""
    await put("天" * 100, conversation="a")
    conversation, _ = await turns_of("a")
    assert conversation.title == "天" * 59 + "…"
