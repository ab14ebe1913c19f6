"""Counts for embedded models: by the file's own vocabulary, and equal to what the engine itself counts."""

import inspect
import json
import random

import aiohttp
import pytest
from tests.accounting.gguf_file import file, tiny, typed, written

from ai_chat.accounting.embedded import Embedded
from ai_chat.accounting.tokens import Tokens
from ai_chat.core.messages import ImagePart, Message, OtherPart, TextPart, ToolCall
from ai_chat.core.request import ChatRequest
from ai_chat.providers.engine import Engine
from ai_chat.providers.local_requests import for_engine
from ai_chat.wire.messages import encode_message

# --- without weights -------------------------------------------------------------------------------------------------


@pytest.fixture
def embedded(tmp_path):
    """A model with a tiny vocabulary and a template that is not known."""
    return Embedded.of(file(tmp_path))


def test_a_message_is_framed_by_special_tokens(embedded):
    """A message counts its role and text between the two marks, and the line end behind them."""
    frame = 1 + len("user\n") + 1 + 1
    assert embedded.message(Message(role="user", content="hello world")) == frame + 2
    assert embedded.message(Message(role="user")) == frame


def test_a_prompt_ends_with_the_beginning_of_the_answer(embedded):
    """What the model is to write begins with its role; an answer that stands there already is gone on with."""
    hello = Message(role="user", content="hello")
    answer = Message(role="assistant", content="hello")
    opened = 1 + len("assistant\n")
    assert embedded.messages([]) == opened
    assert embedded.messages([hello]) == embedded.message(hello) + opened
    assert embedded.messages([hello, answer]) == embedded.message(hello) + opened + 1


def test_a_template_that_is_not_known_makes_messages_an_estimate(embedded):
    """Texts are counted exactly all the same, but how they are framed is a guess."""
    assert embedded.exact is False
    assert embedded.count("hello world") == 2


@pytest.mark.parametrize(
    "content",
    [
        (TextPart(text="hello"), ImagePart(url="https://example.com/a.png")),
        (TextPart(text="hello"), OtherPart(type="input_audio", data={"type": "input_audio"})),
        (OtherPart(type="refusal", data={"type": "refusal", "refusal": "hello"}),),
    ],
)
def test_parts_it_cannot_read_cost_nothing(embedded, content):
    """Pictures and sounds are refused elsewhere; they do not make counting fail."""
    assert embedded.message(Message(role="user", content=content)) == 1 + 5 + 1 + 1 + 1


def test_a_counter_finds_the_file_by_the_models_name(tmp_path):
    """`local/<row>` is counted by the row's own file; any other model, and a row that is not here, as ever."""
    path, asked = file(tmp_path), []

    def weights(row):
        asked.append(row)
        return path if row == "tiny" else None

    tokens = Tokens(weights=weights)
    assert tokens.text("hello world!", "local/tiny") == 3
    assert tokens.message(Message(role="user", content="hello"), "local/tiny") == 9
    assert tokens.messages([], "local/tiny") == 11
    assert tokens.text("hello world!", "local") == Tokens().text("hello world!", "local") == 3
    assert asked == ["tiny", ""]  # once it is found, never again
    assert tokens.text("hello world!", "openai/gpt-4o") == 3
    assert tokens.is_exact("local/tiny") is False
    tokens.warm("local/tiny")


def test_a_file_that_is_not_understood_leaves_the_estimate(tmp_path):
    """A model of a kind that is not known here is counted by a borrowed vocabulary, as if its file were not here."""
    path = file(tmp_path, written(tiny(ggml__pre=typed("other"))))
    tokens = Tokens(weights=lambda _: path)
    assert tokens.text("hello world", "local/x") == 2
    assert tokens.is_exact("local/x") is False


# --- against the engine ----------------------------------------------------------------------------------------------

PIECES = (
    *("hello", " world", "Don't", "'S", "'ſ", "_snake_case", "CamelCase", "!?", "--", "…", ">", "12345", "½", "١٢٣"),
    *("\n", "  ", "\t", "\r\n", "\u3000", "\u00a0", "\u2028", "\u200b", "\x85", "\ufeff"),
    *("你好，世界", "。", "é", "e\u0301", "नमस्ते", "สวัสดี", "ǅ", "🏽", "👩\u200d👩\u200d👧\u200d👦"),
    *("```py\nx = {'a': 1}\n```", "<|im_end|>", "<tool_call>", "</tool_response>"),
)


def some_text(chance, most=8):
    return "".join(chance.choices(PIECES, k=chance.randrange(most)))


def some_arguments(chance):
    fields = {"city": some_text(chance), "at": [39.904211, 116.4, 1e20, -1, None, True], "中": {}}
    return chance.choice([json.dumps(fields), '{"a" : 1}', "{}", "no JSON", "[1]", ""])


def some_message(chance):
    kind = chance.choice(["user", "user", "assistant", "system", "developer", "tool", "calls"])
    if kind == "calls":
        calls = tuple(
            ToolCall(id=f"c{at}", name="weather", arguments=some_arguments(chance))
            for at in range(chance.choice([1, 2]))
        )
        return Message(role="assistant", content=chance.choice([None, "Let me see"]), tool_calls=calls)
    content = some_text(chance)
    if kind != "tool" and chance.random() < 0.2:
        content = (TextPart(text=content or "a"), TextPart(text="b"))
    return Message(role=kind, content=content, tool_call_id="c0" if kind == "tool" else None)


class Asked:
    """An engine that is asked what it counts."""

    def __init__(self, engine, session):
        self._engine, self._session = engine, session

    async def post(self, path, body):
        headers = {"authorization": f"Bearer {self._engine.key}"}
        async with self._session.post(self._engine.address + path, json=body, headers=headers) as answer:
            return await answer.json()

    async def tokens(self, text):
        return len((await self.post("/tokenize", {"content": text}))["tokens"])

    async def prompt_tokens(self, messages):
        asked = for_engine(ChatRequest(model="local", messages=messages), context=8192)
        body = {"messages": [encode_message(message) for message in asked.messages]}
        prompt = (await self.post("/apply-template", body)).get("prompt")
        return None if prompt is None else await self.tokens(prompt)


@pytest.fixture
async def asked(weights):
    """The real engine with a real model."""
    engine = Engine(next(weights.glob("*0.5b*.gguf")))
    await engine.start()
    async with aiohttp.ClientSession() as session:
        yield Asked(engine, session)
    await engine.stop()


async def test_counts_are_the_engines_own(asked, weights):
    """Texts of every script, blanks, noise and long runs, and messages of every kind, count as the engine says."""
    embedded = Embedded.of(next(weights.glob("*0.5b*.gguf")))
    assert embedded.exact
    chance = random.Random(4)  # noqa: S311 - a test's dice
    texts = [some_text(chance, 30) for _ in range(60)]
    texts += ["".join(map(chr, chance.choices(range(1, 0xD800), k=40))) for _ in range(20)]
    texts += [
        chance.randbytes(200).decode("utf-8", "replace"),
        "a" * 100_000,
        " " * 20_000,
        "9" * 20_000,
        "好" * 20_000,
    ]
    texts.append(inspect.getsource(inspect))
    for text in texts:
        assert embedded.count(text) == await asked.tokens(text), text[:200]
    prompts = [tuple(some_message(chance) for _ in range(chance.randrange(1, 6))) for _ in range(80)]
    compared = 0
    for prompt in prompts:
        counted = await asked.prompt_tokens(prompt)
        if counted is not None:  # it refuses some orders
            assert embedded.messages(prompt) == counted, prompt
            compared += 1
    assert compared > 40


async def test_a_count_is_what_the_engine_reports(asked, weights):
    """The prompt of a real answer has the tokens that its usage tells."""
    path = next(weights.glob("*0.5b*.gguf"))
    tokens = Tokens(weights=lambda _: path)
    assert tokens.is_exact("local/any")
    for prompt in (
        (Message(role="user", content="Say hi"),),
        (Message(role="system", content="简短回答。"), Message(role="user", content="1+1=?")),
    ):
        body = {"messages": [encode_message(message) for message in prompt], "max_tokens": 1}
        answer = await asked.post("/v1/chat/completions", body)
        assert tokens.messages(prompt, "local/any") == answer["usage"]["prompt_tokens"]
