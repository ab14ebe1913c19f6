"""What a model's name means here, and the provider behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from .config import Settings
from .core.errors import SettingsError, UnknownModel
from .core.ports import ModelInfo, Provider
from .core.request import SchemaSupport, Timeouts
from .model_list import ALIASES, ModelList
from .providers import catalog
from .providers.catalog import LOCAL, Row, Target
from .providers.embeddings import Report, UpstreamEmbedder
from .providers.engine import EngineOptions, check_installed
from .providers.http import Http
from .providers.local import LocalProvider
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


class Models:
    """The models that can be asked here. A provider is opened when it is first asked."""

    def __init__(self, settings: Settings, http: Http, weights: Callable[[], Weights]) -> None:
        """Open nothing yet.

        Args:
            settings: keys, addresses and what the aliases mean.
            http: the way to upstreams.
            weights: gives the embedded models' weights.
        """
        self._settings = settings
        self._http = http
        self._weights = weights
        self._providers: dict[str, Provider] = {}
        self._routes: dict[str, Route] = {}
        self._first_models: dict[str, str] = {}
        self._list = ModelList(settings, weights=weights, provider=self.provider)

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
        aliases = {"fast": self._settings.fast_model, "reasoning": self._settings.reasoning_model}
        if name in aliases and aliases[name] is None:
            raise SettingsError(f"The model {name!r} is not set; say which with AI_CHAT_{name.upper()}_MODEL.")
        return self._settings.model if name == "default" else aliases.get(name, name)

    def default_provider(self) -> str:
        """Give the first provider of the catalog that has a key or an address of its own; without any, `local`."""
        for row in catalog.rows().values():
            if self._settings.has(row.key) or self._settings.has(row.url_variable):
                return row.name
        return LOCAL

    def window_of(self, name: str) -> int | None:
        """Give the tokens of a model's window; None if nobody knows."""
        target = self.target(name)
        if target.provider == LOCAL:
            return self._settings.local.context
        return catalog.rows()[target.provider].context(target.model)

    def structured(self, name: str) -> SchemaSupport:
        """Say how a model's upstream holds an answer to a JSON Schema.

        Nobody knows what is behind an address that the user set in place of OpenAI's: it is not relied on to tell the
        model. A name that means nothing will be refused when it is asked.
        """
        with suppress(SettingsError, UnknownModel):
            row = catalog.rows().get(self.target(name).provider)
            if row is not None:
                is_another = row.base_url is not None and self._settings.has(row.url_variable)
                return "json_schema" if row.structured == "strict" and is_another else row.structured
        return "json_schema"

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

    def embedder(self, name: str, timeouts: Timeouts, report: Callable[[str], Report]) -> UpstreamEmbedder:
        """Give an embedding model of a provider.

        Args:
            name: `provider/model`, or a model of the default provider.
            timeouts: limits of one request.
            report: gives, for `provider/model`, who keeps the books.

        Raises:
            SettingsError: the provider's key or address is missing, or it has no embedding models.
        """
        target = self.target(name)
        provider = self.provider(target.provider)
        if not isinstance(provider, OpenAIProvider) or not target.model:
            raise SettingsError(
                f"AI_CHAT_KNOWLEDGE__EMBEDDING is {name!r}, which names no embedding model; write provider/model, such "
                "as openai/text-embedding-3-small, or local."
            )
        label = str(target)
        return UpstreamEmbedder(provider, target.model, name=label, timeouts=timeouts, report=report(label))

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

    async def listed(self) -> Mapping[str, ModelInfo]:
        """Give every name that a request can give as its model, with what upstreams offered in the last minutes."""
        return await self._list.rows()

    @property
    def own_addresses(self) -> Mapping[str, str]:
        """Give the addresses that the user set in place of a provider's own, by its name in the catalog.

        One that cannot be used is empty here; it is refused when the provider is asked.
        """
        found = {}
        for row in catalog.rows().values():
            if row.base_url is not None and row.url_variable is not None and self._settings.has(row.url_variable):
                try:
                    found[row.name] = self._settings.base_url(row.url_variable) or ""
                except SettingsError:
                    found[row.name] = ""
        return found

    async def offered(self) -> Sequence[ModelInfo]:
        """Give the models to choose from, the default first."""
        rows = {name: row for name, row in (await self.listed()).items() if name not in ALIASES}
        default = str(self.target("default"))
        return (rows.pop(default, ModelInfo(id=default)), *rows.values())

    def _default_model(self, provider: str) -> str:
        row = catalog.rows().get(provider)
        if row is None or self._settings.has(row.url_variable):
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
        settings = self._settings
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
            self._http,
        )

    def _local(self) -> Provider:
        check_installed()
        local = self._settings.local
        options = EngineOptions(threads=local.threads, context=local.context, parallel=local.parallel)
        return LocalProvider(self._weights(), model=local.model, options=options, idle_stop=local.idle_stop)

    async def aclose(self) -> None:
        """Close every provider, the embedded model's child included."""
        providers, self._providers = list(self._providers.values()), {}
        async with AsyncExitStack() as closing:  # one that fails to close does not keep the others open
            for provider in providers:
                closing.push_async_callback(provider.aclose)
