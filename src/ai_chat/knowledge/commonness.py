"""Which characters are common in the writing that an encoding was made for.

The standards of Chinese, Japanese and Korean encodings put common characters into rows of their own. So the right
encoding makes common characters of a text's bytes, and a wrong one makes any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

HIGH = range(0xA1, 0xFF)
ANY = range(0x40, 0xFF)
ROWS: dict[str, tuple[tuple[range, range], ...]] = {
    "gb18030": ((range(0xB0, 0xD8), HIGH),),
    "cp950": ((range(0xA4, 0xC7), ANY),),
    "cp932": ((range(0x82, 0x84), ANY), (range(0x88, 0x98), ANY)),
    "euc_jp": ((range(0xA4, 0xA6), HIGH), (range(0xB0, 0xD0), HIGH)),
    "cp949": ((range(0xB0, 0xC9), HIGH),),
}
"""The rows of common characters in each encoding, as first and second bytes: level 1 of GB 2312, Big5 and JIS X 0208,
kana, and the syllables of KS X 1001. The larger encodings of today begin with these."""
SIGNS = frozenset("，。、；：？！“”‘’（）《》〈〉【】「」『』〔〕—…·～　ー々〇№§×÷±°→←≤≥①②③④⑤⑥⑦⑧⑨⑩│─■□●○◆★※")
FULL_WIDTH = frozenset(chr(code) for code in range(0xFF01, 0xFF5F))
KANA = re.compile("[\u3041-\u30ff]")
LONG_WORD = 40
ALPHABETS = re.compile("[\t\n\r -~\xa0-\u052f\u2010-\u2027\u20ac]")


@cache
def common(encoding: str) -> frozenset[str]:
    """Give the characters that are common in texts of an encoding of `ROWS`."""
    return SIGNS | FULL_WIDTH | frozenset().union(*(_cells(encoding, *rows) for rows in ROWS[encoding]))


@cache
def common_anywhere() -> frozenset[str]:
    """Give the characters that are common in any of these encodings."""
    return frozenset().union(*map(common, ROWS))


def share(text: str, characters: frozenset[str]) -> float:
    """Give the share of certain characters in what of a text is not ASCII; 0 if there is nothing."""
    counted = [character for character in text if character > "\x7f"]
    return sum(character in characters for character in counted) / len(counted) if counted else 0.0


def known(text: str) -> float:
    """Give the share of a text that is of writing in use; of characters by chance it is a sixth."""
    rest = ALPHABETS.sub("", text)
    letters, spaces = len(text) - len(rest), text.count(" ") + text.count("\n")
    # Small numbers look like letters; but where there are letters there are spaces.
    if letters > LONG_WORD * (spaces + 1):
        letters = 0
    return (letters + sum(map(common_anywhere().__contains__, rest))) / len(text) if text else 0.0


def _cells(encoding: str, rows: Iterable[int], columns: Iterable[int]) -> frozenset[str]:
    cells = b"".join(bytes((row, column)) + b"\n" for row in rows for column in columns)
    return frozenset(cell for cell in cells.decode(encoding, "ignore").split("\n") if len(cell) == 1 and cell > "\x7f")
