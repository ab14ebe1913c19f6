"""What `ai-chat doctor` finds, as values and as lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .printing import size, table

KeyState = Literal["set", "missing", "unusable", "not needed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFound:
    """A setting that is not its default."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFound:
    """Where settings come from."""

    config_file: str | None
    config_file_exists: bool | None
    """None where the settings could not be read so far."""
    env_file_exists: bool
    values: tuple[SettingFound, ...] = ()
    unknown: tuple[str, ...] = ()
    """AI_CHAT_ variables that no setting listens to."""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFound:
    """The data folder."""

    path: str
    free_bytes: int | None
    error: str | None = None
    """Why it cannot be written; None if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFound:
    """A provider that something is set for."""

    name: str
    title: str
    key: KeyState
    """Never any of the key itself."""
    key_variable: str | None
    base_url: str | None
    error: str | None = None
    """Why it cannot be used as it is set up."""
    online: str | None = None
    """`ok`, or what came instead; None if it was not asked."""
    models: int | None = None
    """How many it offers, if it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFound:
    """A file of weights."""

    name: str
    installed: bool
    error: str | None = None
    """Why it cannot be used although it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFound:
    """The embedded model."""

    engine: str | None
    """Its version; None if it is not installed."""
    free_memory: int | None
    row: str | None
    """What the model `local` means here."""
    notice: str | None = None
    weights: tuple[WeightsFound, ...] = ()
    error: str | None = None
    """Why it cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultFound:
    """The model that is asked when none is named."""

    model: str | None
    why: str
    error: str | None = None
    """Why it cannot be used; None if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All of it."""

    version: str
    python: str
    platform: str
    settings: SettingsFound
    data_folder: FolderFound | None = None
    default: DefaultFound
    providers: tuple[ProviderFound, ...] = ()
    unset_providers: tuple[str, ...] = ()
    local: LocalFound | None = None


def as_text(found: Findings) -> str:
    """Write the findings for people."""
    blocks = {
        "Settings": _settings(found.settings),
        "Data folder": _folder(found.data_folder),
        "Default model": _default(found.default),
        "Providers": _providers(found),
        "Embedded model": _local(found.local),
    }
    text = f"ai-chat {found.version} · Python {found.python} · {found.platform}\n"
    for title, lines in blocks.items():
        text += f"\n{title}\n" + "".join(f"  {line}\n" for line in lines)
    return text


def _settings(found: SettingsFound) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        ("config.toml", found.config_file or "unknown", "not there" if found.config_file_exists is False else ""),
        ("./.env", "read" if found.env_file_exists else "not there", ""),
        *((value.name, value.value, f"from {value.origin}") for value in found.values),
    ]
    yield from table(rows).splitlines()
    for name in found.unknown:
        yield f"! {name} is no setting; perhaps it is misspelt."
    if found.error:
        yield f"! {found.error}"


def _folder(found: FolderFound | None) -> Iterator[str]:
    if found is None:
        yield "not looked at"
    else:
        free = f", {size(found.free_bytes)} free" if found.free_bytes is not None else ""
        yield f"! {found.error}" if found.error else f"{found.path}: can be written{free}"


def _default(found: DefaultFound) -> Iterator[str]:
    yield f"{found.model or 'none'}: {found.why}"
    yield f"! {found.error}" if found.error else "ready"


def _providers(found: Findings) -> Iterator[str]:
    rows = [(each.name, _key(each), each.base_url or "", _online(each)) for each in found.providers]
    yield from table(rows).splitlines() if rows else ["none is set up"]
    for each in found.providers:
        if each.error:
            yield f"! {each.error}"
    if found.unset_providers:
        yield f"not set up: {', '.join(found.unset_providers)}"


def _key(found: ProviderFound) -> str:
    return f"{found.key_variable} {found.key}" if found.key_variable else "needs no key"


def _online(found: ProviderFound) -> str:
    if found.online is None:
        return ""
    return f"ok, models offered: {found.models}" if found.online == "ok" else f"! {found.online}"


def _local(found: LocalFound | None) -> Iterator[str]:
    if found is None:
        yield "not looked at"
        return
    rows: list[tuple[str, ...]] = [
        ("engine", f"xllamacpp {found.engine}" if found.engine else 'not installed; pip install "ai-chat-app[local]"'),
        ("free memory", size(found.free_memory) if found.free_memory is not None else "unknown"),
        ("local means", found.row or "nothing"),
        *((each.name, each.error or ("here, checked" if each.installed else "not here")) for each in found.weights),
    ]
    yield from table(rows).splitlines()
    for sentence in (found.notice, found.error):
        if sentence:
            yield f"! {sentence}"
