"""What is asked: put together from words and from what is piped in."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.cli.question import (
    MOST_BYTES,
    checked,
    checked_conversation,
    checked_parameters,
    prompt_from,
    read_all,
    text_of,
)
from ai_chat.core.errors import BadRequest, RequestTooLarge


class Stdin(io.TextIOWrapper):
    """A stdin with these bytes, at a terminal or not."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("words", "stdin", "prompt"),
    [
        (("what", "is", "SSE?"), b"", "what is SSE?"),
        ((), b"piped\n", "piped\n"),
        (("explain",), b"code\n", "explain\n\ncode\n"),
        (("explain", "-"), b"code\n", "explain\n\ncode\n"),
        (("-",), b"\xef\xbb\xbfcode", "code"),
        (("q",), b"  \n", "q"),
    ],
    ids=["words", "stdin", "both", "both, said so", "byte order mark", "blank stdin"],
)
def test_prompt(monkeypatch, words, stdin, prompt):
    """Words are joined, and what is piped in is put below them."""
    monkeypatch.setattr("sys.stdin", Stdin(stdin))
    assert prompt_from(words) == prompt


def test_a_terminal_is_not_read(monkeypatch):
    """Where a person sits at stdin, only `-` reads it."""
    monkeypatch.setattr("sys.stdin", Stdin(b"typed", terminal=True))
    assert prompt_from(["q"]) == "q"
    assert prompt_from(["q", "-"]) == "q\n\ntyped"


def test_a_closed_stdin_is_none(monkeypatch):
    """A process without a stdin asks what its words say."""
    monkeypatch.setattr("sys.stdin", None)
    assert prompt_from(["q"]) == "q"


def test_another_encoding_is_read_as_the_machine_has_it(monkeypatch):
    """Where the machine's encoding is not UTF-8, text in it is understood."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(), encoding="gbk"))
    assert text_of("你好".encode("gbk"), "Standard input") == "你好"
    with pytest.raises(BadRequest, match="neither UTF-8 nor gbk"):
        text_of(b"\xff\xff", "Standard input")


def test_too_much_is_refused():
    """What no model could read is not read to its end."""
    endless = io.BytesIO(bytes(MOST_BYTES + 10))
    with pytest.raises(RequestTooLarge):
        read_all(endless, must_come=True)
    assert endless.tell() == MOST_BYTES + 1


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_text_is_taken_as_it_is(text):
    """Any Unicode text without NUL passes unchanged."""
    assert checked(text, "It") == text


@given(st.text(), st.sampled_from(["\0", "\ud800", "\udcff"]), st.text())
def test_what_is_no_text_is_refused(before, wrong, after):
    """NUL and halves of surrogate pairs are refused wherever they stand."""
    with pytest.raises(BadRequest, match="It holds a"):
        checked(before + wrong + after, "It")


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 64])
def test_conversation_ids(name):
    """An id of letters, digits, _ and - is taken."""
    assert checked_conversation(name) == name


@pytest.mark.parametrize("name", ["", "a b", "../a", "a\n", "x" * 65, "你", "\udcff"])
def test_wrong_conversation_ids(name):
    """Any other id is refused before a store sees it."""
    with pytest.raises(BadRequest, match="1 to 64"):
        checked_conversation(name)


def test_only_parameters_that_were_said_are_sent():
    """What was not said is left to the settings and the upstream."""
    said = checked_parameters(temperature=0.0, top_p=None, max_tokens=5, stop=[])
    assert said == {"temperature": 0.0, "max_tokens": 5}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(value):
    """They would silently become null."""
    with pytest.raises(BadRequest, match="temperature is"):
        checked_parameters(temperature=value)
