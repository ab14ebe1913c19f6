"""The composition root: settings in, everything wired out. The only file that knows all the others."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .accounting.tokens import Tokens
from .chat.session import SessionParts
from .config import Settings, TimeoutSettings
from .core.errors import SettingsError, UnknownModel
from .core.events import Notice
from .core.ports import ConversationStore, Handler, Provider
from .core.request import LOCAL_CALLER, Call, Caller, ChatRequest, Timeouts, Trail
from .gateway import pipeline
from .gateway.dispatch import Dispatch
from .logs import CallLog
from .providers import catalog
from .providers.catalog import LOCAL, Row, Target
from .providers.engine import EngineOptions, check_installed
from .providers.fetching import Progress
from .providers.http import Http
from .providers.loaded import FetchNotices
from .providers.local import LocalProvider
from .providers.memory import free_memory
from .providers.network import Network
from .providers.openai import OpenAIProvider, Upstream
from .providers.weights import Weights

KNOWN_ROUTES = 1000
"""Names whose meaning is remembered."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a model's name leads."""

    provider: Provider
    model: str
    label: str


class Services:
    """The house of one process: open it once, on the loop that its calls run on."""

    def __init__(self, settings: Settings, *, handler: Handler | None = None) -> None:
        """Wire everything; nothing is opened before it is needed."""
        self.settings = settings
        self.counter = Tokens()
        self.http = Http(
            Network(proxies=settings.proxies(), ca_file=str(settings.ca_file) if settings.ca_file else None)
        )
        self.log = CallLog(settings.log)
        self._providers: dict[str, Provider] = {}
        self._routes: dict[str, Route] = {}
        self._first_models: dict[str, str] = {}
        self._conversations: ConversationStore | None = None
        self._weights: Weights | None = None
        self.handler: Handler = handler or pipeline.build(
            Dispatch(self.resolve, timeouts=_timeouts(settings.timeout), counter=self.counter),
            log=self.log if settings.log else None,
        )

    @classmethod
    def open(cls, *, handler: Handler | None = None, **arguments: Any) -> Self:
        """Read the settings and wire the house.

        Raises:
            SettingsError: a setting cannot be used.
        """
        return cls(Settings.load(**arguments), handler=handler)

    @property
    def default_parameters(self) -> Mapping[str, Any]:
        """Parameters that the settings give to every request that does not say otherwise."""
        given = {"temperature": self.settings.temperature, "max_tokens": self.settings.max_tokens}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def session_parts(self) -> SessionParts:
        """What a session needs of the house."""
        return SessionParts(
            handler=self.handler, make_call=self.make_call, counter=self.counter, window_of=self.window_of
        )

    def make_call(
        self, request: ChatRequest, on_notice: Callable[[Notice], None] | None = None, caller: Caller = LOCAL_CALLER
    ) -> Call:
        """Begin a call with a trace of its own."""
        return Call(request=request, trail=Trail(trace_id=secrets.token_hex(16)), caller=caller, on_notice=on_notice)

    # --- names ----------------------------------------------------------------------------------------------------

    def target(self, name: str) -> Target:
        """Say which model a name means: an alias, `provider/model`, or a model of the default provider.

        Raises:
            SettingsError: the alias has no setting.
            UnknownModel: there is no provider whose model it could be.
        """
        provider = self.default_provider()
        meant = self._meant(name)
        if meant is None:
            return Target(provider=provider, model=self._default_model(provider))
        target = catalog.parse(meant, provider)
        if target.provider == LOCAL and target.model and not meant.startswith(f"{LOCAL}/"):
            raise UnknownModel(
                f"The model {meant!r} is not known without a key; set OPENAI_API_KEY (or another provider's) to use "
                "it, or use the model 'local'.",
                param="model",
            )
        return target

    def _meant(self, name: str) -> str | None:
        """Give what stands behind an alias, or the name itself; None for a default that nobody has set."""
        aliases = {"fast": self.settings.fast_model, "reasoning": self.settings.reasoning_model}
        if name in aliases and aliases[name] is None:
            raise SettingsError(f"The model {name!r} is not set; say which with AI_CHAT_{name.upper()}_MODEL.")
        return self.settings.model if name == "default" else aliases.get(name, name)

    def default_provider(self) -> str:
        """Give the first provider of the catalog that has a key or an address of its own; without any, `local`."""
        for row in catalog.rows().values():
            if self.settings.has(row.key) or self.settings.has(row.url_variable):
                return row.name
        return LOCAL

    def window_of(self, name: str) -> int | None:
        """Give the tokens of a model's window; None if nobody knows."""
        target = self.target(name)
        if target.provider == LOCAL:
            return self.settings.local.context
        return catalog.rows()[target.provider].context(target.model)

    async def resolve(self, name: str) -> Route:
        """Find the provider of a model.

        Raises:
            SettingsError: its key or address is missing or cannot be used.
            UnknownModel: the name means nothing here.
        """
        if name in self._routes:
            return self._routes[name]
        target = self.target(name)
        model = target.model
        provider = self.provider(target.provider)
        if not model and target.provider != LOCAL:
            model = await self._first_model(target.provider, provider)
        served = provider.row_name(model) if isinstance(provider, LocalProvider) else model
        label = str(Target(provider=target.provider, model=served))
        route = Route(provider=provider, model=model, label=label)
        if len(self._routes) < KNOWN_ROUTES:  # names come from clients, who may send any number of them
            self._routes[name] = route
        return route

    def provider(self, name: str) -> Provider:
        """Give a provider by its name in the catalog, or `local`.

        Raises:
            SettingsError: its key or address is missing or cannot be used.
        """
        if name not in self._providers:
            self._providers[name] = self._local() if name == LOCAL else self._upstream(catalog.rows()[name])
        return self._providers[name]

    @property
    def catalog(self) -> Mapping[str, Row]:
        """The providers there are, by name; the embedded model is none of them."""
        return catalog.rows()

    def address(self, provider: str) -> str:
        """Give the address at which a provider of the catalog is asked.

        Raises:
            SettingsError: its key or address is missing or cannot be used.
        """
        return self._upstream(self.catalog[provider]).upstream.base_url

    # --- the other rooms ------------------------------------------------------------------------------------------

    async def conversations(self) -> ConversationStore:
        """Open the store of conversations, once.

        Raises:
            ChatError: the database cannot be opened; the sentence says why.
        """
        if self._conversations is None:
            from .stores.opening import open_conversations  # noqa: PLC0415 - a database that most calls do not need
            from .wire.requests import decode_message, encode_message  # noqa: PLC0415 - beside its only use

            path = self.data_dir() / "ai-chat.db"
            self._conversations = await open_conversations(
                f"sqlite+aiosqlite:///{path}",
                encode=encode_message,
                decode=lambda fields: decode_message(fields, "message"),
            )
        return self._conversations

    def weights(self) -> Weights:
        """Give the embedded models' weights.

        Raises:
            SettingsError: the data folder cannot be made.
        """
        if self._weights is None:
            self._weights = Weights(self.data_dir() / "models", self.http)
        return self._weights

    def fetch_notices(self, tell: Callable[[Notice], None]) -> Callable[[Progress], None]:
        """Give what turns the progress of a fetch of weights into notices."""
        return FetchNotices(tell)

    def free_memory(self) -> int | None:
        """Give the bytes of memory that a model could take here; None where nobody says."""
        return free_memory()

    def data_dir(self) -> Path:
        """Give the data folder, made if it was not there.

        Raises:
            SettingsError: it cannot be made or written.
        """
        folder = self.settings.data_dir.expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"The data folder {str(folder)!r} cannot be made ({error.strerror}); set AI_CHAT_DATA_DIR to another."
            ) from error
        return folder

    async def aclose(self) -> None:
        """Close everything, the embedded model's child included."""
        providers, self._providers = list(self._providers.values()), {}
        conversations, self._conversations = self._conversations, None
        async with AsyncExitStack() as closing:
            # The last goes first, and one that fails to close does not keep the others open.
            closing.callback(self.log.close)
            closing.push_async_callback(self.http.aclose)
            if conversations is not None:
                closing.push_async_callback(conversations.aclose)
            for provider in providers:
                closing.push_async_callback(provider.aclose)

    # --- wiring ---------------------------------------------------------------------------------------------------

    def _default_model(self, provider: str) -> str:
        row = catalog.rows().get(provider)
        if row is None or self.settings.has(row.url_variable):
            return ""  # the embedded model, or the first one of a server whose names nobody knows
        return row.default_model or ""

    async def _first_model(self, name: str, provider: Provider) -> str:
        if name not in self._first_models:
            offered = await provider.models()
            if not offered:
                raise UnknownModel(f"{name} offers no model; name one with AI_CHAT_MODEL.", param="model")
            self._first_models[name] = offered[0].id
        return self._first_models[name]

    def _upstream(self, row: Row) -> OpenAIProvider:
        settings = self.settings
        url = settings.base_url(row.url_variable) if row.url_variable else None
        own_address = url is not None
        if url is not None and row.url_suffix and not url.endswith(row.url_suffix):
            url += row.url_suffix
        if url is None and row.base_url is None:
            raise SettingsError(f"{row.url_variable} is not set; it holds the address of your {row.title}.")
        variable = row.key or row.optional_key
        key = settings.key(variable) if variable else None
        if key is None and row.key is not None and not own_address:
            raise SettingsError(
                f"{row.key} is not set; set it to use {row.title}, or use the model 'local', which needs no key."
            )
        headers: tuple[tuple[str, str], ...] = ()
        if key is not None:
            secret = key.get_secret_value()
            headers = ((row.key_header, secret),) if row.key_header else (("authorization", f"Bearer {secret}"),)
        return OpenAIProvider(
            Upstream(
                name=row.title,
                base_url=url or row.base_url or "",
                headers=headers,
                max_tokens_field=row.max_tokens_field,
            ),
            self.http,
        )

    def _local(self) -> Provider:
        check_installed()
        local = self.settings.local
        options = EngineOptions(threads=local.threads, context=local.context, parallel=local.parallel)
        return LocalProvider(self.weights(), model=local.model, options=options, idle_stop=local.idle_stop)


def _timeouts(settings: TimeoutSettings) -> Timeouts:
    return Timeouts(
        connect=settings.connect,
        first_token=settings.first_token,
        between_tokens=settings.between_tokens,
        total=settings.total,
    )
