"""What people and models write as arithmetic, cut into tokens: ASCII, full-width and Chinese alike."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .errors import ToolError

LENGTH = 5_000
"""Characters of an expression at most."""
SHOWN = 40
"""Characters of it that an error repeats."""
FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
SIGNS = {
    "\u3000": " ",
    "×✕✖⨯·•⋅∙": "*",
    "÷∕⁄": "/",
    "−–—﹣": "-",
    "﹢": "+",
    "、": ",",
    "【「": "(",
    "】」": ")",
    "≤⩽": "<=",
    "≥⩾": ">=",
    "≠": "!=",
    "π": " pi ",
}
"""Signs by what each of them means."""
TABLE: dict[int, int | str] = {
    **FULL_WIDTH,
    **{ord(sign): meaning for signs, meaning in SIGNS.items() for sign in signs},
}
WORDS = {"乘以": "*", "除以": "/", "加上": "+", "减去": "-", "加": "+", "减": "-", "乘": "*"}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
ASKED = re.compile(r"(?:(?:=|等于)\s*(?:多少|几)?\s*\??|[。?])$")
"""The end of a question, which changes nothing: `1 + 1 = ?`."""
TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<base>0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+)
    | (?P<grouped>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,_])(?:\.[0-9]+)?)
    | (?P<number>(?:[0-9][0-9_]*(?:[.。][0-9_]*)? | \.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
    | (?P<unit>[百千万亿]+)
    | (?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    | (?P<name>(?:math\.)?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<op>\*\*|//|<<|>>|<=|>=|==|!=|[-+*/%^~!<>&|(),\[\]√∛°])
    """,
    re.VERBOSE,
)
DIGITS = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?)")
Kind = Literal["number", "unit", "power", "name", "op", "end"]
KINDS: dict[str, Kind] = {
    "base": "number",
    "grouped": "number",
    "number": "number",
    "unit": "unit",
    "power": "power",
    "name": "name",
    "op": "op",
}


class Token(NamedTuple):
    """A number, a name or a sign."""

    kind: Kind
    text: str
    """A number as Python writes it, a name in lower case, a sign in ASCII."""
    spaced: bool
    """Whether there is a space before it."""

    @property
    def shown(self) -> str:
        """What an error says of it."""
        return self.text[:SHOWN]


def tokens_of(expression: str) -> list[Token]:
    """Cut an expression into tokens; the last one is the end.

    A comma separates thousands only where nothing else can be meant: outside of a function's arguments.

    Raises:
        ToolError: it is too long, or has a character that means nothing in arithmetic.
    """
    if len(expression) > LENGTH:
        raise ToolError(f"The expression has {len(expression):,} characters; {LENGTH:,} is the most.")
    text = expression.translate(TABLE)
    for word, sign in WORDS.items():
        text = text.replace(word, sign)
    text = ASKED.sub("", text.strip())
    tokens: list[Token] = []
    listing: list[bool] = []  # for each bracket that is open: whether commas in it separate values
    at, spaced = 0, False
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is not None and found.lastgroup == "grouped" and any(listing):
            found = DIGITS.match(text, at)
        if found is None or found.lastgroup is None:
            raise ToolError(f"{text[at]!r} has no meaning in arithmetic.")
        at = found.end()
        if found.lastgroup != "space":
            token = Token(KINDS[found.lastgroup], _plain(found.lastgroup, found[0]), spaced)
            _note_bracket(listing, token, tokens)
            tokens.append(token)
        spaced = found.lastgroup == "space"
    return [*tokens, Token("end", "", spaced)]


def _note_bracket(listing: list[bool], token: Token, before: list[Token]) -> None:
    if token.text in {"(", "["}:
        listing.append(token.text == "[" or bool(before and before[-1].kind == "name"))
    elif token.text in {")", "]"} and listing:
        listing.pop()


def _plain(group: str, text: str) -> str:
    if group in {"number", "base"}:
        return _number(text.replace("。", "."))
    if group == "grouped":
        return text.replace(",", "")
    if group == "power":
        return text.translate(SUPERSCRIPTS)
    return text.removeprefix("math.").lower() if group == "name" else text


def _number(text: str) -> str:
    """Check the underscores and leading zeros of a number as Python does."""
    if re.search(r"__|_$|[0-9]_[.]|\._|^[0-9._]+_[eE]", text) or re.match(r"0[0-9_]+$", text):
        raise ToolError(f"{text[:SHOWN]!r} is no number; write it without leading zeros or stray underscores.")
    return text.replace("_", "")
