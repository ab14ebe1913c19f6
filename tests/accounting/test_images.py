"""What pictures cost, and how their size is read."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.accounting import images


def url(data, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png(width, height):
    return url(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x06\0\0\0")


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


FRAME = struct.pack(">BHHB", 8, 480, 640, 3)
JPEG = b"\xff\xd8" + segment(0xE1, b"Exif" + bytes(60_000)) + segment(0xC4, bytes(20)) + b"\xff" + segment(0xC2, FRAME)
WEBP = b"RIFF\0\0\0\0WEBP"


@pytest.mark.parametrize(
    "address",
    [
        png(640, 480),
        url(b"GIF89a" + struct.pack("<HH", 640, 480), "gif"),
        url(WEBP + b"VP8 " + bytes(10) + struct.pack("<HH", 640, 480), "webp"),
        url(WEBP + b"VP8L" + bytes(4) + b"/" + struct.pack("<I", 639 | 479 << 14), "webp"),
        url(WEBP + b"VP8X" + bytes(8) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"), "webp"),
        url(JPEG, "jpeg"),
        url(JPEG, "png"),
    ],
    ids=["png", "gif", "webp-lossy", "webp-lossless", "webp-extended", "jpeg", "jpeg-called-png"],
)
def test_the_size_is_read_from_the_header(address):
    """Width and height are found in each format, whatever the URL calls it."""
    assert images.size(address) == (640, 480)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://example.com/a.png",
        "data:image/png,raw",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,é",
        url(b"\x89PNG\r\n\x1a\n"),
        png(0, 480),
        url(JPEG[:100], "jpeg"),
        url(b"\xff\xd8" + b"\xff" * 1000, "jpeg"),
        url(WEBP + b"VP9 " + bytes(30), "webp"),
        url(b"BM" + bytes(100), "bmp"),
    ],
    ids=["empty", "web", "not-base64", "no-data", "no-alphabet", "no-ascii", "cut-png", "no-width", "cut-jpeg",
         "no-jpeg", "no-webp", "bmp"],
)  # fmt: skip
def test_a_picture_without_a_readable_size_is_taken_for_a_usual_one(address):
    """Where nothing tells the size, the cost is that of a square of 1024 pixels."""
    assert images.size(address) is None
    assert images.cost(address, None, "gpt-4o") == images.cost(png(1024, 1024), None, "gpt-4o")


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF8", WEBP + b"VP8X", b"\xff\xd8\xff"]))
def test_no_bytes_make_reading_fail(data, magic):
    """A size is found or not; broken pictures raise nothing and cost something."""
    assert images.cost(url(magic + data), "high", "gpt-4o") > 0
    assert images.cost(url(magic + data), "high", "gpt-5-mini") > 0


@pytest.mark.parametrize(
    ("width", "height", "detail", "model", "expected"),
    [
        (1024, 1024, "high", "gpt-4o", 765),
        (2048, 4096, "high", "gpt-4o", 1105),
        (4096, 8192, "low", "gpt-4o", 85),
        (1, 1, "auto", "gpt-4o", 255),
        (1, 1, None, "qwen-vl-max", 255),
        (1024, 1024, "high", "gpt-4o-mini", 2833 + 4 * 5667),
        (1024, 1024, "high", "o3", 75 + 4 * 150),
        (1024, 1024, "high", "gpt-5-2025-08-07", 70 + 4 * 140),
        (128, 64, "low", "gpt-4.1-2025-04-14", 85),
        (2049, 513, "high", "gpt-4.1", 85 + 8 * 170),
        (2050, 513, "high", "gpt-4.1", 85 + 4 * 170),
        (100_000, 1, "high", "gpt-4o", 85 + 4 * 170),
        (128, 64, "high", "gpt-4.1-mini-2025-04-14", 13),
        (128, 64, "low", "gpt-4.1-nano", 20),
        (1800, 2400, "high", "gpt-4.1-mini", 2353),
        (1024, 1024, "high", "gpt-5-mini", 1229),
        (512, 512, "high", "gpt-5-mini", 308),
        (1280, 720, "high", "gpt-5-mini", 1104),
        (1600, 1600, "high", "gpt-5.4", 3000),
        (1600, 1600, "high", "gpt-5.4-mini", 1826),
        (1600, 3200, "original", "gpt-5.4", 6000),
        (100_000, 1, "high", "gpt-5-mini", 1844),
    ],
)
def test_a_picture_costs_by_model_size_and_detail(width, height, detail, model, expected):
    """The examples of the published guide and users' measured bills come out."""
    assert images.cost(png(width, height), detail, model) == expected
