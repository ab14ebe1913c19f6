"""The tokenizer that a GGUF file carries in its header: the vocabulary of an embedded model, for exact counts.

The layout is that of llama.cpp's `docs/gguf.md`: magic, version, counts, then keys with typed values, numbers little
endian; tensors follow and are not touched. Only byte-level BPE with a pattern that is known here is taken, for another
one would give counts that look exact and are not.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .encodings import Encoding

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_LONGEST_HEADER = 256 * 2**20
"""Bytes that are mapped; the largest vocabularies known take 20 MB."""
_MOST_KEYS = 10_000
_MOST_ITEMS = 4_000_000
"""Of an array. The largest vocabularies have a quarter of a million tokens."""

_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The types of a value that are not composed, as `struct` names them."""

_CONTROL, _USER_DEFINED = 3, 4
"""Types of tokens that the engine finds in a text before it is cut into pieces."""

PATTERNS = {
    "qwen2": (
        r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s"
    ),
}
"""How the engine cuts a text into the pieces that byte pairs are merged in, by the file's `tokenizer.ggml.pre`.

Those listed were compared with the engine; the file itself does not hold the pattern.
"""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """What a file says of its model's tokens."""

    encoding: Encoding
    template: str
    """The Jinja template that makes a prompt of messages; empty if there is none."""


def tokenizer_of(path: Path) -> Tokenizer | None:
    """Read a model's tokenizer: half a second of work. None if the file is no such one, or of a kind not known here."""
    header = read_header(path)
    try:
        if header.get("tokenizer.ggml.model") != b"gpt2" or header.get("tokenizer.ggml.add_bos_token"):
            return None
        kind = header["tokenizer.ggml.pre"].decode()
        encoding = Encoding(
            f"gguf-{kind}",
            pattern=PATTERNS[kind],
            ranks=ranks_of(header["tokenizer.ggml.merges"]),
            special=_special(header["tokenizer.ggml.tokens"], header["tokenizer.ggml.token_type"]),
        )
        return Tokenizer(encoding, header.get("tokenizer.chat_template", b"").decode())
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def encoding_of(path: Path) -> Encoding | None:
    """Give a model's vocabulary alone; see `tokenizer_of`."""
    tokenizer = tokenizer_of(path)
    return tokenizer.encoding if tokenizer else None


def read_header(path: Path) -> dict[str, Any]:
    """Read the keys of a GGUF file: numbers as such, texts as bytes, arrays as tuples.

    A file that cannot be read, or that ends within its header, gives no keys.
    """
    try:
        with path.open("rb") as file:
            size = min(path.stat().st_size, _LONGEST_HEADER)
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
                return _Reader(data).header()
    except (OSError, ValueError, struct.error):
        return {}


class _Reader:
    """Reads one value after the other."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def header(self) -> dict[str, Any]:
        magic, version, _tensors, keys = self._numbers("4sIQQ")
        if magic != _MAGIC or version not in _VERSIONS:
            raise ValueError("no GGUF file")
        _check(keys, _MOST_KEYS)
        return {self._text().decode(): self._value(self._number("I")) for _ in range(keys)}

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        return self._number(_NUMBERS[kind] if kind in _NUMBERS else _unknown(kind))

    def _array(self) -> tuple[Any, ...]:
        kind, items = self._numbers("IQ")
        _check(items, _MOST_ITEMS)
        if kind == _STRING:
            return self._texts(items)
        return self._numbers(f"{items}{_NUMBERS[kind] if kind in _NUMBERS else _unknown(kind)}")

    def _texts(self, items: int) -> tuple[bytes, ...]:
        """Read many texts, with as little as possible for each: a vocabulary has 300,000 of them."""
        data, at, most, size = self._data, self._at, len(self._data), struct.Struct("<Q").unpack_from
        texts = []
        for _ in range(items):
            end = at + 8 + size(data, at)[0]
            if end > most:
                raise ValueError("a text that ends behind the file")
            texts.append(data[at + 8 : end])
            at = end
        self._at = at
        return tuple(texts)

    def _text(self) -> bytes:
        return self._texts(1)[0]

    def _number(self, form: str) -> Any:
        return self._numbers(form)[0]

    def _numbers(self, form: str) -> tuple[Any, ...]:
        numbers = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return numbers


def _check(count: int, most: int) -> None:
    if count > most:
        raise ValueError(f"{count} is more than {most}")


def _unknown(kind: int) -> str:
    raise ValueError(f"a value of type {kind}")


def ranks_of(merges: tuple[bytes, ...]) -> dict[bytes, int]:
    """Give the order of merging: bytes first, then what each merge makes, as they are listed.

    Byte-level BPE writes bytes as visible characters; see `bytes_to_unicode` of GPT-2. All merges are turned back in
    one go, with a line end between them, which is none of those characters.
    """
    ranks = {bytes([byte]): byte for byte in range(256)}
    joined = b"\n".join(merges).decode().replace(" ", "").translate(_bytes_of_characters())
    for merged in joined.split(_BETWEEN):
        ranks.setdefault(merged.encode("latin-1"), len(ranks))
    return ranks


_BETWEEN = "\u2028"
"""Stands between merges while their characters are those of bytes, of which a line end is one."""


def _bytes_of_characters() -> dict[int, int | str]:
    """Give for each character that stands for a byte the one whose code point is the byte."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in visible]
    table: dict[int, int | str] = {byte: byte for byte in visible}
    table |= {256 + place: byte for place, byte in enumerate(hidden)}
    return table | {ord("\n"): _BETWEEN}


def _special(tokens: tuple[bytes, ...], kinds: tuple[int, ...]) -> tuple[str, ...]:
    pairs = zip(tokens, kinds, strict=True)
    return tuple(token.decode() for token, kind in pairs if token and kind in {_CONTROL, _USER_DEFINED})
