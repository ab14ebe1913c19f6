"""The weather of a place: the right place, in the words of the one who asks, and nothing that is made up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tools.open_meteo import FakeFetch, OpenMeteo

from ai_chat.core.errors import ConnectionFailed, ServerFailed, StreamBroken, UpstreamFailed, UpstreamTimeout
from ai_chat.providers.fetching_json import JsonFetch
from ai_chat.providers.http import Http
from ai_chat.tools.errors import ToolError
from ai_chat.tools.weather import FRESH_SECONDS, KEPT, Weather
from ai_chat.tools.weather_codes import CONDITIONS, condition


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def fetch():
    """The services, asked without a network."""
    return FakeFetch()


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
def weather(fetch, clock):
    return Weather(fetch, monotonic=clock)


# --- what is told ---------------------------------------------------------------------------------------------------


async def test_the_weather_is_told_in_full(weather):
    """Place, time, sky and measures are there, each with its unit."""
    assert await weather.get_current_weather("北京") == {
        "place": "北京",
        "region": "北京市",
        "country": "中国",
        "local_time": "2025-07-03T12:00",
        "condition": "多云",
        "temperature": "21.3 °C",
        "feels_like": "19.8 °C",
        "humidity": "45 %",
        "wind": "12.3 km/h",
        "is_day": True,
        "today_lowest": "15.3 °C",
        "today_highest": "25.3 °C",
        "chance_of_precipitation_today": "20 %",
        "source": "Open-Meteo",
    }


async def test_words_follow_the_script_of_the_name(weather, fetch):
    """Who asks in English reads English, and the geocoder is asked in that language."""
    told = await weather.get_current_weather("Beijing")
    assert (told["place"], told["country"], told["condition"]) == ("Beijing", "China", "partly cloudy")
    assert [parameters["language"] for kind, parameters in fetch.asked if kind == "search"] == ["en"]


async def test_degrees_are_those_that_were_asked_for(weather, fetch):
    """The service converts, and the unit stands with the value."""
    told = await weather.get_current_weather("New York", "fahrenheit")
    assert (told["temperature"], told["today_lowest"]) == ("27.5 °F", "16.7 °F")
    assert fetch.asked[-1][1]["temperature_unit"] == "fahrenheit"


@pytest.mark.parametrize("code", CONDITIONS)
def test_every_code_has_words_in_both_languages(code):
    """No two codes are told alike, and Chinese words are Chinese."""
    assert condition(code, "en").isascii()
    assert not condition(code, "zh").isascii()
    assert len({words for pair in CONDITIONS.values() for words in pair}) == 2 * len(CONDITIONS)


async def test_what_did_not_come_is_left_out(weather, fetch):
    """A measure that is missing or an unknown code is not replaced by anything."""
    fetch.bodies["forecast"] = {"current": {"temperature_2m": 7, "weather_code": 42, "wind_speed_10m": None}}
    told = await weather.get_current_weather("上海")
    assert told == {
        "place": "上海",
        "region": "上海市",
        "country": "中国",
        "temperature": "7 °C",
        "source": "Open-Meteo",
    }


# --- which place ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("city", "place", "region"),
    [
        ("上海市", "上海", "上海市"),
        ("北京朝阳", "朝阳区", "北京市"),
        ("北京市朝阳区", "朝阳区", "北京市"),
        ("辽宁省朝阳市", "朝阳", "辽宁"),
        ("朝阳", "朝阳", "辽宁"),
        ("Paris", "Paris", "Île-de-France"),
        ("Paris, Texas", "Paris", "Texas"),
        ("Paris, TX", "Paris", "Texas"),
        ("paris, tx, usa", "Paris", "Texas"),
        ("Paris, France", "Paris", "Île-de-France"),
        ("Paris, FR", "Paris", "Île-de-France"),
        ("巴黎，美国", "巴黎", "得克萨斯州"),
        ("San Francisco, CA", "San Francisco", "California"),
        ("New York City", "New York", "New York"),
        ("York", "York", "England"),
        ("York, UK", "York", "England"),
        ("中国上海", "上海", "上海市"),
    ],
)
async def test_the_place_is_the_one_that_is_meant(weather, city, place, region):
    """The most people decide among places of the very name, and what is named with it must hold."""
    told = await weather.get_current_weather(city)
    assert (told["place"], told["region"]) == (place, region)


async def test_other_places_of_the_name_are_told(weather):
    """Where another could be meant as well, the answer says which one it is of and what else there is."""
    told = await weather.get_current_weather("Springfield")
    assert told["region"] == "Missouri"
    assert told["other_places"] == [
        "Springfield, Massachusetts, United States",
        "Springfield, Illinois, United States",
    ]
    assert "other_places" not in await weather.get_current_weather("Springfield, Illinois")


async def test_a_hamlet_is_no_rival(weather):
    """Nobody who asks for Paris means the one in Texas, so it is not a word worth."""
    assert "other_places" not in await weather.get_current_weather("Paris")


async def test_villages_do_not_hide_a_capital(weather, fetch):
    """If only hamlets are found under a Chinese name, it is tried by the English one of the same place."""
    village = {
        "id": 8404324,
        "name": "北京",
        "latitude": 30.7,
        "longitude": 108.7,
        "admin1": "重庆市",
        "country": "中国",
    }
    fetch.bodies["北京"] = {"results": [village]}
    told = await weather.get_current_weather("北京")
    assert told["region"] == "北京市"
    assert [parameters.get("name") for _, parameters in fetch.asked] == ["北京", "Beijing", None]


async def test_an_airport_is_no_city(weather, fetch):
    """What nobody lives in comes last."""
    found = [
        {"name": "Nice", "latitude": 43.66, "longitude": 7.21, "feature_code": "AIRP", "country": "France"},
        {"name": "Nice", "latitude": 48.85341, "longitude": 2.3488, "feature_code": "PPL", "admin1": "Provence"},
    ]
    fetch.bodies["search"] = {"results": found}
    assert (await weather.get_current_weather("Nice"))["region"] == "Provence"


@pytest.mark.parametrize(
    ("city", "sentence"),
    [
        ("Nowhere at all", "No place called Nowhere at all is known"),
        ("没有这个地方", "No place called 没有这个地方"),
        ("Paris, Japan", "No Paris is known in Japan; there are: Paris, Île-de-France, France; Paris, Texas"),
        ("x", "2 to 100 characters"),
        ("  ", "2 to 100 characters"),
        ("x" * 101, "2 to 100 characters"),
    ],
)
async def test_a_place_that_is_not_found_has_no_weather(weather, fetch, city, sentence):
    """The model is told so, with what there is, and no other place's weather is given."""
    with pytest.raises(ToolError, match=sentence):
        await weather.get_current_weather(city)
    assert all(kind != "forecast" for kind, _ in fetch.asked)


# --- when the service fails -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionFailed("no route"), "cannot be reached"),
        (StreamBroken("cut"), "cannot be reached"),
        (UpstreamTimeout("slow", phase="total", seconds=10), "cannot be reached"),
        (UpstreamFailed("429"), "gave no answer"),
        (ServerFailed("html"), "gave no answer"),
    ],
)
async def test_without_the_service_nothing_is_known(weather, fetch, error, sentence):
    """The model is told to say so; the next question is asked anew."""
    fetch.failing = error
    with pytest.raises(ToolError, match=f"{sentence}.*do not guess"):
        await weather.get_current_weather("北京")
    fetch.failing = None
    assert (await weather.get_current_weather("北京"))["temperature"] == "21.3 °C"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"current": None},
        {"current": {"temperature_2m": "warm"}},
        {"current": {"temperature_2m": True}},
    ],
    ids=str,
)
async def test_an_answer_without_a_temperature_is_none(weather, fetch, body):
    """Whatever else it says."""
    fetch.bodies["forecast"] = body
    with pytest.raises(ToolError, match="do not guess"):
        await weather.get_current_weather("北京")


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FOUND = ["name", "latitude", "longitude", "population", "feature_code", "country", "country_code", "admin1"]
MEASURED = ["temperature_2m", "weather_code", "is_day", "time", "temperature_2m_min", "precipitation_probability_max"]


@given(
    st.lists(st.dictionaries(st.sampled_from(FOUND), json)) | json,
    st.dictionaries(st.sampled_from(MEASURED), json) | json,
    st.dictionaries(st.sampled_from(MEASURED), json) | json,
)
async def test_malformed_answers_do_no_harm(results, current, daily):
    """The weather is told or it is not; the tool never falls over."""
    fetch = FakeFetch()
    fetch.bodies = {"search": {"results": results}, "forecast": {"current": current, "daily": daily}}
    try:
        told = await Weather(fetch, monotonic=Hand()).get_current_weather("Paris")
    except ToolError:
        return
    assert told["temperature"].endswith(" °C")


# --- asked once -----------------------------------------------------------------------------------------------------


async def test_an_answer_is_kept_for_ten_minutes(weather, fetch, clock):
    """The same question is not asked again before, however it is written; another unit is another question."""
    first = await weather.get_current_weather("Paris")
    clock.seconds += FRESH_SECONDS - 1
    assert await weather.get_current_weather(" paris ") == first
    assert len(fetch.asked) == 2
    await weather.get_current_weather("Paris", "fahrenheit")
    assert len(fetch.asked) == 4
    clock.seconds += 1
    await weather.get_current_weather("Paris")
    assert len(fetch.asked) == 6


async def test_only_so_many_answers_are_kept(weather, fetch):
    """The oldest makes room."""
    fetch.bodies["search"] = {"results": [{"name": "A", "latitude": 48.85341, "longitude": 2.3488}]}
    for number in range(KEPT + 1):
        await weather.get_current_weather(f"place {number}")
    asked = len(fetch.asked)
    await weather.get_current_weather(f"place {KEPT}")
    assert len(fetch.asked) == asked
    await weather.get_current_weather("place 0")
    assert len(fetch.asked) == asked + 2


async def test_a_question_asked_at_the_same_time_is_asked_once(weather, fetch):
    """All who wait get the one answer, also if the first of them leaves."""
    fetch.gate.clear()
    first, second, third = (asyncio.ensure_future(weather.get_current_weather("Paris")) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    fetch.gate.set()
    assert await second == await third
    assert first.cancelled()
    assert len(fetch.asked) == 2


async def test_a_failure_at_the_same_time_is_everybodys(weather, fetch):
    """All who wait are told, and nothing of it is kept."""
    fetch.gate.clear()
    waiting = [asyncio.ensure_future(weather.get_current_weather("Paris")) for _ in range(2)]
    await asyncio.sleep(0)
    fetch.failing = ConnectionFailed("no route")
    fetch.gate.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [ToolError, ToolError]


async def test_when_all_have_left_nobody_is_asked_any_more(weather, fetch, no_leaks):
    """The request is given up, and the next question begins anew."""
    fetch.gate.clear()
    waiting = [asyncio.ensure_future(weather.get_current_weather("Paris")) for _ in range(2)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    fetch.gate.set()
    assert await weather.get_current_weather("Paris")


# --- over the network -----------------------------------------------------------------------------------------------


async def test_it_is_asked_over_http(no_leaks):
    """Chinese names arrive as they are, over one connection."""
    http = Http()
    async with OpenMeteo() as service:
        weather = Weather(
            JsonFetch(http),
            monotonic=Hand(),
            geocoding_url=service.geocoding_url,
            forecast_url=service.forecast_url,
        )
        told = [await weather.get_current_weather(city) for city in ("北京", "San Francisco, CA")]
        connections = service.connections
        await http.aclose()
    assert [one["place"] for one in told] == ["北京", "San Francisco"]
    assert connections == 1


async def test_offline_is_said_honestly(no_leaks):
    """With nobody at the other end there is no weather."""
    http = Http()
    async with OpenMeteo() as service:
        url = service.geocoding_url
    weather = Weather(JsonFetch(http), monotonic=Hand(), geocoding_url=url)
    with pytest.raises(ToolError, match="cannot be reached"):
        await weather.get_current_weather("北京")
    await http.aclose()
