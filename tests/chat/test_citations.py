"""What an answer may cite, and what is shown of it."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.knowledge.passages import passage

from ai_chat.chat.citations import CitationFilter
from ai_chat.core.sources import Source, Sources, cited


def through(text: str, known: set[int], *, size: int = 10**6) -> tuple[str, list[int]]:
    checking = CitationFilter(known)
    pieces = [checking.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*pieces, checking.end()]), checking.made_up


@pytest.mark.parametrize(
    ("text", "shown", "made_up"),
    [
        ("Paid within 14 days [1].", "Paid within 14 days [1].", []),
        ("Paid within 14 days [7].", "Paid within 14 days.", [7]),
        ("十四天内付款[1]。", "十四天内付款[1]。", []),
        ("十四天内付款【2】。", "十四天内付款[2]。", []),
        ("Both [1, 2] and one [1,9].", "Both [1][2] and one [1].", [9]),
        ("As a footnote [^2].", "As a footnote [2].", []),
        ("None [8][9].", "None.", [8, 9]),
        ("In code `a[9]` and\n```\nb[7]\n```\nbut not [7].", "In code `a[9]` and\n```\nb[7]\n```\nbut not.", [7]),
        ("A list [a, b], a year [2024], a link [x](y), [] and [ ].", None, []),
        ("Left open [1", "Left open [1", []),
        ("[1] begins, [9] too", "[1] begins, too", [9]),
        ("``a ` [9]`` [1]", "``a ` [9]`` [1]", []),
    ],
)
def test_only_what_was_found_is_cited(text: str, shown: str | None, made_up: list[int]) -> None:
    """A number of nothing is taken out with the space before it; all else stays as it is."""
    expected = (text if shown is None else shown, made_up)
    assert through(text, {1, 2}) == expected
    for size in (1, 2, 3, 5):
        assert through(text, {1, 2}, size=size) == expected


@given(st.text("[]【】 0123,`a\n^、", max_size=40), st.integers(1, 7))
def test_pieces_make_no_difference(text: str, size: int) -> None:
    """However a text is cut on its way, the same is shown in the end, and no citation of nothing is among it."""
    whole, made_up = through(text, {1, 2})
    pieces, made_up_in_pieces = through(text, {1, 2}, size=size)
    assert (pieces, made_up_in_pieces) == (whole, made_up)
    numbers = {source.number for source in cited(whole, [Source(number=n, passage=passage()) for n in range(1000)])}
    assert numbers <= {1, 2}


def test_what_is_held_back_is_little() -> None:
    """Text comes at once; only what may become a citation waits, and not for long."""
    checking = CitationFilter({1})
    assert checking.feed("It is so [") == "It is so"
    assert checking.feed("1") == ""
    assert checking.feed("]. And") == " [1]. And"
    assert checking.feed(" so `on") == " so "
    assert checking.feed("` it") == "`on` it"
    assert checking.feed(" [not a citation") == " [not a citation"


def test_a_passage_keeps_its_number() -> None:
    """Found again, it has the number it had; a changed document's passage is another."""
    sources = Sources()
    first, second = sources.add([passage("a.md"), passage("b.md")])
    assert (first.number, second.number) == (1, 2)
    sources.begin()
    assert 1 not in sources
    again, third = sources.add([passage("b.md"), passage("b.md", digest="newer")])
    assert (again.number, third.number) == (2, 3)
    assert (1 in sources, 2 in sources, 3 in sources) == (False, True, True)


def test_earlier_answers_have_their_numbers() -> None:
    """Numbers go on behind those of earlier answers, which cannot be cited any more."""
    sources = Sources(known=[Source(number=4, passage=passage("old.md"))])
    (new,) = sources.add([passage("new.md")])
    assert new.number == 5
    assert 4 not in sources


def test_what_is_cited_in_code_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """The list of sources has what the text cites, once each, in its order."""
    sources = [Source(number=number, passage=passage(f"{number}.md")) for number in (1, 2, 3)]
    with caplog.at_level(logging.WARNING):
        found = cited("First [2], then `x[1]`, then [3][2].", sources)
    assert [source.number for source in found] == [2, 3]
