"""`ai-chat ask --schema`: an answer that is JSON and fits a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from ..client import AsyncChat
from ..core.errors import BadRequest
from .printing import Output, Voice
from .question import Question
from .report import as_json

if TYPE_CHECKING:
    from ..assembly import Services


async def answer_in_form(services: Services, question: Question, output: Output, voice: Voice) -> int:
    """Ask, and print the JSON value; nothing is printed that does not fit.

    Raises:
        BadRequest: the schema is none, or something was asked for that does not go with one.
        OutputInvalid: no answer fitted, or it was cut off or refused.
    """
    for name, given in (("-c", question.conversation), ("--tools", question.tools), ("--kb", question.collections)):
        if given:
            raise BadRequest(f"--schema and {name} do not go together; leave one of them out.")
    parsed = await AsyncChat(services=services).parse(
        question.schema or {},
        question.prompt,
        model=question.model,
        system=question.system,
        on_notice=voice.notice,
        **question.parameters,
    )
    voice.quiet()
    if question.as_json:
        output.data(as_json(parsed.result, parsed=parsed))
    else:
        output.data(orjson.dumps(parsed.value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_INDENT_2))
    return 0
