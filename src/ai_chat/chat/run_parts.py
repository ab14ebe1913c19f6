"""What runs need of the house."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..core.ports import IsAlive
from ..core.request import ChatRequest
from .choices import MakeBox, no_tools
from .record import Keeping
from .session import SessionParts
from .structured import StructuredParts
from .summary import Summaries


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """What runs need of the house."""

    keeping: Callable[[], Awaitable[Keeping]]
    """Opens the store."""
    session: SessionParts
    template: Callable[[str | None], ChatRequest]
    """Gives a request to that model (None: the default) with the settings' parameters; its messages are not used."""
    label: Callable[[str | None], str]
    """Gives `provider/model` for a model's name."""
    owner: str
    """Who writes the answers: this process."""
    is_alive: IsAlive
    summaries: Summaries | None = None
    """Who sums up what no longer fits; without anybody it is left out."""
    toolbox: MakeBox = no_tools
    """Gives the tools of these names."""
    only_writes: Callable[[str], bool] = lambda _: False
    """Whether a `provider/model` knows no tools, so that its calls are read from its text."""
    structured: StructuredParts | None = None
    """What answers of a given form need."""
    passages: Callable[[str], int] = lambda _: 5
    """How many passages of a person's documents a `provider/model` answers a question from."""
    monotonic: Callable[[], float] = time.monotonic
