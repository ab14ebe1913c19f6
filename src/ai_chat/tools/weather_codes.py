"""The weather in words: WMO's codes (table 4677) as far as Open-Meteo uses them, in Chinese and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

CONDITIONS = {
    0: ("晴", "clear sky"),
    1: ("大部晴朗", "mainly clear"),
    2: ("多云", "partly cloudy"),
    3: ("阴", "overcast"),
    45: ("雾", "fog"),
    48: ("冻雾", "depositing rime fog"),
    51: ("小毛毛雨", "light drizzle"),
    53: ("毛毛雨", "moderate drizzle"),
    55: ("浓毛毛雨", "dense drizzle"),
    56: ("小冻毛毛雨", "light freezing drizzle"),
    57: ("浓冻毛毛雨", "dense freezing drizzle"),
    61: ("小雨", "slight rain"),
    63: ("中雨", "moderate rain"),
    65: ("大雨", "heavy rain"),
    66: ("小冻雨", "light freezing rain"),
    67: ("大冻雨", "heavy freezing rain"),
    71: ("小雪", "slight snowfall"),
    73: ("中雪", "moderate snowfall"),
    75: ("大雪", "heavy snowfall"),
    77: ("米雪", "snow grains"),
    80: ("小阵雨", "slight rain showers"),
    81: ("阵雨", "moderate rain showers"),
    82: ("强阵雨", "violent rain showers"),
    85: ("小阵雪", "slight snow showers"),
    86: ("大阵雪", "heavy snow showers"),
    95: ("雷阵雨", "thunderstorm"),
    96: ("雷阵雨伴小冰雹", "thunderstorm with slight hail"),
    99: ("雷阵雨伴大冰雹", "thunderstorm with heavy hail"),
}
"""Chinese and English words by code."""


def condition(code: float | None, language: Language) -> str | None:
    """Say what a code means; None if it is not known."""
    words = None if code is None else CONDITIONS.get(int(code))
    return None if words is None else words[0 if language == "zh" else 1]
