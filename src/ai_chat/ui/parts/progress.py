"""What is told while the first word of an answer is awaited: fetching, loading, the line, a wait before a retry."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.runs import RunEvent
from ..state import say
from ..texts import has
from .trouble import plain

MEGABYTE = 1_000_000
MINUTE = 60
STEADY_SECONDS = 1.0
"""How long a fetch is watched before its speed is told."""


@dataclass(slots=True)
class Speed:
    """How fast something comes, over all that was seen of it."""

    begun: float | None = None
    first: int = 0

    def told(self, done: int) -> float | None:
        """Take how many bytes are here; give bytes per second, None while that cannot be told."""
        now = time.monotonic()
        if self.begun is None or done < self.first:
            self.begun, self.first = now, done
        passed = now - self.begun
        return (done - self.first) / passed if passed >= STEADY_SECONDS and done > self.first else None


class Waiting:
    """Tells in one place what is being waited for."""

    def __init__(self, place: Any) -> None:
        """Take an empty place."""
        self._place = place
        self._shown: str | None = None
        self._speed = Speed()
        self._noted: tuple[int, float] = (0, 0.0)

    def show(self, news: RunEvent | None) -> None:
        """Show where things stand; nothing is sent if it says the same as before."""
        if news is None or news.kind == "tool_result":
            self._line(say("waiting"))
        elif news.kind == "tool_call":
            self.clear()  # its box tells
        elif news.kind == "reasoning":
            self.clear()  # what stands above tells more
        elif news.kind == "retry":
            self._line(self._retry(news))
        elif news.data["kind"] == "download":
            self._download(news.data["data"])
        else:
            self._line(_notice(news.data["kind"], news.data["data"], news.data["text"]))

    def clear(self) -> None:
        """Take it away: the answer has begun."""
        if self._shown is not None:
            self._shown = None
            self._place.empty()

    def _line(self, words: str) -> None:
        if words != self._shown:
            self._shown = words
            self._place.markdown(f":shimmer[{plain(words)}]")

    def _retry(self, news: RunEvent) -> str:
        if self._noted[0] != news.number:
            self._noted = (news.number, time.monotonic())
        data = news.data["data"]
        key = f"reason_{data.get('code')}"
        reason = say(key if has(key) else "reason_other")
        left = float(data.get("seconds") or 0) - (time.monotonic() - self._noted[1])
        return say("retry_in", reason=reason, seconds=f"{left:.0f}") if left > 0 else say("retrying", reason=reason)

    def _download(self, data: Mapping[str, Any]) -> None:
        done, total = data.get("done"), data.get("total")
        if done is None:
            self._line(say("checking" if data.get("stage") == "checking" else "connecting"))
            return
        words = _download_words(data, self._speed.told(done))
        if words == self._shown:
            return
        self._shown = words
        if total:
            self._place.progress(min(done / total, 1.0), text=plain(words))
        else:
            self._place.markdown(f":shimmer[{plain(words)}]")


def _notice(kind: str, data: Mapping[str, Any], words: str) -> str:
    if kind == "loading":
        return say("loading")
    if kind == "queued":
        return say("queued", before=data.get("before", "?"))
    if kind == "reading":
        return say("reading", tokens=f"{data.get('tokens', 0):,}")
    if kind == "memory":
        return say("memory", model=data.get("model", "?"))
    if kind in {"asked_again", "choosing", "confirm"}:
        return say(kind)
    if kind in {"summary", "summary_failed"}:
        return say(kind)
    if kind == "window":
        return say("window", turns=data.get("turns", "?"))
    return words


def _download_words(data: Mapping[str, Any], speed: float | None) -> str:
    done, total, source = data["done"], data.get("total"), data.get("source")
    if data.get("stage") == "waiting":
        begin = say("fetching_elsewhere")
    else:
        begin = say("fetching_source", source=source) if source else say("fetching")
    facts = [
        say("fetched", done=f"{done // MEGABYTE:,}", total=f"{total // MEGABYTE:,}")
        if total
        else say("fetched_some", done=f"{done // MEGABYTE:,}")
    ]
    if speed is not None:
        facts.append(say("fetch_speed", speed=f"{speed / MEGABYTE:.1f}"))
        if total:
            facts.append(say("fetch_left", left=_length((total - done) / speed)))
    return f"{begin} {' · '.join(facts)}"


def _length(seconds: float) -> str:
    if seconds < MINUTE:
        return say("seconds", count=max(round(seconds), 1))
    return say("minutes", count=round(seconds / MINUTE))
