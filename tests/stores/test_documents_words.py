"""What chunks are found by, and what queries look for."""

import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.stores.document_words import (
    LEVELS,
    LONGEST_CHUNK,
    LONGEST_NAME,
    QUERIED_TERMS,
    Term,
    base_form,
    chunk_words,
    query_terms,
)

TEXTS = st.text(st.characters() | st.sampled_from("北京天气ガがｶﾞ한국어 abcXYZ_09ＡÄß²³\0\ud800'\"*&|!()"), max_size=200)
MARKS = "".join(mark for mark, _, _ in LEVELS)


def words_of(text: str) -> str:
    return chunk_words("", (), text).words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello WORLD!", "hello world"),
        ("to be or not to be", "to be or not to² be²"),
        ("a a a b", "a b a² a³"),
        ("a a a a a", "a a² a³ a⁵"),
        ("北京天气", "北京 京天 天气 气"),
        ("北京北京", "北京 京北 京 北京² 北² 京²"),
        ("猫，猫，猫", "猫 猫² 猫³"),
        ("学Python3吧", "python3 学 吧"),
        ("x² x2", "x2 x2²"),
        ("'\"*&|!()\0 \ud800", ""),
        ("", ""),
    ],
)
def test_words_of_a_chunk(text, words):
    """Words and pairs once, with marks for how often they come; of single characters those at the end of a run."""
    assert sorted(words_of(text).split()) == sorted(words.split())


def test_a_name_and_headings_count_too():
    """They are cut like the text, and no pair is made across their borders."""
    found = chunk_words("年报.pdf", ("第一章", "Rain"), "雨 rain")

    assert found.words.split() == ["年报", "pdf", "第一", "一章", "rain", "报", "章", "雨", "rain²"]
    assert found.length == 9


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("北", [Term("北", is_beginning=True)]),
        ("北京", [Term("北京")]),
        ("北京天 Python 北京", [Term("北京"), Term("京天"), Term("python")]),
        ("C 语言 的", [Term("c"), Term("语言"), Term("的", is_beginning=True)]),
        ("x²", [Term("x2")]),
        ("***", []),
        ("", []),
    ],
)
def test_terms_of_a_query(text, terms):
    """A run is looked for by its pairs, a single character by what begins with it."""
    assert list(query_terms(text)) == terms


@given(TEXTS, st.integers(0, 200), st.integers(1, 50))
def test_any_piece_of_a_text_is_found(text, start, length):
    """Whatever is cut out of a text between signs, the chunk has its words."""
    words = words_of(text).split()
    for piece in "".join(sign if sign.isalnum() else " " for sign in unicodedata.normalize("NFKC", text)).split():
        for term in query_terms(piece):
            assert any(word == term.word or (term.is_beginning and word.startswith(term.word)) for word in words)


@given(TEXTS)
def test_words_hold_letters_digits_and_marks_alone(text):
    """No sign of a query language, no space, no NUL and no surrogate is left in a word, and no word comes twice."""
    words = words_of(text).split(" ") if words_of(text) else []
    signs = {sign for word in words for sign in word} | {sign for term in query_terms(text) for sign in term.word}

    assert len(words) == len(set(words))
    kinds = {unicodedata.category(sign) for sign in signs - set(MARKS)} - {"Cn"}  # characters newer than this Python
    assert not [kind for kind in kinds if kind[0] not in "LN"]
    assert not [term for term in query_terms(text) if set(term.word) & set(MARKS)]


def test_bounds():
    """Long names, queries and chunks are cut; PostgreSQL takes no more than a mebibyte of words for a chunk."""
    assert chunk_words("x " * 10_000, ("y " * 10_000,) * 9, "").length == LONGEST_NAME
    assert len(query_terms(" ".join(map(str, range(10_000))))) == QUERIED_TERMS
    assert query_terms("，" * 100_000 + "word") == ()
    everything = "".join(map(chr, range(0x20000, 0x2A6D6)))
    assert chunk_words("", (), everything * 9).length <= LONGEST_CHUNK
    for text in (everything, everything[:25_000] * 2, everything[:10_000] * 5, "\ufdfa" * 50_000):
        assert len(words_of(text).replace(" ", "").encode()) < 2**20


def test_threads_do_not_mix_up_their_words():
    """Documents that are cut at the same time in several threads get the words that each of them has alone."""
    texts = [" ".join(f"{word}{ending}" for word in words) for ending in ("ing", "ations", "ness", "ities")
             for words in (("generaliz", "relat", "hop"), ("operat", "condition", "argu"))]  # fmt: skip
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(50):
                base_form.cache_clear()
                found = list(threads.map(words_of, texts * 4))
                base_form.cache_clear()
                assert found == [words_of(text) for text in texts] * 4
    finally:
        sys.setswitchinterval(before)
