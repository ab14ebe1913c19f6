"""What the embedded engine counts: the text of a model's chat template, by the model's own vocabulary.

Qwen2.5's template is known here, with what the engine does around it: `developer` becomes `system`, parts of a text are
put on lines of their own, and an answer that ends the prompt is left open for the model to go on with. Special tokens
are found in anybody's text. Messages with another template are framed the same way, which is then an estimate.
"""

from __future__ import annotations

import hashlib
import json
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

    def text(self, text: str) -> int:
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
            turns[-1] = turns[-1].removesuffix(_END)
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


def _content(message: Message) -> str:
    content = message.content
    if isinstance(content, tuple):
        texts = (
            part.text if isinstance(part, TextPart) else str(part.data.get("refusal", ""))
            for part in content
            if isinstance(part, TextPart) or (isinstance(part, OtherPart) and part.type == "refusal")
        )
        return "\n".join(texts)
    return content if content is not None else message.refusal or ""


def _arguments(text: str) -> str:
    """Write the arguments of a call as the engine does, which reads them as JSON; what is none is a text to it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return json.dumps(value if isinstance(value, dict) else text, ensure_ascii=False)
