"""How text is cut into the words it is found by."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.stores.segments import (
    LONGEST_WORD,
    QUERY_WORDS,
    SEARCHED_CHARACTERS,
    index_words,
    is_spaceless,
    query_words,
)

TEXTS = st.text(st.characters() | st.sampled_from("北京天气ガがｶﾞ한국어 abcXYZ_09ＡÄß\0\ud800'\"*&|!()"), max_size=200)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, hello WORLD!", "hello world"),
        ("北京天气", "北 京 天 气 北京 京天 天气"),
        ("学Python3吧", "学 python3 吧"),
        ("get_user_name", "get user name"),
        ("ＡＢＣ １２ ｶﾞ", "abc 12 ガ"),
        ("ア・イ", "ア イ"),
        ("Straße ﬁ", "strasse fi"),
        ("한국", "한 국 한국"),
        ("𠀀𠀁", "𠀀 𠀁 𠀀𠀁"),
        ("'\"*&|!()\0 \ud800", ""),
        ("", ""),
    ],
)
def test_index_words(text, words):
    """Words are folded and different; text without spaces gives its characters and its pairs."""
    assert index_words(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("北", ("北",)),
        ("北京", ("北京",)),
        ("北京天", ("北京", "京天")),
        ("北京 Python 北京", ("北京", "python")),
        ("***", ()),
    ],
)
def test_query_words(text, words):
    """A run is looked up by its pairs, a single character by itself."""
    assert query_words(text) == words


@given(TEXTS, st.integers(0, 200), st.integers(1, 50))
def test_any_piece_of_a_text_is_found(text, start, length):
    """Whatever is cut out of a text between spaces, its words are among the words of the text."""
    words = set(index_words(text).split(" "))
    pieces = text.split()
    piece = pieces[start % len(pieces)] if pieces else ""
    run = piece if not all(map(is_spaceless, piece)) else piece[start % len(piece) :][:length] if piece else ""

    assert set(query_words(run)) <= words


@given(TEXTS)
def test_words_hold_nothing_but_letters_and_digits(text):
    """No sign of a query language, no space, no NUL and no surrogate is left in a word."""
    words = (*query_words(text), *index_words(text).split())

    kinds = {unicodedata.category(sign) for word in words for sign in word}
    assert not [kind for kind in kinds - {"Cn"} if kind[0] not in "LN"]


def test_bounds():
    """Long words, long queries and the end of a long text are cut."""
    assert index_words("x" * 1000) == "x" * LONGEST_WORD
    assert query_words("x" * 1000) == ("x" * LONGEST_WORD,)
    assert len(query_words(" ".join(map(str, range(1000))))) == QUERY_WORDS
    assert "end" not in index_words("a " * SEARCHED_CHARACTERS + "end").split()
    assert len(index_words("\ufdfa" * SEARCHED_CHARACTERS)) < 10 * SEARCHED_CHARACTERS


@pytest.mark.parametrize(("word", "expected"), [("北京", True), ("ガ", True), ("abc", False), ("", False)])
def test_is_spaceless(word, expected):
    """Chinese and its neighbours put no spaces between words."""
    assert is_spaceless(word) is expected
