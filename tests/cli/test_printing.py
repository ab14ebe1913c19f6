"""What people see on stdout and stderr."""

from __future__ import annotations

import pytest

from ai_chat.cli.printing import VISIBLE, Output, Voice, say, size, table
from ai_chat.core.events import Notice

GIGABYTE = 10**9


def test_a_download_without_a_terminal(capsys):
    """Where there is no terminal, a line is written for every ten percent and none between."""
    voice = Voice()
    for percent in range(101):
        voice.notice(Notice("download", "Fetching m", {"done": percent * GIGABYTE // 100, "total": GIGABYTE}))
    assert capsys.readouterr().err.splitlines() == [
        f"Fetching m {percent} % of 1.0 GB" for percent in range(0, 101, 10)
    ]


def test_a_download_that_begins_in_the_middle(capsys):
    """A download that is gone on with begins where it was."""
    voice = Voice()
    for done in (550, 580, 610):
        voice.download("Fetching m", done, 1000)
    assert capsys.readouterr().err.splitlines() == ["Fetching m 55 % of 0.0 MB", "Fetching m 61 % of 0.0 MB"]


def test_a_download_of_unknown_size(capsys):
    """Where nobody knows the size, it is told once that something comes."""
    voice = Voice()
    for done in (1, 2, 3):
        voice.download("Fetching m", done, None)
    assert capsys.readouterr().err == "Fetching m\n"


def test_a_terminal_is_not_steered(monkeypatch, capsysbinary):
    """Control characters reach a terminal as pictures, and a pipe as they are."""
    escape = "\x1b[2J\x07\x9b\ta\r\n"
    assert escape.translate(VISIBLE) == "␛[2J␇\ufffd\ta\n"
    Output().text(escape)
    assert capsysbinary.readouterr().out == escape.encode()


def test_half_a_character_is_replaced(capsysbinary):
    """Half of a surrogate pair in an answer does not end the command."""
    Output().text("a\ud800b")
    assert capsysbinary.readouterr().out == b"a?b"


def test_a_sentence_that_stderr_cannot_write(monkeypatch, capsys):
    """Without a stderr nothing is said, and nothing fails."""
    monkeypatch.setattr("sys.stderr", None)
    say("A sentence.")
    Voice().line("Another.")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("count", "shown"), [(491_400_064, "0.5 GB"), (52_428_800, "52.4 MB"), (0, "0.0 MB")])
def test_sizes(count, shown):
    """Bytes are written as people read them."""
    assert size(count) == shown


def test_table():
    """Columns are as wide as their widest cell, and no line ends in blanks."""
    assert table([("a", 1, ""), ("bcd", 22, "x")]) == "a    1\nbcd  22  x\n"


def test_a_table_of_chinese():
    """Characters of Chinese take two columns, so what is beside them stands where it should."""
    assert table([("NAME", "N"), ("年假", 1), ("cafe\u0301", 2)]) == "NAME  N\n年假  1\ncafe\u0301  2\n"
