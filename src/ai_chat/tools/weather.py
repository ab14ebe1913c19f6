"""The weather as it is now, asked of Open-Meteo. What is not known is said to be unknown, and never made up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..core.errors import ConnectionFailed, UpstreamFailed, UpstreamTimeout
from ..core.ports import Fetch
from .errors import ToolError
from .weather_codes import Language, condition
from .weather_places import Asked, Spot, asked, chosen, is_found, spots

GEOCODING_URL = "https://geocoding-api.open-meteo.com/v1/search"
FORECAST_URL = "https://api.open-meteo.com/v1/forecast"
SECONDS = 10.0
"""One request takes this long at most."""
FRESH_SECONDS = 600.0
"""The service computes the weather anew every quarter of an hour."""
KEPT = 256
"""Answers that are kept."""
CURRENT = "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m,is_day"
DAILY = "temperature_2m_min,temperature_2m_max,precipitation_probability_max"

Unit = Literal["celsius", "fahrenheit"]


@dataclass(slots=True)
class _Flight:
    """A question on its way, for all who ask the same."""

    task: asyncio.Task[dict[str, Any]]
    waiting: int = 0


class Weather:
    """Tells the weather in any city. It belongs to one event loop."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        monotonic: Callable[[], float],
        geocoding_url: str = GEOCODING_URL,
        forecast_url: str = FORECAST_URL,
    ) -> None:
        """Take the way out and a clock.

        Args:
            fetch: gets JSON from a web service.
            monotonic: seconds that only go forward, for what is kept.
            geocoding_url: where names of places are looked up.
            forecast_url: where the weather of coordinates is.
        """
        self._fetch = fetch
        self._monotonic = monotonic
        self._geocoding_url = geocoding_url
        self._forecast_url = forecast_url
        self._kept: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def get_current_weather(self, city: str, unit: Unit = "celsius") -> dict[str, Any]:
        """Tell the weather in a city now, and today's lowest and highest temperature.

        Args:
            city: The city's name, Chinese or English; with its country or region if the name is common (Paris, Texas).
            unit: The unit of temperatures.
        """
        key = (city.strip().casefold(), unit)
        until, answer = self._kept.get(key, (0.0, None))
        if answer is None or self._monotonic() >= until:
            answer = await self._shared(key, city, unit)
        return dict(answer)

    async def _shared(self, key: tuple[str, str], city: str, unit: Unit) -> dict[str, Any]:
        """Ask once for all who ask at the same time; it goes on for as long as one of them waits."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(self._ask(key, city, unit)))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                if self._flights.get(key) is flight:
                    del self._flights[key]

    async def _ask(self, key: tuple[str, str], city: str, unit: Unit) -> dict[str, Any]:
        ask = asked(city)
        best, others = chosen(ask, await self._find(ask))
        body = await self._get(
            self._forecast_url,
            {
                "latitude": best.latitude,
                "longitude": best.longitude,
                "current": CURRENT,
                "daily": DAILY,
                "forecast_days": 1,
                "temperature_unit": unit,
                "wind_speed_unit": "kmh",
                "timezone": "auto",
            },
        )
        answer = _told(best, others, body, unit, ask.language)
        self._keep(key, answer)
        return answer

    async def _find(self, ask: Asked) -> list[Spot]:
        """Look a place up, under its other names too if what comes is no city."""
        found: list[Spot] = []
        for name in ask.tries:
            body = await self._get(
                self._geocoding_url, {"name": name, "count": 10, "language": ask.language, "format": "json"}
            )
            found += spots(body)
            if is_found(ask, found):
                break
        return found

    async def _get(self, url: str, parameters: Mapping[str, str | float]) -> Any:
        try:
            return await self._fetch(url, parameters, timeout=SECONDS)
        except (ConnectionFailed, UpstreamTimeout) as error:
            raise ToolError(
                "The weather service cannot be reached, so nothing is known of the weather. Say so, and do not guess."
            ) from error
        except UpstreamFailed as error:
            raise ToolError(
                "The weather service gave no answer, so nothing is known of the weather. Say so, and do not guess."
            ) from error

    def _keep(self, key: tuple[str, str], answer: dict[str, Any]) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._monotonic() + FRESH_SECONDS, answer)


def _told(best: Spot, others: tuple[Spot, ...], body: Any, unit: Unit, language: Language) -> dict[str, Any]:
    """Say what came, with units; what did not come is left out."""
    current, today = _part(body, "current"), _part(body, "daily")
    is_day = _number(current.get("is_day"))
    degrees = "°C" if unit == "celsius" else "°F"
    if _number(current.get("temperature_2m")) is None:
        raise ToolError(
            "The weather service told no temperature, so the weather is not known. Say so, and do not guess."
        )
    told = {
        "place": best.name,
        "region": best.regions[0] if best.regions else None,
        "country": best.country or None,
        "local_time": current["time"] if isinstance(current.get("time"), str) else None,
        "condition": condition(_number(current.get("weather_code")), language),
        "temperature": _measured(current.get("temperature_2m"), degrees),
        "feels_like": _measured(current.get("apparent_temperature"), degrees),
        "humidity": _measured(current.get("relative_humidity_2m"), "%"),
        "wind": _measured(current.get("wind_speed_10m"), "km/h"),
        "is_day": None if is_day is None else is_day != 0,
        "today_lowest": _measured(_first(today.get("temperature_2m_min")), degrees),
        "today_highest": _measured(_first(today.get("temperature_2m_max")), degrees),
        "chance_of_precipitation_today": _measured(_first(today.get("precipitation_probability_max")), "%"),
        "other_places": [spot.label for spot in others] or None,
        "source": "Open-Meteo",
    }
    return {name: value for name, value in told.items() if value is not None}


def _part(body: Any, name: str) -> Mapping[str, Any]:
    part = body.get(name) if isinstance(body, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) and values else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _measured(value: Any, unit: str) -> str | None:
    number = _number(value)
    return None if number is None else f"{number:g} {unit}"
