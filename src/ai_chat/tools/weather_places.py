"""Which place is meant: from what a geocoder finds under a name to the most likely of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cities import by_name, folded, is_chinese, parted_name, states
from .errors import ToolError
from .weather_codes import Language

NAME_LENGTH = 100
"""Characters of a name at most."""
SHORTEST = 2
"""Characters of a name at least; the geocoder finds nothing for one."""
CITY = 100_000
"""People from which on a place is believed to be the one meant, without another try under another name."""
UNCOUNTED = 500
"""People of a place whose number is not known."""
EXACT = 50
"""How many times as many people a place must have that is only called like the name, not by it."""
COMPARABLE = 20
"""Another place is worth a word if it has at least this part of the people: one in twenty."""
OTHERS = 4
"""How many of them are told."""
ENDING = re.compile(r"(?<=..)[市县区省]$|\s+city$", re.IGNORECASE)
COUNTRIES = {
    "uk": "gb",
    "greatbritain": "gb",
    "britain": "gb",
    "usa": "us",
    "america": "us",
    "unitedstatesofamerica": "us",
    "korea": "kr",
    "uae": "ae",
    "holland": "nl",
    "prc": "cn",
    "china": "cn",
    "中国": "cn",
}
"""Names of countries besides the geocoder's own, by code."""
CHINESE = frozenset({"cn", "hk", "mo", "tw"})
"""What the geocoder lists apart, and people may look for in China."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place that the geocoder found."""

    name: str
    latitude: float
    longitude: float
    country: str = ""
    country_code: str = ""
    regions: tuple[str, ...] = ()
    """The administrative areas it is in, the widest first."""
    people: int = 0
    """How many live there; 0 is not known."""
    is_town: bool = True
    """Whether people live there: an airport may have a city's name."""

    @property
    def label(self) -> str:
        """The place, its region and its country, each said once."""
        return ", ".join(dict.fromkeys(filter(None, (self.name, *self.regions[:1], self.country))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The name of a place, taken apart."""

    name: str
    around: tuple[str, ...] = ()
    """The country or regions that were named with it."""

    @property
    def language(self) -> Language:
        """The language of the name."""
        return "zh" if is_chinese(self.name) else "en"

    @property
    def tries(self) -> tuple[str, ...]:
        """Names to look under, one after the other, until a city is found."""
        bare = ENDING.sub("", self.name)
        known = by_name().get(folded(bare))
        if self.language == "en":
            return tuple(dict.fromkeys((self.name, bare)))
        others = known.names[1:2] if known is not None else (f"{bare}{'区' if self.around else '市'}",)
        return tuple(dict.fromkeys((self.name, bare, *others)))


def asked(city: str) -> Asked:
    """Take a name apart: `Paris, Texas`, `浙江杭州`.

    Raises:
        ToolError: it is none.
    """
    name, *around = (part.strip() for part in re.split(r"[,，、]", city.strip()))
    if len(name) < SHORTEST or len(city) > NAME_LENGTH:
        raise ToolError(
            f"A city's name has {SHORTEST} to {NAME_LENGTH} characters, and {city[:NAME_LENGTH]!r} has not."
        )
    if folded(name) not in by_name() and (parted := parted_name(name)) is not None:
        around, name = [parted[0], *around], parted[1]
    return Asked(name=name, around=tuple(filter(None, around)))


def spots(body: Any) -> list[Spot]:
    """Read the geocoder's answer; what is malformed in it is left out."""
    results = body.get("results") if isinstance(body, Mapping) else None
    listed = results if isinstance(results, list) else []
    return [spot for item in listed if isinstance(item, Mapping) and (spot := _spot(item)) is not None]


def _spot(item: Mapping[str, Any]) -> Spot | None:
    name, latitude, longitude = item.get("name"), item.get("latitude"), item.get("longitude")
    if not isinstance(name, str) or not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    people = item.get("population")
    return Spot(
        name=name,
        latitude=latitude,
        longitude=longitude,
        country=str(item.get("country") or ""),
        country_code=str(item.get("country_code") or ""),
        regions=tuple(str(item[key]) for key in ("admin1", "admin2", "admin3", "admin4") if item.get(key)),
        people=people if isinstance(people, int) else 0,
        is_town=str(item.get("feature_code") or "PPL").startswith("PPL"),
    )


def chosen(ask: Asked, found: Sequence[Spot]) -> tuple[Spot, tuple[Spot, ...]]:
    """Choose the place that is meant, and give others of its name that could be.

    Raises:
        ToolError: none of them can be it.
    """
    if not found:
        raise ToolError(f"No place called {', '.join((ask.name, *ask.around))} is known; check the name.")
    within = [spot for spot in found if _lies_in(spot, ask)]
    if not within:
        known = "; ".join(dict.fromkeys(spot.label for spot in _ranked(ask, found)[:OTHERS]))
        raise ToolError(f"No {ask.name} is known in {', '.join(ask.around)}; there are: {known}.")
    best, *rest = _ranked(ask, within)
    others: dict[str, Spot] = {}
    for spot in rest:
        if spot.is_town and _is_exact(ask, spot) and spot.people * COMPARABLE >= max(best.people, 1):
            others.setdefault(spot.label, spot)
    others.pop(best.label, None)
    return best, tuple(others.values())[:OTHERS]


def is_found(ask: Asked, found: Iterable[Spot]) -> bool:
    """Tell whether there is a city among these that is meant for sure."""
    return any(spot.people >= CITY and _lies_in(spot, ask) and _is_exact(ask, spot) for spot in found)


def _ranked(ask: Asked, found: Sequence[Spot]) -> list[Spot]:
    return sorted(dict.fromkeys(found), key=lambda spot: _weight(ask, spot), reverse=True)


def _weight(ask: Asked, spot: Spot) -> float:
    people = max(spot.people, UNCOUNTED) if spot.is_town else UNCOUNTED / 100
    return people * EXACT if _is_exact(ask, spot) else people


def _is_exact(ask: Asked, spot: Spot) -> bool:
    names = {folded(ENDING.sub("", name)) for name in ask.tries}
    return folded(ENDING.sub("", spot.name)) in names


def _lies_in(spot: Spot, ask: Asked) -> bool:
    return all(_is_in(spot, around) for around in ask.around if is_chinese(around) == (ask.language == "zh"))


def _is_in(spot: Spot, around: str) -> bool:
    key = folded(ENDING.sub("", around))
    code = spot.country_code.casefold()
    if key in {code, folded(spot.country)} or COUNTRIES.get(key) == code:
        return True
    if COUNTRIES.get(key) == "cn" and code in CHINESE:
        return True
    names = {key, *(folded(name) for name in states()[key].names)} if key in states() and code == "us" else {key}
    return any(folded(region).startswith(name) for region in spot.regions for name in names if len(name) >= SHORTEST)
