"""`ai-chat estimate`: what a question would cost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ai_chat.assembly import Services
from ai_chat.cli.estimate import Asked, estimate, rounded
from ai_chat.cli.process import Interrupts
from ai_chat.client import Record
from ai_chat.core.errors import BadRequest, NotFound
from ai_chat.core.messages import Message
from ai_chat.core.result import ChatResult, Choice

NOBODY = Interrupts()
SAID = Choice(index=0, message=Message(role="assistant", content="well"), finish_reason="stop")


@pytest.fixture
def keys(monkeypatch):
    """Keys of two providers, so that they are set up; nothing is asked of them."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-test-0123456789")


async def told(capsysbinary, **asked):
    assert await estimate(Asked(**{"prompt": "hello world", "as_json": True} | asked), NOBODY) == 0
    return json.loads(capsysbinary.readouterr().out, parse_float=Decimal, parse_int=Decimal)


async def test_the_table_tells_money_free_and_unknown(capsysbinary, keys):
    """A model with a price shows it, one without says so, and the embedded one is free."""
    models = ("openai/gpt-4o", "qwen/qwen-max", "local")
    await estimate(Asked(prompt="hello world", models=models, output_tokens=100, messages_per_day=10), NOBODY)
    head, *rows = [line.split() for line in capsysbinary.readouterr().out.decode().splitlines()]
    assert head[:4] == ["MODEL", "IN", "OUT", "A"]
    assert rows[0] == ["openai/gpt-4o", "9", "~100", "$0.00102", "$0.0102", "$0.307"]
    assert rows[1] == ["qwen/qwen-max", "~9", "~100", "unknown", "unknown", "unknown"]
    assert rows[2][3:] == ["free", "free", "free"]
    assert " ".join(rows[-1]).startswith("This looks like a simple task")


async def test_yuan_are_shown_where_a_rate_is_set(capsysbinary, keys, monkeypatch):
    """With a rate each amount is told in both currencies, and the day of the rate with them."""
    monkeypatch.setenv("AI_CHAT_EXCHANGE__CNY_PER_USD", "7.1")
    monkeypatch.setenv("AI_CHAT_EXCHANGE__DATE", "2026-11-01")
    await estimate(Asked(prompt="hello world", models=("openai/gpt-4o",), output_tokens=100), NOBODY)
    out = capsysbinary.readouterr().out.decode()
    assert "$0.00102 (¥0.00726)" in out
    assert "A dollar is 7.1 yuan, by the rate of 2026-11-01" in out


async def test_json_keeps_every_digit(capsysbinary, keys, monkeypatch):
    """Programs get numbers with all their digits, and null for what is not known."""
    monkeypatch.setenv("AI_CHAT_EXCHANGE__CNY_PER_USD", "7.1")
    found = await told(capsysbinary, models=("openai/gpt-4o", "qwen/qwen-max"), output_tokens=123, messages_per_day=7)
    known, unknown = found["models"]
    assert known["usd"] == {"call": Decimal("0.0012525"), "day": Decimal("0.0087675"), "month": Decimal("0.263025")}
    assert known["cny"]["call"] == Decimal("0.00889275")
    assert unknown["usd"] == {"call": None, "day": None, "month": None}
    assert found["cny_per_usd"] == Decimal("7.1")
    assert found["rate_date"] is None


async def test_without_a_name_all_that_is_set_up_is_looked_at(capsysbinary, keys, monkeypatch):
    """The default, the models named for levels of difficulty, the aliases that are set, and the embedded model."""
    monkeypatch.setenv("AI_CHAT_COMPLEXITY__COMPLEX", "openai/o3")
    monkeypatch.setenv("AI_CHAT_FAST_MODEL", "qwen/qwen-turbo")
    found = await told(capsysbinary, prompt="Prove that ∑ 1/n diverges, step by step.")
    names = [row["model"] for row in found["models"]]
    assert names == ["openai/gpt-4o-mini", "qwen/qwen-turbo", "openai/o3", "local"]
    assert found["task"]["level"] == "complex"
    assert found["task"]["model"] == "openai/o3"


async def test_prices_of_ones_own_count(capsysbinary, keys, monkeypatch):
    """A price in the settings is taken, by the beginning of a model's name."""
    monkeypatch.setenv("AI_CHAT_PRICES", '{"qwen/qwen-max": {"currency": "CNY", "input": 2.4, "output": 9.6}}')
    monkeypatch.setenv("AI_CHAT_EXCHANGE__CNY_PER_USD", "8")
    (row,) = (await told(capsysbinary, models=("qwen/qwen-max-latest",), output_tokens=1000))["models"]
    assert row["cny"]["call"] == Decimal("0.0096216")
    assert row["usd"]["call"] == Decimal("0.0012027")


async def test_with_no_key_the_embedded_model_is_what_there_is(capsysbinary):
    """On a bare machine the answer is: nothing, at the embedded model."""
    found = await told(capsysbinary)
    assert [row["model"] for row in found["models"]] == ["local"]
    assert found["models"][0]["free"] is True
    assert found["models"][0]["usd"]["month"] == 0


@pytest.mark.parametrize(
    "asked",
    [{"messages_per_day": -1}, {"messages_per_day": 10**8}, {"output_tokens": -1}, {"output_tokens": 10**9}],
    ids=str,
)
async def test_numbers_out_of_range(asked):
    """A count below zero or beyond all measure is refused with its range."""
    with pytest.raises(BadRequest, match=r"must be from 0 to 10,000,000"):
        await estimate(Asked(prompt="hello", **asked), NOBODY)


@pytest.mark.parametrize(
    ("money", "written"),
    [("0", "0.00"), ("0.000312", "0.000312"), ("0.00123456", "0.00123"), ("0.5", "0.5"), ("1234.567", "1,234.57"),
     ("0.0009999", "0.00100"), ("3E-9", "0.000000003")],
)  # fmt: skip
def test_amounts_are_short_and_never_nought(money, written):
    """However small an amount is, its first digits are seen."""
    assert rounded(Decimal(money)) == written


async def test_a_question_of_a_conversation(capsysbinary, keys):
    """What was said before is sent again: it is counted, and the turns that weigh most are named."""
    services = Services.open()
    try:
        record = await Record.open(await services.keeping(), "c1")
        for text in ("short", "long " * 200, *"abcd"):
            await record.ask(text)
            await record.answer(ChatResult(id="1", created=1, model="m", choices=(SAID,)))
        fresh = await told(capsysbinary, models=("openai/gpt-4o",))
        found = await told(capsysbinary, models=("openai/gpt-4o",), conversation="c1")
    finally:
        await services.aclose()
    said = found["conversation"]
    assert (said["messages"], said["heaviest"][0]["number"], said["kept"]) == (12, 2, 4)
    # The beginning of the answer is counted once.
    assert found["models"][0]["input_tokens"] - fresh["models"][0]["input_tokens"] == said["tokens"] - 3
    assert 200 < said["saved"] < said["tokens"]
    assert await estimate(Asked(prompt="hello", conversation="c1"), NOBODY) == 0
    assert "turn 2: " in capsysbinary.readouterr().out.decode()


async def test_a_conversation_that_is_not_there(keys):
    """It is named."""
    with pytest.raises(NotFound, match="'nowhere'"):
        await estimate(Asked(prompt="hello", conversation="nowhere"), NOBODY)
