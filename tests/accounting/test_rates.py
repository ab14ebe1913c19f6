"""What a call costs by a model's rates: each token once, every digit kept, unknown where a price is missing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.accounting.rates import FREE, Rates, plain
from ai_chat.core.usage import Usage

PLAIN = Rates(input=Decimal("2.5"), output=Decimal(10))
FULL = Rates(
    input=Decimal("2.5"),
    output=Decimal(10),
    cached_input=Decimal("1.25"),
    cache_write=Decimal("3.75"),
    reasoning=Decimal(20),
    input_audio=Decimal(40),
    output_audio=Decimal(80),
    image=Decimal(5),
    request=Decimal("0.01"),
)


def usage(read=1000, written=100, **parts):
    return Usage(input_tokens=read, output_tokens=written, **parts)


def detailed(read=1000, **details):
    return usage(read, extra={"prompt_tokens_details": details})


@pytest.mark.parametrize(
    ("rates", "used", "cost"),
    [
        (PLAIN, usage(), "0.0035"),
        (PLAIN, usage(0, 0), "0"),
        (PLAIN, usage(1_000_000, 1_000_000), "12.5"),
        (PLAIN, usage(40_000_000, 0), "100"),
        (PLAIN, usage(cached_input_tokens=400), "0.0035"),
        (PLAIN, usage(reasoning_tokens=60), "0.0035"),
        (FULL, usage(), "0.0135"),
        (FULL, usage(cached_input_tokens=400), "0.013"),
        (FULL, usage(cached_input_tokens=1000), "0.01225"),
        (FULL, usage(reasoning_tokens=100), "0.0145"),
        (FULL, usage(input_audio_tokens=100, output_audio_tokens=50), "0.02075"),
        (FULL, usage(accepted_prediction_tokens=50, rejected_prediction_tokens=50), "0.0135"),
        (FULL, detailed(cache_write_tokens=100), "0.013625"),
        (FULL, detailed(image_tokens=100), "0.01375"),
        (PLAIN, detailed(image_tokens=100, cache_write_tokens=100), "0.0035"),
        (FREE, usage(cached_input_tokens=5, input_audio_tokens=7), "0"),
        (Rates(request=Decimal("0.005")), usage(0, 0), "0.005"),
        (Rates(input=Decimal("0.02")), usage(1000, 0), "0.00002"),
    ],
)
def test_each_token_is_paid_once(rates, used, cost):
    """Parts with a price of their own are taken out of the whole, others stay in it, and no digit is lost."""
    assert str(rates.cost(used)) == cost


@pytest.mark.parametrize(
    ("rates", "used"),
    [
        (Rates(input=Decimal(1)), usage()),
        (Rates(output=Decimal(1)), usage()),
        (Rates(), usage()),
        (PLAIN, usage(input_audio_tokens=1)),
        (PLAIN, usage(output_audio_tokens=1)),
        (FULL, usage(cached_input_tokens=1001)),
        (FULL, usage(reasoning_tokens=101)),
        (FULL, usage(cached_input_tokens=10, input_audio_tokens=10)),
        (FULL, usage(input_audio_tokens=1001)),
    ],
    ids=["no-output", "no-input", "nothing", "audio-in", "audio-out", "cached", "reasoning", "overlap", "all-audio"],
)
def test_what_cannot_be_known_is_not_guessed(rates, used):
    """A price that is needed and missing, or parts that contradict the whole, leave the cost unknown."""
    assert rates.cost(used) is None


@pytest.mark.parametrize(
    "extra", [{"prompt_tokens_details": 5}, {"prompt_tokens_details": {"image_tokens": "7"}}], ids=str
)
def test_fields_of_any_shape_do_no_harm(extra):
    """What an upstream put among the unknown fields is read only if it is a count."""
    assert FULL.cost(usage(extra=extra)) == FULL.cost(usage())


@pytest.mark.parametrize(
    ("rates", "free"), [(FREE, True), (PLAIN, False), (Rates(), False), (Rates(input=Decimal(0)), False)]
)
def test_free_is_what_is_known_to_cost_nothing(rates, free):
    """A model without prices is unknown, not free."""
    assert rates.is_free is free


@pytest.mark.parametrize(("money", "written"), [("2.500", "2.5"), ("0E-12", "0"), ("1E+2", "100"), ("0.10", "0.1")])
def test_money_is_written_without_an_exponent(money, written):
    """Zeros at the end and exponents are taken off, so that the text of a cost is what a person writes."""
    assert str(plain(Decimal(money))) == written


prices = st.decimals(0, 1000, places=6)
counts = st.integers(0, 10**9)


@st.composite
def usages(draw):
    """A usage whose parts are no more than the whole."""
    read, written = draw(counts), draw(counts)
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cached_input_tokens=draw(st.none() | st.integers(0, read)),
        reasoning_tokens=draw(st.none() | st.integers(0, written)),
    )


rates = st.builds(Rates, input=prices, output=prices, cached_input=st.none() | prices, reasoning=st.none() | prices)


@given(rates, usages(), usages())
def test_costs_add_up(rates, first, second):
    """Two calls together cost what they cost apart, to the last digit, and nothing costs less than nothing."""
    apart = rates.cost(first), rates.cost(second)
    assert min(apart) >= 0
    assert sum(apart) == rates.cost(first + second)


@given(rates, usages(), counts, counts)
def test_more_tokens_never_cost_less(rates, used, more_read, more_written):
    """With each token that is read or written a call costs more, or the same where it is free."""
    more = used + Usage(input_tokens=more_read, output_tokens=more_written)
    assert rates.cost(more) >= rates.cost(used)


@given(rates, usages())
def test_a_discount_on_cached_tokens_never_makes_dearer(rates, used):
    """Without a price of their own cached tokens cost what others do; a lower one lowers the cost."""
    full = Rates(input=rates.input, output=rates.output, reasoning=rates.reasoning)
    half = Rates(input=rates.input, output=rates.output, reasoning=rates.reasoning, cached_input=rates.input / 2)
    assert half.cost(used) <= full.cost(used)
