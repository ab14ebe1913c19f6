"""`ai-chat doctor`: what is set, where it comes from and what works. It shows no secret, and costs no tokens."""

from __future__ import annotations

import asyncio
import platform
import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from .. import __version__
from ..assembly import Services
from ..core.errors import ChatError, SettingsError
from ..core.ports import Provider
from .findings import (
    DefaultFound,
    Findings,
    FolderFound,
    KeyState,
    LocalFound,
    ProviderFound,
    SettingFound,
    SettingsFound,
    WeightsFound,
    as_text,
)
from .printing import Output, size
from .process import FAILED, Interrupts

PRICES = "prices"


async def doctor(_: Interrupts, *, online: bool, as_json: bool) -> int:
    """Look at everything; the exit code is 0 if the default model can be used."""
    try:
        services = Services.open()
    except SettingsError as error:
        found = _without_settings(error)
    else:
        try:
            found = await examine(services, online=online)
        finally:
            await services.aclose()
    output = Output()
    if as_json:
        output.data(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_INDENT_2))
    else:
        output.text(as_text(found))
    return FAILED if found.default.error else 0


async def examine(services: Services, *, online: bool) -> Findings:
    """Look at everything; with `online` each provider that is set up is asked for its models."""
    names = [name for name in services.models.catalog if _variables_set(services, name)]
    providers = await asyncio.gather(*(_provider(services, name, online=online) for name in names))
    local = await _local(services)
    return Findings(
        version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        settings=_settings(services),
        data_folder=_folder(services),
        default=_default(services, providers, local),
        providers=tuple(providers),
        unset_providers=tuple(
            f"{name} ({row.key or row.url_variable})"
            for name, row in services.models.catalog.items()
            if name not in names
        ),
        local=local,
    )


def _without_settings(error: SettingsError) -> Findings:
    return Findings(
        version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        settings=SettingsFound(
            config_file=None, config_file_exists=None, env_file_exists=Path(".env").is_file(), error=error.message
        ),
        default=DefaultFound(model=None, why="the settings cannot be read", error=error.message),
    )


def _settings(services: Services) -> SettingsFound:
    settings = services.settings
    values: list[SettingFound] = []
    for name, origin in settings.origins().items():
        if not name.startswith(f"{PRICES}."):  # they are told together
            values.append(SettingFound(name=name, value=_shown(_value(settings, name)), origin=origin))
    if settings.prices:
        origin = next(origin for name, origin in settings.origins().items() if name.startswith(PRICES))
        values.append(SettingFound(name=PRICES, value=", ".join(settings.prices), origin=origin))
    values += [
        SettingFound(name=f"proxy for {scheme}", value=_without_credentials(address), origin="environment or ./.env")
        for scheme, address in settings.proxies()
    ]
    return SettingsFound(
        config_file=str(settings.config_file),
        config_file_exists=settings.config_file.is_file(),
        env_file_exists=Path(".env").is_file(),
        values=tuple(values),
        unknown=tuple(settings.unknown_variables()),
    )


def _value(settings: Any, name: str) -> Any:
    value = settings
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def _shown(value: Any) -> str:
    """Write a value for people."""
    if isinstance(value, tuple):
        parts = [" ".join(str(item) for item in row.model_dump().values() if item is not None) for row in value]
        return "; ".join(parts)
    return _without_credentials(str(value))


def _without_credentials(value: str) -> str:
    """Take a user name and password out of an address."""
    scheme, mark, rest = value.partition("://")
    if not mark:
        return value.rpartition("@")[2]
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def _folder(services: Services) -> FolderFound:
    path = services.settings.data_dir.expanduser()
    try:
        services.data_dir()
        with tempfile.TemporaryFile(dir=path):
            pass
        return FolderFound(path=str(path), free_bytes=shutil.disk_usage(path).free)
    except SettingsError as error:
        return FolderFound(path=str(path), free_bytes=None, error=error.message)
    except OSError as error:
        sentence = (
            f"The data folder {str(path)!r} cannot be written ({error.strerror}); set AI_CHAT_DATA_DIR to another."
        )
        return FolderFound(path=str(path), free_bytes=None, error=sentence)


# --- providers ----------------------------------------------------------------------------------------------------


def _variables_set(services: Services, provider: str) -> list[str]:
    row = services.models.catalog[provider]
    return [name for name in (row.key, row.optional_key, row.url_variable) if name and services.settings.has(name)]


async def _provider(services: Services, name: str, *, online: bool) -> ProviderFound:
    row = services.models.catalog[name]
    key = row.key or row.optional_key
    state: KeyState = "set" if services.settings.has(key) else "missing" if row.key else "not needed"
    fault = outcome = models = None
    url = row.base_url
    try:
        url = services.models.address(name)
    except SettingsError as error:
        fault = error.message
        state = "unusable" if key and key in fault else state
    else:
        if online:
            outcome, models = await _asked(services.models.provider(name))
    return ProviderFound(
        name=row.name,
        title=row.title,
        key=state,
        key_variable=key,
        base_url=_without_credentials(url) if url else None,
        error=fault,
        online=outcome,
        models=models,
    )


async def _asked(provider: Provider) -> tuple[str, int | None]:
    try:
        return "ok", len(await provider.models())
    except ChatError as error:
        return error.message, None


# --- models -------------------------------------------------------------------------------------------------------


def _default(services: Services, providers: Sequence[ProviderFound], local: LocalFound) -> DefaultFound:
    try:
        target = services.models.target("default")
    except ChatError as error:
        return DefaultFound(model=services.settings.model, why="AI_CHAT_MODEL", error=error.message)
    if services.settings.model is not None:
        why = f"AI_CHAT_MODEL, from {services.settings.origins().get('model', 'an argument')}"
    elif target.provider not in services.models.catalog:
        why = "no provider is set up"
    else:
        variables = " and ".join(_variables_set(services, target.provider))
        why = f"{variables} {'is' if ' and ' not in variables else 'are'} set"
        why += "" if target.model else "; the first of its models is taken"
    if target.provider not in services.models.catalog:
        known = not target.model or target.model in {row.name for row in local.weights}
        fault = (
            None if known else f"There are no weights named {target.model!r}; `ai-chat models` shows which there are."
        )
        return DefaultFound(model=str(target), why=why, error=local.error or fault)
    found = next((each for each in providers if each.name == target.provider), None)
    fault = found.error if found is not None else _cannot_open(services, target.provider)
    if found is not None and found.online not in {None, "ok"}:
        fault = found.online
    return DefaultFound(model=str(target), why=why, error=fault)


def _cannot_open(services: Services, provider: str) -> str | None:
    try:
        services.models.provider(provider)
    except SettingsError as error:
        return error.message
    return None


async def _local(services: Services) -> LocalFound:
    try:
        engine: str | None = version("xllamacpp")
    except PackageNotFoundError:
        engine = None
    memory = services.free_memory()
    try:
        weights = services.weights()
    except SettingsError as problem:  # no data folder
        return LocalFound(engine=engine, free_memory=memory, row=None, error=problem.message)
    choice = weights.choose(memory)
    row, error = services.settings.local.model or choice.row.name, None
    here = {each.row.name for each in weights.installed()}
    checked = [
        WeightsFound(name=name, installed=name in here, error=await _fault(services, name) if name in here else None)
        for name in (each.name for each in weights.rows())
    ]
    if row not in {each.name for each in checked}:
        error = f"AI_CHAT_LOCAL__MODEL is {row!r}, and there are no such weights."
    if engine is None:
        error = 'The engine is not installed; install it with: pip install "ai-chat-app[local]".'
    error = error or next((each.error for each in checked if each.name == row), None)
    notice = choice.notice if row == choice.row.name else None
    if error is None and row not in here:
        notice = f"{notice or ''} The first question fetches {row}, {size(weights.row(row).size)}.".strip()
    return LocalFound(
        engine=engine,
        free_memory=memory,
        row=row,
        notice=notice,
        weights=tuple(checked),
        error=error,
    )


async def _fault(services: Services, name: str) -> str | None:
    try:
        await services.weights().path(name)
    except ChatError as error:
        return error.message
    return None
