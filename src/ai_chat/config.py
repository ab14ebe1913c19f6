"""Settings: the only reader of the environment. Argument > environment > ./.env > config.toml > default."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from .config_sections import (
    BudgetSettings,
    ComplexitySettings,
    ExchangeSettings,
    KnowledgeSettings,
    LocalSettings,
    PriceRows,
    ServerSettings,
    SummarySettings,
    TimeoutSettings,
    ToolSettings,
)
from .core.errors import SettingsError

PREFIX = "AI_CHAT_"
PLACEHOLDER = re.compile(
    r"(^|[-_])(your|placeholder|change[-_]?me|example|replace|here)([-_]|$)|x{4,}|\.{3}|^<.*>$|^sk-?$", re.IGNORECASE
)
"""What a key looks like that was copied from a guide and never filled in."""

KEYLIKE = re.compile(r"\bsk-|[A-Za-z0-9_-]{24,}")


class Settings(BaseSettings):
    """Everything that can be set. Keys of providers keep their own names and are asked for with `key`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    model: str | None = Field(None, description="The model to use, as provider/model, an alias, or local.")
    fast_model: str | None = Field(None, description="What the model name `fast` means.")
    reasoning_model: str | None = Field(None, description="What the model name `reasoning` means.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 to 2; unset, the model's own default.")
    max_tokens: int | None = Field(None, ge=1, description="Upper bound on the tokens of an answer.")
    timeout: TimeoutSettings = TimeoutSettings()  # type: ignore[call-arg]
    local: LocalSettings = LocalSettings()  # type: ignore[call-arg]
    server: ServerSettings = ServerSettings()  # type: ignore[call-arg]
    summary: SummarySettings = SummarySettings()  # type: ignore[call-arg]
    tools: ToolSettings = ToolSettings()  # type: ignore[call-arg]
    knowledge: KnowledgeSettings = KnowledgeSettings()  # type: ignore[call-arg]
    exchange: ExchangeSettings = ExchangeSettings()  # type: ignore[call-arg]
    complexity: ComplexitySettings = ComplexitySettings()  # type: ignore[call-arg]
    prices: dict[str, PriceRows] = Field(
        default_factory=dict,
        description="Prices of your own by the beginning of provider/model, as a table in config.toml or JSON.",
    )
    budgets: tuple[BudgetSettings, ...] = Field(
        (), description="What may be spent: limit, unit, period, caller; tables in config.toml or JSON."
    )
    unknown_price: Literal["allow", "refuse"] = Field(
        "allow", description="Whether a call whose price nobody knows passes a budget of money: allow, or refuse."
    )
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("ai-chat", appauthor=False),
        description="Folder for conversations and weights.",
    )
    config_dir: Path = Field(
        default_factory=lambda: platformdirs.user_config_path("ai-chat", appauthor=False),
        description="Folder of config.toml.",
    )
    database: SecretStr | None = Field(
        None, description="URL of a PostgreSQL database for conversations; unset, a file in the data folder."
    )
    ca_file: Path | None = Field(None, description="PEM file of certificate authorities to trust.")
    log: str | None = Field(None, description="Where each call leaves a line of JSON: stderr, or a file's path.")

    @classmethod
    def load(cls, **arguments: Any) -> Self:
        """Read every source once.

        Raises:
            SettingsError: names the first value that cannot be used, where it stands and what would do.
        """
        dotenv()  # the library's own complaint of a file that is no text would name no file
        try:
            return cls(**arguments)
        except ValidationError as error:
            raise _explained(error, arguments) from None
        except ValueError as error:  # a source that cannot be read at all, such as a value that is no JSON
            field = re.search(r'field "(\w+)"', str(error))
            if field is None:
                raise SettingsError(f"The settings cannot be read: {str(error).splitlines()[0]}.") from error
            name = f"{PREFIX}{field[1]}".upper()
            raise SettingsError(f"{name} is no JSON object; set its parts one by one, as {name}__…") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources."""
        return init_settings, env_settings, dotenv_settings, _toml(settings_cls)

    _native: dict[str, str] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _: Any, /) -> None:
        """Read the variables that providers and systems name themselves, once: keys, base URLs, proxies."""
        found = {name: value for name, value in {**dotenv(), **os.environ}.items() if _is_native(name)}
        self._native.update({name: value.strip() for name, value in found.items() if value.strip()})

    def has(self, variable: str | None) -> bool:
        """Say whether one of those variables is set."""
        return variable in self._native

    def key(self, variable: str) -> SecretStr | None:
        """Give a provider's key; None if it is not set.

        Raises:
            SettingsError: it is a placeholder, or holds what no key holds.
        """
        value = self._native.get(variable)
        if value is None:
            return None
        if PLACEHOLDER.search(value):
            raise SettingsError(
                f"{variable} is still a placeholder; put your real key there, or remove it to use the embedded model."
            )
        if not value.isascii() or not value.isprintable() or " " in value:
            raise SettingsError(f"{variable} holds characters that no key has; copy the key again.")
        return SecretStr(value)

    def base_url(self, variable: str) -> str | None:
        """Give a provider's base URL without a slash at its end; None if it is not set.

        Raises:
            SettingsError: it is no http address.
        """
        value = self._native.get(variable)
        return None if value is None else checked_url(value, variable)

    def proxies(self) -> tuple[tuple[str, str], ...]:
        """Give proxies as pairs of scheme and address, `no` for what is reached directly.

        Raises:
            SettingsError: one is no address.
        """
        native = {name.lower(): value for name, value in self._native.items()}
        names = {"http_proxy": "http", "https_proxy": "https", "all_proxy": "all", "no_proxy": "no"}
        for name in names:
            scheme, mark, host = native.get(name, "").partition("://")
            address = scheme + mark + host.rpartition("@")[2]  # a proxy may ask for a user name
            if name != "no_proxy" and address and not _is_address(address):
                raise SettingsError(f"{name.upper()} is no address of a proxy; write it like http://proxy:3128.")
        return tuple((scheme, native[name]) for name, scheme in names.items() if name in native)

    def has_display(self) -> bool:
        """Say whether a browser that is opened here would be seen by anybody."""
        return sys.platform != "linux" or not os.environ.keys().isdisjoint(("DISPLAY", "WAYLAND_DISPLAY"))

    def origins(self) -> dict[str, str]:
        """Say for each setting (as `a.b`) where its value comes from, for those that are not defaults."""
        sources: tuple[tuple[str, PydanticBaseSettingsSource], ...] = (
            ("config.toml", _toml(type(self))),
            ("./.env", DotEnvSettingsSource(type(self))),
            ("environment", EnvSettingsSource(type(self))),
        )
        return {name: label for label, source in sources for name in _flat(source()) if name.split(".")[0] in self}

    @property
    def config_file(self) -> Path:
        """The path of config.toml, which may not exist."""
        return config_file()

    def unknown_variables(self) -> list[str]:
        """Give the AI_CHAT_ variables that no setting listens to: most likely misspelt."""
        return unknown_variables()

    def __contains__(self, name: str) -> bool:
        return name in type(self).model_fields


def config_file() -> Path:
    """Give the path of config.toml, which may not exist."""
    folder = os.environ.get(f"{PREFIX}CONFIG_DIR") or dotenv().get(f"{PREFIX}CONFIG_DIR")
    return Path(folder or platformdirs.user_config_path("ai-chat", appauthor=False)) / "config.toml"


def _toml(settings: type[BaseSettings]) -> TomlConfigSettingsSource:
    path = config_file()
    try:
        return TomlConfigSettingsSource(settings, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"{path} cannot be read ({reason}); mend it, or move it away.") from error


def dotenv() -> dict[str, str]:
    """Give the variables of ./.env.

    Raises:
        SettingsError: the file cannot be read.
    """
    from dotenv import dotenv_values  # noqa: PLC0415 - comes with pydantic-settings, needed once

    path = Path(".env")
    try:
        return {name: value for name, value in dotenv_values(path).items() if value} if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"./.env cannot be read ({error}); save it as UTF-8 text.") from error


def unknown_variables() -> list[str]:
    """Give the AI_CHAT_ variables that no setting listens to: most likely misspelt."""
    known = set(variables())
    names = {name for name in (*os.environ, *dotenv()) if name.startswith(PREFIX)}
    return sorted(
        name for name in names if name not in known and not name.startswith((f"{PREFIX}CI", f"{PREFIX}TEST_"))
    )


def variables() -> dict[str, tuple[str, Any]]:
    """Give each setting's variable with its description and default, in order."""
    found: dict[str, tuple[str, Any]] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            for inner, inner_field in type(field.default).model_fields.items():
                variable = f"{PREFIX}{name}__{inner}".upper()
                found[variable] = (inner_field.description or "", inner_field.default)
        else:
            default = None if field.default_factory else field.default
            found[f"{PREFIX}{name}".upper()] = (field.description or "", default)
    return found


def checked_url(value: str, name: str) -> str:
    """Check a base URL and take the slash off its end.

    Raises:
        SettingsError: it cannot be one; `name` says which setting.
    """
    if "@" in value:
        raise SettingsError(f"{name} holds a user name or password; leave it out and set the key's own variable.")
    if not _is_address(value):
        raise SettingsError(
            f"{name} is {harmless(value)}, which is no address; write it like https://api.openai.com/v1."
        )
    if "?" in value or "#" in value:
        raise SettingsError(f"{name} holds a ? or #; leave off what follows it, for paths are appended.")
    url = value.rstrip("/")
    if url.endswith("/chat/completions"):
        raise SettingsError(f"{name} ends with /chat/completions; leave that off, it is added to each call.")
    return url


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port_ok and " " not in value


def harmless(value: object) -> str:
    """Repeat a wrong value in a message, unless it may be a key that came into the wrong variable."""
    text = str(value)
    return "a value that looks like a key" if KEYLIKE.search(text) else repr(value)


def _is_native(name: str) -> bool:
    upper = name.upper()
    return upper.endswith(("_API_KEY", "_BASE_URL", "_PROXY", "_ENDPOINT", "_API_VERSION")) or upper == "OLLAMA_HOST"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _explained(error: ValidationError, arguments: Mapping[str, Any]) -> SettingsError:
    first = error.errors(include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]]
    if not path:
        return SettingsError(f"The settings cannot be used: {first['msg']}.")
    name = path[0] if path[0] in arguments else PREFIX + "__".join(path).upper()
    message = first["msg"][0].lower() + first["msg"][1:]
    value = first.get("input")
    shown = f" is {harmless(value)}, but its" if isinstance(value, (str, int, float)) else " cannot be used: its"
    return SettingsError(f"{name}{shown} {message}; mend it or remove it to get the default.")
