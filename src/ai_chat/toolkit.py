"""The tools of a house: those that come with it, and those of the user's own files."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config_sections import ToolSettings
from .core.errors import SettingsError
from .core.knowledge import SEARCH_TOOL
from .core.ports import Retriever
from .core.sources import Sources
from .providers.fetching_json import JsonFetch
from .providers.http import Http

if TYPE_CHECKING:
    from .tools.registry import Registry


class Toolkit:
    """Makes the tools when they are first asked for. They belong to the loop of the house."""

    def __init__(self, settings: ToolSettings, http: Http, retriever: Retriever) -> None:
        """Make nothing yet.

        Args:
            settings: addresses, and files of tools.
            http: the way to web services.
            retriever: finds passages in the user's documents.
        """
        self._settings = settings
        self._http = http
        self._retriever = retriever

    @property
    def names(self) -> tuple[str, ...]:
        """The tools that there are.

        Raises:
            SettingsError: a file of tools cannot be used.
        """
        return self.registry.names

    @property
    def described(self) -> list[dict[str, Any]]:
        """The tools as programs read them.

        Raises:
            SettingsError: a file of tools cannot be used.
        """
        return [
            {
                "name": spec.name,
                "description": spec.description,
                "parameters": spec.parameters,
                "asks_first": self.registry.asks_first(spec.name),
            }
            for spec in self.registry.specs
        ]

    def box(self, names: Sequence[str], sources: Sources | None = None) -> Registry:
        """Give the tools of these names.

        Args:
            names: the tools.
            sources: where the search of documents looks, and what has been found; None looks everywhere.

        Raises:
            BadRequest: there is no such tool.
            SettingsError: a file of tools cannot be used.
        """
        box = self.registry.only(names)
        if SEARCH_TOOL in box.names:
            # Each answer has a search of its own: what it finds gets numbers that mean something in it alone.
            from .tools.search import KnowledgeSearch  # noqa: PLC0415 - most calls need no tools

            search = KnowledgeSearch(self._retriever, Sources() if sources is None else sources)
            box.exchange(search.search_knowledge_base)
        return box

    def only_writes(self, target: str) -> bool:
        """Say whether a `provider/model` knows no tools, by the settings."""
        return any(target.startswith(beginning) for beginning in self._settings.react)

    @cached_property
    def registry(self) -> Registry:
        """All tools.

        Raises:
            SettingsError: a file of tools cannot be used.
        """
        from .tools.calculator import calculate  # noqa: PLC0415 - most calls need no tools
        from .tools.clock import WorldClock  # noqa: PLC0415
        from .tools.registry import Registry  # noqa: PLC0415
        from .tools.search import KnowledgeSearch  # noqa: PLC0415
        from .tools.weather import Weather  # noqa: PLC0415

        clock = WorldClock(lambda: datetime.now(UTC), datetime.now().astimezone().tzinfo or UTC)
        weather = Weather(
            JsonFetch(self._http),
            monotonic=time.monotonic,
            geocoding_url=self._settings.geocoding_url,
            forecast_url=self._settings.forecast_url,
        )
        search = KnowledgeSearch(self._retriever, Sources())
        own = (weather.get_current_weather, calculate, clock.get_current_time, search.search_knowledge_base)
        registry = Registry(own)
        for file in self._settings.files:
            registry.include(_tools_of(file))
        return registry


def _tools_of(file: Path) -> Registry:
    """Run a user's file, and give its `tools`."""
    from .tools.registry import Registry  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location(f"ai_chat_tools_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise SettingsError(f"AI_CHAT_TOOLS__FILES names {str(file)!r}, which is no Python file; its name ends in .py.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError:
        raise SettingsError(f"AI_CHAT_TOOLS__FILES names {str(file)!r}, which is not there.") from None
    except Exception as error:
        raise SettingsError(
            f"The tools of {str(file)!r} cannot be loaded: {type(error).__name__}: {error}; mend the file, or take it "
            "out of AI_CHAT_TOOLS__FILES."
        ) from error
    found = getattr(module, "tools", None)
    if not isinstance(found, Registry):
        raise SettingsError(
            f"The file {str(file)!r} has no tools; write `from ai_chat import Tools`, `tools = Tools()` and "
            "`@tools.tool` above each function."
        )
    return found
