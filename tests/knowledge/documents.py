"""Real files for tests of reading, made on the spot: PDFs, documents of Word, archives that are traps."""

from __future__ import annotations

import hashlib
import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import pytest

MANUAL_EN = "Press the red button twice to reset the coffee machine. The lamp goes out when it is done."
MANUAL_ZH = "连续按两次红色按钮即可重置咖啡机。指示灯熄灭后表示操作完成。"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer"]
PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
"""What a password is filled up with (ISO 32000-1, 7.6.3.3)."""
PERMISSIONS = -4
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Text:
    """A line on a page of a PDF."""

    words: str
    y: float
    x: float = 72.0
    size: float = 12.0


Objects = list[bytes]
Encrypt = Callable[[int, bytes], bytes]


def lines(*words: str, top: float = 720.0, step: float = 14.0, **fields: float) -> list[Text]:
    """Set lines below each other."""
    return [Text(each, top - step * at, **fields) for at, each in enumerate(words)]


def pdf(
    *pages: Sequence[Text],
    password: str | None = None,
    owner: str = "owner",
    title: str = "",
    outline: Sequence[tuple[str, int]] = (),
) -> bytes:
    """Write a PDF with one font, of which only the letters' names are in it.

    Args:
        pages: the lines of each.
        password: what it takes to open it; None is not encrypted, the empty one opens by itself.
        owner: the other password, which is not needed.
        title: of the document; not together with a password.
        outline: headings and the pages they are on, from 0.
    """
    identity = hashlib.md5(b"a test's file", usedforsecurity=False).digest()
    key = None if password is None else _key(password, owner, identity)
    objects = _font()
    kids = []
    for page in pages:
        content = zlib.compress("\n".join(_show(line) for line in page).encode())
        number = len(objects) + 1
        if key is not None:
            content = _rc4(_object_key(key[0], number), content)
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n" % len(content) + content + b"\nendstream")
        objects.append(
            b"<</Type/Page/Parent 1 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 2 0 R>>>>/Contents %d 0 R>>" % number
        )
        kids.append(number + 1)
    objects[0] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids))
    trailer = b"/ID[<%s><%s>]" % ((identity.hex().encode(),) * 2)
    if key is not None:
        trailer += b"/Encrypt<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % (*key[1:], PERMISSIONS)
    if title:
        objects.append(b"<</Title<FEFF%s>>>" % title.encode("utf-16-be").hex().encode())
        trailer += b"/Info %d 0 R" % len(objects)
    root = b"<</Type/Catalog/Pages 1 0 R>>"
    if outline:
        objects += _outline(outline, kids, len(objects) + 1)
        root = root[:-2] + b"/Outlines %d 0 R>>" % (len(objects) - len(outline))
    objects.append(root)
    return _file(objects, trailer)


def _font() -> Objects:
    """Give a place for the pages, and a font whose codes are UTF-16."""
    ranges = [b"<%04X><%04X><%04X>" % (high << 8, high << 8 | 255, high << 8) for high in range(256)]
    hundreds = [ranges[start : start + 100] for start in range(0, 256, 100)]
    names = b"\n".join(b"%d beginbfrange %s endbfrange" % (len(part), b" ".join(part)) for part in hundreds)
    names = b"begincmap 1 begincodespacerange <0000><FFFF> endcodespacerange " + names + b" endcmap"
    names = zlib.compress(names)
    font = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/CIDSystemInfo<</Registry()/Ordering()/Supplement 0>>"
    described = b"<</Type/FontDescriptor/FontName/A/Flags 4/FontBBox[0 -200 1000 800]/ItalicAngle 0/Ascent 800"
    return [
        b"",
        b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[3 0 R]/ToUnicode 4 0 R>>",
        font + b"/DW 1000/W[32 126 500]/FontDescriptor 5 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n" % len(names) + names + b"\nendstream",
        described + b"/Descent -200/CapHeight 700/StemV 80>>",
    ]


def _outline(outline: Sequence[tuple[str, int]], kids: list[int], first: int) -> Objects:
    last = first + len(outline)
    objects = [b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % (first + 1, last, len(outline))]
    for number, (heading, page) in enumerate(outline, first + 1):
        item = b"<</Title<FEFF%s>/Parent %d 0 R" % (heading.encode("utf-16-be").hex().encode(), first)
        item += b"/Next %d 0 R" % (number + 1) if number < last else b""
        objects.append(item + b"/Dest[%d 0 R/Fit]>>" % kids[page])
    return objects


def _show(line: Text) -> str:
    return f"BT /F {line.size} Tf {line.x} {line.y} Td <{line.words.encode('utf-16-be').hex()}> Tj ET"


def _file(objects: Objects, trailer: bytes) -> bytes:
    data = bytearray(b"%PDF-1.6\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer\n<</Size %d/Root %d 0 R%s>>\n" % (len(objects) + 1, len(objects), trailer)
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % start)


def _key(user: str, owner: str, identity: bytes) -> tuple[bytes, bytes, bytes]:
    """Give the key of a file, and what it holds to try passwords at (algorithms 2, 3 and 4, revision 2)."""
    md5 = hashlib.md5
    user_padded, owner_padded = ((word.encode() + PADDING)[:32] for word in (user, owner))
    tried_owner = _rc4(md5(owner_padded).digest()[:5], user_padded)
    key = md5(user_padded + tried_owner + struct.pack("<i", PERMISSIONS) + identity).digest()[:5]
    return key, tried_owner.hex().encode(), _rc4(key, PADDING).hex().encode()


def _object_key(key: bytes, number: int) -> bytes:
    return hashlib.md5(key + struct.pack("<I", number)[:3] + b"\0\0").digest()[:10]  # noqa: S324


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    at = 0
    for index in range(256):
        at = (at + state[index] + key[index % len(key)]) % 256
        state[index], state[at] = state[at], state[index]
    left = right = 0
    out = bytearray()
    for byte in data:
        left = (left + 1) % 256
        right = (right + state[left]) % 256
        state[left], state[right] = state[right], state[left]
        out.append(byte ^ state[(state[left] + state[right]) % 256])
    return bytes(out)


def printed(page: str, folder: Path) -> bytes:
    """Let a real browser print a page as PDF."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"a browser makes the PDF: install one of {', '.join(CHROMIUM)}")
    source, target = folder / "page.html", folder / "page.pdf"
    source.write_text(page, "utf-8")
    command = [path, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}", source.as_uri()]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
    return target.read_bytes()


def word(write: Callable[[Any], object]) -> bytes:
    """Write a document of Word: `write` gets one that is empty."""
    document = docx.Document()
    write(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def archive(parts: dict[str, bytes]) -> bytes:
    """Pack files into an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def word_xml(body: str, *, before: str = "") -> bytes:
    """Write the XML of a document of Word around what is in it."""
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return f'<?xml version="1.0"?>{before}<w:document xmlns:w="{name}"><w:body>{body}</w:body></w:document>'.encode()


def lying_archive(data: bytes, size: int) -> bytes:
    """Pack a document that claims to unpack to `size` bytes only."""
    packed = bytearray(archive({"word/document.xml": data}))
    claimed = struct.pack("<I", size)
    packed[22:26] = claimed  # in the header of the file
    at = packed.rindex(b"PK\x01\x02") + 24  # and in the list of files
    packed[at : at + 4] = claimed
    return bytes(packed)
