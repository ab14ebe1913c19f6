"""PDF files: their text page by page, as paragraphs, below the headings of their outline or of large type."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ..core.knowledge import Extract
from .drafting import Draft
from .kinds import locked
from .pdf_layout import HYPHENS, Line, Page, blocks_of, levels_by_size, measured, without_running_lines
from .refusals import Unreadable, damaged, too_long

END = b"%%EOF"
END_WITHIN = 4096
"""Bytes at the end of a file within which it says that it ends."""
LINE = re.compile(f"[^\r\n{''.join(HYPHENS)}]+[{''.join(HYPHENS)}]?")
"""For pdfium a line that ends with a hyphen has no end."""
ILLEGIBLE = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]")
"""What comes of fonts that do not tell which letters they have."""
MOST_ILLEGIBLE = 0.5
MOST_BOOKMARKS = 5_000
PREFIX = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")
NUMBER = re.compile(r"^[\d.\s]+(?=\S)")
Outline = dict[int, list[tuple[int, str]]]
"""By page, from 0: the level of each heading, from 1, and its words."""


def read_pdf(data: bytes, *, most_characters: int) -> Extract:
    """Read a PDF.

    Raises:
        Unreadable: it is damaged, locked, too long, or has no text.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise locked() from error
        raise damaged("is not a whole PDF") from error
    try:
        if END not in data.rstrip(b"\0 \t\r\n")[-END_WITHIN:]:
            # What is there of it can often be read; but then the rest would be missing, and nobody would know.
            raise damaged("is not a whole PDF: its end is missing")
        pages = list(_pages(document, most_characters))
        outline = _outline(document)
        title = PREFIX.sub("", document.get_metadata_value("Title"))
    except pypdfium2.PdfiumError as error:
        raise damaged("is not a whole PDF") from error
    finally:
        document.close()
    _check_legible(pages)
    return _written(pages, outline, title, most_characters)


def _written(pages: list[Page], outline: Outline, title: str, most_characters: int) -> Extract:
    measures = measured(pages)
    pages = without_running_lines(pages, measures.body)
    sizes = {} if outline else levels_by_size(pages, measures.body)
    draft = Draft(most_characters)
    for number, page in enumerate(pages):
        draft.turn_to(number + 1)
        words = {_squeezed(heading): level for level, heading in outline.get(number, ())}
        shown = {_squeezed(line.text) for line in page}
        for level, heading in outline.get(number, ()):
            if _squeezed(heading) not in shown:
                draft.head(level, heading, shown=False)  # the page has it in other words, or broken into lines
        for block in blocks_of(page, _leveller(words, sizes), measures):
            if block.level:
                draft.head(block.level, block.text)
            else:
                draft.add(block.text, close=block.close)
    return draft.extract("pdf", title=title, pages=len(pages))


def _leveller(words: Mapping[str, int], sizes: Mapping[float, int]) -> Callable[[Line], int]:
    """Make what tells headings, by what they say or by how large they are."""
    return lambda line: words.get(_squeezed(line.text), 0) if words else sizes.get(line.size, 0)


def _squeezed(text: str) -> str:
    """Give the words of a heading without its number: an outline and a page may have it or not."""
    return "".join(NUMBER.sub("", text).split()).lower()


def _check_legible(pages: list[Page]) -> None:
    letters = sum(len(line.text) for page in pages for line in page)
    illegible = sum(len(ILLEGIBLE.findall(line.text)) for page in pages for line in page)
    if illegible > MOST_ILLEGIBLE * letters or not letters:
        what = "is made of pictures of its pages" if not letters else "does not tell which letters its fonts have"
        raise Unreadable("empty", f"holds no text that can be read, for it {what}", "run OCR over it and add it again")


# --- what pdfium knows ----------------------------------------------------------------------------------------------


def _pages(document: Any, most_characters: int) -> Iterator[Page]:
    length = 0
    for number in range(len(document)):
        page = document[number]
        words = page.get_textpage()
        try:
            lines = list(_lines(words))
        finally:
            words.close()
            page.close()
        length += sum(len(line.text) for line in lines)
        if length > most_characters:
            raise too_long(most_characters)
        yield lines


def _lines(words: Any) -> Iterator[Line]:
    """Give the lines of a page, in the order that the file has them in, with their places."""
    text = words.get_text_range()
    index = done = 0
    for found in LINE.finditer(text):
        index, done = index + _units(text[done : found.start()]), found.start()
        line = found[0].strip()
        if not line:
            continue
        first = index + len(found[0]) - len(found[0].lstrip())
        last = first + _units(line) - 1
        # Of three letters the middle one: a line may begin with a word in another type.
        size = sorted(_size(words, at) for at in (first, (first + last) // 2, last))[1]
        left, _, bottom = _place(words, first)
        _, right, _ = _place(words, last - line.endswith(HYPHENS))
        yield Line(text=line, left=left, right=max(left, right), bottom=bottom, size=size)


def _units(text: str) -> int:
    """Give the length of a text as pdfium counts it, in UTF-16."""
    return len(text) + sum(character > "\uffff" for character in text)


def _size(words: Any, index: int) -> float:
    """Give the size of a character's type, by its place in the text."""
    size: float = pdfium.FPDFText_GetFontSize(words, pdfium.FPDFText_GetCharIndexFromTextIndex(words, index))
    return round(size, 1)


def _place(words: Any, index: int) -> tuple[float, float, float]:
    """Give the left, the right and the bottom of a character's box, by its place in the text."""
    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(words, pdfium.FPDFText_GetCharIndexFromTextIndex(words, index), ctypes.byref(box))
    return box.left, box.right, box.bottom


def _outline(document: Any) -> Outline:
    """Give the headings of the outline, or nothing if there is none that says more than a title."""
    outline: Outline = {}
    count = 0
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None:
            outline.setdefault(page, []).append((bookmark.level + 1, bookmark.get_title()))
            count += 1
        if count == MOST_BOOKMARKS:
            break
    return outline if count > 1 else {}
