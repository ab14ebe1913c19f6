"""The error tree. Every failure that a caller can meet is one of these.

ChatError
├── SettingsError            a setting is missing, malformed or a placeholder; nothing was called
├── ClientMisused            asked after it was closed, or from a loop it does not belong to
├── BadRequest               the request itself is wrong; sending it again cannot help
│   ├── ContextTooLong       more tokens than the model's window holds
│   ├── ContentFiltered      refused for what the prompt says
│   ├── UnknownModel         no such model at that provider
│   ├── NotFound             no such conversation, message or run
│   ├── Conflict             not now: something else is going on there
│   ├── RequestTooLarge      more bytes than anyone accepts
│   └── DocumentRefused      a file that cannot be read here; `refusal` says why
├── AuthenticationFailed     the key is missing or wrong
├── PermissionRefused        the key is right but may not do this
├── BudgetExhausted          what may be spent is spent, or would be with this call
├── RateLimited              too many requests or tokens for now
│   └── QuotaExhausted       the account is empty: waiting does not help, another provider may
├── UpstreamFailed           the model's side broke
│   ├── ServerFailed         5xx, or an answer that is no answer
│   ├── Unavailable          overloaded, starting or down for now
│   ├── ConnectionFailed     not reached, or lost before the answer began
│   │   └── StreamBroken     lost in mid-answer: what came is a part, never a short answer
│   ├── UpstreamTimeout      a time limit ran out; `phase` says which
│   └── OutputInvalid        not of the form that was asked for, however often it was asked
│       ├── OutputCut        ended at a limit of tokens before it was whole
│       └── OutputRefused    the model declined to answer, or a filter stopped it
├── LocalModelFailed         the embedded model cannot run here
│   ├── WeightsUnavailable   no source of the weights could be reached
│   ├── WeightsCorrupt       the bytes are not what the publisher signed
│   └── DiskFull             no room for the weights
└── StorageFailed            the database cannot be read or written
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from .knowledge import Refusal
from .usage import Cost, Usage


class ChatError(Exception):
    """Base of every failure this package reports.

    The message is one sentence for a person: it names the thing, the value and the mend, and never holds a secret.
    """

    code: ClassVar[str] = "error"
    """Stable machine name, sent as `error.code`."""
    kind: ClassVar[str] = "api_error"
    """OpenAI's `error.type`."""
    http_status: ClassVar[int] = 500
    """What a server answers when this reaches it."""
    retryable: ClassVar[bool] = False
    """Whether the same call to the same target may succeed later."""
    fallback: ClassVar[bool] = False
    """Whether another target may succeed where this one failed."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        upstream_status: int | None = None,
        upstream_code: str | None = None,
    ) -> None:
        """Keep the sentence and the facts.

        Args:
            message: one sentence for a person.
            param: the request field at fault, as a path such as `messages[2].content`.
            retry_after: seconds the other side asked us to wait, if it said.
            upstream_status: HTTP status the upstream answered with, if it answered.
            upstream_code: the upstream's own `error.code` or `error.type`.
        """
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.upstream_status = upstream_status
        self.upstream_code = upstream_code

    @property
    def facts(self) -> dict[str, str | None]:
        """What every face tells of an error, in the words of OpenAI's error object."""
        return {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}


class SettingsError(ChatError):
    """A setting is missing, malformed or a placeholder."""

    code = "settings_error"
    kind = "invalid_request_error"


class ClientMisused(ChatError):
    """The client was asked after it was closed, or from an event loop that it does not belong to."""

    code = "client_misused"


class BadRequest(ChatError):
    """The request is wrong; sending it again cannot help."""

    code = "invalid_request"
    kind = "invalid_request_error"
    http_status = 400


class ContextTooLong(BadRequest):
    """The messages hold more tokens than the model's window. A model with a larger window may take them."""

    code = "context_length_exceeded"
    fallback = True


class ContentFiltered(BadRequest):
    """Refused for what the prompt says."""

    code = "content_filter"


class UnknownModel(BadRequest):
    """No such model at that provider."""

    code = "model_not_found"
    http_status = 404
    fallback = True


class NotFound(BadRequest):
    """There is no such conversation, message or run."""

    code = "not_found"
    http_status = 404


class Conflict(BadRequest):
    """What is asked goes against something that is going on; it may be asked again when that is over."""

    code = "conflict"
    http_status = 409


class RequestTooLarge(BadRequest):
    """More bytes than the receiver accepts."""

    code = "request_too_large"
    http_status = 413


class DocumentRefused(BadRequest):
    """A file from which no text can be taken."""

    code = "document_refused"
    http_status = 422

    def __init__(self, message: str, *, refusal: Refusal = "unreadable", **facts: Any) -> None:
        """Keep why: a code of `core.knowledge`."""
        super().__init__(message, **{"param": "file", **facts})
        self.refusal: Refusal = refusal


class AuthenticationFailed(ChatError):
    """The key is missing or wrong."""

    code = "invalid_api_key"
    kind = "authentication_error"
    http_status = 401
    fallback = True


class PermissionRefused(ChatError):
    """The key is right but may not do this."""

    code = "permission_denied"
    kind = "permission_error"
    http_status = 403
    fallback = True


class BudgetExhausted(ChatError):
    """What may be spent is spent, or would be with this call; `retry_after` says when the budget begins anew."""

    code = "budget_exceeded"
    kind = "insufficient_quota"
    http_status = 402


class RateLimited(ChatError):
    """Too many requests or tokens for now."""

    code = "rate_limit_exceeded"
    kind = "rate_limit_error"
    http_status = 429
    retryable = True
    fallback = True


class QuotaExhausted(RateLimited):
    """The account has no credit left: waiting does not help, another provider may."""

    code = "insufficient_quota"
    kind = "insufficient_quota"
    retryable = False


class UpstreamFailed(ChatError):
    """The model's side broke."""

    code = "upstream_error"
    http_status = 502
    retryable = True
    fallback = True


class ServerFailed(UpstreamFailed):
    """The upstream answered 5xx, or something that is no answer."""

    code = "server_error"


class Unavailable(UpstreamFailed):
    """Overloaded, starting or down for now."""

    code = "service_unavailable"
    http_status = 503


class ConnectionFailed(UpstreamFailed):
    """The upstream was not reached, or was lost before the answer began."""

    code = "connection_error"


class StreamBroken(ConnectionFailed):
    """The stream ended in mid-answer. What came is a part, never a short answer."""

    code = "stream_broken"


class UpstreamTimeout(UpstreamFailed):
    """A time limit ran out."""

    code = "timeout"
    http_status = 504

    def __init__(self, message: str, *, phase: str, seconds: float) -> None:
        """Keep which limit ran out (`connect`, `first_token`, `between_tokens`, `total`) and its length in seconds."""
        super().__init__(message)
        self.phase = phase
        self.seconds = seconds

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), phase=self.phase, seconds=self.seconds), self.args, vars(self)


class LocalModelFailed(ChatError):
    """The embedded model cannot run here."""

    code = "local_model_error"
    http_status = 503
    fallback = True


class WeightsUnavailable(LocalModelFailed):
    """No source of the weights could be reached."""

    code = "weights_unavailable"


class WeightsCorrupt(LocalModelFailed):
    """The bytes of a weights file are not the ones its publisher signed."""

    code = "weights_corrupt"


class DiskFull(LocalModelFailed):
    """There is no room for the weights."""

    code = "disk_full"


class StorageFailed(ChatError):
    """The database cannot be read or written. What was stored is as it was before."""

    code = "storage_error"
    http_status = 503


class OutputInvalid(UpstreamFailed):
    """The answer is not of the form that was asked for, however often it was asked."""

    code = "output_invalid"
    http_status = 422  # clients send a 5xx again by themselves, and would pay for all the attempts once more
    retryable = False

    def __init__(self, message: str, *, text: str = "", problems: tuple[str, ...] = (), **facts: Any) -> None:
        """Keep the last answer and what is wrong with it, a sentence each; the raiser adds what all of them used."""
        super().__init__(message, **facts)
        self.text = text
        self.problems = problems
        self.attempts = 0
        self.usage: Usage | None = None
        self.cost: Cost = None


class OutputCut(OutputInvalid):
    """The answer ended at a limit of tokens before it was whole. It is not asked again: it would end there again."""

    code = "output_cut"


class OutputRefused(OutputInvalid):
    """The model declined to answer, or a filter of the upstream stopped it; the message has its words."""

    code = "output_refused"
