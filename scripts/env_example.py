"""Write .env.example out of the settings and the catalog of providers: `uv run scripts/env_example.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ai_chat.config import PREFIX, Settings, variables
from ai_chat.providers.catalog import Row, rows

ROOT = Path(__file__).parent.parent
HEAD = """\
# Settings of ai-chat. Copy this file to .env, take the # off a line and give it your value; nothing here is required.
# An argument beats the environment, the environment beats ./.env, that beats config.toml.
# The values shown are the defaults. Written by scripts/env_example.py out of the settings themselves."""


def text() -> str:
    """Give the whole file."""
    return "\n".join([HEAD, *_keys(), *_settings()]) + "\n"


def _keys() -> Iterator[str]:
    yield "\n# --- Providers: one with a key or an address of its own answers, the first one here if there are several."
    yield "# --- Without any, the embedded model answers."
    for row in rows().values():
        yield f"\n# {row.title}"
        yield from _lines_of(row)


def _lines_of(row: Row) -> Iterator[str]:
    for key in (row.key, row.optional_key):
        if key:
            yield f"#{key}="
    if row.url_variable:
        yield f"#{row.url_variable}={row.base_url or ''}"


def _settings() -> Iterator[str]:
    yield "\n# --- Everything else. The network's own HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count too."
    group = ""
    for name, (description, default) in sorted(variables().items(), key=lambda item: "__" in item[0]):
        setting, _, inner = name.removeprefix(PREFIX).lower().partition("__")
        if inner and setting != group:
            group = setting
            yield f"\n# --- {type(Settings.model_fields[setting].default).__doc__}"
        yield f"\n# {description}"
        yield f"#{name}={'' if default is None else default}"


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(text(), encoding="utf-8")
