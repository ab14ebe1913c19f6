"""Which files are read, and as what: by their name first, and by how they begin where that says more."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

from .refusals import Unreadable, damaged

Kind = Literal["txt", "md", "html", "pdf", "docx", "csv", "code"]

SUFFIXES: dict[Kind, str] = {
    "txt": "txt text log rst tex adoc asciidoc org srt vtt",
    "md": "md markdown mdown mkd mdx",
    "html": "html htm xhtml shtml",
    "pdf": "pdf",
    "docx": "docx docm dotx",
    "csv": "csv tsv",
    "code": (
        "py pyi pyw js mjs cjs jsx ts mts cts tsx vue svelte java kt kts scala groovy gradle c h cc cpp cxx hh hpp hxx "
        "m mm cs fs vb go rs rb php swift dart lua pl pm r jl hs ml clj ex exs erl elm nim zig asm s sh bash zsh fish "
        "ps1 bat cmd sql graphql proto thrift json jsonl ndjson json5 yaml yml toml ini cfg conf properties xml xsd "
        "xsl css scss sass less tf hcl cmake mk dockerfile diff patch"
    ),
}
KINDS: dict[str, Kind] = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes.split()}
NAMES: dict[str, Kind] = {
    **dict.fromkeys(("makefile", "dockerfile", "jenkinsfile", "vagrantfile", "gemfile", "rakefile"), "code"),
    **dict.fromkeys(("readme", "license", "licence", "copying", "notice", "authors", "changelog", "changes"), "txt"),
}
"""Files that have no suffix and need none."""
AS_TEXT = "save its text as txt, docx or PDF and add that"
OTHERS = (
    ("doc dot wps rtf odt pages", "is a document of a kind that is not read", "save it as docx or PDF and add that"),
    ("xls xlsx xlsm xlsb ods et numbers", "is a spreadsheet", "save its sheets as CSV and add those"),
    ("ppt pptx pptm pps ppsx odp dps key", "is a presentation", "save it as PDF and add that"),
    ("epub mobi azw3 djvu chm", "is a book of a kind that is not read", AS_TEXT),
    ("zip gz tgz bz2 xz zst 7z rar tar jar whl", "is an archive", "unpack it and add what is in it"),
    ("png jpg jpeg gif bmp webp tif tiff heic ico psd svg", "is a picture", "make text of it by OCR and add that"),
    ("mp3 wav flac ogg m4a mp4 mov avi mkv webm", "is a recording", AS_TEXT),
    ("eml msg mbox pst", "is mail", AS_TEXT),
)
"""What is often tried, and what to do with it."""
MENDS = {suffix: (problem, mend) for suffixes, problem, mend in OTHERS for suffix in suffixes.split()}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How old files of Office begin, and new ones that are locked with a password."""
ZIP = b"PK\x03\x04"
LOCKED = "EncryptedPackage".encode("utf-16-le")
PDF_WITHIN = 1024
"""Bytes within which a PDF says that it is one (ISO 32000-1, annex H)."""
HTML = re.compile(
    rb"\s{0,99}(?:<\?xml[^>]{0,200}>\s{0,99})?(?:<!--.{0,500}?-->\s{0,99})?<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)


def kind_by_name(name: str) -> Kind | None:
    """Give what a file is by its name; None if files of such a name are not read."""
    path = PurePosixPath(name.lower())
    return KINDS.get(path.suffix[1:]) if path.suffix else NAMES.get(path.name)


def kind_of(name: str, data: bytes) -> Kind:
    """Find out what a file is.

    Args:
        name: what it is called.
        data: all of it.

    Raises:
        Unreadable: nobody here reads its kind, or it is not what its name says.
    """
    named = kind_by_name(name)
    sniffed = _by_begin(data, named)
    if sniffed is not None:
        return sniffed
    if named in {"pdf", "docx"}:
        raise damaged(f"is no {'PDF' if named == 'pdf' else 'docx'} file, whatever its name says, or lacks its begin")
    if named is not None:
        return named
    suffix = PurePosixPath(name.lower()).suffix[1:]
    if suffix in MENDS:
        raise Unreadable("unsupported", *MENDS[suffix])
    return "txt"  # if it is none, decoding it will show


def _by_begin(data: bytes, named: Kind | None) -> Kind | None:
    """Give what a file certainly is by how it begins; None if that tells nothing."""
    if data.startswith(OLE):
        if LOCKED in data:
            raise locked()
        raise Unreadable("unsupported", "is of an old kind of Office", "save it as docx, PDF or CSV and add that")
    if data.startswith(b"{\\rtf"):
        raise Unreadable("unsupported", *MENDS["rtf"])
    if data.startswith(b"%PDF-") or (named == "pdf" and b"%PDF-" in data[:PDF_WITHIN]):
        return "pdf"
    if data.startswith(ZIP):
        return _in_zip(data)
    # Source of many kinds may begin like a page, and is read as what its name says.
    return "html" if named not in {"code", "md", "csv"} and HTML.match(data) else None


def _in_zip(data: bytes) -> Kind | None:
    """Look for the names that stand in an archive as they are, without opening it."""
    if b"word/" in data:
        return "docx"
    for part, suffix in ((b"xl/", "xlsx"), (b"ppt/", "pptx"), (b"application/epub", "epub"), (b"opendocument", "odt")):
        if part in data:
            raise Unreadable("unsupported", *MENDS[suffix])
    return None


def locked() -> Unreadable:
    """Say that a file needs a password."""
    return Unreadable("encrypted", "is locked with a password", "remove the password and add it again")
