"""Things at rest: conversations in a database. Importing this loads no database library; opening a store does."""

from .opening import open_conversations

__all__ = ["open_conversations"]
