"""`ai-chat models`: the weights on this machine, and what a provider offers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import orjson

from ..core.errors import BadRequest
from .ask import opened
from .printing import Output, Voice, size, table
from .process import Interrupts
from .question import checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row of weights as it is listed."""

    name: str
    bytes: int
    """Of the file."""
    memory: int
    """Bytes it takes when loaded."""
    context: int | None
    licence: str | None
    installed: bool
    default: bool
    """Whether the model `local` means it."""


async def list_weights(_: Interrupts, *, as_json: bool) -> int:
    """Show every row of weights: here or not, and which one `local` means."""
    output, voice = Output(), Voice()
    async with opened(voice) as services:
        weights = services.weights()
        here = {each.row.name for each in weights.installed()}
        default = services.settings.local.model or weights.choose(services.free_memory()).row.name
        rows = [
            Listed(
                name=row.name,
                bytes=row.size,
                memory=row.memory,
                context=row.context,
                licence=row.licence,
                installed=row.name in here,
                default=row.name == default,
            )
            for row in weights.rows()
        ]
    if as_json:
        output.data(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))
        return 0
    head = ("NAME", "FILE", "MEMORY", "INSTALLED", "DEFAULT")
    cells = [
        (f"local/{row.name}", size(row.bytes), size(row.memory), _yes(row.installed), _yes(row.default)) for row in rows
    ]
    output.text(table([head, *cells]))
    if default not in here:
        voice.line(f"The first question fetches {default}; so does `ai-chat models pull {default}`.")
    return 0


def _yes(it_is: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if it_is else "no"


async def list_offered(_: Interrupts, *, provider: str, as_json: bool) -> int:
    """Show the models that a provider offers."""
    output, voice = Output(), Voice()
    async with opened(voice) as services:
        if provider not in services.models.catalog:
            raise BadRequest(f"There is no provider {provider!r}; there are {', '.join(services.models.catalog)}.")
        offered = await services.models.provider(provider).models()
    if as_json:
        rows = [{"name": f"{provider}/{model.id}", "context": model.context} for model in offered]
        output.data(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))
    else:
        output.text("".join(f"{provider}/{model.id}\n" for model in sorted(offered, key=lambda model: model.id)))
    return 0


async def pull(_: Interrupts, *, what: str, name: str | None) -> int:
    """Fetch a row by its name, or any GGUF file by its URL."""
    voice = Voice()
    what = checked(what, "The name").removeprefix("local/")
    if name is not None and "://" not in what:
        raise BadRequest("--name goes with a URL; weights that are known by name keep it.")
    async with opened(voice) as services:
        watch = services.fetch_notices(voice.notice)
        try:
            if "://" in what:
                row = await services.weights().fetch_url(what, name, progress=watch)
                path = await services.weights().path(row.name)
            else:
                path = await services.weights().fetch(what, progress=watch)
        except asyncio.CancelledError:
            voice.line("Stopped; what came is kept, and the next pull goes on from there.")
            raise
    Output().text(f"{path}\n")
    return 0


async def add(_: Interrupts, *, file: Path, name: str | None) -> int:
    """Take in a GGUF file that is on this machine already."""
    voice = Voice()
    async with opened(voice) as services:
        row = await services.weights().add(file, name, progress=services.fetch_notices(voice.notice))
    Output().text(f"local/{row.name}\n")
    return 0


async def remove(_: Interrupts, *, name: str) -> int:
    """Take a file of weights away."""
    voice = Voice()
    name = checked(name, "The name").removeprefix("local/")
    async with opened(voice) as services:
        there = await services.weights().remove(name)
    voice.line(f"Removed {name}." if there else f"Nothing of {name} was here.")
    return 0


async def path(_: Interrupts, *, name: str) -> int:
    """Print where a file of weights lies, checked."""
    voice = Voice()
    async with opened(voice) as services:
        found = await services.weights().path(checked(name, "The name").removeprefix("local/"))
    Output().text(f"{found}\n")
    return 0
