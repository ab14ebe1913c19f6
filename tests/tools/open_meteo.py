"""Open-Meteo's two services for a few places, without the network: as a `Fetch`, and as a server on loopback.

`python -m tests.tools.open_meteo 8099` serves them by hand, at `http://127.0.0.1:8099/v1/search` and `/v1/forecast`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.upstream import Reply, Request, Upstream, of_json


@dataclass(frozen=True, kw_only=True)
class City:
    """A place as the geocoder has it; names are Chinese and English."""

    id: int
    name: tuple[str, str]
    region: tuple[str, str]
    country: tuple[str, str]
    code: str
    latitude: float
    longitude: float
    timezone: str
    people: int | None = None
    feature: str = "PPL"
    celsius: float = 21.3
    sky: int = 0

    def found(self, language: str) -> dict[str, Any]:
        """The place as an entry of `results`."""
        at = 0 if language == "zh" else 1
        entry = {
            "id": self.id,
            "name": self.name[at],
            "latitude": self.latitude,
            "longitude": self.longitude,
            "elevation": 49.0,
            "feature_code": self.feature,
            "country_code": self.code,
            "admin1_id": self.id + 1,
            "timezone": self.timezone,
            "population": self.people,
            "country_id": self.id + 2,
            "country": self.country[at],
            "admin1": self.region[at],
        }
        return {key: value for key, value in entry.items() if value is not None}


CHINA, US, UK = ("中国", "China"), ("美国", "United States"), ("英国", "United Kingdom")
CITIES = (
    City(
        id=1816670,
        name=("北京", "Beijing"),
        region=("北京市", "Beijing"),
        country=CHINA,
        code="CN",
        latitude=39.9075,
        longitude=116.39723,
        timezone="Asia/Shanghai",
        people=18_960_744,
        feature="PPLC",
        celsius=21.3,
        sky=2,
    ),
    City(
        id=1796236,
        name=("上海", "Shanghai"),
        region=("上海市", "Shanghai"),
        country=CHINA,
        code="CN",
        latitude=31.22222,
        longitude=121.45806,
        timezone="Asia/Shanghai",
        people=24_874_500,
        feature="PPLA",
        celsius=18.0,
        sky=61,
    ),
    City(
        id=2038120,
        name=("朝阳", "Chaoyang"),
        region=("辽宁", "Liaoning"),
        country=CHINA,
        code="CN",
        latitude=41.57028,
        longitude=120.45861,
        timezone="Asia/Shanghai",
        people=430_000,
        celsius=9.5,
    ),
    City(
        id=1815577,
        name=("朝阳区", "Chaoyang District"),
        region=("北京市", "Beijing"),
        country=CHINA,
        code="CN",
        latitude=39.92,
        longitude=116.44,
        timezone="Asia/Shanghai",
        people=50_000,
        celsius=21.0,
    ),
    City(
        id=2988507,
        name=("巴黎", "Paris"),
        region=("法兰西岛", "Île-de-France"),
        country=("法国", "France"),
        code="FR",
        latitude=48.85341,
        longitude=2.3488,
        timezone="Europe/Paris",
        people=2_138_551,
        feature="PPLC",
        celsius=15.0,
        sky=3,
    ),
    City(
        id=4717560,
        name=("巴黎", "Paris"),
        region=("得克萨斯州", "Texas"),
        country=US,
        code="US",
        latitude=33.66094,
        longitude=-95.55551,
        timezone="America/Chicago",
        people=24_782,
        celsius=30.5,
    ),
    City(
        id=4409896,
        name=("斯普林菲尔德", "Springfield"),
        region=("密苏里州", "Missouri"),
        country=US,
        code="US",
        latitude=37.21533,
        longitude=-93.29824,
        timezone="America/Chicago",
        people=166_810,
    ),
    City(
        id=4951788,
        name=("斯普林菲尔德", "Springfield"),
        region=("马萨诸塞州", "Massachusetts"),
        country=US,
        code="US",
        latitude=42.10148,
        longitude=-72.58981,
        timezone="America/New_York",
        people=155_929,
    ),
    City(
        id=4250542,
        name=("斯普林菲尔德", "Springfield"),
        region=("伊利诺伊州", "Illinois"),
        country=US,
        code="US",
        latitude=39.80172,
        longitude=-89.64371,
        timezone="America/Chicago",
        people=116_565,
    ),
    City(
        id=5128581,
        name=("纽约", "New York"),
        region=("纽约州", "New York"),
        country=US,
        code="US",
        latitude=40.71427,
        longitude=-74.00597,
        timezone="America/New_York",
        people=8_804_190,
        celsius=-2.5,
        sky=73,
    ),
    City(
        id=5391959,
        name=("旧金山", "San Francisco"),
        region=("加利福尼亚州", "California"),
        country=US,
        code="US",
        latitude=37.77493,
        longitude=-122.41942,
        timezone="America/Los_Angeles",
        people=864_816,
        celsius=16.0,
        sky=45,
    ),
    City(
        id=6534467,
        name=("约克", "York"),
        region=("英格兰", "England"),
        country=UK,
        code="GB",
        latitude=53.95763,
        longitude=-1.08271,
        timezone="Europe/London",
        people=153_717,
        sky=80,
    ),
    City(
        id=6144312,
        name=("约克顿", "Yorkton"),
        region=("萨斯喀彻温省", "Saskatchewan"),
        country=("加拿大", "Canada"),
        code="CA",
        latitude=51.21393,
        longitude=-102.46284,
        timezone="America/Regina",
        people=1_000_000,
    ),
)
"""What they are like is true, but for Yorkton, which is large here to be in the way."""


def answer(path: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Give the status and the body that the service answers a request with."""
    if path.endswith("/search"):
        return 200, _search(parameters)
    if path.endswith("/forecast"):
        return _forecast(parameters)
    return 404, {"error": True, "reason": "Not Found"}


def _search(parameters: Mapping[str, str]) -> dict[str, Any]:
    name = parameters.get("name", "").casefold()
    found = [city for city in CITIES if any(_matches(name, known.casefold()) for known in city.name)]
    found.sort(key=lambda city: city.people or 0, reverse=True)
    results = [city.found(parameters.get("language", "en")) for city in found][: int(parameters.get("count", "10"))]
    body: dict[str, Any] = {"generationtime_ms": 0.5}
    return {"results": results, **body} if results else body


def _matches(asked: str, known: str) -> bool:
    """Two letters have to be the whole name, three may be its beginning, one is nothing."""
    return known.startswith(asked) if len(asked) > 2 else asked == known and len(asked) == 2


def _forecast(parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    at = float(parameters["latitude"]), float(parameters["longitude"])
    city = next((city for city in CITIES if (city.latitude, city.longitude) == at), None)
    if city is None:
        return 400, {"error": True, "reason": "No data is available for this location"}
    is_celsius = parameters.get("temperature_unit", "celsius") == "celsius"

    def degrees(celsius: float) -> float:
        return celsius if is_celsius else round(celsius * 9 / 5 + 32, 1)

    unit = "°C" if is_celsius else "°F"
    return 200, {
        "latitude": round(city.latitude, 2),
        "longitude": round(city.longitude, 2),
        "generationtime_ms": 0.1,
        "utc_offset_seconds": 28800,
        "timezone": city.timezone,
        "timezone_abbreviation": "GMT+8",
        "elevation": 47.0,
        "current_units": {"time": "iso8601", "interval": "seconds", "temperature_2m": unit, "wind_speed_10m": "km/h"},
        "current": {
            "time": "2025-07-03T12:00",
            "interval": 900,
            "temperature_2m": degrees(city.celsius),
            "apparent_temperature": degrees(city.celsius - 1.5),
            "relative_humidity_2m": 45,
            "weather_code": city.sky,
            "wind_speed_10m": 12.3,
            "is_day": 1,
        },
        "daily_units": {"time": "iso8601", "temperature_2m_max": unit},
        "daily": {
            "time": ["2025-07-03"],
            "temperature_2m_min": [degrees(city.celsius - 6)],
            "temperature_2m_max": [degrees(city.celsius + 4)],
            "precipitation_probability_max": [20],
        },
    }


class FakeFetch:
    """A `Fetch` that asks nobody."""

    def __init__(self) -> None:
        """Answer as the service does, until a test says otherwise."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        """The last part of each URL, and the parameters."""
        self.failing: Exception | None = None
        """Raised instead of an answer."""
        self.bodies: dict[str, Any] = {}
        """Given instead of the answer, by the last part of the URL or by the name that is looked up."""
        self.gate = asyncio.Event()
        """Answers wait for it."""
        self.gate.set()

    async def __call__(self, url: str, parameters: Mapping[str, str | float], *, timeout: float) -> Any:  # noqa: ASYNC109
        path = urlsplit(url).path
        texts = {key: str(value) for key, value in parameters.items()}
        kind = path.rpartition("/")[2]
        self.asked.append((kind, texts))
        await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        for key in (texts.get("name", kind), kind):
            if key in self.bodies:
                return self.bodies[key]
        return answer(path, texts)[1]


class OpenMeteo(Upstream):
    """The two services on a port of this machine; use it in `async with`."""

    def __init__(self, port: int = 0) -> None:
        """Listen on a port; 0 is any that is free."""
        super().__init__()
        self._port = port

    @property
    def geocoding_url(self) -> str:
        """Where names are looked up."""
        return f"{self.url}/search"

    @property
    def forecast_url(self) -> str:
        """Where the weather is."""
        return f"{self.url}/forecast"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    def _reply_to(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        status, body = answer(parts.path, dict(parse_qsl(parts.query)))
        return of_json(body, status=status)


async def _serve(port: int) -> None:
    async with OpenMeteo(port) as service:
        print(f"AI_CHAT would ask {service.geocoding_url} and {service.forecast_url}; stop with Ctrl+C.")  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
