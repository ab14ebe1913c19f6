"""What a tool says when it cannot do what it was asked."""

from __future__ import annotations


class ToolError(Exception):
    """A sentence that the model may read: what is wrong, and what to ask instead."""
