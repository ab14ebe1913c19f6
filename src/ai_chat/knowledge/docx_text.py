"""Documents of Word: paragraphs, lists and tables in their order, below the headings that styles make.

The file is opened as what it is, an archive with XML in it: nothing but the text and its styles is unpacked.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ..core.knowledge import Extract
from .drafting import Draft, one_line
from .kinds import locked
from .refusals import Unreadable, damaged

MOST_PARTS = 10_000
"""Files in the archive; a book with a picture on every page has a thousand."""
MOST_XML = 64 * 2**20
"""Bytes of unpacked XML that are read of one part: parsed they take ten times as much memory."""
MOST_RATIO = 200
"""How many times its size a part of some size may grow; text grows tenfold, a bomb a thousandfold."""
SMALL = 2**20
"""Bytes up to which it may grow as it likes."""
MAIN = re.compile(r"word/document\d*\.xml")
STYLES = re.compile(r"word/styles\d*\.xml")
HEADING = re.compile(r"(?:heading|标题|標題|見出し|überschrift|titre|título|titolo|заголовок)\s*([1-9])", re.IGNORECASE)
"""Names of the styles of headings, as Word and WPS write them in the language of their user."""
TITLE = re.compile(r"title|标题|標題|titel|titre|título", re.IGNORECASE)
BODY_LEVEL = 9
"""What Word writes for a paragraph that is no heading; headings are from 0."""
UNREAD = frozenset(("del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr", "rt", "txbxContent"))
"""What of a paragraph is not its text: what was deleted, or stands there twice, codes, forms, pronunciation, boxes."""
BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
WRAPPERS = frozenset(("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "AlternateContent", "Choice"))
LISTED = -1
CELL_BORDER = " | "
INDENT = "  "


def read_docx(data: bytes, *, most_characters: int) -> Extract:
    """Read a document.

    Raises:
        Unreadable: it is damaged, locked, too large, too long or empty.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            main, styles, core = _parts(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise damaged("is not a whole docx file") from error
    except RuntimeError as error:  # what zipfile says of a member that needs a password
        raise locked() from error
    walk = _Walk(Draft(most_characters), _levels(styles))
    body = next((child for child in main if _name(child) == "body"), None)
    if body is None:
        raise damaged("is a docx file without a text in it")
    walk.blocks(body)
    said = core.find(".//{http://purl.org/dc/elements/1.1/}title") if core is not None else None
    return walk.draft.extract("docx", title=(said is not None and said.text) or walk.title)


# --- the archive ---------------------------------------------------------------------------------------------------


def _parts(archive: zipfile.ZipFile) -> tuple[Any, Any, Any]:
    """Give the text, the styles and the properties, parsed; the last two may be missing."""
    members = archive.infolist()
    if len(members) > MOST_PARTS:
        raise Unreadable("too_large", f"has {len(members):,} parts, as no document has", "check where it comes from")
    main = next((member for member in members if MAIN.fullmatch(member.filename)), None)
    if main is None:
        raise damaged("is an archive without a document of Word in it")
    styles = next((member for member in members if STYLES.fullmatch(member.filename)), None)
    core = next((member for member in members if member.filename == "docProps/core.xml"), None)
    return _parsed(archive, main), styles and _parsed(archive, styles), core and _parsed(archive, core)


def _parsed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    """Unpack a part and parse it. An archive never gives more of a part than it says that there is."""
    grown = member.file_size > max(SMALL, MOST_RATIO * member.compress_size)
    if grown or member.file_size > MOST_XML:
        raise Unreadable(
            "too_large",
            f"unpacks to {member.file_size:,} bytes of text, which is no document's size",
            "split it, or check where it comes from",
        )
    # No entities, no DTD, nothing from anywhere else: a document needs none of it.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.fromstring(archive.read(member), parser=parser)
    except etree.XMLSyntaxError as error:
        raise damaged("is not a whole docx file") from error


# --- the text ------------------------------------------------------------------------------------------------------


class _Walk:
    """A walk over the blocks of a document."""

    def __init__(self, draft: Draft, levels: dict[str, int]) -> None:
        self.draft = draft
        self.title: str | None = None
        self._levels = levels
        self._close = False

    def blocks(self, parent: Any) -> None:
        """Take up all paragraphs and tables in an element."""
        for child in parent:
            name = _name(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name in WRAPPERS:
                self.blocks(child)

    def _paragraph(self, paragraph: Any) -> None:
        text = "".join(_words(paragraph)).strip()
        level = _outline(_value(paragraph, "pPr", "outlineLvl"))
        if level is None:
            level = self._levels.get(_value(paragraph, "pPr", "pStyle") or "")
        if level is not None and level > 0:
            self.draft.head(level, text)
        else:
            if level == 0 and self.title is None:
                self.title = one_line(text) or None
            item = _child(paragraph, "pPr", "numPr")
            listed = item is not None or level == LISTED
            self._add(f"{_indent(item)}- {text}" if listed and text else text, close=listed)
        for box in paragraph.iter("{*}txbxContent"):
            outer = [_name(element) for element in box.iterancestors()]
            if "Fallback" not in outer and "txbxContent" not in outer:
                self.blocks(box)

    def _table(self, table: Any) -> None:
        rows = [[cell for cell in row.iter("{*}tc") if _row_of(cell) is row] for row in _rows(table)]
        if all(len(row) < 2 for row in rows):  # noqa: PLR2004 - it frames a text
            for row in rows:
                for cell in row:
                    self.blocks(cell)
            return
        self._close = False
        for row in rows:
            texts = [one_line(" ".join("".join(_words(paragraph)) for paragraph in cell.iter("{*}p"))) for cell in row]
            if any(texts):
                self._add(CELL_BORDER.join(texts), close=True)
        self._close = False

    def _add(self, block: str, *, close: bool) -> None:
        """Add a block; items and rows stand close to those before them."""
        self.draft.add(block, close=close and self._close)
        self._close = close


def _words(element: Any) -> Iterator[str]:
    for child in element:
        name = _name(child)
        if name == "t":
            yield child.text or ""
        elif name in BREAKS:
            yield BREAKS[name]
        elif name not in UNREAD:
            yield from _words(child)


def _rows(table: Any) -> Iterator[Any]:
    for child in table:
        if _name(child) == "tr":
            yield child
        elif _name(child) in WRAPPERS:
            yield from _rows(child)


def _row_of(cell: Any) -> Any:
    return next((outer for outer in cell.iterancestors() if _name(outer) == "tr"), None)


def _indent(item: Any) -> str:
    level = _value(item, "ilvl") if item is not None else None
    return INDENT * int(level) if level and level.isdecimal() and int(level) <= BODY_LEVEL else ""


# --- styles --------------------------------------------------------------------------------------------------------


def _name(element: Any) -> str:
    """Give an element's name without its namespace: there are two, and both mean the same."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _child(element: Any, *path: str) -> Any:
    for name in path:
        element = next((child for child in element if _name(child) == name), None) if element is not None else None
    return element


def _value(element: Any, *path: str) -> str | None:
    """Give the `val` of what stands at a path below an element."""
    found = _child(element, *path)
    return None if found is None else next((value for key, value in found.items() if key.endswith("}val")), None)


def _levels(styles: Any) -> dict[str, int]:
    """Give by their ids the levels of styles of headings, from 1; 0 is that of titles, `LISTED` that of lists."""
    levels: dict[str, int] = {}
    bases: dict[str, str] = {}
    for style in styles if styles is not None else ():
        key = next((value for name, value in style.items() if name.endswith("}styleId")), None)
        if _name(style) != "style" or key is None:
            continue
        level = _style_level(style)
        if level is not None:
            levels[key] = level
        elif based := _value(style, "basedOn"):
            bases[key] = based
    for key in bases:
        at, steps = key, 0
        while at in bases and steps < len(bases):  # styles can be based on each other in a circle
            at, steps = bases[at], steps + 1
        if at in levels:
            levels[key] = levels[at]
    return levels


def _style_level(style: Any) -> int | None:
    outline = _outline(_value(style, "pPr", "outlineLvl"))
    name = _value(style, "name") or ""
    if found := HEADING.match(name):
        return int(found[1])
    if TITLE.fullmatch(name):
        return 0
    return LISTED if outline is None and _child(style, "pPr", "numPr") is not None else outline


def _outline(level: str | None) -> int | None:
    return int(level) + 1 if level is not None and level.isdecimal() and int(level) < BODY_LEVEL else None
