"""Bytes of unknown encoding become text, or are found to be no text at all.

What says so itself is believed first: a byte order mark, then valid UTF-8. Then Chinese, Japanese and Korean encodings
are told apart by how common the characters are that each makes of the bytes, and so are those of Latin letters. Other
alphabets are told apart by charset-normalizer, which knows what is common in each language.
"""

from __future__ import annotations

import codecs
import re

from .commonness import KANA, ROWS, common, common_anywhere, known, share
from .refusals import Unreadable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, for it begins with the same bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE_BYTES = 64 * 1024
"""How much is looked at to find an encoding out."""
LINE_BYTES = 1024
"""How far back the begin of a line is looked for."""
MOST_BAD = 0.01
"""Share of a text that may be wrong."""
MOST_CONTROLS = 0.003
"""Share of control characters in a text that needs no second look."""
MANY_CONTROLS = 0.05
"""As many in a text that is UTF-8 throughout, and nothing else: some programs write them."""
LEAST_COMMON = 0.6
"""Share of common characters that shows an encoding to be the right one. There it is 0.9 and more, elsewhere 0.4."""
LEAST_KNOWN = 0.9
LEAST_KANA = 0.15
"""Share of kana in Japanese."""
LEAST_HANGUL = 20
"""Syllables it takes to call something Korean: their rows are two thirds of those of common Chinese characters."""
LEAST_SPACED = 8
"""As many if there are spaces between them, for Chinese has none; one to so many syllables at least."""
LEAST_RUNS = 0.5
"""Share of the characters of Big5 that stand beside another. Its second byte may be a letter, so an accented letter and
the letter behind it can look like one; but those stand alone."""
LEAST_WIDE = 6
"""Bytes from which on UTF-16 can be told from chance."""
LONG_RUN = 2.0
"""Bytes of an alphabet that is not Latin stand together in words, accented letters stand alone."""
QUOTES = "‘’‚“”„«»–—…€°·§"
WEST = frozenset("éèêëàâäçîïôöùûüÿœßñáíóúãõåæøÉÈÀÂÄÇÎÔÖÜŒÑÁÍÓÚÃÕÅÆØ¿¡" + QUOTES)
CENTRE = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžäöüőűăâîĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽÄÖÜŐŰĂÂÎß" + QUOTES)
LATIN = {
    "cp1252": WEST,
    "cp1250": CENTRE,
    "iso8859_2": CENTRE,
    "cp1254": frozenset("çğıöşüÇĞİÖŞÜâîû" + QUOTES),
    "cp1257": frozenset("ąčęėįšųūžāēģīķļņäöüõĄČĘĖĮŠŲŪŽĀĒĢĪĶĻŅÄÖÜÕ" + QUOTES),
    "mac_roman": WEST,
}
"""Encodings of Latin letters, the more common first, and what is common in the languages that use them."""
OTHER_LETTERS = ["cp1251", "koi8_r", "cp866", "iso8859_5", "cp1253", "iso8859_7", "cp1255", "cp1256", "cp874"]
LABELS = {
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "gb18030"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252"), "cp1252"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "windows-949"), "cp949"),
    "big5": "cp950",
    "iso-8859-9": "cp1254",
}
"""What pages call an encoding, and the larger one that is meant (WHATWG Encoding Standard, 4.2)."""
CONTROLS = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
CONTROL_BYTES = bytes({*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F})
HIGH_BYTE = re.compile(rb"[\x80-\xff]")
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
RUN = re.compile("[^\0-\x7f\ufffd]{2,}")


def decode(data: bytes, *, declared: str | None = None) -> tuple[str, str]:
    """Find out how a text is encoded and decode it.

    Args:
        data: all of it. What is missing at its very end, as of a file that is still being written, is no fault.
        declared: what the text itself says its encoding is.

    Returns:
        The text, and the encoding as Python calls it; ` (damaged)` goes behind that of a text in which bytes are wrong,
        which then have U+FFFD in their place.

    Raises:
        Unreadable: it is no text.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _checked(data, encoding)
    text = _decoded(data, "utf-8", "strict")
    if text is not None and not _ends_in_doubt(data, text):
        controls = _controls(text)
        few = controls <= MOST_CONTROLS * len(text)
        if few or (controls <= MANY_CONTROLS * len(text) and _wide(data[:SAMPLE_BYTES]) is None):
            return text, "utf-8"
    return _checked(data, _without_mark(data, declared))


def declared_in(head: bytes) -> str | None:
    """Give what the begin of an HTML page or an XML file says its encoding is."""
    found = re.search(
        rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([\w:.-]{1,40})""", head[:4096], re.IGNORECASE
    )
    return found[1].decode("ascii", "ignore").lower() if found else None


def _binary() -> Unreadable:
    return Unreadable(
        "binary", "is no text and of no kind that can be read", "save it as PDF, docx or text and add that"
    )


def _decoded(data: bytes, encoding: str, errors: str) -> str | None:
    """Decode what may lack its end; None if it is wrong."""
    try:
        return codecs.getincrementaldecoder(encoding)(errors).decode(data)
    except UnicodeError:
        return None


def _checked(data: bytes, encoding: str) -> tuple[str, str]:
    """Decode with a replacement for wrong bytes, unless they are many."""
    text = _decoded(data, encoding, "replace") or ""
    bad = text.count("\ufffd")
    if bad > max(1, MOST_BAD * len(text)) or _controls(text) > max(1, MOST_BAD * len(text)):
        raise _binary()
    return text, f"{encoding} (damaged)" if bad else encoding


def _controls(text: str) -> int:
    return len(CONTROLS.findall(text))


def _ends_in_doubt(data: bytes, text: str) -> bool:
    """Whether the one thing that speaks for UTF-8 is a character without its end: more likely it is an accent."""
    return text.isascii() and len(text) < len(data)


def _without_mark(data: bytes, declared: str | None) -> str:
    """Find out what it is if it is not UTF-8 throughout."""
    # UTF-16 without controls has to wait: a few characters of another encoding can look like it.
    wide = _wide(data[:SAMPLE_BYTES])
    has_controls = len(data) - len(data.translate(None, CONTROL_BYTES))
    if wide is not None and has_controls:
        return wide
    if has_controls > MOST_BAD * len(data):
        raise _binary()
    if _is_mostly_utf8(data):
        return "utf-8"
    sample = _sample(data)
    said = _known_encoding(declared)
    if said in ROWS and (_decoded(sample, said, "replace") or "").count("\ufffd") <= MOST_BAD * len(sample):
        return said
    return _of_east_asia(sample) or wide or said or _of_letters(sample)


def _wide(sample: bytes) -> str | None:
    """Find out whether it can be UTF-16, which two characters cannot tell."""
    shares = {encoding: known(_decoded(sample, encoding, "replace") or "") for encoding in ("utf-16-le", "utf-16-be")}
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] >= LEAST_KNOWN and (len(sample) >= LEAST_WIDE or b"\0" in sample) else None


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 with a few wrong bytes, and not something else with a few accents."""
    text = _decoded(data, "utf-8", "replace") or ""
    bad = text.count("\ufffd")
    right = sum(map(len, re.findall("[^\0-\x7f\ufffd]+", text)))
    return bad <= MOST_BAD * len(text) and 3 * bad <= right and not _ends_in_doubt(data, text)


def _sample(data: bytes) -> bytes:
    """Give a stretch in which there is something to see, from the begin of a line: pairs must not be parted."""
    found = HIGH_BYTE.search(data)
    first = found.start() if found else 0
    line = data.rfind(b"\n", max(0, first - LINE_BYTES), first) + 1
    start = line if line or first < LINE_BYTES else first
    return data[start : start + SAMPLE_BYTES]


def _known_encoding(label: str | None) -> str | None:
    """Give Python's name of an encoding that a page says it has, if one byte or two make a character in it."""
    if label is None:
        return None
    try:
        name = codecs.lookup(LABELS.get(label, label)).name
    except LookupError:
        return None
    return None if name.startswith("utf") else name


def _of_east_asia(sample: bytes) -> str | None:
    """Tell Chinese, Japanese and Korean encodings apart; None if it is none of them."""
    texts = {encoding: _decoded(sample, encoding, "replace") or "" for encoding in ROWS}
    shares = {encoding: _share(encoding, text) for encoding, text in texts.items()}
    if shares.pop("cp949") > 1 - MOST_BAD and _is_korean(texts["cp949"]):
        return "cp949"
    best = max(shares, key=lambda encoding: shares[encoding])
    if shares[best] >= LEAST_COMMON:
        return best
    # Traditional Chinese in GBK: its characters are common elsewhere.
    return "gb18030" if shares["gb18030"] and share(texts["gb18030"], common_anywhere()) >= LEAST_KNOWN else None


def _is_korean(text: str) -> bool:
    syllables, spaces = len(re.findall("[가-힣]", text)), len(re.findall("[가-힣.,?!] [가-힣]", text))
    return syllables >= LEAST_HANGUL or (syllables >= LEAST_SPACED and spaces * LEAST_SPACED >= syllables)


def _share(encoding: str, text: str) -> float:
    """Give the share of common characters; 0 where something speaks against the encoding."""
    others = len(text) - len(re.findall("[\0-\x7f]", text))
    bad = text.count("\ufffd")
    if bad > MOST_BAD * others + (bad < others > 1):
        return 0.0
    if encoding in {"cp932", "euc_jp"} and len(KANA.findall(text)) < LEAST_KANA * others:
        return 0.0
    if encoding == "cp950" and sum(map(len, RUN.findall(text))) < LEAST_RUNS * others:
        return 0.0
    return share(text, common(encoding))


def _of_letters(sample: bytes) -> str:
    """Tell encodings of one byte for each letter apart."""
    runs = HIGH_RUN.findall(sample)
    if sum(map(len, runs)) <= LONG_RUN * len(runs):
        shares = {encoding: share(sample.decode(encoding, "replace"), letters) for encoding, letters in LATIN.items()}
        return max(shares, key=lambda encoding: shares[encoding])
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to import, and rarely needed

    best = from_bytes(sample, cp_isolation=OTHER_LETTERS).best()
    if best is None:
        raise _binary()
    return best.encoding
