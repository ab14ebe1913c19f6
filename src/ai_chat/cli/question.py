"""What is asked: read from the arguments and from stdin, and checked before anything is opened."""

from __future__ import annotations

import math
import re
import select
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import orjson

from ..core.errors import BadRequest, RequestTooLarge
from .printing import say

MOST_BYTES = 64 * 2**20
"""Of stdin. No model's window comes near it."""
MOST_SCHEMA_BYTES = 2**20
NO_COLLECTION = "-"
WAITING_SECONDS = 3.0
"""How long an open stdin may be silent."""
CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question as it was put."""

    prompt: str
    model: str | None = None
    system: str | None = None
    conversation: str | None = None
    """The conversation it belongs to; None keeps nothing."""
    parameters: Mapping[str, Any]
    """By the API's own names."""
    tools: tuple[str, ...] = ()
    """Names of the tools that the model may call; `all` is every one."""
    collections: tuple[str, ...] | None = None
    """Collections of documents that it is answered from, `*` is all; None leaves what the conversation has."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the answer must fit."""
    as_json: bool = False
    whole: bool = False
    """Whether the answer is asked for in one piece."""


def prompt_from(words: Sequence[str]) -> str:
    """Put the prompt together: the words, and below them what is piped in; `-` among them waits for that.

    Raises:
        BadRequest: there is none, or it is no text.
        RequestTooLarge: more than anyone answers was piped in.
    """
    given = checked(" ".join(word for word in words if word != "-"), "The prompt")
    piped = ""
    if sys.stdin is not None and ("-" in words or not sys.stdin.isatty()):
        must_come = "-" in words or not given.strip()
        piped = text_of(read_all(sys.stdin.buffer, must_come=must_come), "Standard input")
    prompt = "\n\n".join(part for part in (given, piped) if part.strip())
    if not prompt:
        raise BadRequest('There is no question; write one, as in `ai-chat ask "What is SSE?"`, or pipe one in.')
    return prompt


def checked_tools(text: str | None) -> tuple[str, ...]:
    """Read `--tools`: names with commas between them."""
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not names:
        raise BadRequest("--tools is empty; give names with commas between them, or all.")
    return tuple(checked(name, "--tools") for name in names)


def checked_collections(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Read `--kb`: names of collections, or `-` alone for none any more.

    Raises:
        BadRequest: a name is none.
    """
    if names is None or not names:
        return None
    if list(names) == [NO_COLLECTION]:
        return ()
    for name in names:
        if not name.strip() or name == NO_COLLECTION:
            raise BadRequest(f"--kb is {name!r}; give the name of a collection, '*' for all, or - alone for none.")
    return tuple(" ".join(checked(name, "--kb").split()) for name in names)


def read_schema(file: str | None) -> Mapping[str, Any] | None:
    """Read the file of `--schema`.

    Raises:
        BadRequest: it cannot be read, or holds no JSON object.
    """
    if file is None:
        return None
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - as it was named
            schema = orjson.loads(stream.read(MOST_SCHEMA_BYTES))
    except OSError as error:
        raise BadRequest(f"The schema {file!r} cannot be read: {error.strerror or error}.") from error
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The schema {file!r} is not JSON: {error.msg} in line {error.lineno}.") from None
    if not isinstance(schema, dict):
        raise BadRequest(f"The schema {file!r} must be a JSON object.")
    return schema


def read_all(stream: IO[bytes], *, must_come: bool) -> bytes:
    """Read to the end.

    A stdin that is open and silent is common where no person started the command. Unless something `must_come` it is
    left out after a while; else the person is told what we wait for.

    Raises:
        RequestTooLarge: there is too much.
    """
    try:
        if not _has_news(stream):
            if not must_come:
                say("Nothing came through standard input, so it is left out; write - behind the prompt to wait for it.")
                return b""
            say("Waiting for standard input to end, which Ctrl-D does where you type.")
        data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadRequest(
            f"Standard input cannot be read ({error.strerror or error}); use </dev/null for none."
        ) from error
    if len(data) > MOST_BYTES:
        raise RequestTooLarge(f"More than {MOST_BYTES:,} bytes were piped in, which no model can read; send less.")
    return data


def _has_news(stream: IO[bytes]) -> bool:
    """Wait a while for the first byte or the end; where that cannot be asked, take it as there."""
    try:
        return bool(select.select([stream], [], [], WAITING_SECONDS)[0])
    except (OSError, ValueError):  # Windows asks sockets only; a test's stdin is no file
        return True


def text_of(data: bytes, where: str) -> str:
    """Decode what was piped in: UTF-8, else the encoding that this machine uses.

    Raises:
        BadRequest: it is neither, or holds what no text does.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        local = (getattr(sys.stdin, "encoding", None) or "utf-8").lower()
        if local.replace("_", "-") in {"utf-8", "ascii", "us-ascii"}:
            raise BadRequest(
                f"{where} is not UTF-8 text (byte 0x{data[error.start]:02x} at {error.start:,}); convert it first, "
                "for instance with iconv."
            ) from None
        try:
            text = data.decode(local)
        except UnicodeDecodeError:
            raise BadRequest(f"{where} is neither UTF-8 nor {local} text; convert it to UTF-8 first.") from None
    return checked(text, where)


def checked(text: str, where: str) -> str:
    """Give the text back if a request can carry it.

    Raises:
        BadRequest: it holds NUL or half of a surrogate pair, which is what a byte that is no UTF-8 becomes.
    """
    nul = text.find("\0")
    if nul >= 0:
        raise BadRequest(f"{where} holds a NUL character (at {nul:,}), so it is no text; take it out.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest(
            f"{where} holds a byte or half character that is no Unicode text (at {error.start:,}); take it out."
        ) from None
    return text


def checked_option(text: str | None, where: str) -> str | None:
    """Give an option's text back; see `checked`."""
    return None if text is None else checked(text, where)


def checked_conversation(name: str | None) -> str | None:
    """Give a conversation's id back if it may be one.

    Raises:
        BadRequest: it may not.
    """
    if name is not None and not CONVERSATION.fullmatch(name):
        shown = name[:80].encode("ascii", "backslashreplace").decode()
        raise BadRequest(f"The conversation id '{shown}' cannot be used; take 1 to 64 of A-Z, a-z, 0-9, _ and -.")
    return name


def checked_parameters(**parameters: Any) -> dict[str, Any]:
    """Give the parameters that were said.

    Raises:
        BadRequest: one is no number that JSON can carry.
    """
    for name, value in parameters.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise BadRequest(f"{name} is {value}, which is no number to use; leave it out or give another.", param=name)
    return {name: value for name, value in parameters.items() if value is not None and value != []}
