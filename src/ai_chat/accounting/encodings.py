"""Vocabularies, and counting by them in time linear in the text. The two of OpenAI's models come with the package."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Collection, Iterator
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tiktoken

PATTERNS = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""How each encoding cuts a text into the pieces that byte pairs are merged in, as tiktoken defines it."""

_STRIDE = 8192
"""Characters given to the tokenizer at once. Its regex engine overflows on a run of a million blanks."""
_WINDOW = 4096
"""Bytes of an unbroken piece merged at once. Merging costs more than linear time, in older tiktokens quadratic."""
_OVERLAP = 8
"""Tokens at a window's end that are counted again from the next one, for what follows may change them."""

_LETTER = "A-Za-z\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
# Between these two characters every pattern here, and that of gguf.py, ends a piece, whatever stands around them. An
# apostrophe is no such place (don't), and blanks are one only where a run of them begins.
_SEAM = re.compile(
    rf"(?<=\S)(?= )|(?<=[{_LETTER}])(?=[0-9])|(?<=[0-9])(?=[{_LETTER}])"
    rf"|(?<=[{_LETTER}0-9])(?=[\r\n!-&(-/:-@\[-`{{-~，。！？；：、（）《》“”…])"
)


class Encoding:
    """One vocabulary. Counting may be done from many threads at once."""

    def __init__(self, name: str, *, pattern: str, ranks: dict[bytes, int], special: Collection[str] = ()) -> None:
        """Build the tokenizer: 0.1 to 0.2 s of work.

        Args:
            name: what the vocabulary is called.
            pattern: how a text is cut into the pieces that byte pairs are merged in.
            ranks: the bytes of every token with its place in the order of merging; all single bytes are among them.
            special: texts that are one token each wherever they stand.
        """
        # Imported here because most programs that import this package never count.
        import tiktoken  # noqa: PLC0415

        self._tiktoken: tiktoken.Encoding = tiktoken.Encoding(
            name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
        )
        self._pattern = pattern
        self._pieces: Any = None
        longest_first = sorted(special, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def count(self, text: str) -> int:
        """Count the tokens of a text; a lone surrogate is counted as U+FFFD.

        What looks like a special token is plain text, unless this vocabulary was given special texts.
        """
        if self._special is None:
            return self._count_plain(text)
        total = start = 0
        for found in self._special.finditer(text):
            total += self._count_plain(text[start : found.start()]) + 1
            start = found.end()
        return total + self._count_plain(text[start:])

    def _count_plain(self, text: str) -> int:
        if len(text) <= _STRIDE:
            return len(self._tiktoken.encode_ordinary(text))
        return sum(self._counts(_without_surrogates(text)))

    def _counts(self, text: str) -> Iterator[int]:
        """Count a long text stride by stride, cutting only where the whole would be cut too."""
        start = 0
        while start + _STRIDE < len(text):
            seam = _SEAM.search(text, start + _STRIDE, start + 2 * _STRIDE)
            if seam:
                yield len(self._tiktoken.encode_ordinary(text[start : seam.start()]))
                start = seam.start()
            else:
                stop = start + _STRIDE
                while start < stop:
                    piece = self._piece(text, start)
                    yield self._count_piece(piece.encode())
                    start += len(piece)
        yield len(self._tiktoken.encode_ordinary(text[start:]))

    def _piece(self, text: str, start: int) -> str:
        """Give the piece that begins at `start`, by a regex engine that has no limit on its length."""
        if self._pieces is None:
            import regex  # type: ignore[import-untyped]  # noqa: PLC0415

            self._pieces = regex.compile(self._pattern)
        return str(self._pieces.match(text, start)[0])

    def _count_piece(self, piece: bytes, *, window: int = _WINDOW, overlap: int = _OVERLAP) -> int:
        """Count one piece, window by window.

        A sequence of tokens is the encoding of its bytes exactly if every two neighbours in it are the encoding of
        theirs. So two windows may be joined where the second begins with the token that stood there in the first.
        Ordinary text, random letters and endless repetition all join; what does not is merged in one go.
        """
        total, start = 0, 0
        tokens = self._merge(piece[:window])
        while start + window < len(piece):
            dropped = tokens[-overlap:]
            cut = start + window - sum(len(self._tiktoken.decode_single_token_bytes(token)) for token in dropped)
            following = self._merge(piece[cut : cut + window])
            if cut == start or following[0] != dropped[0]:
                return len(self._merge(piece))
            total += len(tokens) - len(dropped)
            tokens, start = following, cut
        return total + len(tokens)

    def _merge(self, piece: bytes) -> list[int]:
        return self._tiktoken._encode_single_piece(piece)  # noqa: SLF001  # nothing public takes bytes past the regex


def read_ranks(name: str) -> dict[bytes, int]:
    """Read a packed vocabulary: every token's bytes with its rank. The format is told beside the data."""
    packed = gzip.decompress(resources.files(__package__).joinpath(f"data/{name}.ranks.gz").read_bytes())
    size = int.from_bytes(packed[:4], "big")
    ranks = {}
    start = 4 + size
    for rank, length in enumerate(packed[4:start]):
        ranks[packed[start : start + length]] = rank
        start += length
    return ranks


_loaded: dict[str, Encoding] = {}
_loading = threading.Lock()


def load(name: str) -> Encoding:
    """Give the encoding of that name, `cl100k_base` or `o200k_base`; the first call for each loads it."""
    encoding = _loaded.get(name)
    if encoding is None:
        with _loading:
            encoding = _loaded.get(name) or Encoding(name, pattern=PATTERNS[name], ranks=read_ranks(name))
            _loaded[name] = encoding
    return encoding


def _without_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
