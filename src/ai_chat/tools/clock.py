"""What time it is, anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed_zone
from difflib import get_close_matches
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from .cities import by_name, folded, parted_name, places, several, states
from .errors import ToolError

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_ZH = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
NAME_LENGTH = 100
"""Characters of a place's name at most."""
CODE_LENGTH = 2
"""Letters of a code of a state, which means something behind a city only: LA is another place."""
NEAR = 5
"""How many places are named in the stead of one that is not known."""
WIDEST = timedelta(hours=14)
"""No zone is farther from UTC."""
OFFSET = re.compile(r"(?:utc|gmt|z)?\s*([+\-−])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
COUNTED = re.compile(r"(东|西)([一二三四五六七八九十]{1,2}|\d{1,2})(?:时)?区")
"""`东八区`, as Chinese books count the zones."""
NUMERALS = {
    numeral: number
    for number, numeral in enumerate(("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"), 1)
}
ENDINGS = re.compile(
    r"(?:的|当地|标准)?时间$|(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|市|省)$|\s+(?:(?:standard |local )?time|city)$",
    re.IGNORECASE,
)
"""What may follow a name without being part of it."""


class WorldClock:
    """Tells the time in any place."""

    def __init__(self, now: Callable[[], datetime], zone: tzinfo = UTC) -> None:
        """Take the clock and the user's zone.

        Args:
            now: gives this moment, with a zone.
            zone: where the user is.
        """
        self._now = now
        self._zone = zone

    def get_current_time(self, timezone: str | None = None) -> dict[str, Any]:
        """Tell the current date, time and weekday in a city, a country or a time zone.

        Args:
            timezone: A city such as 北京 or New York, a zone such as Asia/Shanghai, or an offset such as UTC+8.
                Leave it out for the user's own time.
        """
        moment = self._now()
        zone = self._zone if timezone is None or not timezone.strip() else zone_of(timezone, moment)
        return _told(moment.astimezone(zone))


def _told(moment: datetime) -> dict[str, Any]:
    day = moment.weekday()
    return {
        "time": moment.isoformat(timespec="seconds"),
        "weekday": WEEKDAYS[day],
        "weekday_zh": WEEKDAYS_ZH[day],
        "timezone": getattr(moment.tzinfo, "key", None) or _offset(moment),
        "utc_offset": _offset(moment),
        "daylight_saving_time": _is_summer_time(moment),
    }


def _offset(moment: datetime) -> str:
    written = f"{moment:%z}"
    return f"UTC{written[:3]}:{written[3:5]}"


def _is_summer_time(moment: datetime) -> bool:
    """Tell whether clocks are ahead of what they show half a year away; Irish law calls the winter the exception."""
    offsets = [moment.replace(month=month, day=1, fold=0).utcoffset() or timedelta() for month in (1, 7)]
    return min(offsets) < (moment.utcoffset() or timedelta())


def zone_of(name: str, moment: datetime) -> tzinfo:
    """Find the zone that a name means at a moment.

    Raises:
        ToolError: it means none, or several.
    """
    if len(name) > NAME_LENGTH:
        raise ToolError(f"A place has a name of {NAME_LENGTH} characters at most.")
    first, *rest = (part.strip() for part in re.split(r"[,，、]", name.strip()))
    zone = _zone(first)
    if zone is None and (parted := parted_name(first)) is not None:
        around, first = parted
        zone, rest = _zone(first), [around, *rest]
    if zone is None:
        raise ToolError(_unknown(first))
    for part in filter(None, rest):
        _check(zone, first, part, moment)
    return zone


def _check(zone: tzinfo, place: str, around: str, moment: datetime) -> None:
    """Check that a place is where it is said to be, as far as the time is concerned: there is a Paris in Texas."""
    key = folded(around)
    if key in several():
        fits = _continent(zone) in {_continent(_zone(name)) for name in several()[key]}
    else:
        other = ZoneInfo(states()[key].zone) if key in states() else _zone(around)
        fits = other is not None and moment.astimezone(other).utcoffset() == moment.astimezone(zone).utcoffset()
    if not fits:
        raise ToolError(f"The time of {place} in {around} is not known; name a larger city that shares its time.")


def _continent(zone: tzinfo | None) -> str:
    return str(zone).partition("/")[0]


def _zone(name: str) -> tzinfo | None:
    """Find the zone of one name; None if it is not known."""
    if (fixed := _fixed(name)) is not None:
        return fixed
    while (key := _key(name)) is None:
        shorter = ENDINGS.sub("", name)
        if shorter == name:
            return None
        name = shorter
    return ZoneInfo(key)


def _key(name: str) -> str | None:
    key = folded(name)
    if key in several():
        raise ToolError(f"{name} has more than one time; name a place there: {', '.join(several()[key])}.")
    if key in by_name():
        return by_name()[key].zone
    if key in states() and len(key) > CODE_LENGTH:
        return states()[key].zone
    return _zones().get(key)


def _fixed(name: str) -> tzinfo | None:
    """Read an offset from UTC."""
    if counted := COUNTED.fullmatch(name):
        hours = NUMERALS.get(counted[2]) or int(counted[2])
        offset = timedelta(hours=hours if counted[1] == "东" else -hours)
    elif written := OFFSET.fullmatch(name):
        size = timedelta(hours=int(written[2]), minutes=int(written[3] or 0))
        offset = size if written[1] == "+" else -size
    else:
        return None
    if abs(offset) > WIDEST:
        raise ToolError(f"No time zone is as far from UTC as {name}; the farthest are UTC-12 and UTC+14.")
    return fixed_zone(offset)


@cache
def _zones() -> Mapping[str, str]:
    """Give the zones of the system's database by their folded names, and by the city in them."""
    keys = sorted(available_timezones())
    cities = {folded(key.rpartition("/")[2]): key for key in reversed(keys) if "/" in key}
    return {**cities, **{folded(key): key for key in keys}}


def _unknown(name: str) -> str:
    written = {folded(known): known for place in places() for known in place.names}
    near = get_close_matches(folded(name), written, NEAR, 0.5)
    hint = f"near to it are {', '.join(written[key] for key in near)}" if near else "name a large city near it"
    return (
        f"No time zone is known for {name!r}; {hint}, or give a zone such as Asia/Shanghai or an offset such as UTC+8."
    )
