"""Which paths are the server's own; all others belong to the page."""

from __future__ import annotations

CHAT = "/v1/chat/completions"
FILES = "/api/knowledge/files"
"""Where a document is sent as its bytes."""
APIS = frozenset({"v1", "api"})
"""First segments of what programs ask: here a foreign page must not get in, and bodies are JSON."""
OWN = APIS | {"health", "metrics", "web"}
"""First segments of what is answered here. What is not defined below them is a 404 in JSON, never the page."""


def first_segment(path: str) -> str:
    """Give `v1` of `/v1/models`; nothing of a path that begins otherwise."""
    return path.split("/", 2)[1] if path.startswith("/") else ""
