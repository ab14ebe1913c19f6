"""What is told while the first word is awaited."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def shown(kind: str, data: dict, *, event: str = "notice", language: str = "en") -> AppTest:
    """Draw what is told of a notice."""

    def script(event, kind, data):
        import streamlit as st

        from ai_chat.core.runs import RunEvent
        from ai_chat.ui.parts.progress import Waiting

        Waiting(st.empty()).show(RunEvent(2, event, {"kind": kind, "text": "English.", "data": data}))

    page = AppTest.from_function(script, args=(event, kind, data))
    page.query_params["lang"] = language
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("loading", {"model": "m"}, "Loading the model"),
        ("queued", {"before": 3}, "3 before you"),
        ("reading", {"tokens": 1234}, "1,234 tokens"),
        ("window", {"turns": 4}, "4 oldest messages"),
        ("memory", {"model": "small"}, "small"),
        ("download", {"stage": "checking"}, "Checking"),
        ("download", {"stage": "trying"}, "Looking for a source"),
        ("download", {"stage": "downloading", "done": 5_000_000, "total": None}, "5 MB"),
        ("news to come", {}, "English"),
    ],
)
def test_every_notice_has_its_sentence(kind, data, words):
    """It says what is waited for, with its numbers; one that nobody translated is told as it came."""
    assert words in shown(kind, data).markdown[0].value.replace("\\", "")


def test_a_download_has_a_bar():
    """How much is here of how much, and from where."""
    data = {"stage": "downloading", "done": 120_000_000, "total": 480_000_000, "source": "a mirror"}
    bar = shown("download", data).get("progress")[0].proto
    assert bar.value == 25
    assert "from a mirror" in bar.text
    assert "120 of 480 MB" in bar.text


def test_a_download_elsewhere_says_so():
    """Another process may be fetching the same."""
    data = {"stage": "waiting", "done": 1_000_000, "total": 2_000_000}
    assert "Another window or program" in shown("download", data).get("progress")[0].proto.text


def test_a_retry_counts_down():
    """Why, and in how many seconds."""
    page = shown("retry", {"seconds": 8.0, "code": "rate_limit_exceeded"}, event="retry")
    assert "Too many requests for now" in page.markdown[0].value
    assert "Trying again in 8 s" in page.markdown[0].value


def test_it_speaks_chinese():
    """The same in the other language."""
    assert "载入内存" in shown("loading", {"model": "m"}, language="zh").markdown[0].value
