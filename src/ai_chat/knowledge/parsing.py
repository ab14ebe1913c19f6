"""The bytes of a file become its text: the right parser for its kind."""

from __future__ import annotations

from ..core.knowledge import Extract
from .decoding import SAMPLE_BYTES, declared_in, decode
from .kinds import kind_of
from .refusals import empty, too_long

MOST_BYTES_EACH = 4
"""Bytes of a character, in any encoding: what has more need not be decoded to be too long."""
MOST_MARKUP = 20
"""Times the characters that are taken that a page may have, most of which nobody reads."""


def parse(data: bytes, *, name: str, most_characters: int) -> Extract:
    """Take the text out of a file.

    Args:
        data: all of it.
        name: what it is called; its suffix tells its kind.
        most_characters: how long the text may be.

    Raises:
        Unreadable: there is none to be had.
    """
    # Each parser's libraries are loaded when it is needed: they take longer than most files.
    if not data.strip(b"\0 \t\r\n"):
        raise empty()
    kind = kind_of(name, data)
    if kind == "pdf":
        from .pdf_text import read_pdf  # noqa: PLC0415

        return read_pdf(data, most_characters=most_characters)
    if kind == "docx":
        from .docx_text import read_docx  # noqa: PLC0415

        return read_docx(data, most_characters=most_characters)
    most = most_characters * (MOST_MARKUP if kind == "html" else 1)
    if len(data) > MOST_BYTES_EACH * most:
        decode(data[:SAMPLE_BYTES])  # a film is no long text
        raise too_long(most_characters)
    says_itself = kind == "html" or name.lower().endswith((".xml", ".xsd", ".xsl"))
    text, encoding = decode(data, declared=declared_in(data) if says_itself else None)
    if len(text) > most:
        raise too_long(most_characters)
    if kind == "html":
        from .html_text import read_html  # noqa: PLC0415

        return read_html(text, encoding=encoding, most_characters=most_characters)
    if kind == "csv":
        from .csv_text import read_csv  # noqa: PLC0415

        return read_csv(text, encoding=encoding, most_characters=most_characters)
    if kind == "md":
        from .markdown_text import read_markdown  # noqa: PLC0415

        return read_markdown(text, encoding=encoding, most_characters=most_characters)
    from .plain_text import read_code, read_text  # noqa: PLC0415

    if kind == "code":
        return read_code(text, name=name, encoding=encoding, most_characters=most_characters)
    return read_text(text, encoding=encoding, most_characters=most_characters)
