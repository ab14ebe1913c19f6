"""How to get out: proxies and certificates, as values."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # public, but not in the stubs

from ..core.errors import SettingsError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How to get out. Empty means directly, with the system's certificates."""

    proxies: tuple[tuple[str, str], ...] = ()
    """Pairs such as `("https", "http://proxy:3128")`; `("no", "host,.domain")` lists what is reached directly."""
    ca_file: str | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""

    def proxy_for(self, url: str) -> str | None:
        """Give the proxy for a URL; this machine itself is never asked through one."""
        parts = urlsplit(url)
        proxies = dict(self.proxies)
        if not proxies or parts.hostname in LOOPBACK:
            return None
        if proxy_bypass_environment(parts.netloc, proxies):
            return None
        return proxies.get(parts.scheme) or proxies.get("all")

    def ssl_context(self) -> ssl.SSLContext | bool:
        """Give what to check certificates against.

        Raises:
            SettingsError: the file cannot be read.
        """
        if self.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise SettingsError(
                f"The certificate file {self.ca_file!r} cannot be used ({error.strerror or error}); "
                "set AI_CHAT_CA_FILE to a readable PEM file."
            ) from error
