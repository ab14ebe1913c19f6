"""Texts are cut: nothing is lost, nothing is moved, and however odd the text it takes no time."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.knowledge import Chunk, Extract, Section
from ai_chat.knowledge.chunking import TOO_HEAVY, chunks_of
from ai_chat.knowledge.cut import Cut

CUT = Cut()
WORDS = ["quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "runs", "home"]


def extract(*parts: tuple[tuple[str, ...], int | None, str]) -> Extract:
    """Make a text of sections: heading, page and words of each."""
    text, sections = "", []
    for heading, page, words in parts:
        text += "\n\n" if text else ""
        sections.append(Section(start=len(text), end=len(text) + len(words), heading=heading, page=page))
        text += words
    return Extract(text=text, sections=tuple(sections), kind="txt")


def plain(words: str) -> Extract:
    return extract(((), None, words))


def english(count: int, seed: int = 1) -> str:
    chance = random.Random(seed)  # noqa: S311
    return ". ".join(" ".join(["The", *chance.choices(WORDS, k=11)]) for _ in range(count // 12))


def uncovered(text: str, chunks: tuple[Chunk, ...]) -> str:
    """What of a text is in no chunk, without spaces."""
    at, left = 0, ""
    for chunk in chunks:
        left += text[at : max(at, chunk.start)]
        at = max(at, chunk.end)
    return "".join((left + text[at:]).split())


# --- what always holds ---------------------------------------------------------------------------------------------

PIECES = st.one_of(
    st.text(alphabet="ab。，.\n 你好\t\u3000é😀", max_size=400),
    st.builds(
        str.__mul__, st.sampled_from(["x", "好", "word ", "a\n", "句子。", "\n\n", "1.2,", "😀"]), st.integers(1, 900)
    ),
)
HEADINGS = st.lists(st.sampled_from("ABC"), max_size=3).map(tuple)
PARTS = st.lists(st.tuples(HEADINGS, st.one_of(st.none(), st.integers(1, 3)), PIECES), min_size=1, max_size=6)
CUTS = st.builds(
    Cut,
    capacity=st.sampled_from([40.0, 200.0, 700.0]),
    overlap=st.sampled_from([0.0, 0.15, 0.5]),
    tiny=st.sampled_from([0.0, 30.0, 150.0]),
)


@given(parts=PARTS, cut=CUTS)
def test_chunks_are_the_text(parts, cut):
    """Every chunk is exactly what stands between its ends, they go forward, and all but spaces is in one."""
    whole = extract(
        *[(heading, page, words.strip()) for heading, page, words in parts if words.strip()] or [((), None, "x")]
    )
    chunks = chunks_of(whole, cut)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert all(whole.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(chunk.text.strip() and not chunk.text[-1].isspace() for chunk in chunks)
    assert all(a.start <= b.start and a.end < b.end for a, b in itertools.pairwise(chunks))
    assert uncovered(whole.text, chunks) == ""


@given(words=PIECES.filter(str.strip))
def test_no_chunk_is_far_too_large(words):
    """Whatever a text is made of, a chunk weighs hardly more than the capacity."""
    for chunk in chunks_of(plain(words.strip()), CUT):
        wide = sum(character > "\u2fff" for character in chunk.text)
        assert len(chunk.text) + (CUT.wide - 1) * wide <= TOO_HEAVY * CUT.capacity + 10


# --- size and borders ----------------------------------------------------------------------------------------------


def test_a_short_text_is_one_chunk():
    """What fits is not cut."""
    assert [chunk.text for chunk in chunks_of(plain("one. two. three."), CUT)] == ["one. two. three."]


def test_chunks_end_where_sentences_do():
    """A long paragraph is cut between sentences."""
    chunks = chunks_of(plain(english(2000) + "."), CUT)
    assert len(chunks) > 10
    assert all(chunk.text.endswith(".") for chunk in chunks)


def test_chinese_weighs_more():
    """A chunk of Chinese has fewer characters than one of English, for each says more, and ends at a full stop."""
    chunks = chunks_of(plain("知识库的检索首先需要把文档切成小块，然后计算向量。" * 100), CUT)
    lengths = [len(chunk.text) for chunk in chunks]
    assert 200 < sum(lengths) / len(lengths) <= 700 / 2.3
    assert all(chunk.text.endswith("。") for chunk in chunks)


def test_a_change_of_writing_is_no_way_out():
    """Chinese behind a long English text is cut as Chinese."""
    chunks = chunks_of(plain(english(600) + "\n" + "检索需要把文档切成小块。" * 60), CUT)
    assert max(len(chunk.text) for chunk in chunks if "检" in chunk.text[20:]) < 500


def test_neighbours_overlap():
    """A chunk begins with the end of the one before it, as far as the overlap goes and no further."""
    chunks = chunks_of(plain(english(2000)), CUT)
    shared = [before.end - after.start for before, after in itertools.pairwise(chunks)]
    assert sum(each > 0 for each in shared) > len(shared) / 2
    assert max(shared) <= 0.15 * 700
    none = chunks_of(plain(english(2000)), Cut(overlap=0.0))
    assert all(before.end <= after.start for before, after in itertools.pairwise(none))


def test_the_indent_of_code_stays():
    """The first line of a chunk keeps the spaces that it begins with."""
    body = "\n\n".join(f"    def method_{at}(self):\n        return {at} * {'1 + ' * 40}0" for at in range(20))
    chunks = chunks_of(plain(f"class A:\n{body}"), CUT)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("    def") for chunk in chunks[1:])


def test_nothing_tiny_is_left_at_the_end():
    """A last piece of some words goes to the chunk before it."""
    chunks = chunks_of(plain(f"{'a' * 650}. b c d.\n\n{'e' * 40}."), CUT)
    assert len(chunks) == 1


# --- sections ------------------------------------------------------------------------------------------------------


def test_a_chunk_keeps_to_its_section():
    """Each has the heading and the page of the section it is from."""
    chunks = chunks_of(extract((("A",), 1, "a " * 300), (("B",), 2, "b " * 300)), CUT)
    assert [(chunk.heading, chunk.page, chunk.text[0]) for chunk in chunks] == [(("A",), 1, "a"), (("B",), 2, "b")]
    assert chunks[1].place == "p. 2 · B"


@pytest.mark.parametrize(
    ("headings", "merged"),
    [
        ([("A", "x"), ("A", "y")], [("A",)]),
        ([("A",), ("A", "x")], [("A", "x")]),
        ([(), ("A",)], [("A",)]),
        ([("A", "x"), ("B", "y")], [("A", "x"), ("B", "y")]),
        ([("A", "x"), ("A", "y"), ("A", "z")], [("A",)]),
    ],
    ids=["sisters", "parent", "preface", "strangers", "three"],
)
def test_tiny_sections_are_put_together_below_their_parent(headings, merged):
    """Sections of a few words that share a parent become one chunk; others do not."""
    parts = [(heading, None, "word " * (at + 1) + "end") for at, heading in enumerate(headings)]
    assert [chunk.heading for chunk in chunks_of(extract(*parts), CUT)] == merged


def test_tiny_sections_may_share_a_chunk_over_a_page():
    """The page is that of the beginning; what is not tiny never crosses one."""
    tiny = chunks_of(extract((("A",), 1, "few words"), (("A",), 2, "more words")), CUT)
    assert [(chunk.page, chunk.text) for chunk in tiny] == [(1, "few words\n\nmore words")]
    large = chunks_of(extract((("A",), 1, "a " * 120), (("A",), 2, "b " * 120)), CUT)
    assert [chunk.page for chunk in large] == [1, 2]


# --- time ----------------------------------------------------------------------------------------------------------

ODD = {
    "a line without spaces": "x" * 5_000_000,
    "Chinese without a stop": "好" * 2_000_000,
    "one line of words": "word " * 1_000_000,
    "a letter a line": "a\n" * 2_500_000,
    "empty lines": "a\n\n\n" * 1_000_000,
    "paragraphs": "\n\n".join([english(120)] * 7_000),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_millions_of_characters_take_seconds(text):
    """No text, however odd, makes the time grow with the square of its length."""
    before = time.process_time()
    chunks = chunks_of(plain(text.strip()), CUT)
    assert time.process_time() - before < 30
    assert len(chunks) > len(text) / 900


def test_a_hundred_thousand_sections_take_seconds():
    """Sections are many where a text has many headings."""
    whole = extract(*[((f"h{at}",), None, f"heading {at}") for at in range(2)])
    text = "\n\n".join(f"heading {at}\nbody" for at in range(100_000))
    starts = [0, *[at + 2 for at in range(len(text)) if text.startswith("\n\n", at)]]
    sections = tuple(
        Section(start=start, end=end, heading=("A", str(start)))
        for start, end in zip(starts, [*(start - 2 for start in starts[1:]), len(text)], strict=True)
    )
    before = time.process_time()
    chunks = chunks_of(Extract(text=text, sections=sections, kind=whole.kind), CUT)
    assert time.process_time() - before < 30
    assert uncovered(text, chunks) == ""
