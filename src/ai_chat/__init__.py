"""Chat with any OpenAI-style model, or with one on your own machine.

>>> def hello() -> str:
...     from ai_chat import Chat
...     with Chat() as chat:
...         return chat.complete("Say hello").text
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chat.answer import Answer
    from .chat.session import Session
    from .chat.structured import Parsed, ParseStream
    from .client import AsyncChat
    from .core.errors import ChatError
    from .core.events import Notice
    from .core.messages import Message
    from .core.request import Timeouts
    from .core.result import ChatResult
    from .core.usage import Usage
    from .sync import Chat, SyncAnswer, SyncParseStream, SyncSession
    from .tools.errors import ToolError
    from .tools.registry import Registry as Tools

__version__ = "0.1.0"

_HOMES = {
    "Answer": "chat.answer",
    "AsyncChat": "client",
    "Chat": "sync",
    "ChatError": "core.errors",
    "ChatResult": "core.result",
    "Message": "core.messages",
    "Notice": "core.events",
    "ParseStream": "chat.structured",
    "Parsed": "chat.structured",
    "Session": "chat.session",
    "SyncAnswer": "sync",
    "SyncParseStream": "sync",
    "SyncSession": "sync",
    "Timeouts": "core.request",
    "ToolError": "tools.errors",
    "Tools": "tools.registry:Registry",
    "Usage": "core.usage",
}
"""Where each public name lives, and under which name if under another.

It is loaded when it is first asked for, so that the import costs next to nothing.
"""

__all__ = [
    "Answer",
    "AsyncChat",
    "Chat",
    "ChatError",
    "ChatResult",
    "Message",
    "Notice",
    "ParseStream",
    "Parsed",
    "Session",
    "SyncAnswer",
    "SyncParseStream",
    "SyncSession",
    "Timeouts",
    "ToolError",
    "Tools",
    "Usage",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, _, other = _HOMES[name].partition(":")
    value = getattr(import_module(f".{home}", __name__), other or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
