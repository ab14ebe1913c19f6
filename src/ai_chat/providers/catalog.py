"""The catalog: which providers there are, and what a model's name means."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from ..core.request import SchemaSupport
from ..core.usage import NOTHING

LOCAL = "local"
"""The embedded model's provider; it is no row, for it has a file of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One provider that speaks OpenAI's Chat Completions."""

    name: str
    title: str
    base_url: str | None = None
    """None: it must be given by `url_variable`."""
    key: str | None = None
    """The variable of a key it cannot do without."""
    optional_key: str | None = None
    """The variable of a key it may want."""
    url_variable: str | None = None
    url_suffix: str = ""
    """Appended to what `url_variable` says, unless it ends so already."""
    default_model: str | None = None
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    key_header: str | None = None
    structured: SchemaSupport = "json_schema"
    """How it holds an answer to a JSON Schema; one that promises too much is found out when it refuses."""
    contexts: Mapping[str, int] = NOTHING

    def context(self, model: str) -> int | None:
        """Give the tokens of a model's window; None if not known. The longest beginning that fits decides."""
        fitting = [start for start in self.contexts if model.startswith(start)]
        return self.contexts[max(fitting, key=len)] if fitting else None


@cache
def rows() -> Mapping[str, Row]:
    """Give all rows by name."""
    text = files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: Row(name=name, **fields) for name, fields in tomllib.loads(text).items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model at a provider."""

    provider: str
    model: str
    """The provider's own name for it; empty means the provider's first."""

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}" if self.model else self.provider


def parse(name: str, default_provider: str) -> Target:
    """Read a model's name. `provider/model` counts as such only if there is such a row; else all of it is a model.

    >>> parse("deepseek/deepseek-chat", "openai")
    Target(provider='deepseek', model='deepseek-chat')
    >>> parse("Qwen/Qwen2.5-7B-Instruct", "siliconflow")
    Target(provider='siliconflow', model='Qwen/Qwen2.5-7B-Instruct')
    """
    prefix, slash, rest = name.partition("/")
    if prefix == LOCAL and (slash == "" or rest):
        return Target(provider=LOCAL, model=rest)
    if slash and rest and prefix in rows():
        return Target(provider=prefix, model=rest)
    if name in rows():
        return Target(provider=name, model=rows()[name].default_model or "")
    return Target(provider=default_provider, model=name)
