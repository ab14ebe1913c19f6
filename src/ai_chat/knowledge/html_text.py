"""Web pages: what a person reads on them, block by block, with the headings it stands below."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree, html

from ..core.knowledge import Extract
from .drafting import Draft, clean, one_line
from .refusals import empty

SKIPPED_TAGS = (
    "script style noscript template nav svg math iframe object embed canvas audio video select option datalist dialog "
    "head title link meta input button"
)
BLOCK_TAGS = (
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
    "header hgroup hr html li main menu ol p pre section summary table tbody td tfoot th thead tr ul"
)
SKIPPED = frozenset(SKIPPED_TAGS.split())
BLOCKS = frozenset(BLOCK_TAGS.split())
HEADINGS = {f"h{level}": level for level in range(1, 7)}
CELLS = frozenset({"td", "th"})
LIST_ITEM = "- "
CELL_BORDER = " | "
UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
SPACES = re.compile(r"[ \t\n]+")
MORE_SPACES = re.compile(" {2,}")
AROUND_BREAK = re.compile(" ?\n ?")


def read_html(text: str, *, encoding: str, most_characters: int) -> Extract:
    """Read a page.

    Raises:
        Unreadable: it is empty or too long.
    """
    # As bytes: libxml2 refuses a str that says in itself how it is encoded.
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = html.document_fromstring(clean(text).encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise empty() from error
    title = root.findtext(".//title")
    page = _Page(Draft(most_characters))
    page.walk(root)
    return page.draft.extract("html", title=one_line(title or ""), encoding=encoding)


class _Page:
    """A walk over a page in the order of its text."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._words: list[str] = []
        self._prefix = ""
        self._close = False
        self._cells: list[str] | None = None
        self._verbatim = 0

    def walk(self, root: Any) -> None:
        """Go through an element and all below it, without recursion: pages can be nested deeper than Python's calls."""
        walker = etree.iterwalk(root, events=("start", "end"))
        for event, element in walker:
            if event == "end":
                if not _is_skipped(element):
                    self._leave(element)
                self._say(element.tail)
            elif _is_skipped(element):
                walker.skip_subtree()
            else:
                self._enter(element)
                self._say(element.text)
        self._flush()

    def _say(self, words: str | None) -> None:
        if words:
            # A break within the source is a space, but for a listing.
            self._words.append(words if self._verbatim else SPACES.sub(" ", words))

    def _enter(self, element: Any) -> None:
        tag = element.tag
        if tag == "br":
            self._words.append(" " if self._cells is not None else "\n")
        elif tag == "pre":
            self._flush()
            self._verbatim += 1
        elif tag == "tr" and not _is_layout(element):
            self._flush()
            self._cells = []
        elif tag == "li":
            self._flush()
            self._prefix = LIST_ITEM
        elif tag in HEADINGS or tag in BLOCKS:
            self._part()

    def _leave(self, element: Any) -> None:
        tag = element.tag
        if tag in HEADINGS:
            heading = "".join(self._words)
            self._words.clear()
            self.draft.head(HEADINGS[tag], heading)
        elif tag in CELLS and self._cells is not None:
            self._cells.append(one_line("".join(self._words)))
            self._words.clear()
        elif tag == "tr" and self._cells is not None:
            row, self._cells = self._cells, None
            self._words[:] = [CELL_BORDER.join(row)] if any(row) else []
            self._flush(close=True)
        elif tag in BLOCKS:
            self._part()
            self._verbatim -= tag == "pre"
            self._prefix = "" if tag == "li" else self._prefix
            self._close = self._close and tag not in {"table", "ul", "ol", "dl"}

    def _part(self) -> None:
        """End a block; within the cell of a table it is parted by a space only."""
        if self._cells is None:
            self._flush()
        else:
            self._words.append(" ")

    def _flush(self, *, close: bool = False) -> None:
        """Write the words down as a block. Items and rows stand close to those before them."""
        block = "".join(self._words)
        self._words.clear()
        if not self._verbatim:
            block = AROUND_BREAK.sub("\n", MORE_SPACES.sub(" ", block)).strip()
        if not block.strip():
            return
        close = close or bool(self._prefix)
        self.draft.add(self._prefix + block, close=close and self._close)
        self._close, self._prefix = close, ""


def _is_skipped(element: Any) -> bool:
    """Whether nobody sees an element."""
    if not isinstance(element.tag, str) or element.tag in SKIPPED:
        return True
    get = element.get
    return get("hidden") is not None or get("aria-hidden") == "true" or bool(UNSEEN.search(get("style") or ""))


def _is_layout(row: Any) -> bool:
    """Whether a row belongs to a table that only puts things in their places."""
    return len(row) < 2 or any(  # noqa: PLR2004 - a row of one cell is no row
        element.tag in {"table", "ul", "ol", "pre"} or element.tag in HEADINGS for element in row.iterdescendants()
    )
