"""What calls cost: the user's table, the published list, and everything that must stay unknown."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.accounting import published
from ai_chat.accounting.prices import PriceRow, Prices
from ai_chat.accounting.rates import Rates
from ai_chat.core.errors import SettingsError
from ai_chat.core.usage import Usage

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
USAGE = Usage(input_tokens=1200, output_tokens=345, cached_input_tokens=1000, reasoning_tokens=100)


def row(read="1", written="2", **fields):
    since = fields.pop("since", None)
    currency = fields.pop("currency", "USD")
    parts = {name: Decimal(price) for name, price in fields.items()}
    return PriceRow(rates=Rates(input=Decimal(read), output=Decimal(written), **parts), currency=currency, since=since)


# --- the published list ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "at", "cost"),
    [
        # 200 x 2.50 + 1,000 x 1.25 + 345 x 10, by the million
        ("openai/gpt-4o", NOW, "0.0052"),
        ("openai/gpt-4o-2024-08-06", NOW, "0.0052"),
        ("openai/gpt-4o-2024-05-13", NOW, "0.011175"),  # an early snapshot with its own price, and no discount
        ("openai/gpt-4o-mini", NOW, "0.000312"),
        ("openai/o3", NOW, "0.00366"),
        ("openai/o3", datetime(2025, 6, 1, tzinfo=UTC), "0.0163"),  # before its price fell
        ("openai/ft:gpt-4o-mini-2024-07-18:acme::x", NOW, "0.000774"),  # a fine-tuned model is dearer
        ("azure/gpt-35-turbo", NOW, "0.0011175"),
        ("deepseek/deepseek-chat", NOW, "0.0005035"),
        ("deepseek/deepseek-chat", NOW.replace(hour=20), "0.00025175"),  # by night
        ("moonshot/kimi-k2-thinking", NOW, "0.0011325"),
        ("zhipu/glm-4.5-air", NOW, "0.00013922"),
        ("openrouter/openai/gpt-4o", NOW, "0.0052"),
        ("openrouter/openai/gpt-4o:nitro", NOW, "0.0052"),
        ("openrouter/meta-llama/llama-3.3-70b-instruct:free", NOW, "0"),
    ],
)
def test_published_prices_come_out(target, at, cost):
    """Known prices, by model, snapshot, date and hour, with cached tokens at their own."""
    assert str(Prices().price(target, USAGE, at=at)) == cost
    assert Prices().known(target)


def test_long_prompts_cost_more_for_each_token():
    """Where a price has steps, the length of the whole prompt decides over all its tokens."""
    short = Usage(input_tokens=272_000, output_tokens=0)
    long = Usage(input_tokens=272_001, output_tokens=0)
    assert Prices().price("openai/gpt-5.4", short, at=NOW) == Decimal("0.68")
    assert Prices().price("openai/gpt-5.4", long, at=NOW) == Decimal("1.360005")


@pytest.mark.parametrize(("tier", "cost"), [(None, "0.01"), ("default", "0.01"), ("flex", "0.005"), ("odd", "0.01")])
def test_a_service_tier_has_its_own_price(tier, cost):
    """What was served as `flex` costs half; a tier that is not listed costs what the usual one does."""
    used = Usage(input_tokens=0, output_tokens=1000)
    assert Prices().price("openai/gpt-5", used, at=NOW, service_tier=tier) == Decimal(cost)


@pytest.mark.parametrize(
    "target",
    [
        "openai/gpt-99",
        "openai/my-own",
        "openai/whisper-1",
        "openai/moderation",
        "openrouter/stealth/crouton-alpha",
        "openrouter/openai/gpt-4o:online",
        "qwen/qwen-plus",
        "siliconflow/Qwen/Qwen2.5-7B-Instruct",
        "ollama/llama3:8b",
        "vllm/anything",
        "gpt-4o",
        "nobody/gpt-4o",
        "",
    ],
)
def test_what_is_not_listed_is_unknown(target):
    """A model without a price for its tokens is neither free nor priced like another one."""
    prices = Prices()
    assert prices.price(target, USAGE, at=NOW) is None
    assert not prices.known(target)
    assert not prices.is_free(target)


def test_audio_is_not_priced_as_text():
    """A model whose list price knows no audio leaves a call with audio unknown."""
    heard = Usage(input_tokens=1000, output_tokens=10, input_audio_tokens=500)
    assert Prices().price("openai/gpt-4o-audio-preview", heard, at=NOW) is None
    assert Prices().price("openai/gpt-audio", heard, at=NOW) == Decimal("0.01735")


@pytest.mark.parametrize("target", ["local", "local/qwen2.5-coder-1.5b"])
def test_the_embedded_model_is_free(target):
    """It costs nothing, known and not unknown, whatever its usage says."""
    prices = Prices()
    assert prices.price(target, USAGE, at=NOW) == 0
    assert prices.price(target, Usage(input_tokens=1, output_tokens=1, cached_input_tokens=5), at=NOW) == 0
    assert prices.is_free(target)
    assert prices.known(target)


def test_a_providers_own_address_says_whose_prices_count():
    """Behind an address that the user set are the prices of who is there; at an unknown one there are none."""
    prices = Prices(addresses={"openai": "https://api.deepseek.com/v1", "deepseek": "http://127.0.0.1:8080/v1"})
    assert prices.price("openai/deepseek-chat", USAGE, at=NOW) == Decimal("0.0005035")
    assert prices.price("openai/gpt-4o", USAGE, at=NOW) is None
    assert prices.price("deepseek/deepseek-chat", USAGE, at=NOW) is None


@pytest.mark.parametrize(
    ("extra", "cost"),
    [
        ({"cost": 0.00123}, "0.00123"),
        ({"cost": 0}, "0"),
        ({"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}, "0.0021"),
        ({"cost": 0.0001, "is_byok": True}, "0.0052"),
        ({"cost": True}, "0.0052"),
        ({"cost": -1}, "0.0052"),
        ({"cost": "0.1"}, "0.0052"),
        ({"cost": float("nan")}, "0.0052"),
    ],
    ids=str,
)
def test_openrouter_says_itself_what_it_charged(extra, cost):
    """Its own figure goes over the list's, which only knows what its sellers ask on average."""
    used = Usage(input_tokens=1200, output_tokens=345, cached_input_tokens=1000, extra=extra)
    assert Prices().price("openrouter/openai/gpt-4o", used, at=NOW) == Decimal(cost)
    assert Prices().price("openai/gpt-4o", used, at=NOW) == Decimal("0.0052")


MODELS = [
    (provider.id, model)
    for provider in providers
    if provider.id in published.PROVIDERS.values()
    for model in provider.models
    if published.find(provider.id, model.id) is model
]


@given(
    st.sampled_from(MODELS),
    st.integers(0, 10**6),
    st.integers(0, 10**5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(-700, 400).map(lambda days: NOW + timedelta(days=days, hours=days % 24)),
)
def test_costs_are_those_of_the_lists_own_arithmetic(entry, read, written, cached, reasoned, at):
    """For any model, usage and time our sum is the one that genai-prices itself comes to."""
    provider, model = entry
    used = Usage(
        input_tokens=read,
        output_tokens=written,
        cached_input_tokens=round(read * cached),
        reasoning_tokens=round(written * reasoned),
    )
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=read,
            output_tokens=written,
            cache_read_tokens=used.cached_input_tokens,
            output_reasoning_tokens=used.reasoning_tokens,
        ),
        model.id,
        provider_id=provider,
        genai_request_timestamp=at,
    )
    ours = published.rates(model, at=at, input_tokens=read).cost(used)
    if ours is not None:
        assert ours == theirs.total_price
    else:  # theirs takes what is not listed for free
        assert written
        assert theirs.output_price == 0


# --- the user's table ------------------------------------------------------------------------------------------------


def test_the_users_table_goes_first():
    """A row counts over the list, for the beginning of a name, the longest that fits."""
    prices = Prices(overrides={"openai/": [row("1", "1")], "openai/gpt-4o": [row("3", "3")]})
    used = Usage(input_tokens=1_000_000, output_tokens=0)
    assert prices.price("openai/gpt-4o-mini", used, at=NOW) == 3
    assert prices.price("openai/my-own", used, at=NOW) == 1
    assert prices.price("azure/gpt-4o", used, at=NOW) == Decimal("2.5")


@pytest.mark.parametrize(
    ("at", "cost"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "2.5"),
        (datetime(2026, 2, 1, tzinfo=UTC), "1"),
        (datetime(2026, 2, 1, 1, tzinfo=timezone(timedelta(hours=8))), "2.5"),
        (datetime(2026, 3, 1, tzinfo=UTC), "3"),
        (datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None), "3"),
    ],
)
def test_a_row_counts_from_its_day_on(at, cost):
    """Before the first row the list counts; days are UTC's."""
    rows = [row("3", "3", since=date(2026, 3, 1)), row("1", "1", since=date(2026, 2, 1))]
    prices = Prices(overrides={"openai/gpt-4o": rows})
    assert prices.price("openai/gpt-4o", Usage(input_tokens=1_000_000, output_tokens=0), at=at) == Decimal(cost)


def test_before_the_first_row_of_an_unlisted_model_nothing_is_known():
    """A price that begins tomorrow says nothing of today."""
    prices = Prices(overrides={"qwen/": [row(since=date(2030, 1, 1))]})
    assert prices.price("qwen/qwen-max", USAGE, at=NOW) is None
    assert prices.known("qwen/qwen-max")


def test_yuan_are_converted_by_the_rate():
    """A price in CNY becomes USD, and comes back as it was."""
    prices = Prices(
        overrides={"qwen/qwen-plus": [row("0.8", "2", currency="CNY", cached_input="0.16")]},
        cny_per_usd=Decimal("7.1"),
        rate_date=date(2026, 11, 1),
    )
    cost = prices.price("qwen/qwen-plus-2025-07-28", USAGE, at=NOW)
    assert round(cost, 9) == Decimal("0.000142254")
    assert prices.in_currency(cost, "CNY") == Decimal("0.00101")
    assert prices.rate_date == date(2026, 11, 1)


def test_amounts_in_other_currencies():
    """Unknown stays unknown, without a rate there are no yuan, and no other currency is known."""
    assert Prices().in_currency(Decimal("0.5"), "USD") == Decimal("0.5")
    assert Prices().in_currency(Decimal("0.5"), "CNY") is None
    rated = Prices(cny_per_usd=Decimal("7.1"))
    assert str(rated.in_currency(Decimal("0.5"), "CNY")) == "3.55"
    assert str(rated.in_currency(Decimal(0), "CNY")) == "0"
    assert rated.in_currency(None, "CNY") is None
    with pytest.raises(SettingsError, match="'EUR'"):
        rated.in_currency(Decimal(1), "EUR")


def test_prices_of_nothing_make_a_model_free():
    """Whoever runs an Ollama may say that it is free, and whoever pays for power that `local` is not."""
    prices = Prices(overrides={"ollama/": [row("0", "0")], "local/": [row("0.1", "0.1")]})
    assert prices.is_free("ollama/llama3")
    assert prices.price("ollama/llama3", USAGE, at=NOW) == 0
    assert not prices.is_free("local/qwen2.5-coder-1.5b")
    assert prices.price("local/qwen2.5-coder-1.5b", USAGE, at=NOW) > 0
    assert prices.is_free("local")


RATE = {"cny_per_usd": Decimal(7)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"overrides": {"openai/a": [row("-1")]}}, r'prices."openai/a" has input = -1,'),
        ({"overrides": {"openai/a": [row("1", "1000001")]}}, r"output = 1000001, and must be from 0 to 1,000,000 USD"),
        ({"overrides": {"openai/a": [row("NaN")]}}, "input = NaN"),
        ({"overrides": {"openai/a": [row(image="Infinity")]}}, "image = Infinity"),
        ({"overrides": {"openai/a": [row(request="-0.1")]}}, "request = -0.1.* for each call"),
        ({"overrides": {"openai/a": [row(currency="EUR")]}}, "'EUR'; write USD or CNY"),
        ({"overrides": {"openai/a": [row(currency="CNY")]}}, "set AI_CHAT_EXCHANGE__CNY_PER_USD"),
        ({"overrides": {"openai/a": []}}, "is empty"),
        ({"overrides": {"openai/a": [PriceRow(rates=Rates(cached_input=Decimal(1)))]}}, "has no price"),
        ({"overrides": {"gpt-4o": [row()]}}, "'gpt-4o', which names no provider"),
        ({"overrides": {"/gpt-4o": [row()]}}, "names no provider"),
        ({"overrides": {"openai/a": [row(), row("3")]}}, "two rows from the beginning"),
        ({"overrides": {"openai/a": [row(since=date(2026, 1, 1))] * 2}}, "two rows from 2026-01-01"),
        ({"cny_per_usd": Decimal(0)}, "CNY_PER_USD is 0,"),
        ({"cny_per_usd": Decimal("-7.1")}, "CNY_PER_USD is -7.1,"),
        ({"cny_per_usd": Decimal("0.14")}, "CNY_PER_USD is 0.14, but a dollar costs between 1 and 100 yuan"),
        ({"cny_per_usd": Decimal("NaN")}, "CNY_PER_USD is NaN"),
    ],
)
def test_what_cannot_be_a_price_is_refused(options, said):
    """A wrong table or rate is an error that names the place, the value and the mend."""
    with pytest.raises(SettingsError, match=said):
        Prices(**options)


def test_many_names_are_not_kept():
    """However many models are asked for, what is remembered stays bounded."""
    prices = Prices()
    for number in range(3000):
        prices.known(f"openai/{number}")
    assert prices._find.cache_info().currsize <= 1024
    assert published.find.cache_info().currsize <= 2048


# --- how it comes ----------------------------------------------------------------------------------------------------


def in_child(code, home):
    done = subprocess.run(
        [sys.executable, "-c", code], env={"HOME": str(home)}, capture_output=True, text=True, check=False
    )
    return done.stdout, done.stderr


def test_the_list_is_read_when_it_is_needed(tmp_path):
    """Importing the package, and prices of the user's own, do not load the list."""
    code = (
        "import sys, ai_chat.accounting.prices as p, datetime, decimal\n"
        "from ai_chat.accounting.rates import FREE\n"
        "from ai_chat.core.usage import Usage\n"
        "prices = p.Prices(overrides={'qwen/': [p.PriceRow(rates=FREE)]})\n"
        "used = Usage(input_tokens=1, output_tokens=1)\n"
        "print(prices.price('qwen/x', used, at=datetime.datetime.now(datetime.UTC)), prices.is_free('local'))\n"
        "print('genai_prices' in sys.modules)\n"
        "p.Prices.warm()\n"
        "print('genai_prices' in sys.modules)\n"
    )
    assert in_child(code, tmp_path) == ("0 True\nFalse\nTrue\n", "")


def test_pricing_needs_no_network(tmp_path):
    """With every socket refused a price is found, and no updater runs."""
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.create_connection = socket.getaddrinfo = socket.socket.connect = refuse\n"
        "import datetime, threading\n"
        "from ai_chat.accounting.prices import Prices\n"
        "from ai_chat.core.usage import Usage\n"
        "used, now = Usage(input_tokens=1000, output_tokens=0), datetime.datetime.now(datetime.UTC)\n"
        "print(Prices().price('openai/gpt-4o', used, at=now), threading.active_count())\n"
    )
    assert in_child(code, tmp_path) == ("0.0025 1\n", "")
