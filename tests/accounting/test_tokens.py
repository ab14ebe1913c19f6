"""Counts of messages and prompts, and which model is counted by what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_chat.accounting.definitions import typescript
from ai_chat.accounting.tokens import Tokens
from ai_chat.core.messages import ImagePart, Message, OtherPart, TextPart, ToolCall
from ai_chat.core.ports import TokenCounter
from ai_chat.core.request import ToolSpec

tokens = Tokens()
WEATHER = ToolSpec(name="weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}})
USER = Message(role="user", content="hello world")
SYSTEM = Message(role="system", content="Be brief")
NAMED = {"type": "function", "function": {"name": "weather"}}


def calls(number, name="calculator", arguments='{"a":2, "b":2}'):
    return tuple(ToolCall(id=str(at), name=name, arguments=arguments) for at in range(number))


def test_it_is_a_token_counter():
    """It fits the port that other parts of the house count through."""
    counter: TokenCounter = Tokens()
    assert counter.text("hello world", "gpt-4o") == 2


@pytest.mark.parametrize(
    ("model", "encoding", "exact"),
    [
        ("gpt-4o", "o200k_base", True),
        ("gpt-4o-mini-2024-07-18", "o200k_base", True),
        ("openai/gpt-4.1-nano", "o200k_base", True),
        ("openrouter/openai/gpt-5.2-codex", "o200k_base", True),
        ("o3-mini", "o200k_base", True),
        ("ollama/gpt-oss:20b", "o200k_base", True),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "o200k_base", True),
        ("gpt-4", "cl100k_base", True),
        ("azure/gpt-35-turbo", "cl100k_base", True),
        ("gpt-3.5-turbo-0125", "cl100k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("text-embedding-3-small", "cl100k_base", True),
        ("qwen-max", "o200k_base", False),
        ("deepseek/deepseek-chat", "o200k_base", False),
        ("local", "o200k_base", False),
        ("AIDC-AI/Marco-o1", "o200k_base", False),
        ("", "o200k_base", False),
    ],
)
def test_each_model_has_its_encoding(model, encoding, exact):
    """A model's name, with or without its provider, tells its vocabulary, or that there is only an estimate."""
    assert tokens.encoding_for(model) == encoding
    assert tokens.is_exact(model) is exact


def test_vocabularies_differ():
    """Models of two generations count the same Chinese differently."""
    assert tokens.text("你好，世界", "gpt-4o") == 3
    assert tokens.text("你好，世界", "gpt-4") == 6


@pytest.mark.parametrize("model", ["gpt-4", "openai/gpt-4o", "qwen/qwen-max", "local"])
def test_warming_is_for_nothing_the_second_time(model):
    """What a model is counted by may be loaded at any time and more than once."""
    tokens.warm(model)
    before = tokens.text("hello world", model)
    tokens.warm(model)
    assert tokens.text("hello world", model) == before > 0


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (USER, 4 + 2),
        (Message(role="assistant"), 4),
        (Message(role="user", content=()), 4),
        (Message(role="developer", content="hello world"), 4 + 2),
        (Message(role="user", content="hello world", name="ada"), 4 + 2 + 1 + 1),
        (Message(role="assistant", refusal="hello world"), 4 + 2),
        (Message(role="user", content=(TextPart(text="hello"), TextPart(text=" world"))), 4 + 2),
        (Message(role="user", content=(OtherPart(type="input_audio", data={"type": "input_audio"}),)), 4),
        (Message(role="assistant", content=(OtherPart(type="refusal", data={"refusal": "hello world"}),)), 4 + 2),
        (Message(role="user", content=(ImagePart(url="https://example.com/a.png", detail="low"),)), 4 + 85),
        (Message(role="tool", content="hello world", tool_call_id="1", name="calculator"), 4 + 2),
        (Message(role="function", content="hello world", name="calculator"), 4 + 2 + 1 + 1 - 2),
        (Message(role="assistant", extra={"function_call": {"name": "calculator", "arguments": "{}"}}), 4 + 3 + 1 + 1),
        (Message(role="assistant", extra={"function_call": None}), 4),
        (Message(role="assistant", tool_calls=calls(1, arguments="{}")), 4 + 2 + 2 * 1 + 1),
        (Message(role="assistant", content="hello world", tool_calls=calls(1, arguments="{}")), 4 + 2 + 4 + 2 + 2 + 1),
    ],
    ids=[
        "text", "nothing", "no-parts", "developer", "name", "refusal", "parts", "audio", "refusal-part", "image",
        "tool", "function", "function-call", "null-function-call", "call", "call-with-words",
    ],
)  # fmt: skip
def test_a_message_costs_its_frame_and_its_words(message, expected):
    """Every form a message has is counted, and none fails for what it lacks."""
    assert tokens.message(message, "gpt-4o") == expected


def test_one_call_and_its_result_are_counted_as_billed():
    """The prompt for which gpt-4 billed 35 tokens counts 35."""
    call = ToolCall(id="c", name="get_current_weather", arguments='{\n  "location": "Boston, MA"\n}')
    result = Message(role="tool", content="29 degree celcius", tool_call_id="c", name="get_current_weather")
    assert tokens.messages([Message(role="assistant", tool_calls=(call,)), result], "gpt-4") == 35


@pytest.mark.parametrize(("number", "billed"), [(2, 89), (3, 114)])
def test_several_calls_at_once_are_counted_as_billed(number, billed):
    """Parallel calls with their results count what gpt-3.5-turbo billed for them."""
    question = Message(role="user", content="How much is 2 plus 2?")
    results = [Message(role="tool", content="4", tool_call_id=str(at)) for at in range(number)]
    prompt = [question, Message(role="assistant", tool_calls=calls(number)), *results]
    assert tokens.messages(prompt, "gpt-3.5-turbo") == billed


@pytest.mark.parametrize(
    ("model", "priming"),
    [
        ("gpt-4o", 3),
        ("gpt-4", 3),
        ("gpt-5-chat-latest", 3),
        ("qwen-max", 3),
        ("gpt-5", 2),
        ("o3-mini", 2),
        ("gpt-5.2", 2),
    ],
)
def test_the_answers_beginning_is_shorter_where_the_model_reasons(model, priming):
    """Beside its messages a prompt holds the answer's first tokens."""
    assert tokens.messages([], model) == priming


@pytest.mark.parametrize(
    ("extra", "around"),
    [
        ({"functions": [{"name": "weather", "parameters": dict(WEATHER.parameters)}]}, 9),
        ({"functions": [{"name": "weather", "parameters": dict(WEATHER.parameters)}], "function_call": "none"}, 9 + 1),
        (
            {
                "functions": [{"name": "weather", "parameters": dict(WEATHER.parameters)}],
                "function_call": {"name": "weather"},
            },
            9 + 4 + 1,
        ),
    ],
    ids=["alone", "none", "named"],
)
def test_the_withdrawn_functions_are_counted_too(extra, around):
    """Functions add their form and headings as tools do, and naming one costs less than naming a tool."""
    added = tokens.messages([USER], "gpt-4o", extra=extra) - tokens.messages([USER], "gpt-4o")
    assert added == tokens.text(typescript([WEATHER], withdrawn=True), "gpt-4o") + around


@pytest.mark.parametrize(
    "extra",
    [{}, {"functions": None}, {"functions": []}, {"functions": "x"}, {"functions": [3]}, {"function_call": "none"}],
    ids=str,
)
def test_functions_that_are_none_cost_nothing(extra):
    """Fields of unknown content that hold no function change no count."""
    assert tokens.messages([USER], "gpt-4o", extra=extra) == tokens.messages([USER], "gpt-4o")


def test_functions_of_any_shape_are_counted():
    """What a client put into the unchecked field is counted as far as it goes."""
    odd = [
        {},
        {"name": None, "description": 5, "parameters": []},
        {"name": "f", "parameters": {"properties": {"x": 1}}},
    ]
    assert tokens.messages([USER], "gpt-4o", extra={"functions": odd}) > tokens.messages([USER], "gpt-4o")


def test_estimates_come_closer_to_what_is_reported():
    """After some answers of a model whose vocabulary is not known, its texts and messages count as it reports."""
    counter, text = Tokens(), "Die Würde des Menschen ist unantastbar. " * 100
    plain, message = counter.text(text, "qwen/qwen-max"), counter.message(USER, "qwen/qwen-max")
    for _ in range(8):
        counter.learn("qwen/qwen-max", text=text, reported=plain * 2)
    assert counter.text(text, "qwen/qwen-max") == pytest.approx(plain * 2, rel=0.03)
    assert counter.message(USER, "qwen/qwen-max") == pytest.approx(message * 2, abs=1)
    assert counter.messages([USER], "qwen/qwen-max") > tokens.messages([USER], "qwen/qwen-max")
    assert counter.text(text, "qwen/qwen-plus") == plain


def test_a_model_that_is_counted_exactly_learns_nothing():
    """What is counted by its own vocabulary wants no report; another one does, of a text that is not too long."""
    tokens = Tokens()
    assert not tokens.wants("openai/gpt-4o", "some text")
    assert not tokens.wants("local", "some text")
    assert tokens.wants("deepseek/deepseek-chat", "some text")
    assert not tokens.wants("deepseek/deepseek-chat", "")
    assert not tokens.wants("deepseek/deepseek-chat", "x" * 10**7)


words = st.text(max_size=40)
messages = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=st.none() | words | st.lists(st.builds(TextPart, text=words), max_size=3).map(tuple),
    name=st.none() | words,
    tool_calls=st.lists(st.builds(ToolCall, id=words, name=words, arguments=words), max_size=3).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(prompt=st.lists(messages, max_size=6), tools=st.none() | st.just([WEATHER]))
def test_a_prompt_is_the_sum_of_its_messages_and_a_rest(prompt, tools):
    """What stands around a message does not change its count; the rest depends on tools and first system message."""
    rest = tokens.messages([m for m in prompt if m.role == "system"][:1], "gpt-4o", tools)
    counted = [m for m in prompt if m.role == "system"][:1]
    total = rest - sum(tokens.message(m, "gpt-4o") for m in counted) + sum(tokens.message(m, "gpt-4o") for m in prompt)
    assert tokens.messages(prompt, "gpt-4o", tools) == total


@pytest.mark.parametrize(
    ("before", "choice", "around"),
    [
        ((), None, 9),
        ((), "auto", 9),
        ((), "none", 9 + 1),
        ((), NAMED, 9 + 7 + 1),
        ((), {"type": "allowed_tools"}, 9),
        ((SYSTEM,), None, 5 + 1),
        ((Message(role="developer", content="Be brief"),), None, 5 + 1),
        ((Message(role="system", content="Be brief:"),), None, 5 + 0),  # the line break joins the colon
    ],
    ids=["alone", "auto", "none", "named", "allowed", "system", "developer", "system-colon"],
)
def test_tools_are_counted_in_the_form_the_model_sees(before, choice, around):
    """Tools add their TypeScript form, headings, and what the choice among them takes."""
    prompt = [*before, USER]
    added = tokens.messages(prompt, "gpt-4o", [WEATHER], choice) - tokens.messages(prompt, "gpt-4o")
    assert added == tokens.text(typescript([WEATHER]), "gpt-4o") + around


@pytest.mark.parametrize("tools", [None, [], ()])
def test_a_choice_without_tools_costs_nothing(tools):
    """Where there is nothing to choose from, no tokens are spent on the choice."""
    assert tokens.messages([USER], "gpt-4o", tools, "none") == tokens.messages([USER], "gpt-4o")
