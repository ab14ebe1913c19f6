"""`ai-chat kb add` and `kb reindex`: work on documents, watched until it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

import orjson

from ..core.errors import BadRequest
from ..core.knowledge import IngestState, Outcome, Progress
from .ask import opened
from .kb import NOTHING_YET, one_collection
from .kb_printing import IngestBar, one_line
from .printing import Output, Voice, say
from .process import FAILED, MISUSED, Interrupts
from .question import checked, read_all

STDIN = "-"
GO_ON = "Stopped; what is done is kept, and the same command goes on from there."


class Job(Protocol):
    """Work that goes on."""

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        ...

    async def news(self, seen: Progress) -> Progress:
        """Wait until there is another progress than the one that was seen, or until it has ended."""
        ...

    def cancel(self) -> None:
        """Have it end."""
        ...

    async def over(self) -> Progress:
        """Wait for its end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Adding:
    """What is to be added."""

    paths: tuple[str, ...]
    """Files and folders, or `-` alone."""
    collection: str
    name: str | None = None
    """Of the text that is piped in."""
    as_json: bool = False


async def add(adding: Adding, interrupts: Interrupts) -> int:
    """Add files, folders or what is piped in, and say what became of each.

    Raises:
        BadRequest: the collection cannot be called that, or the arguments do not go together.
        SettingsError: the embedding model cannot be used.
        Unavailable, StorageFailed: it cannot be begun.
    """
    piped = _piped(adding)
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice) as services:
        knowledge = services.knowledge
        _ = knowledge.embedding  # or nothing begins
        if piped is not None:
            job = await knowledge.add_uploads([piped], adding.collection)
            explicit: Collection[str] = [piped[0]]
        else:
            paths, explicit = await asyncio.to_thread(_named, adding.paths)
            job = await knowledge.add_paths(paths, adding.collection)
        try:
            progress = await _followed(job, voice)
        except asyncio.CancelledError:
            _tell(job.progress, output, voice, as_json=adding.as_json)
            voice.line(GO_ON)
            raise
    _tell(progress, output, voice, as_json=adding.as_json)
    return _code_of(progress, explicit)


async def reindex(interrupts: Interrupts, *, collection: str | None, as_json: bool) -> int:
    """Give documents vectors of the present model.

    Raises:
        NotFound: there is no such collection.
        SettingsError: the embedding model cannot be used.
        Unavailable, StorageFailed: it cannot be begun.
    """
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice) as services:
        one = await one_collection(services, collection)
        embedding = services.knowledge.embedding
        job = await services.knowledge.reindex(one)
        try:
            progress = await _followed(job, voice)
        except asyncio.CancelledError:
            voice.line(GO_ON)
            raise
    if as_json:
        output.data(orjson.dumps(progress.told, option=orjson.OPT_APPEND_NEWLINE))
    elif progress.error is None:
        done = sum(outcome.state == "replaced" for outcome in progress.outcomes)
        total = len(progress.outcomes)
        voice.line(f"{done:,} of {total:,} documents have new vectors, of {embedding}." if total else NOTHING_YET)
    return _failed(progress)


async def _followed(job: Job, voice: Voice) -> Progress:
    """Show how far it has come until it ends. If this is cancelled, so is the job."""
    bar = IngestBar() if voice.terminal else None
    seen = job.progress
    try:
        while seen.state == "running":
            if bar is not None:
                bar.show(seen)
            seen = await job.news(seen)
        return await job.over()
    except asyncio.CancelledError:
        job.cancel()
        await job.over()
        raise
    finally:
        if bar is not None:
            bar.close()


# --- what became of it -----------------------------------------------------------------------------------------------


def _tell(progress: Progress, output: Output, voice: Voice, *, as_json: bool) -> None:
    if as_json:
        output.data(orjson.dumps(progress.told, option=orjson.OPT_APPEND_NEWLINE))
        return
    refused = [outcome for outcome in progress.outcomes if outcome.state == "refused"]
    output.text("".join(f"{_line(outcome)}\n" for outcome in progress.outcomes if outcome.state != "refused"))
    for outcome in refused:
        voice.line(_line(outcome))
    for name in _twice(progress.outcomes):
        voice.line(
            f"More than one of these files is called {name!r}, so the last one took the place of the others; add the "
            "folder above them, or each to a collection of its own."
        )
    if summary := ", ".join(_summary(progress)):
        voice.line(f"{summary}.")


def _line(outcome: Outcome) -> str:
    if outcome.document is None:
        return f"{outcome.state:9}  {outcome.reason or one_line(outcome.name)}"
    chunks = outcome.document.chunks
    return f"{outcome.state:9}  {one_line(outcome.name)} ({chunks:,} chunk{'' if chunks == 1 else 's'})"


def _summary(progress: Progress) -> Iterator[str]:
    counts = Counter(outcome.state for outcome in progress.outcomes)
    yield from (f"{counts[state]:,} {state}" for state in get_args(IngestState) if counts[state])
    if progress.left_out:
        kind = "file of another kind" if progress.left_out == 1 else "files of other kinds"
        yield f"{progress.left_out:,} {kind} passed over"
    if not progress.files and progress.state == "finished":
        yield "there is no file to add"


def _twice(outcomes: tuple[Outcome, ...]) -> list[str]:
    counts = Counter(outcome.name for outcome in outcomes if outcome.state != "refused")
    return [name for name, count in counts.items() if count > 1]


def _code_of(progress: Progress, explicit: Collection[str]) -> int:
    refused = [outcome.name for outcome in progress.outcomes if outcome.state == "refused"]
    if _failed(progress):
        return FAILED
    return MISUSED if len(refused) == progress.files or any(name in explicit for name in refused) else 0


def _failed(progress: Progress) -> int:
    if progress.state != "failed":
        return 0
    say(progress.error or "It failed.")
    return FAILED


# --- what is to be added ---------------------------------------------------------------------------------------------


def _piped(adding: Adding) -> tuple[str, bytes] | None:
    """Read standard input, if that is what is to be added, and give it with its name.

    Raises:
        BadRequest: the arguments do not go together.
        RequestTooLarge: more was piped in than is taken.
    """
    if STDIN not in adding.paths:
        if adding.name is not None:
            raise BadRequest("--name goes with -, the text of standard input; files keep their names.")
        if not all(path.strip() for path in adding.paths):
            raise BadRequest("A path is empty; name a file or a folder.")
        return None
    if adding.paths != (STDIN,):
        raise BadRequest("- takes standard input alone; add files with a command of their own.")
    if adding.name is None or sys.stdin is None:
        raise BadRequest("The text of standard input needs a name; give it with --name.")
    name = checked(adding.name, "--name")
    return (name if Path(name).suffix else f"{name}.md"), read_all(sys.stdin.buffer, must_come=True)


def _named(arguments: Iterable[str]) -> tuple[list[Path], set[str]]:
    """Give the paths, and what the documents of those are called that are no folders."""
    paths = [*dict.fromkeys(Path(argument).expanduser().absolute() for argument in arguments)]
    return paths, {os.fsencode(path.name).decode("utf-8", "replace") for path in paths if not path.is_dir()}
