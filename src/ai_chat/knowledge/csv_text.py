"""Tables as text files: each row is a line that says of every value what it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..core.knowledge import Extract, Section
from .drafting import check_length, clean, one_line, sections_of

DELIMITERS = ",;\t|"
SNIFFED = 50
"""Rows by which the delimiter is found."""
SNIFFED_CHARACTERS = 64 * 1024
MOST_FIELD = 10_000_000
"""Characters of one value; csv itself stops at 131,072."""
MOST_UNEVEN = 0.2
"""Share of rows that may have more or fewer values than the first; with more it is no table."""
Rows = list[list[str]]


def read_csv(text: str, *, encoding: str, most_characters: int) -> Extract:
    """Read a table. What is none stays the text that it is.

    Raises:
        Unreadable: it is empty or too long.
    """
    text = clean(text)
    check_length(text, most_characters)
    rows = _rows(text)
    table = None if rows is None else _written(rows, most_characters)
    if table is None:
        return Extract(text=text, sections=sections_of(text, ()), kind="csv", encoding=encoding)
    return Extract(text=table, sections=(Section(start=0, end=len(table)),), kind="csv", encoding=encoding)


def _rows(text: str) -> Rows | None:
    """Give the rows that hold something; None if the text is no table."""
    delimiter = _delimiter(text)
    if delimiter is None:
        return None
    csv.field_size_limit(MOST_FIELD)
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(map(str.strip, row))
        ]
    except csv.Error:
        return None
    width = len(rows[0]) if rows else 0
    uneven = sum(len(row) != width for row in rows)
    return rows if len(rows) > 1 and uneven <= MOST_UNEVEN * len(rows) else None


def _delimiter(text: str) -> str | None:
    """Find the character that parts the first rows into the same number of values, and into most of them."""
    best, most = None, 1.0
    for delimiter in DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(text[:SNIFFED_CHARACTERS], newline=""), delimiter=delimiter)
            widths = [len(row) for row, _ in zip(reader, range(SNIFFED), strict=False) if row]
        except csv.Error:
            continue
        usual = max(set(widths), key=widths.count, default=0)
        worth = usual * widths.count(usual) / max(1, len(widths))
        if usual > 1 and worth > most:
            best, most = delimiter, worth
    return best


def _written(rows: Rows, most_characters: int) -> str | None:
    """Write the rows, each with the names of its columns; None if that becomes too long."""
    named = not all(_is_number(value) for value in rows[0] if value.strip())
    names = [one_line(value).rstrip(":") for value in rows[0]] if named else []
    lines, length = [], 0
    for row in rows[1:] if named else rows:
        line = _line(names, row)
        length += len(line) + 1
        if length > most_characters:
            return None
        lines += [line] if line else []
    return "\n".join(lines) or None


def _line(names: Sequence[str], row: Sequence[str]) -> str:
    """Write a row; what is empty is left out, and a value without a column stands alone."""
    values = [one_line(value) for value in row]
    named = [
        f"{names[at]}: {value}" if at < len(names) and names[at] else value for at, value in enumerate(values) if value
    ]
    return "; ".join(named)


def _is_number(value: str) -> bool:
    try:
        float(value.replace(",", "").strip().rstrip("%"))
    except ValueError:
        return False
    return True
