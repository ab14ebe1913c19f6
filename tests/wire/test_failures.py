"""Refusals of many upstreams, each as the error that it means, and errors as a client reads them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from ai_chat.core.errors import (
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
    UpstreamTimeout,
)
from ai_chat.wire.failures import decode_error, decode_error_in_answer, encode_error


def decoded(status: int, body: object = b"", **headers: str) -> ChatError:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return decode_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, data, provider="up")


def openai(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(401, openai("Incorrect API key provided", "invalid_api_key"), AuthenticationFailed, id="key"),
        pytest.param(400, [openai("API key not valid.")], AuthenticationFailed, id="key, Gemini"),
        pytest.param(403, openai("Country not supported", "unsupported_country"), PermissionRefused, id="permission"),
        pytest.param(404, openai("The model `x` does not exist", "model_not_found"), UnknownModel, id="model"),
        pytest.param(400, openai("Model Not Exist", "invalid_request_error"), UnknownModel, id="model, DeepSeek"),
        pytest.param(404, {"error": "model 'x' not found, try pulling it first"}, UnknownModel, id="model, Ollama"),
        pytest.param(400, {"code": 20012, "message": "Model does not exist."}, UnknownModel, id="model, SiliconFlow"),
        pytest.param(404, {"detail": "Not Found"}, UnknownModel, id="no such address"),
        pytest.param(400, openai("too long", "context_length_exceeded"), ContextTooLong, id="context, OpenAI"),
        pytest.param(
            400,
            {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400},
            ContextTooLong,
            id="context, vLLM",
        ),
        pytest.param(
            400,
            openai("This model's maximum context length is 65536 tokens.", "invalid_request_error"),
            ContextTooLong,
            id="context, DeepSeek",
        ),
        pytest.param(
            400,
            openai("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]"),
            ContextTooLong,
            id="context, Qwen",
        ),
        pytest.param(
            400, openai("Your request exceeded model token limit: 8192"), ContextTooLong, id="context, Moonshot"
        ),
        pytest.param(400, openai("filtered", "content_filter"), ContentFiltered, id="content"),
        pytest.param(
            400,
            {"error": {"message": "x", "code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            ContentFiltered,
            id="content, Azure",
        ),
        pytest.param(400, openai("x", "data_inspection_failed"), ContentFiltered, id="content, Qwen"),
        pytest.param(400, openai("Content Exists Risk"), ContentFiltered, id="content, DeepSeek"),
        pytest.param(402, openai("Insufficient Balance"), QuotaExhausted, id="balance"),
        pytest.param(429, openai("x", "insufficient_quota", "insufficient_quota"), QuotaExhausted, id="quota"),
        pytest.param(403, {"code": 30001, "message": "balance is insufficient"}, QuotaExhausted, id="balance, 403"),
        pytest.param(429, openai("您的账户已欠费", "1113"), QuotaExhausted, id="balance, Zhipu"),
        pytest.param(429, openai("Rate limit reached", "rate_limit_exceeded", "tokens"), RateLimited, id="rate"),
        pytest.param(
            429, [openai("You exceeded your current quota. Please retry in 9s.")], RateLimited, id="rate, Gemini"
        ),
        pytest.param(408, b"", Unavailable, id="408"),
        pytest.param(409, b"", Unavailable, id="409"),
        pytest.param(425, b"", Unavailable, id="425"),
        pytest.param(413, b"", RequestTooLarge, id="413"),
        pytest.param(422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, BadRequest, id="422"),
        pytest.param(400, openai("bad value"), BadRequest, id="400"),
        pytest.param(418, b"teapot", BadRequest, id="418"),
        pytest.param(500, openai("The model was not found here", "model_not_found"), ServerFailed, id="500"),
        pytest.param(500, openai("maximum context length is 5"), ContextTooLong, id="context, as 500"),
        pytest.param(502, b"<html></html>", ServerFailed, id="502"),
        pytest.param(503, {"error": {"message": "Loading model", "code": 503}}, Unavailable, id="503"),
        pytest.param(504, b"", ServerFailed, id="504"),
        pytest.param(529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, Unavailable, id="529"),
        pytest.param(302, b"", ServerFailed, id="a redirect"),
    ],
)
def test_a_refusal_is_the_error_that_it_means(status: int, body: object, kind: type[ChatError]) -> None:
    """What a code or the words say is more exact than the status."""
    error = decoded(status, body)

    assert type(error) is kind
    assert error.upstream_status == status
    assert f"HTTP {status}" in error.message


def test_the_facts_of_a_refusal_are_kept() -> None:
    """Retry and log need the code, the field and the wait."""
    body = {"error": {"message": "no", "type": "requests", "param": "temperature", "code": "rate_limit_exceeded"}}

    error = decoded(429, body, retry_after="7")

    assert (error.param, error.upstream_code, error.retry_after) == ("temperature", "rate_limit_exceeded", 7)
    assert error.message == 'up got too many requests or tokens from this key (HTTP 429: "no"); try again in 7 s.'


def test_an_overflow_of_the_local_engine_names_both_numbers() -> None:
    """Its reader learns by how much the prompt is too long."""
    error = decoded(
        400, {"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096, "message": "x"}}
    )

    assert isinstance(error, ContextTooLong)
    assert "holds 4,096 tokens, and the prompt has 9,000" in error.message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "and an empty body"),
        (b"<!DOCTYPE html><html><title>\n502 Bad\n Gateway</title>", 'and a web page: "502 Bad Gateway"'),
        (b"<html>x</html>", "and a web page)"),
        (b"upstream\nconnect  error", ': "upstream connect error"'),
        (b"\xff\xfe", ': "\ufffd\ufffd"'),
        (b"null", "HTTP 502"),
        (b"[]", "HTTP 502"),
        (b'{"error":{"message":["a",1]}}', '["a",1]'),
    ],
    ids=["empty", "a page with a title", "a page", "text", "bytes", "null", "an array", "a message that is no text"],
)
def test_what_is_no_error_object_is_told_in_a_sentence_too(body: bytes, told: str) -> None:
    """A proxy's page or silence still says who failed, and how."""
    error = decoded(502, body)

    assert told in error.message
    assert error.message.startswith("up failed (HTTP 502")
    assert "\n" not in error.message


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefghijklmnop",
        "sk-proj-Ab12_cd-34EF",
        "AIzaSyA1234567890abcdef",
        "gsk_abc123def456",
        "0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef.QWERTYuiop123456",
    ],
)
@pytest.mark.parametrize("around", ["key {} is wrong", "Authorization: Bearer {}", '{{"api_key":"{}"}}', "({})"])
def test_a_key_in_an_upstreams_words_is_masked(secret: str, around: str) -> None:
    """Keys reach no message, and so no log and no client."""
    said = around.format(secret)

    for body in (openai(said), {"error": said}, said.encode(), f"<html><title>{said}</title>".encode()):
        assert secret[4:] not in decoded(401, body).message


def test_an_upstreams_words_are_cut() -> None:
    """A validation error that repeats the whole prompt stays a sentence."""
    error = decoded(400, openai("x " * 10**5))

    assert len(error.message) < 700
    assert "…" in error.message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param({"error": {"message": "boom", "code": 502}}, ServerFailed, id="a status as code"),
        pytest.param({"error": {"message": "slow", "code": 429}}, RateLimited, id="another"),
        pytest.param({"error": {"message": "slow", "type": "rate_limit_error"}}, RateLimited, id="a type"),
        pytest.param({"error": {"message": "busy", "type": "overloaded_error"}}, Unavailable, id="another type"),
        pytest.param({"error": "boom"}, ServerFailed, id="a text"),
        pytest.param({"error": {"code": "content_filter"}, "choices": [{}]}, ContentFiltered, id="beside choices"),
        pytest.param({"object": "error", "message": "m", "code": 400}, BadRequest, id="vLLM"),
        pytest.param({"message": "m", "code": "x"}, ServerFailed, id="bare"),
    ],
)
def test_an_error_inside_an_answer_is_found(answer: dict[str, Any], kind: type[ChatError]) -> None:
    """A status of 200 was sent before the upstream knew better."""
    assert type(decode_error_in_answer(answer)) is kind


@pytest.mark.parametrize("answer", [{"choices": []}, {"choices": [], "error": None}, {"error": {}}, {"x": 1}], ids=repr)
def test_an_answer_without_an_error_holds_none(answer: dict[str, Any]) -> None:
    """An empty `error` is none."""
    assert decode_error_in_answer(answer) is None


def test_an_error_is_written_as_a_client_of_openai_reads_it() -> None:
    """Status and body follow from the class."""
    status, body = encode_error(BadRequest("n is 0, and must be an integer from 1 to 128.", param="n"))

    assert status == 400
    assert orjson.loads(body) == {
        "error": {
            "message": "n is 0, and must be an integer from 1 to 128.",
            "type": "invalid_request_error",
            "param": "n",
            "code": "invalid_request",
        }
    }
    assert encode_error(UpstreamTimeout("Late.", phase="total", seconds=1))[0] == 504
