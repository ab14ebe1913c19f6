"""Token counts without a network: of a text, of a message, and of a whole prompt as the API bills it.

The text of a message is exact for models whose vocabulary we have. The frame around it is not documented beyond plain
messages and names; the constants below were inferred from billed counts, and each tells by whom:

[1] OpenAI's cookbook, "How to count tokens with tiktoken"
[2] openai-chat-tokens by hmarr: functions, names, roles; checked against the API
[3] openai-messages-token-helper by pamelafox: the same for tools and named tool choice
[4] langchain4j's OpenAiTokenCountEstimator: tool calls, reasoning models; checked against the API
[5] community.openai.com/t/538914: billed counts of one, two and three calls in one message

What this cannot know: schemas of `response_format`, tools that run at the provider, audio and files, and that the API
is reported to escape Chinese in the results of several calls made at once, which then cost several times their count.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..core.messages import INSTRUCTIONS, ImagePart, Message, Part, TextPart
from ..core.request import ToolSpec
from ..core.usage import NOTHING
from . import encodings, images
from .calibration import Calibration
from .definitions import typescript
from .embedded import Embedded

_FRAME = 4
"""Around each message: its beginning, its role, the border before its text, its end. [1]"""
_NAME = 1
"""Border between role and name. [1]"""
_PRIMING = 3
"""The beginning of the answer: `<|start|>assistant<|message|>`. [1]"""
_PRIMING_REASONING = 2
"""The same for models that reason, which choose for themselves what follows `<|start|>assistant`. [4]"""
_FUNCTION_ROLE = -2
"""A `function` message is addressed by its name alone. [2]"""
_FUNCTION_CALL = 3
"""The address of the call in an assistant message of that time; the name follows. [2]"""
_CALL = 2
"""The address of a tool call. Its name counts twice, for the result is signed with it whether or not the `tool` message
has a name. [4]"""
_CALLS = 14
"""Several calls at once are one call of `multi_tool_use.parallel`, whose arguments hold them. [5]"""
_CALLS_EACH = 1
"""Around each result of them. [5]"""
_TOOLS = 9
"""A system message made up to hold the tools, and their headings. [2]"""
_TOOLS_WITH_SYSTEM = 5
"""The headings alone, when a system message is there to hold them. [2]"""
_CHOICE_NONE = 1
_CHOICE_NAMED = 7
"""The beginning of the call that the model has to make; the name follows. [3]"""
_FUNCTION_CHOICE_NAMED = 4
"""The same for the withdrawn `function_call` field. [2]"""

_LOCAL = "local"
"""The provider of embedded models, `local/<row>`; alone it is one of them."""
_LONGEST_TO_LEARN = 50_000
"""Characters of a text that is counted for the sake of calibration alone."""

_O200K = re.compile(
    r"(?:chatgpt|codex-mini|computer-use|gpt-4o|gpt-4\.[15]|gpt-5|gpt-audio|gpt-oss|gpt-realtime|o[134])(?![0-9a-z])"
)
_CL100K = re.compile(
    r"(?:gpt-4|gpt-3\.5|gpt-35|text-embedding-3|text-embedding-ada-002|davinci-002|babbage-002)(?![0-9a-z.])"
)
_REASONING = re.compile(r"(?:o[134]|gpt-5(?![^/]*-chat)|gpt-oss|codex-mini)(?![0-9a-z])")


@dataclass(frozen=True, slots=True)
class _Model:
    """What counting needs to know of a model."""

    name: str
    encoding: str
    exact: bool
    priming: int
    row: str | None
    """Which embedded model it is; empty for the one that `local` means, None for any other model."""


@lru_cache(maxsize=1024)
def _model(model: str) -> _Model:
    name = model.rsplit("/", 1)[-1].lower().removeprefix("ft:")
    old, new = _CL100K.match(name), _O200K.match(name)
    return _Model(
        name=name,
        encoding="cl100k_base" if old else "o200k_base",
        exact=bool(old or new),
        priming=_PRIMING_REASONING if _REASONING.match(name) else _PRIMING,
        row=_row(model),
    )


def _row(model: str) -> str | None:
    provider, _, row = model.partition("/")
    return row if provider == _LOCAL else None


class Tokens:
    """Counts tokens as a model does. The vocabularies are loaded once, at first use or by `warm`.

    Models are named with or without a provider (`openai/gpt-4o`, `gpt-4o`). A model whose vocabulary is not known here
    is counted by another one's, and that corrected by what its upstream reported so far.
    """

    def __init__(
        self, *, weights: Callable[[str], Path | None] | None = None, calibration: Calibration | None = None
    ) -> None:
        """Load nothing yet.

        Args:
            weights: gives the file of an embedded model by its row, or by an empty name the one that `local` means;
                None if it is not on this machine.
            calibration: what is known of models whose counts are estimates.
        """
        self._weights = weights
        self.calibration = calibration or Calibration()
        self._embedded: dict[str, Embedded | None] = {}
        self._reading = threading.Lock()

    @staticmethod
    def encoding_for(model: str) -> str:
        """Give the name of the encoding that `model` is counted by, unless it is an embedded one."""
        return _model(model).encoding

    def is_exact(self, model: str) -> bool:
        """Tell whether it is counted by its own vocabulary and rules; for others every count is an estimate."""
        known = _model(model)
        if known.row is None:
            return known.exact
        embedded = self._embedded_model(known)
        return embedded is not None and embedded.exact

    def warm(self, model: str = "gpt-4o") -> None:
        """Load what `model` is counted by, for half a second, so that no request waits for it. Safe from any thread."""
        known = _model(model)
        if self._embedded_model(known) is None:
            encodings.load(known.encoding)

    def wants(self, model: str, text: str) -> bool:
        """Say whether it would help to know what an upstream reported for this text of its own."""
        known = _model(model)
        if known.exact or known.row is not None or not 0 < len(text) <= _LONGEST_TO_LEARN:
            return False
        return self.calibration.is_due(model)

    def learn(self, model: str, *, text: str, reported: int) -> None:
        """Take in what an upstream reported for a text of its own, so that later estimates come closer.

        It counts the text: not on a loop that others wait for.
        """
        encoding = encodings.load(_model(model).encoding)
        self.calibration.learn(model, counted=encoding.count(text), reported=reported)

    def text(self, text: str, model: str) -> int:
        """Count the tokens of a text. Special tokens in it (`<|endoftext|>`) are plain text, but to embedded models.

        A megabyte takes some 60 ms, during which other threads run.
        """
        return self._told(self._text(text, model), model)

    def message(self, message: Message, model: str) -> int:
        """Count what one message adds to a prompt, whatever stands around it.

        Audio and files are left out: what they cost only the upstream knows.
        """
        embedded = self._embedded_model(_model(model))
        return embedded.message(message) if embedded else self._told(self._message(message, model), model)

    def messages(
        self,
        messages: Sequence[Message],
        model: str,
        tools: Sequence[ToolSpec] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] = NOTHING,
    ) -> int:
        """Count a prompt: the sum of its messages, the beginning of the answer, and the tools with their choice.

        Args:
            messages: the conversation, in order.
            model: by whose vocabulary and rules to count.
            tools: what the model may call; counted in the form it is shown to the model.
            tool_choice: as in the request: `none`, `auto`, `required`, or the object that names a function.
            extra: fields of the request that have no name here; `functions` and `function_call`, the form of tools that
                was withdrawn, are counted.
        """
        known = _model(model)
        embedded = self._embedded_model(known)
        if embedded is not None:
            return embedded.messages(messages)
        total = known.priming + sum(self._message(message, model) for message in messages)
        functions = _functions(extra.get("functions"))
        if tools:
            total += self._definitions(messages, model, typescript(tools))
            total += self._choice(tool_choice, model, _CHOICE_NAMED)
        if functions:
            total += self._definitions(messages, model, typescript(functions, withdrawn=True))
            total += self._choice(extra.get("function_call"), model, _FUNCTION_CHOICE_NAMED)
        return self._told(total, model)

    def _told(self, counted: int, model: str) -> int:
        """Give a count as the upstream would tell it."""
        known = _model(model)
        return counted if known.exact or known.row is not None else self.calibration.applied(model, counted)

    def _embedded_model(self, known: _Model) -> Embedded | None:
        """Give the embedded model that is meant, read at first use; None for another one, or while it is not here."""
        row = known.row
        if row is None or self._weights is None:
            return None
        if row not in self._embedded and (path := self._weights(row)) is not None:
            with self._reading:
                if row not in self._embedded:
                    self._embedded[row] = Embedded.of(path)
        return self._embedded.get(row)

    def _text(self, text: str, model: str) -> int:
        if not text:
            return 0
        known = _model(model)
        return (self._embedded_model(known) or encodings.load(known.encoding)).count(text)

    def _message(self, message: Message, model: str) -> int:
        total = _FRAME + self._content(message.content, model) + self._text(message.refusal or "", model)
        if message.name and message.role != "tool":
            total += _NAME + self._text(message.name, model)
        if message.role == "function":
            total += _FUNCTION_ROLE
        function_call = message.extra.get("function_call")
        if isinstance(function_call, Mapping):
            total += _FUNCTION_CALL + self._texts(model, function_call.get("name"), function_call.get("arguments"))
        if message.tool_calls:
            total += self._calls(message, model)
        return total

    def _content(self, content: str | tuple[Part, ...] | None, model: str) -> int:
        if content is None or isinstance(content, str):
            return self._text(content or "", model)
        return sum(self._part(part, model) for part in content)

    def _part(self, part: Part, model: str) -> int:
        if isinstance(part, TextPart):
            return self._text(part.text, model)
        if isinstance(part, ImagePart):
            return images.cost(part.url, part.detail, _model(model).name)
        return self._texts(model, part.data.get("refusal"))

    def _calls(self, message: Message, model: str) -> int:
        """Count the calls of a message; beside words of their own they are a message of their own."""
        total = _FRAME if message.content else 0
        if len(message.tool_calls) == 1:
            call = message.tool_calls[0]
            return total + _CALL + 2 * self._text(call.name, model) + self._text(call.arguments, model)
        uses = ",".join(
            f'{{"recipient_name":{json.dumps("functions." + call.name)},"parameters":{call.arguments}}}'
            for call in message.tool_calls
        )
        total += _CALLS + _CALLS_EACH * len(message.tool_calls)
        return total + self._text(f'{{"tool_uses":[{uses}]}}', model)

    def _definitions(self, messages: Sequence[Message], model: str, written: str) -> int:
        total = self._text(written, model)
        system = next((message for message in messages if message.role in INSTRUCTIONS), None)
        if system is None:
            return total + _TOOLS
        # The headings follow the system message's text after a line break, which may merge with its last token.
        return total + _TOOLS_WITH_SYSTEM + self._text(system.text + "\n", model) - self._text(system.text, model)

    def _choice(self, choice: Any, model: str, named: int) -> int:
        if choice == "none":
            return _CHOICE_NONE
        if not isinstance(choice, Mapping):
            return 0
        name = choice["function"].get("name") if isinstance(choice.get("function"), Mapping) else choice.get("name")
        return named + self._texts(model, name) if name else 0

    def _texts(self, model: str, *texts: Any) -> int:
        return sum(self._text(text, model) for text in texts if isinstance(text, str))


def _functions(value: Any) -> tuple[ToolSpec, ...]:
    """Read the withdrawn `functions` field, which nobody has checked."""
    functions = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    return tuple(
        ToolSpec(
            name=str(each.get("name") or ""),
            description=str(each.get("description") or ""),
            parameters=each["parameters"] if isinstance(each.get("parameters"), Mapping) else None,
        )
        for each in functions
    )
