"""Failures that only a server has: the leaves that it adds to the tree of errors."""

from __future__ import annotations

from ..core.errors import BadRequest, ChatError


class WrongMethod(BadRequest):
    """What is served at that path does not take this method."""

    code = "method_not_allowed"
    http_status = 405


class WrongMediaType(BadRequest):
    """The body is said to be of another kind than what is taken there."""

    code = "unsupported_media_type"
    http_status = 415


class Fault(ChatError):
    """A fault of ours, told without what it was: that stands in the server's log."""

    code = "internal_error"

    def __init__(self) -> None:
        """Say no more than that there was one."""
        super().__init__("The server failed at this by a fault of its own; its log says how.")
