"""What a request takes from the settings."""

from __future__ import annotations

import orjson
import pytest

from ai_chat.wire.defaults import with_defaults
from ai_chat.wire.requests import decode_request

DEFAULTS = {"temperature": 0.5, "max_tokens": 9}


@pytest.mark.parametrize(
    ("said", "temperature", "max_tokens"),
    [
        ({}, 0.5, 9),
        ({"temperature": 0}, 0, 9),
        ({"max_completion_tokens": 3}, 0.5, 3),
        ({"temperature": None, "max_tokens": None}, 0.5, 9),
    ],
    ids=["nothing", "zero", "the other name", "null"],
)
def test_what_is_left_open_is_filled(said, temperature, max_tokens):
    """What the request says stands, and zero is something said."""
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **said}
    request = with_defaults(decode_request(orjson.dumps(body)), DEFAULTS)
    assert (request.sampling.temperature, request.max_tokens) == (temperature, max_tokens)


def test_without_defaults_nothing_changes():
    """The request is the same one."""
    request = decode_request(b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}')
    assert with_defaults(request, {}) is request
