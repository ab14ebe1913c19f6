"""JSON as models write it."""

from __future__ import annotations

import pytest

from ai_chat.tools.lenient_json import read_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' {"a": 1} ', {"a": 1}),
        ("[1, 2]", [1, 2]),
        ('"yes"', "yes"),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n"yes"\n```', "yes"),
        ('Here it is:\n```json\n{"a": "```"}\n```\nAnything else?', {"a": "```"}),
        ('Sure {name}! {"a": {"b": "}"}} as asked [1].', {"a": {"b": "}"}}),
        ("The list is [1, 2].", [1, 2]),
        ('{"a": [1, 2,], "b": ",}",}', {"a": [1, 2], "b": ",}"}),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        ('<think>maybe {"a": 2}?</think>{"a": 1}', {"a": 1}),
        ('{"a": "</think>"}', {"a": "</think>"}),
        ('{"a": 1} and again {"a": 1}', {"a": 1}),
        ("\ufeff{}", {}),
        ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
    ],
    ids=[
        "plain", "array", "text", "fence", "fenced text", "fence in words", "words", "array in words", "commas",
        "line break", "thinking", "text like thinking", "twice the same", "byte order mark", "large number",
    ],
)  # fmt: skip
def test_what_can_be_meant_in_one_way_is_read(text, value):
    """What models put around JSON, and slips of their pens, are taken away."""
    assert read_json(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("I cannot do that.", "not valid JSON"),
        ('{"a": 1', "before it is whole"),
        ('{"a": "tex', "before it is whole"),
        ('{"a": [1, 2}', "before it is whole"),
        ('{"a": 1} or {"a": 2}', "holds 2 JSON values"),
        ('{"a": 1 "b": 2}', "not valid JSON"),
        ('{"a": oops} see {"b": 1}', "not valid JSON"),
        ('{"a": NaN}', "NaN"),
        ("[" * 100_000, "before it is whole"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
    ],
    ids=[
        "nothing",
        "words",
        "cut",
        "cut text",
        "wrong bracket",
        "two",
        "no comma",
        "one broken",
        "NaN",
        "open",
        "deep",
    ],
)
def test_what_would_be_a_guess_is_not(text, reason):
    """What is cut off is never completed, and of several objects none is chosen."""
    with pytest.raises(ValueError, match=reason):
        read_json(text)
