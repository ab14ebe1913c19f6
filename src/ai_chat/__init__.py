"""Chat with any OpenAI-style model, or with one on your own machine.

>>> def hello() -> str:
...     from ai_chat import Chat
...     with Chat() as chat:
...         return chat.complete("Say hello").text
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Answer": "chat.answer",
    "AsyncChat": "client",
    "Chat": "sync",
    "ChatError": "core.errors",
    "ChatResult": "core.result",
    "Message": "core.messages",
    "Notice": "core.events",
    "Session": "chat.session",
    "SyncAnswer": "sync",
    "SyncSession": "sync",
    "Timeouts": "core.request",
    "Usage": "core.usage",
}

__all__ = [
    "Answer",
    "AsyncChat",
    "Chat",
    "ChatError",
    "ChatResult",
    "Message",
    "Notice",
    "Session",
    "SyncAnswer",
    "SyncSession",
    "Timeouts",
    "Usage",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
