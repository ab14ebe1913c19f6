"""Questions that are answered from a person's documents, as a small model understands them.

Told in words to cite, a model of this size cites at random or answers with a bare number. Shown three short examples it
cites right, and says so where the passages hold no answer. They stand before all that was said, so that the engine
finds what it read of them the last time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.knowledge import CITE, SEARCH_TOOL
from ..core.messages import INSTRUCTIONS, Message
from ..core.request import ChatRequest

INSTRUCTION = (
    "Answer the question from the passages, in the language of the question, and put the number of the passage behind "
    "each fact, like [1]. If the passages do not hold the answer, say so."
)
EXAMPLES = (
    (
        """Passages:
[1] notes.txt
The shop opens at nine.

[2] notes.txt
Parking costs 2 euros.

Question: What does parking cost?""",
        "Parking costs 2 euros [2].",
    ),
    (  # not the last: a small model goes by what it saw last
        """Passages:
[5] notes.txt
The shop opens at nine.

Question: Who owns the shop?""",
        "The passages do not say who owns the shop.",
    ),
    (
        """Passages:
[3] 说明.txt
图书馆周一闭馆。

[4] 说明.txt
每人最多借五本书。

Question: 图书馆哪天不开门？""",
        "图书馆周一闭馆 [3]。",
    ),
)


def answer_from_passages(request: ChatRequest, start: int, passages: Sequence[str], data: str) -> ChatRequest:
    """Give the request that asks for an answer from passages.

    Args:
        request: what was asked, with the calls behind it.
        start: the place of the question in its messages.
        passages: what searches have found, as the model is told of it.
        data: what other tools have told; may be empty.
    """
    found = "\n\n".join(text.removesuffix(CITE).rstrip() for text in passages)
    others = f"Other data:\n{data}\n\n" if data else ""
    asked = request.messages[start]
    question = replace(asked, content=f"Passages:\n{found}\n\n{others}Question: {asked.text}")
    given = [message for message in request.messages[:start] if message.role in INSTRUCTIONS]
    said = without_searches([message for message in request.messages[:start] if message.role not in INSTRUCTIONS])
    instruction = "\n\n".join([*(message.text for message in given), INSTRUCTION])
    shown: list[Message] = []
    for example, answer in EXAMPLES:
        shown += [Message(role="user", content=example), Message(role="assistant", content=answer)]
    return replace(request, messages=(Message(role="system", content=instruction), *shown, *said, question), tools=None)


def without_searches(messages: Sequence[Message]) -> list[Message]:
    """Leave earlier searches out: their passages are not there any more, and their answers are."""
    searches = {call.id for message in messages for call in message.tool_calls if call.name == SEARCH_TOOL}
    kept: list[Message] = []
    for message in messages:
        calls = tuple(call for call in message.tool_calls if call.id not in searches)
        if message.tool_call_id in searches or (message.tool_calls and not calls and not message.text):
            continue
        kept.append(message if len(calls) == len(message.tool_calls) else replace(message, tool_calls=calls))
    return kept
