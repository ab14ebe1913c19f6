"""What the embedded engine counts: the text of a model's chat template, by the model's own vocabulary.

Qwen2.5's template is known here, with what llama.cpp does around it: `developer` becomes `system`, parts of a text are
put on lines of their own, an answer that ends the prompt is left open for the model to go on with, and special tokens
are found in anybody's text. Messages with another template are framed the same way, which is then an estimate.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from ..core.messages import Message, OtherPart, TextPart
from . import gguf
from .encodings import Encoding

_KNOWN = frozenset({"284b4a35ce7fdc716c06087ca7ed104a139231883b684fb4911762fa692600b6"})
"""SHA-256 of a template behind its part for tools, which the engine is never given."""
_TOOLS_END = "\n{%- else %}\n"

_SYSTEM = "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
"""Put first by Qwen2.5's template if the messages begin with no instructions."""
_END = "<|im_end|>\n"
_ANSWER = "<|im_start|>assistant\n"

_TEXT_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*+"|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?')


class Embedded:
    """Counts the tokens of one embedded model. It may be used from many threads at once."""

    def __init__(self, encoding: Encoding, template: str) -> None:
        """Count by this vocabulary and this chat template."""
        self._encoding = encoding
        after_tools = template.partition(_TOOLS_END)[2]
        self.exact = hashlib.sha256(after_tools.encode()).hexdigest() in _KNOWN
        """Whether counts of messages are the engine's own; those of texts always are."""

    @classmethod
    def of(cls, path: Path) -> Embedded | None:
        """Read a model's file, half a second of work; None if its tokenizer is not known here."""
        tokenizer = gguf.tokenizer_of(path)
        return cls(tokenizer.encoding, tokenizer.template) if tokenizer else None

    def count(self, text: str) -> int:
        """Count the tokens of a text."""
        return self._encoding.count(text)

    def message(self, message: Message) -> int:
        """Count what one message adds to a prompt."""
        return self._encoding.count(_turn([message]))

    def messages(self, messages: Sequence[Message]) -> int:
        """Count a prompt, the beginning of the answer included."""
        turns = [_turn(group) for group in _groups(messages)]
        if self.exact and not (messages and _role(messages[0]) == "system"):
            turns.insert(0, _SYSTEM)
        if messages and messages[-1].role == "assistant":
            content = _content(messages[-1], between="\n\n")
            turns[-1] = f"{_ANSWER}{content}" if content or messages[-1].name else ""  # the engine skips an empty one
        else:
            turns.append(_ANSWER)
        return sum(map(self._encoding.count, turns))


def _groups(messages: Sequence[Message]) -> list[list[Message]]:
    """Put results of tools that follow each other together: they are one turn."""
    groups: list[list[Message]] = []
    for message in messages:
        if groups and message.role == groups[-1][-1].role == "tool":
            groups[-1].append(message)
        else:
            groups.append([message])
    return groups


def _turn(messages: Sequence[Message]) -> str:
    """Write one message, or several results of tools, as the template does."""
    message = messages[0]
    if message.role == "tool":
        results = "".join(f"\n<tool_response>\n{_content(each)}\n</tool_response>" for each in messages)
        return f"<|im_start|>user{results}{_END}"
    if not message.tool_calls:
        return f"<|im_start|>{_role(message)}\n{_content(message)}{_END}"
    words = f"\n{content}" if (content := _content(message)) else ""
    calls = "".join(
        f'\n<tool_call>\n{{"name": "{call.name}", "arguments": {_arguments(call.arguments)}}}\n</tool_call>'
        for call in message.tool_calls
    )
    return f"<|im_start|>assistant{words}{calls}{_END}"


def _role(message: Message) -> str:
    return "system" if message.role == "developer" else message.role


def _content(message: Message, *, between: str = "\n") -> str:
    content = message.content
    if isinstance(content, tuple):
        texts = (
            part.text if isinstance(part, TextPart) else str(part.data.get("refusal", ""))
            for part in content
            if isinstance(part, TextPart) or (isinstance(part, OtherPart) and part.type == "refusal")
        )
        return between.join(texts)
    return content if content is not None else message.refusal or ""


def _arguments(text: str) -> str:
    """Write the arguments of a call as the engine does, which reads them as JSON; what is none is a text to it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    written = json.dumps(value if isinstance(value, dict) else text, ensure_ascii=False)
    return _TEXT_OR_NUMBER.sub(lambda found: _number(found[0]), written)


def _number(text: str) -> str:
    """Write a fraction with the six digits that the engine leaves of it; anything else as it is."""
    is_fraction = text[0] != '"' and not text.lstrip("-").isdigit()
    return f"{float(text):.6g}" if is_fraction else text
