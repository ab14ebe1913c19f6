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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..core.messages import INSTRUCTIONS, ImagePart, Message, Part, TextPart
from ..core.request import ToolSpec
from . import encodings, images
from .definitions import typescript

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


@lru_cache(maxsize=1024)
def _model(model: str) -> _Model:
    name = model.rsplit("/", 1)[-1].lower().removeprefix("ft:")
    old, new = _CL100K.match(name), _O200K.match(name)
    return _Model(
        name=name,
        encoding="cl100k_base" if old else "o200k_base",
        exact=bool(old or new),
        priming=_PRIMING_REASONING if _REASONING.match(name) else _PRIMING,
    )


class Tokens:
    """Counts tokens as a model does. It holds nothing; the vocabularies are loaded once per process, at first use.

    Models are named with or without a provider (`openai/gpt-4o`, `gpt-4o`).
    """

    @staticmethod
    def encoding_for(model: str) -> str:
        """Give the name of the encoding that `model` is counted by."""
        return _model(model).encoding

    @staticmethod
    def is_exact(model: str) -> bool:
        """Tell whether that encoding is the model's own; for others (Qwen, DeepSeek, …) every count is an estimate."""
        return _model(model).exact

    @staticmethod
    def warm(encoding: str = "o200k_base") -> None:
        """Load an encoding now, 0.1 to 0.2 s, so that no request waits for it. Safe from any thread."""
        encodings.load(encoding)

    def text(self, text: str, model: str) -> int:
        """Count the tokens of a text. Special tokens in it (`<|endoftext|>`) are plain text.

        A megabyte takes some 60 ms, during which other threads run.
        """
        return encodings.load(_model(model).encoding).count(text) if text else 0

    def message(self, message: Message, model: str) -> int:
        """Count what one message adds to a prompt, whatever stands around it.

        Audio and files are left out: what they cost only the upstream knows.
        """
        total = _FRAME + self._content(message.content, model) + self.text(message.refusal or "", model)
        if message.name and message.role != "tool":
            total += _NAME + self.text(message.name, model)
        if message.role == "function":
            total += _FUNCTION_ROLE
        function_call = message.extra.get("function_call")
        if isinstance(function_call, Mapping):
            total += _FUNCTION_CALL + self._texts(model, function_call.get("name"), function_call.get("arguments"))
        if message.tool_calls:
            total += self._calls(message, model)
        return total

    def messages(
        self,
        messages: Sequence[Message],
        model: str,
        tools: Sequence[ToolSpec] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
    ) -> int:
        """Count a prompt: the sum of its messages, the beginning of the answer, and the tools with their choice.

        Args:
            messages: the conversation, in order.
            model: by whose vocabulary and rules to count.
            tools: what the model may call; counted in the form it is shown to the model.
            tool_choice: as in the request: `none`, `auto`, `required`, or the object that names a function.
        """
        total = _model(model).priming + sum(self.message(message, model) for message in messages)
        return total + (self._tools(messages, model, tools, tool_choice) if tools else 0)

    def _content(self, content: str | tuple[Part, ...] | None, model: str) -> int:
        if content is None or isinstance(content, str):
            return self.text(content or "", model)
        return sum(self._part(part, model) for part in content)

    def _part(self, part: Part, model: str) -> int:
        if isinstance(part, TextPart):
            return self.text(part.text, model)
        if isinstance(part, ImagePart):
            return images.cost(part.url, part.detail, _model(model).name)
        return self._texts(model, part.data.get("refusal"))

    def _calls(self, message: Message, model: str) -> int:
        """Count the calls of a message; beside words of their own they are a message of their own."""
        total = _FRAME if message.content else 0
        if len(message.tool_calls) == 1:
            call = message.tool_calls[0]
            return total + _CALL + 2 * self.text(call.name, model) + self.text(call.arguments, model)
        uses = ",".join(
            f'{{"recipient_name":{json.dumps("functions." + call.name)},"parameters":{call.arguments}}}'
            for call in message.tool_calls
        )
        total += _CALLS + _CALLS_EACH * len(message.tool_calls)
        return total + self.text(f'{{"tool_uses":[{uses}]}}', model)

    def _tools(
        self,
        messages: Sequence[Message],
        model: str,
        tools: Sequence[ToolSpec],
        tool_choice: str | Mapping[str, Any] | None,
    ) -> int:
        total = self.text(typescript(tools), model)
        system = next((message for message in messages if message.role in INSTRUCTIONS), None)
        if system is None:
            total += _TOOLS
        else:
            # The headings follow the system message's text after a line break, which may merge with its last token.
            total += _TOOLS_WITH_SYSTEM + self.text(system.text + "\n", model) - self.text(system.text, model)
        if tool_choice == "none":
            total += _CHOICE_NONE
        elif isinstance(tool_choice, Mapping) and isinstance(tool_choice.get("function"), Mapping):
            total += _CHOICE_NAMED + self._texts(model, tool_choice["function"].get("name"))
        return total

    def _texts(self, model: str, *texts: Any) -> int:
        return sum(self.text(text, model) for text in texts if isinstance(text, str))
