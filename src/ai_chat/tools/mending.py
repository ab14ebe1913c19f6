"""JSON with slips that can be meant in one way only, written as it should have been."""

from __future__ import annotations

import json
import re
from typing import NoReturn

_FENCE = "```"
_TOKENS = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<single>'(?:[^'\\]|\\.)*')
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>[{}\[\],:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"true": "true", "True": "true", "false": "false", "False": "false", "null": "null", "None": "null"}
_CLOSES = {"}": "{", "]": "["}
_UNFINISHED = (",", ":", "{", "[")
_PIECE = re.compile(r"\\'|\"|\\.", re.DOTALL)


def mended(text: str) -> str:
    r"""Write a text that is almost JSON as JSON.

    Mended is what has one meaning only: a code fence around it; texts in single quotes; `True`, `False` and `None`;
    names of fields without quotes; a comma behind the last entry; raw line breaks in texts (they are left to the
    reader, which must allow them); one closing bracket that is missing at the very end, or brackets that are too many
    there. Nothing that was written is ever left out, and nothing is guessed. So the rest is refused: a text that ends
    inside a text, behind a comma, a colon or an opening bracket, behind a number (there might have been more digits)
    or with more than one bracket open; texts without quotes, or with bare quotes inside; words around the JSON; two
    values in a row.

    Raises:
        ValueError: it is not to be mended; says why, without a full stop.
    """
    text = text.strip()
    if text.startswith(_FENCE) and text.endswith(_FENCE) and "\n" in text:
        text = text.partition("\n")[2].removesuffix(_FENCE)
    return _Mender(text.strip()).mended()


class _Mender:
    """Goes through a text once, from token to token."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._open: list[str] = []
        self._written: list[str] = []

    def mended(self) -> str:
        for index, (kind, token) in enumerate(self._tokens):
            if self._written and not self._open and token not in _CLOSES:
                raise ValueError("there is something behind the end of the JSON")
            if kind == "sign":
                self._sign(token, index)
            else:
                self._written.append(_value(kind, token, is_name=self._is_name(index)))
        self._close()
        return "".join(self._written)

    def _token(self, index: int) -> str:
        return self._tokens[index][1] if 0 <= index < len(self._tokens) else ""

    def _is_name(self, index: int) -> bool:
        return self._open[-1:] == ["{"] and self._token(index - 1) in ("{", ",") and self._token(index + 1) == ":"

    def _sign(self, sign: str, index: int) -> None:
        if sign == "," and self._token(index + 1) in _CLOSES and self._token(index - 1) not in ("{", "[", ","):
            return
        if sign in _CLOSES:
            if not self._open and self._written:
                return  # one bracket too many, behind the end
            if self._open[-1:] != [_CLOSES[sign]]:
                raise ValueError(f"there is a {sign} that closes nothing")
            self._open.pop()
        elif sign in "{[":
            self._open.append(sign)
        self._written.append(sign)

    def _close(self) -> None:
        if not self._open:
            return
        kind, last = self._tokens[-1]
        if len(self._open) > 1 or kind == "number" or last in _UNFINISHED:
            raise ValueError("it ends before it is whole")
        self._written.append("}" if self._open == ["{"] else "]")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    place = 0
    while place < len(text):
        found = _TOKENS.match(text, place)
        if found is None:
            _refuse(text[place:].lstrip())
        place = found.end()
        kind = str(found.lastgroup)
        tokens.append((kind, found[kind]))
    return tokens


def _refuse(rest: str) -> NoReturn:
    if rest[:1] in ('"', "'"):
        raise ValueError("it ends inside a text")
    raise ValueError(f"there is {rest[:20]!r} where a value, a name or a bracket should be")


def _value(kind: str, token: str, *, is_name: bool) -> str:
    if kind == "single":
        return f'"{_PIECE.sub(_in_double_quotes, token[1:-1])}"'
    if kind != "word":
        return token
    if is_name:
        return json.dumps(token)
    if token not in _WORDS:
        raise ValueError(f"there is {token[:20]!r} without quotes")
    return _WORDS[token]


def _in_double_quotes(found: re.Match[str]) -> str:
    return {"\\'": "'", '"': '\\"'}.get(found[0], found[0])
