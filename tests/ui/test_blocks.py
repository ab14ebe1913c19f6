"""An answer in blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.ui.parts.blocks import LONG, Growing, blocks_of

ANSWER = """First paragraph
goes on.

## A heading

1. one

   with more

2. two

```python
x = 1

y = 2
```

\\[
a

b
\\]

| a | b |
|---|---|
| 1 | 2 |

Last one."""

texts = st.one_of(st.just(ANSWER), st.text(alphabet="ab1. -\n\n`$|\\[]>~", max_size=200))


@given(texts, st.lists(st.integers(0, 400), max_size=20))
def test_nothing_is_lost_at_any_split(text, cuts):
    """What is frozen and the tail are the text, whatever pieces it comes in, and the blocks are always the same."""
    places = sorted({min(cut, len(text)) for cut in cuts})
    growing, frozen = Growing(), []
    for begin, end in zip([0, *places], [*places, len(text)], strict=True):
        frozen += growing.add(text[begin:end])
        assert "".join(frozen) + growing.tail == text[:end]
    assert "".join(blocks_of(text)) == text
    if len(blocks_of(text)) > 1:  # else a link's address may keep it together
        assert frozen == blocks_of(text)[: len(frozen)]


def test_blocks_are_whole():
    """Lists, code, formulas and tables are not parted."""
    assert [block.strip()[:12] for block in blocks_of(ANSWER)] == [
        "First paragr",
        "## A heading",
        "1. one\n\n   w",
        "```python\nx ",
        "\\[\na\n\nb\n\\]",
        "| a | b |\n|-",
        "Last one.",
    ]


def test_a_paragraph_is_frozen_as_soon_as_the_next_has_begun():
    """Only the end of the text is sent again."""
    growing = Growing()
    assert growing.add("One.\n\nTwo ") == []
    assert growing.add("is being written") == ["One.\n\n"]
    assert growing.tail == "Two is being written"


def test_a_link_with_its_address_elsewhere_keeps_the_text_together():
    """The renderer needs both in one piece."""
    text = "See [this][1].\n\nMore.\n\n[1]: https://a.example"
    assert blocks_of(text) == [text]


@pytest.mark.parametrize("item", ["- an item of some length\n\n", "$$ never closed\n\nwords and more words\n\n"])
def test_what_does_not_end_is_parted_after_a_while(item):
    """Neither a list of a thousand items nor a formula that never ends is sent again and again."""
    growing, frozen = Growing(), []
    for _ in range(1000):
        frozen += growing.add(item)
    assert len(growing.tail) < LONG + 200
