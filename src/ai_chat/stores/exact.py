"""Texts that databases do not take as they are, and how they stand there all the same."""

from __future__ import annotations

import json

ESCAPED = "\ufdd0"
"""First character of a text that stands as JSON. Unicode promises never to give it a meaning."""


def exact(text: str) -> str:
    """Give what a text stands as: itself, or a mark and a JSON string where a database cannot hold it."""
    return text if is_storable(text) and not text.startswith(ESCAPED) else ESCAPED + json.dumps(text)


def is_storable(text: str) -> bool:
    """Say whether every database takes a text: UTF-8 can write it and there is no NUL in it."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return "\0" not in text
