"""What a model is told of the form that its answer shall have, and what a caller is told of one that was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.messages import INSTRUCTIONS, Message, TextPart
from ..core.request import ChatRequest
from ..core.result import ChatResult

CLIPPED = 8_000
"""Characters of a wrong answer that the model is shown again."""
INSTRUCTION = (
    "Answer with one JSON object and nothing else: no other words, no code fence. It must be valid against this JSON "
    "Schema:\n"
)


def told(messages: tuple[Message, ...], schema: str) -> tuple[Message, ...]:
    """Give messages with a schema among their instructions."""
    said = INSTRUCTION + schema
    first = messages[0]
    if first.role not in INSTRUCTIONS:
        return (Message(role="system", content=said), *messages)
    content = (*first.content, TextPart(text=f"\n\n{said}")) if isinstance(first.content, tuple) else None
    return (replace(first, content=content or f"{first.text}\n\n{said}"), *messages[1:])


def correction(result: ChatResult, problems: Sequence[str], schema: str | None) -> tuple[Message, ...]:
    """Give the last wrong answer and what is wrong with it; earlier ones would cost tokens and say no more.

    Args:
        result: the answer.
        problems: what is wrong with it.
        schema: what it must be valid against, if the model has not been told.
    """
    text = result.text.strip()
    listed = "\n".join(f"- {problem}" for problem in problems)
    ask = f"That answer cannot be used:\n{listed}\nGive the whole JSON object again, put right, and nothing else."
    if schema is not None:
        ask = f"{ask}\n\n{INSTRUCTION}{schema}"
    said = (Message(role="assistant", content=clipped(text, CLIPPED)),) if text else ()
    return (*said, Message(role="user", content=ask))


def clipped(text: str, length: int) -> str:
    """Give the beginning and the end of a text that is longer than so many characters."""
    return text if len(text) <= length else f"{text[: length * 3 // 4]} […] {text[-length // 4 :]}"


def cut_sentence(request: ChatRequest, result: ChatResult) -> str:
    """Say that an answer was cut at a limit of tokens, and what to do about it."""
    name = request.max_tokens_field or "max_tokens"
    limit = "its own limit" if request.max_tokens is None else f"{name} = {request.max_tokens}"
    thought = result.usage.reasoning_tokens if result.usage is not None else None
    thinking = f" ({thought:,} tokens of it went into thinking)" if thought else ""
    mend = f"set {name}" if request.max_tokens is None else f"raise {name}"
    return f"The answer was cut at {limit}{thinking} before its JSON was whole; {mend}, or ask for less."
