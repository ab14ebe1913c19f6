"""The time in any place, at a moment that the test chooses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.tools import cities
from ai_chat.tools.clock import WorldClock
from ai_chat.tools.errors import ToolError

SUMMER = datetime(2025, 7, 3, 4, 5, 6, 789_000, tzinfo=UTC)
WINTER = datetime(2025, 1, 1, 23, 30, tzinfo=UTC)
NAMES = (
    "北京 天津 石家庄 太原 呼和浩特 沈阳 长春 哈尔滨 上海 南京 杭州 合肥 福州 南昌 济南 郑州 "
    "武汉 长沙 广州 南宁 海口 重庆 成都 贵阳 昆明 拉萨 西安 兰州 西宁 银川 乌鲁木齐"
)
CAPITALS = NAMES.split()


def tell(place=None, moment=SUMMER, zone=UTC):
    """Ask for the time in a place."""
    return WorldClock(lambda: moment, zone).get_current_time(place)


def test_a_time_is_told_in_full():
    """Date, time, weekday in both languages, zone and offset are all there."""
    assert tell("北京") == {
        "time": "2025-07-03T12:05:06+08:00",
        "weekday": "Thursday",
        "weekday_zh": "星期四",
        "timezone": "Asia/Shanghai",
        "utc_offset": "UTC+08:00",
        "daylight_saving_time": False,
    }


@pytest.mark.parametrize("place", [None, "", "  "])
def test_without_a_place_it_is_the_users_time(place):
    """The user's own zone is the one that was handed over."""
    assert tell(place, zone=ZoneInfo("Asia/Tokyo"))["time"] == "2025-07-03T13:05:06+09:00"
    assert tell(place, zone=timezone(timedelta(hours=-3)))["timezone"] == "UTC-03:00"


def test_the_day_is_the_places_own():
    """It may be tomorrow there already, or still yesterday."""
    there, here = tell("Auckland", WINTER), tell("Honolulu", WINTER)
    assert (there["time"], there["weekday"]) == ("2025-01-02T12:30:00+13:00", "Thursday")
    assert (here["time"], here["weekday_zh"]) == ("2025-01-01T13:30:00-10:00", "星期三")


@pytest.mark.parametrize(
    ("place", "moment", "offset", "is_summer_time"),
    [
        ("New York", SUMMER, "UTC-04:00", True),
        ("New York", WINTER, "UTC-05:00", False),
        ("悉尼", SUMMER, "UTC+10:00", False),
        ("悉尼", WINTER, "UTC+11:00", True),
        ("Dublin", SUMMER, "UTC+01:00", True),
        ("Dublin", WINTER, "UTC+00:00", False),
        ("Phoenix", SUMMER, "UTC-07:00", False),
        ("加德满都", SUMMER, "UTC+05:45", False),
    ],
)
def test_summer_time_is_told(place, moment, offset, is_summer_time):
    """The offset is the one of the day, and summer time is noted where clocks are ahead."""
    told = tell(place, moment)
    assert (told["utc_offset"], told["daylight_saving_time"]) == (offset, is_summer_time)


@pytest.mark.parametrize("place", CAPITALS)
def test_all_of_the_mainland_has_one_time(place):
    """Every capital of a province, with 市 behind it or without."""
    assert tell(place)["timezone"] == tell(f"{place}市")["timezone"] == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("新疆", "Asia/Shanghai"),
        ("纽约", "America/New_York"),
        ("伦敦", "Europe/London"),
        ("香港特别行政区", "Asia/Hong_Kong"),
        ("广西壮族自治区", "Asia/Shanghai"),
        ("浙江省", "Asia/Shanghai"),
        ("北京时间", "Asia/Shanghai"),
        ("纽约当地时间", "America/New_York"),
        ("韩国首尔", "Asia/Seoul"),
        ("美国纽约", "America/New_York"),
        ("广东省深圳市", "Asia/Shanghai"),
        ("德国", "Europe/Berlin"),
        ("Beijing", "Asia/Shanghai"),
        ("beijing, china", "Asia/Shanghai"),
        ("San Francisco", "America/Los_Angeles"),
        ("San Francisco, CA", "America/Los_Angeles"),
        ("Boston, Massachusetts, USA", "America/New_York"),
        ("Vancouver, Canada", "America/Vancouver"),
        ("Texas", "America/Chicago"),
        ("São Paulo", "America/Sao_Paulo"),
        ("sao paulo", "America/Sao_Paulo"),
        ("München", "Europe/Berlin"),
        ("Tokyo time", "Asia/Tokyo"),
        ("New Zealand", "Pacific/Auckland"),
        ("asia/shanghai", "Asia/Shanghai"),
        ("Los_Angeles", "America/Los_Angeles"),
        ("Reykjavik", "Atlantic/Reykjavik"),
        ("Nuuk", "America/Nuuk"),
        ("PST", "America/Los_Angeles"),
        ("UTC", "UTC"),
        ("gmt", "UTC"),
        ("UTC+8", "UTC+08:00"),
        ("GMT-5", "UTC-05:00"),
        ("utc +05:30", "UTC+05:30"),
        ("+0900", "UTC+09:00"),
        ("UTC−3", "UTC-03:00"),
        ("东八区", "UTC+08:00"),
        ("西五区", "UTC-05:00"),
    ],
)
def test_a_place_is_found_by_whatever_it_is_called(place, zone):
    """Chinese and English names, countries with one time, zones and offsets all do."""
    assert tell(place)["timezone"] == zone


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("Shangha", "Shanghai"),
        ("Atlantis", "Atlanta"),
        ("卢森", "卢森堡"),
        ("qqqqqqqqq", "name a large city"),
        ("美国", "more than one time.*New York"),
        ("CST", "more than one time.*Beijing, Chicago"),
        ("Paris, Texas", "Paris in Texas is not known"),
        ("Portland, ME", "Portland in ME"),
        ("London, Canada", "London in Canada"),
        ("Paris, Nowhere", "Paris in Nowhere"),
        ("英国纽约", "纽约 in 英国"),
        ("UTC+15", "as far from UTC"),
        ("../etc/passwd", "No time zone is known"),
        ("x" * 101, "100 characters"),
    ],
)
def test_a_place_that_is_not_known_is_asked_back(place, sentence):
    """The answer names what is near, or what to name instead, and never another place's time."""
    with pytest.raises(ToolError, match=sentence):
        tell(place)


@given(st.text(max_size=30))
def test_any_text_is_a_place_or_not(text):
    """Nothing that is asked makes the clock fall over."""
    try:
        told = tell(text)
    except ToolError:
        return
    assert datetime.fromisoformat(told["time"]) == SUMMER.replace(microsecond=0)


def test_the_rows_are_sound():
    """Every zone of the table exists, no name stands in two of them, and what to name instead is known."""
    zones: dict[str, str] = {}
    known = available_timezones()
    for place in cities.places():
        assert place.zone in known
        for name in place.names:
            assert zones.setdefault(cities.folded(name), place.zone) == place.zone, name
    assert len(cities.places()) > 300
    assert {state.zone for state in cities.states().values()} <= known
    assert not zones.keys() & cities.several().keys()
    for names in cities.several().values():
        assert all(tell(name) for name in names)
