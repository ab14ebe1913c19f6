"""Words of a query in a text."""

from __future__ import annotations

import html
import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.words import spans_of
from ai_chat.ui.parts.highlight import LEAD, excerpt, marked


def test_a_text_is_marked():
    """What it says is only text, whatever it says."""
    assert marked("<b>a & b</b>", [(3, 4)]) == "&lt;b&gt;<mark>a</mark> &amp; b&lt;/b&gt;"


def test_an_excerpt_begins_before_the_first_find():
    """A word far behind in a long passage is seen."""
    text = "x " * 1000 + "needle " + "y " * 1000
    shown, spans = excerpt(text, spans_of("needle", text))
    assert [shown[begin:end] for begin, end in spans] == ["needle"]
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert shown.index("needle") == LEAD + 2
    assert excerpt("short needle", [(6, 12)]) == ("short needle", [(6, 12)])


texts = st.text(alphabet="ab 年假税<&\n", max_size=60)


@given(texts, texts, st.integers(1, 40))
def test_nothing_is_lost(query, text, most):
    """Marked or not, cut or not, it is the same text; what is marked are words of the query."""
    spans = spans_of(query, text)
    assert html.unescape(re.sub("</?mark>", "", marked(text, spans))) == text
    assert all(before[1] < behind[0] for before, behind in itertools.pairwise(spans))
    shown, inside = excerpt(text, spans, most)
    assert shown.removeprefix("… ").removesuffix(" …") in text
    assert all(shown[begin:end].casefold() in text.casefold() for begin, end in inside)
