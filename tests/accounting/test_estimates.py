"""Advice beforehand: how hard a task is, what calls will cost, which turns are dear."""

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.accounting.estimates import (
    LEVELS,
    Estimates,
    assess,
    conversation,
    heaviest,
    saved,
    times,
    total,
    turn_weights,
)
from ai_chat.accounting.prices import Prices
from ai_chat.accounting.tokens import Tokens
from ai_chat.core.messages import Message, ToolCall

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def words(message):
    return len(message.text.split())


def user(text):
    return Message(role="user", content=text)


def assistant(text):
    return Message(role="assistant", content=text)


# --- how hard a task is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", "simple"),
        ("What is the capital of France?", "simple"),
        ("Translate to English: 今天天气很好", "simple"),
        ("翻译成英文：我们明天见", "simple"),
        ("你好", "simple"),
        ("let me know when the import duties change", "simple"),
        ("Why is the sky blue? And why are sunsets red?", "medium"),
        ("请比较一下这两种方案的优缺点", "medium"),
        ("Fix this:\n```py\nprint(x)\n```", "medium"),
        ("Design a rate limiter that holds across processes, and explain the trade-offs.", "medium"),
        ("Prove that ∑ 1/n diverges, step by step.", "complex"),
        ("Refactor this and explain why:\ndef f(x):\n    return x", "complex"),
        ("设计一个高并发的订单系统架构，并解释为什么这样设计：\n1. 下单\n2. 支付\n3. 发货", "complex"),
    ],
)
def test_a_task_is_judged_by_signs_that_are_told(text, level):
    """The same text always gets the same level, and the reasons for it."""
    task = assess(text)
    assert task.level == level
    assert assess(text) == task
    assert level == "simple" or task.reasons


@given(st.text(max_size=300))
def test_any_text_has_a_level(text):
    """No text makes judging fail, and more text of the same kind never makes a task easier."""
    assert assess(text).level in LEVELS
    assert assess(text + "\nfiller words" * 400).points >= assess(text).points


@pytest.mark.parametrize(
    "text", ["\n" * 20_000, " " * 20_000, "?" * 20_000, "SELECT " * 3000, "$" * 20_000, "; \t" * 7000]
)
def test_judging_takes_no_time(text):
    """No run of one sign makes it slow."""
    begun = time.process_time()
    assess(text * 3)
    assert time.process_time() - begun < 0.5


# --- what will be used -----------------------------------------------------------------------------------------------


def test_each_turn_is_sent_again_with_the_next():
    """The input grows by a question and an answer with every turn."""
    usages = conversation(history=100, question=10, answer=50, turns=3)
    assert [usage.input_tokens for usage in usages] == [110, 170, 230]
    assert {usage.output_tokens for usage in usages} == {50}
    assert all(usage.estimated and usage.cached_input_tokens is None for usage in usages)


def test_what_was_sent_before_may_be_cached():
    """A share of the history, but not of the new question, is taken as cached."""
    (usage,) = conversation(history=100, question=10, answer=5, cached_share=0.5)
    assert (usage.input_tokens, usage.cached_input_tokens) == (110, 50)


@given(st.integers(0, 10**5), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 30), st.floats(0, 1))
def test_a_longer_conversation_never_costs_less(history, question, answer, turns, share):
    """Its cost is the sum of its turns', grows with each, and is never negative."""

    def cost(number):
        usages = conversation(history=history, question=question, answer=answer, turns=number, cached_share=share)
        return total([Prices().price("openai/gpt-4o", usage, at=NOW) for usage in usages])

    assert 0 <= cost(turns) <= cost(turns + 1)


def test_a_sum_with_an_unknown_part_is_unknown():
    """What is not known is not left out of a total."""
    assert total([Decimal(1), Decimal(2)]) == 3
    assert total([]) == 0
    assert total([Decimal(1), None]) is None
    assert times(None, 5) is None
    assert times(Decimal("0.1"), 30) == 3


# --- which turns are dear --------------------------------------------------------------------------------------------

CALL = Message(role="assistant", tool_calls=(ToolCall(id="c", name="f", arguments="{}"),))
TALK = (
    Message(role="system", content="be kind"),
    assistant("hello there friend"),
    user("one  two\nthree"),
    CALL,
    Message(role="tool", content="r r r r r r", tool_call_id="c"),
    assistant("four"),
    user("last"),
)


def test_turns_are_weighed_with_all_that_belongs_to_them():
    """A question counts with its calls, results and answer; instructions and a greeting stand for themselves."""
    turns = turn_weights(TALK, words)
    assert [(turn.number, turn.tokens) for turn in turns] == [(0, 2), (1, 3), (2, 10), (3, 1)]
    assert turns[2].begins == "one two three"
    assert sum(turn.share for turn in turns) == pytest.approx(1)
    assert [turn.number for turn in heaviest(turns, 2)] == [2, 1]


@pytest.mark.parametrize(("keep", "tokens"), [(0, 14), (1, 13), (2, 3), (3, 0), (9, 0)])
def test_leaving_out_old_turns_saves_their_tokens(keep, tokens):
    """The instructions are never counted as saved."""
    assert saved(turn_weights(TALK, words), keep=keep) == tokens


def test_nothing_to_weigh():
    """A conversation without messages has no turns, and one without words no shares."""
    assert turn_weights((), words) == ()
    assert [turn.share for turn in turn_weights((user(""),), words)] == [0]


# --- put together ----------------------------------------------------------------------------------------------------

PRICED = Estimates(Tokens(), Prices(), models={"simple": "local", "medium": None, "complex": "openai/o3"})


def test_a_forecast_is_what_the_call_will_cost():
    """Tokens are counted as the model does, the price is the list's, and days and months are multiples."""
    forecast = PRICED.forecast(
        "openai/gpt-4o", (user("hello world"),), at=NOW, output_tokens=100, messages_per_day=10, cached_share=0.0
    )
    assert (forecast.input_tokens, forecast.exact, forecast.free) == (9, True, False)
    assert forecast.call == Decimal("0.0010225")
    assert forecast.day == Decimal("0.010225")
    assert forecast.month == Decimal("0.30675")


@pytest.mark.parametrize(("target", "free", "cost"), [("local/x", True, 0), ("qwen/qwen-max", False, None)])
def test_free_and_unknown_are_two_things(target, free, cost):
    """The embedded model costs nothing; what a model without a known price costs is not known, nor for a month."""
    forecast = PRICED.forecast(target, (user("hello world"),), at=NOW, output_tokens=100, messages_per_day=10)
    assert (forecast.free, forecast.exact) == (free, False)
    assert forecast.call == forecast.month == cost


def test_the_settings_say_which_model_a_level_wants():
    """Advice names the model of the level, or none where none is named."""
    task, model = PRICED.advise("hi")
    assert (task.level, model) == ("simple", "local")
    assert PRICED.advise("Prove that ∑ 1/n diverges, step by step.")[1] == "openai/o3"
    assert PRICED.advise("请比较一下这两种方案的优缺点")[1] is None
    assert PRICED.models == ("local", "openai/o3")
    assert Estimates(Tokens(), Prices()).models == ()
