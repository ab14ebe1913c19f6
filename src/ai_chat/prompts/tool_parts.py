"""Parts for a model that has tools: when to use them and how, examples of it, and how to think before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.messages import Message, ToolCall
from ..core.request import ToolSpec
from .tool_signatures import example_arguments, purpose

Language = Literal["zh", "en"]

_GUIDANCE: Mapping[Language, str] = {
    "en": """You have these tools:
{tools}

When to use them: whenever the answer depends on a fact that you do not know for certain, that may have changed, or \
that has to be computed, and a tool can give it. Do not use them for chat, writing, translation or what you know well.
How to use them: fill in every required argument from what the user said. If one is missing and cannot be inferred, \
ask the user; do not guess. Do not call a tool again for what it has already told you.
Results: trust them over your memory; where the two differ, the result is right. Base the answer on them and keep \
their numbers, names and units as they are.
Failures: if a tool fails or finds nothing, try again only if you can put the arguments right. Otherwise say honestly \
that it failed and what you therefore cannot say. Never invent a result, and never claim to have used a tool that you \
did not use.""",
    "zh": """你可以使用以下工具：
{tools}

何时使用：如果回答取决于你不能确定的事实、可能已经变化的事实，或者需要计算的结果，而某个工具可以提供，就使用它。\
闲聊、写作、翻译以及你熟知的内容不需要工具。
如何使用：根据用户所说的内容填写每个必需的参数。如果缺少某个参数又无法推断，就询问用户，不要猜测。\
工具已经告诉你的内容，不要重复调用。
结果：相信工具的结果，而不是你的记忆；两者不一致时，以结果为准。回答要以结果为依据，其中的数字、名称和单位保持原样。
失败：如果工具失败或没有找到内容，只有在能够改正参数时才重试。否则如实说明工具失败了，以及因此无法回答什么。\
绝不编造结果，也绝不声称使用了没有使用过的工具。""",
}
_THINKING: Mapping[Language, str] = {
    "en": """You have these tools:
{tools}

Think step by step before you answer:
1. Which facts does the answer need? Which of them are missing: not told by the user, not certain from memory, or \
still to be computed?
2. For each missing fact: which tool gives it, and with which arguments? If no tool does, note that.
3. Call those tools. Read each result: does it give the fact? If something is still missing, go back to step 2.
4. Answer from the results. Say which facts you could not find; do not fill the gaps with guesses.
If no fact is missing, answer at once, without a tool.""",
    "zh": """你可以使用以下工具：
{tools}

回答之前，请逐步思考：
1. 回答需要哪些事实？其中缺少哪些：用户没有说明的、凭记忆不能确定的，或者还需要计算的？
2. 对于每个缺少的事实：哪个工具可以提供，参数是什么？如果没有工具可以提供，就记下来。
3. 调用这些工具。阅读每个结果：它给出了所需的事实吗？如果仍有缺少的，回到第 2 步。
4. 根据结果回答。说明哪些事实没有找到，不要用猜测来填补。
如果什么都不缺，就直接回答，不使用工具。""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What is said in the examples. Results are placeholders: a model must not take one for a fact."""

    asked: str
    asked_with: str
    found: str
    answered: str
    failed: str
    admitted: str
    greeting: str
    greeted: str


_EXAMPLES: Mapping[Language, _Words] = {
    "en": _Words(
        asked="{purpose}",
        asked_with="{purpose} Use these values: {arguments}",
        found="<what {tool} found>",
        answered="According to {tool}: <what {tool} found>.",
        failed="Error: {tool} did not answer in time.",
        admitted="I asked {tool} for this, but it did not answer in time, so I cannot tell you. I would rather not "
        "guess; please try again later.",
        greeting="Hello, how are you?",
        greeted="Hello! I am fine, thank you. What can I do for you?",
    ),
    "zh": _Words(
        asked="{purpose}",
        asked_with="{purpose} 请使用这些值：{arguments}",
        found="<{tool} 查到的内容>",
        answered="根据 {tool} 的结果：<{tool} 查到的内容>。",
        failed="错误：{tool} 没有及时响应。",
        admitted="我用 {tool} 查过，但它没有及时响应，所以我无法告诉您结果。我不想猜测，请稍后再试。",
        greeting="你好，最近怎么样？",
        greeted="你好！我很好，谢谢。有什么可以帮您的吗？",
    ),
}


def tool_guidance(tools: Sequence[ToolSpec], language: Language) -> str:
    """Give a system prompt that says when and how these tools are used; nothing if there are none.

    Results are to be trusted over memory, failures are to be told, and nothing is to be invented.
    """
    return _GUIDANCE[language].format(tools=_listed(tools)) if tools else ""


def thinking_with_tools(tools: Sequence[ToolSpec], language: Language) -> str:
    """Give a system prompt to think by: what is missing, which tool gives it, call, answer; nothing without tools."""
    return _THINKING[language].format(tools=_listed(tools)) if tools else ""


def tool_examples(tools: Sequence[ToolSpec], language: Language) -> tuple[Message, ...]:
    """Give examples as messages that stand in front of a conversation: a call, a failure told honestly, and no call.

    They are made from what the tools say of themselves, so they fit any tools. Without tools there are none.
    """
    if not tools:
        return ()
    words = _EXAMPLES[language]
    return (
        *_example(tools[0], words, "call_example_1", words.found, words.answered),
        Message(role="user", content=words.greeting),
        Message(role="assistant", content=words.greeted),
        *_example(tools[-1], words, "call_example_2", words.failed, words.admitted),
    )


def _example(tool: ToolSpec, words: _Words, call_id: str, result: str, answer: str) -> Iterator[Message]:
    given = example_arguments(tool)
    arguments = json.dumps(given, ensure_ascii=False)
    asked = (words.asked_with if given else words.asked).format(purpose=purpose(tool), arguments=arguments)
    yield Message(role="user", content=asked)
    yield Message(role="assistant", tool_calls=(ToolCall(id=call_id, name=tool.name, arguments=arguments),))
    yield Message(role="tool", content=result.format(tool=tool.name), tool_call_id=call_id)
    yield Message(role="assistant", content=answer.format(tool=tool.name))


def _listed(tools: Sequence[ToolSpec]) -> str:
    return "\n".join(f"- {tool.name}: {purpose(tool)}" for tool in tools)
