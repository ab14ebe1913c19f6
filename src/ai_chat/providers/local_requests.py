"""What the embedded engine is asked: requests it would misread are refused here, small differences are evened out."""

from __future__ import annotations

import json
from dataclasses import replace

from ..core.errors import BadRequest, ContextTooLong
from ..core.messages import ImagePart, Message, OtherPart, Part, TextPart, ToolCall
from ..core.request import ChatRequest
from ..core.usage import NOTHING

LONGEST_TOKEN = 256
"""Bytes. No vocabulary has longer ones, so a text has at least so many times fewer tokens."""
SEEDS = 2**32 - 1
"""The engine takes 32 bits of a seed, and the highest of them to mean "any"."""
UNKNOWN_TO_IT = ("functions", "audio", "web_search_options")
"""Fields that the engine would ignore, though the answer without them is another one."""


def for_engine(request: ChatRequest, *, context: int) -> ChatRequest:
    """Give the request as the engine must be asked, streamed, for one choice.

    It answers much that it should refuse, and drops what it does not know.

    Raises:
        BadRequest: it cannot be asked of this model.
        ContextTooLong: the messages cannot fit into `context` tokens, whatever they say.
    """
    _refuse_parameters(request)
    messages = tuple(_message(message, f"messages[{index}]") for index, message in enumerate(request.messages))
    _refuse_length(messages, context)
    return replace(
        request,
        messages=messages,
        stream=True,
        n=None,
        tools=None,
        tool_choice=None,
        parallel_tool_calls=None,
        # While it reads a prompt the engine looks once a second whether anybody still waits; having to tell how far it
        # is, it looks after each step.
        extra={**request.extra, "return_progress": True},
    )


def for_choice(request: ChatRequest, index: int) -> ChatRequest:
    """Give the request for one of several choices: with a seed of its own, or all would be alike.

    The engine rounds otherwise when a prompt is read from its cache, and a wild answer then takes another way. Who
    gives a seed wants the same answer again, so he gets it without the cache. He gets it if no other call is being
    answered at the same time, for that changes the rounding too.
    """
    seed = request.sampling.seed
    if seed is None:
        return request
    sampling = replace(request.sampling, seed=(seed + index) % SEEDS)
    return replace(request, sampling=sampling, extra={"cache_prompt": False, **request.extra})


def _refuse_parameters(request: ChatRequest) -> None:
    if request.max_tokens is not None and request.max_tokens < 1:
        name = request.max_tokens_field or "max_tokens"
        raise BadRequest(f"{name} is {request.max_tokens}, and an answer has at least one token.", param=name)
    stops = (request.stop,) if isinstance(request.stop, str) else request.stop or ()
    if "" in stops:
        raise BadRequest("stop holds an empty text, which would end every answer at once; leave it out.", param="stop")
    if request.top_logprobs is not None and not request.logprobs:
        raise BadRequest("top_logprobs needs logprobs to be true; set it too.", param="top_logprobs")
    for field in UNKNOWN_TO_IT:
        if request.extra.get(field):
            raise BadRequest(f"The embedded model does not know {field}; leave it out.", param=field)


def _refuse_length(messages: tuple[Message, ...], context: int) -> None:
    """Refuse what is too long by far, which the engine would take seconds to count."""
    size = sum(len(message.text.encode()) for message in messages)
    if size > context * LONGEST_TOKEN:
        raise ContextTooLong(
            f"The messages hold {size:,} bytes, at least {size // LONGEST_TOKEN:,} tokens, and the window of the "
            f"embedded model holds {context:,}; shorten them or take a model with a larger window.",
            param="messages",
        )


def _message(message: Message, path: str) -> Message:
    if message.role == "function":
        raise BadRequest(
            f"{path} is a `function` message, which the embedded model does not read; send it as a `tool` message.",
            param=f"{path}.role",
        )
    content = message.content
    if isinstance(content, tuple):
        content = tuple(_part(part, f"{path}.content[{index}]") for index, part in enumerate(content))
    if content is None and message.refusal is not None:
        content = message.refusal  # else its turn would be empty
    return replace(
        message,
        content=content,
        refusal=None,
        tool_calls=tuple(_tool_call(call) for call in message.tool_calls),
    )


def _part(part: Part, path: str) -> TextPart:
    match part:
        case TextPart():
            return part
        case ImagePart():
            raise BadRequest(
                f"{path} is an image, and the embedded model reads text only; leave it out or ask a model that sees.",
                param=path,
            )
        case OtherPart(type="refusal"):
            return TextPart(text=str(part.data.get("refusal", "")))
        case OtherPart():
            raise BadRequest(
                f"{path} is of type {part.type!r}, and the embedded model reads text only; leave it out.", param=path
            )


def _tool_call(call: ToolCall) -> ToolCall:
    """Write a past call so that the engine can read it: its arguments must be JSON, which a model's need not be."""
    arguments = call.arguments
    try:
        fine = call.type == "function" and isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        fine = False
    if not fine:
        arguments = json.dumps(arguments, ensure_ascii=False)
    return replace(call, type="function", arguments=arguments, extra=NOTHING)
