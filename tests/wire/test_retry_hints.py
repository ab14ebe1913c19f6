"""How long upstreams ask us to wait."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from ai_chat.wire.retry_hints import retry_after

NOON = "Tue, 24 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry-after": "120"}, 120, id="seconds"),
        pytest.param({"retry-after": " 1.5 "}, 1.5, id="a fraction"),
        pytest.param({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT", "date": NOON}, 30, id="a date"),
        pytest.param({"retry-after-ms": "500", "retry-after": "30"}, 0.5, id="milliseconds win"),
        pytest.param({"retry-after-ms": "soon", "retry-after": "7"}, 7, id="bad milliseconds do not"),
        pytest.param({"x-ratelimit-reset-requests": "1s"}, 1, id="a limit's reset"),
        pytest.param({"x-ratelimit-reset-tokens": "1h2m3.5s"}, 3723.5, id="hours"),
        pytest.param({"x-ratelimit-reset-tokens": "20ms"}, 0.02, id="a reset in milliseconds"),
        pytest.param({"x-ratelimit-reset-tokens": "12"}, 12, id="a reset in bare seconds"),
        pytest.param({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "9s"}, 9, id="the later reset"),
        pytest.param(
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "9000",
            },
            1,
            id="the limit that is spent",
        ),
        pytest.param({"retry-after": "3", "x-ratelimit-reset-tokens": "6m0s"}, 3, id="the standard before resets"),
    ],
)
def test_the_wait_is_read(headers: dict[str, str], seconds: float) -> None:
    """The most exact hint counts."""
    assert retry_after(headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        *("0", "-10", "nan", "inf", "-inf", "1e3", "9" * 35, "999999999999", "soon", "二十", ""),
        *("Fri, 29 Sep 100000 16:26:57 GMT", "Tue, 24 Nov 2026 11:59:50 GMT", "Tue, 99 Nov 2026 11:59:50 GMT"),
    ],
)
def test_nonsense_is_no_hint(value: str) -> None:
    """Neither a crash nor a wait that is negative, endless or not a number."""
    assert retry_after({"retry-after": value, "date": NOON}) is None
    assert retry_after({"retry-after-ms": value}) is None
    assert retry_after({"x-ratelimit-reset-tokens": value}) is None


def test_a_date_is_taken_by_our_clock_where_the_upstream_tells_no_time() -> None:
    """Without a `date` header there is no other clock."""
    wait = retry_after({"retry-after": formatdate(time.time() + 60, usegmt=True)})

    assert wait is not None
    assert 50 < wait < 70


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Limit 3, Used 3. Please try again in 20s. Visit …", 20),
        ("Please retry in 34.2s.", 34.2),
        ("try again in 6m0s", 360),
        ("try again in 120ms", 0.12),
        ("try again in a moment", None),
        ("try again in ...s", None),
    ],
)
def test_the_message_tells_where_no_header_does(message: str, seconds: float | None) -> None:
    """It knows better than the time until a limit is whole again."""
    assert retry_after({"x-ratelimit-reset-tokens": "1h"} if seconds else {}, message) == seconds
    assert retry_after({"retry-after": "5"}, message) == 5
