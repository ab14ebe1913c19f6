"""Failures, to and from the error objects of the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from ..core.errors import (
    AuthenticationFailed,
    BadRequest,
    ChatError,
    ContentFiltered,
    ContextTooLong,
    PermissionRefused,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFailed,
    Unavailable,
    UnknownModel,
)
from .retry_hints import retry_after

_SAID = 500
"""Characters of an upstream's own words that a sentence repeats."""
_READ = 8 * _SAID
_SECRETS = (
    (re.compile(r"(?i)\b(bearer)\s+[^\s\"',;)]+"), r"\1 ***"),
    (re.compile(r"(?i)\b(api[-_ ]?key[\"']?\s*[:=]\s*[\"']?)[^\s\"',;)]+"), r"\1***"),
    (re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|hf|tgp|nvapi|pplx|csk)[-_]|AIza)[\w*.-]{4,}"), "***"),
    (re.compile(r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}[\w.-]*"), "***"),
)
_PAGE_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


class _Said(NamedTuple):
    """What an upstream says about a failure, from whatever form it says it in."""

    message: str = ""
    code: str = ""
    kind: str = ""
    param: str | None = None
    prompt_tokens: int | None = None
    window: int | None = None


class _Sign(NamedTuple):
    """How a kind of failure is known, whatever status it comes with."""

    error: type[ChatError]
    codes: frozenset[str]
    words: re.Pattern[str]


def _sign(error: type[ChatError], codes: str, words: str) -> _Sign:
    return _Sign(error, frozenset(codes.split()), re.compile(words, re.IGNORECASE | re.DOTALL))


_CONTENT_SIGNS = (
    _sign(
        ContentFiltered,
        # OpenAI, Azure, DashScope twice, Zhipu
        "content_filter content_policy_violation ResponsibleAIPolicyViolation data_inspection_failed "
        "DataInspectionFailed 1301",
        # Azure, DashScope, DeepSeek, Moonshot
        r"content management policy|DataInspectionFailed|inappropriate content|content exists risk"
        r"|considered high risk|敏感内容",
    ),
    _sign(
        ContextTooLong,
        # OpenAI, llama.cpp, Zhipu
        "context_length_exceeded exceed_context_size_error 1261",
        # OpenAI with vLLM and DeepSeek; DashScope; SGLang; Moonshot; llama.cpp; Anthropic; Gemini; SiliconFlow
        r"maximum context length|range of input length|longer than the model's context|maximum allowed length"
        r"|exceeded model token limit|exceeds? the (available |maximum )?context|prompt is too long"
        r"|input token count .*exceeds|input length exceeds|less than max_seq_len|上下文长度",
    ),
)
_SIGNS = (
    *_CONTENT_SIGNS,
    _sign(
        QuotaExhausted,
        # OpenAI, Moonshot, DashScope, Zhipu, SiliconFlow
        "insufficient_quota exceeded_current_quota_error Arrearage 1113 30001",
        # Gemini says the same of its limits per minute, and then for how long.
        r"insufficient[ _](account )?(balance|quota|credits?)|exceeded your current quota(?!.*retry in)"
        r"|balance is insufficient|余额不足|欠费",
    ),
    _sign(
        UnknownModel,
        # OpenAI, Azure, DashScope, Zhipu, SiliconFlow
        "model_not_found DeploymentNotFound ModelNotFound 1211 20012",
        r"model\b.{0,80}\b(not (exist|found)|does(n't| not) exist)|(unknown|no such) model|not found the model"
        r"|模型不存在",
    ),
    _sign(
        AuthenticationFailed,
        "invalid_api_key InvalidApiKey invalid_authentication_error",
        r"api key not valid|(incorrect|invalid) api[- _]?key",
    ),
)
_STATUSES: Mapping[int, type[ChatError]] = {
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionRefused,
    404: UnknownModel,
    408: Unavailable,
    409: Unavailable,
    413: RequestTooLarge,
    425: Unavailable,
    429: RateLimited,
    503: Unavailable,
    529: Unavailable,
}
_KINDS = {
    "invalid_request_error": 400,
    "BadRequestError": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "NotFoundError": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
    "engine_overloaded_error": 503,
    "service_unavailable": 503,
}
"""Types and codes of errors that come without a status of their own, after the answer has begun."""
_SENTENCES: Mapping[type[ChatError], tuple[str, str]] = {
    ContentFiltered: ("refused the prompt for what it says", "put it in other words"),
    ContextTooLong: (
        "has a model whose window is too small for these messages",
        "shorten them or take a model with a larger window",
    ),
    QuotaExhausted: ("says the account has no credit left", "top it up or use another provider"),
    UnknownModel: ("does not know that model", "check the model's name and the base URL"),
    AuthenticationFailed: ("did not accept the API key", "check the key that is set for it"),
    PermissionRefused: ("does not let this key do that", "check what the key and its account may use"),
    RequestTooLarge: ("says the request has too many bytes", "send less at once"),
    RateLimited: ("got too many requests or tokens from this key", "try again"),
    Unavailable: ("is overloaded, starting or down", "try again"),
    ServerFailed: ("failed", "try again"),
    BadRequest: ("refused the request", "check the request and its parameters"),
}


def decode_error(status: int, headers: Mapping[str, str], body: bytes, *, provider: str) -> ChatError:
    """Make the error that a refusal means; what it says is known first by its code, then its words, then its status.

    Args:
        status: HTTP status.
        headers: with lower-case names.
        body: whatever came; it may be empty, a web page or cut.
        provider: the name that begins the sentence.
    """
    said, quoted = _read(body)
    return _error(status, said, f"HTTP {status}{quoted}", provider, retry_after(headers, said.message))


def decode_error_in_answer(answer: Mapping[str, Any]) -> ChatError | None:
    """Make the error that an answer of status 200 holds in place of, or beside, its choices; None if it holds none."""
    if not answer.get("error") and ("choices" in answer or not _message(answer)):
        return None
    said = _of_json(answer)
    return _error(200, said, f"in its answer{_quoted(said.message)}", "The upstream", None)


def encode_error(error: ChatError) -> tuple[int, bytes]:
    """Give the HTTP status and the body that tell a client of an error."""
    return error.http_status, orjson.dumps({"error": error.facts})


def excerpt(body: bytes) -> str:
    """Give the beginning of what an upstream sent, fit for a sentence: on one line, without secrets, not long."""
    text = " ".join(body[:_READ].decode(errors="replace").split())
    for secret, mask in _SECRETS:
        text = secret.sub(mask, text)
    return text if len(text) <= _SAID else text[:_SAID] + "…"


def _error(status: int, said: _Said, where: str, provider: str, wait: float | None) -> ChatError:
    kind = _kind(status, said)
    lead, mend = _SENTENCES[kind]
    if kind is ContextTooLong and said.prompt_tokens is not None and said.window is not None:
        lead = f"has a model whose window holds {said.window:,} tokens, and the prompt has {said.prompt_tokens:,}"
    if mend == "try again":
        mend = "try again later" if wait is None else f"try again in {max(wait, 1):.0f} s"
    return kind(
        f"{provider} {lead} ({where}); {mend}.",
        param=said.param,
        retry_after=wait,
        upstream_status=status,
        upstream_code=said.code or said.kind or None,
    )


def _kind(status: int, said: _Said) -> type[ChatError]:
    for sign in _SIGNS if status < 500 else _CONTENT_SIGNS:  # noqa: PLR2004 - a broken server's words about keys are no sign
        if said.code in sign.codes or said.kind in sign.codes or sign.words.search(said.message[:_READ]):
            return sign.error
    if status < 400:  # noqa: PLR2004 - the status was that of an answer
        status = int(said.code) if re.fullmatch("[45][0-9][0-9]", said.code) else 0
        status = status or _KINDS.get(said.code) or _KINDS.get(said.kind, 500)
    return _STATUSES.get(status) or (ServerFailed if status >= 500 else BadRequest)  # noqa: PLR2004 - HTTP: 5xx


def _read(body: bytes) -> tuple[_Said, str]:
    """Give what a body says, and how a sentence repeats it."""
    if not body.strip():
        return _Said(), " and an empty body"
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body[: 2**14].decode(errors="replace")
        if "<html" in text.lower() or "<!doctype" in text.lower():
            title = _PAGE_TITLE.search(text)
            return _Said(), f" and a web page{_quoted(title[1]) if title else ''}"
        return _Said(message=text), _quoted(text)
    said = _of_json(value)
    return said, _quoted(said.message)


def _quoted(text: str) -> str:
    return f': "{excerpt(text.encode(errors="replace"))}"' if text.strip() else ""


def _of_json(value: object) -> _Said:
    """Find the words in the forms of OpenAI and Azure, vLLM, llama.cpp, DashScope, SiliconFlow, Gemini, Ollama."""
    if isinstance(value, list) and value:
        return _of_json(value[0])
    if not isinstance(value, dict):
        return _Said(message=str(value))
    error = value.get("error")
    if isinstance(error, str) and error:
        return _Said(message=error, code=_text(value.get("code")), kind=_text(value.get("type")))
    fields = error if isinstance(error, dict) else value
    inner = fields.get("innererror")
    param = fields.get("param")
    return _Said(
        message=_message(fields),
        code=_text(inner.get("code")) if isinstance(inner, dict) else _text(fields.get("code")),
        kind=_text(fields.get("type") or fields.get("status")),
        param=param if isinstance(param, str) else None,
        prompt_tokens=_number(fields.get("n_prompt_tokens")),
        window=_number(fields.get("n_ctx")),
    )


def _message(fields: Mapping[str, Any]) -> str:
    message = next((fields[key] for key in ("message", "detail", "msg", "error_msg") if fields.get(key)), "")
    return message if isinstance(message, str) else orjson.dumps(message).decode()


def _text(value: object) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _number(value: object) -> int | None:
    return value if type(value) is int else None
