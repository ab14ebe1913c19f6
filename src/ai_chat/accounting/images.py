"""What a picture costs in tokens: by model, by detail, and by its size, read from the first bytes of a `data:` URL.

Two rules are published in OpenAI's vision guide. Older models see tiles of 512 pixels beside a small whole; newer ones
see patches of 32 pixels. The numbers are the guide's, except where users measured others on the bill (patch models of
the gpt-5 family).
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Callable
from dataclasses import dataclass

UNSEEN = (1024, 1024)
"""Pixels assumed of a picture that is not in the request itself, or whose header cannot be read."""

_HEADER = 512 * 1024
"""Bytes searched for a size. Only JPEG puts anything before it: previews and colour profiles."""


@dataclass(frozen=True, slots=True)
class _Tiles:
    """The whole picture for `base`, then `tile` for each square of 512 pixels."""

    base: int
    tile: int

    def cost(self, width: int, height: int, detail: str) -> int:
        if detail == "low":
            return self.base
        # Sides are rounded, not cut: 2049 x 513 is billed as two rows of tiles, 2050 x 513 as one.
        shrink = min(1.0, 2048 / max(width, height))
        width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
        shrink = min(1.0, 768 / min(width, height))
        width, height = round(width * shrink), round(height * shrink)
        return self.base + self.tile * math.ceil(width / 512) * math.ceil(height / 512)


@dataclass(frozen=True, slots=True)
class _Patches:
    """`factor` for each square of 32 pixels, of which a picture is shrunk to have `most`; `low` changes nothing."""

    factor: float
    most: int = 1536

    def cost(self, width: int, height: int, detail: str) -> int:
        most = 10_000 if detail == "original" else self.most
        patches = math.ceil(width / 32) * math.ceil(height / 32)
        if patches > most:
            shrink = math.sqrt(most * 32 * 32 / (width * height))
            across, down = width * shrink / 32, height * shrink / 32
            # Shrunk once more so that one side is a whole number of patches.
            shrink = min(max(1, math.floor(side)) / side for side in (across, down))
            patches = min(most, _ceil(across * shrink) * _ceil(down * shrink))
        return _ceil(patches * self.factor)


_RULES: tuple[tuple[str, _Tiles | _Patches], ...] = (
    ("gpt-4o-mini", _Tiles(2833, 5667)),
    ("gpt-4.1-mini", _Patches(1.62)),
    ("gpt-4.1-nano", _Patches(2.46)),
    ("o4-mini", _Patches(1.72)),
    ("codex-mini", _Patches(1.72)),
    ("gpt-5-mini", _Patches(1.2)),
    ("gpt-5-nano", _Patches(1.5)),
    ("gpt-5.1", _Tiles(70, 140)),
    ("gpt-5.2", _Patches(1.2)),
    ("gpt-5.3", _Patches(1.2)),
    ("gpt-5.4-mini", _Patches(1.2)),
    ("gpt-5.4-nano", _Patches(1.2)),
    ("gpt-5.", _Patches(1.2, most=2500)),
    ("gpt-5", _Tiles(70, 140)),
    ("o1", _Tiles(75, 150)),
    ("o3", _Tiles(75, 150)),
    ("computer-use", _Tiles(65, 129)),
)
"""What a model's name begins with; the first that fits counts."""
_USUAL = _Tiles(85, 170)
"""gpt-4o, gpt-4.1, gpt-4.5, gpt-4-turbo; and the estimate for models of other makers."""


def cost(url: str, detail: str | None, model: str) -> int:
    """Give the tokens of one picture; `model` is the bare name, without a provider.

    No detail and `auto` are taken for `high`, as the API does when it decides.
    """
    rule = next((rule for start, rule in _RULES if model.startswith(start)), _USUAL)
    width, height = size(url) or UNSEEN
    return rule.cost(width, height, detail or "auto")


def size(url: str) -> tuple[int, int] | None:
    """Read width and height in pixels from a base64 `data:` URL of a PNG, GIF, WebP or JPEG; None if it has none."""
    head, comma, _ = url[:256].partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    start = len(head) + 1
    text = url[start : start + _HEADER // 3 * 4]
    try:
        data = binascii.a2b_base64(text[: len(text) // 4 * 4])
    except (binascii.Error, ValueError):
        return None
    found = next((read(data) for magic, read in _READERS if data.startswith(magic)), None)
    return found if found and min(found) > 0 else None


def _ceil(number: float) -> int:
    """Round up, but not for the sake of the last bits of a float."""
    return math.ceil(round(number, 6))


def _png(data: bytes) -> tuple[int, int] | None:
    return (_big(data[16:20]), _big(data[20:24])) if len(data) >= 24 else None  # noqa: PLR2004  # the header chunk's end


def _gif(data: bytes) -> tuple[int, int] | None:
    return _little(data[6:8]), _little(data[8:10])


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[8:16]
    if kind == b"WEBPVP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if kind == b"WEBPVP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"WEBPVP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments up to the first frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  # begins every marker
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # noqa: PLR2004  # frames, less three tables
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        # A marker may be padded with more FF; all others before the frame tell their length.
        at += 1 if marker == 0xFF else 2 + _big(data[at + 2 : at + 4])  # noqa: PLR2004
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_READERS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int] | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
    (b"\xff\xd8", _jpeg),
)
