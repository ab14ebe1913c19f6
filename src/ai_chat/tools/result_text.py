"""What a tool gave back, as the text that the model reads."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .json_text import clean, write


def result_text(value: Any, most: int) -> str:
    """Write the result of a tool: a text as it is, anything else as JSON, cut after `most` characters.

    What is cut off is not looked at, and a sentence behind the cut says how much it is, as far as that is known.
    Characters that no upstream takes become U+FFFD.

    Raises:
        NotJson: it is no text, and JSON has no form for it.
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        rest = len(value) - most
        note = f"\n[Cut here: the last {rest:,} of {len(value):,} characters are left out.]" if rest > 0 else ""
        return clean(str.__str__(value)[:most]) + note
    text, cut = write(value, most)
    return f"{text}\n[Cut here: what follows these {most:,} characters is left out.]" if cut else text
