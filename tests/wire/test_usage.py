"""Usage objects of many upstreams, read as one."""

from __future__ import annotations

from typing import Any

import pytest

from ai_chat.core.usage import Usage
from ai_chat.wire.usage import decode_usage, encode_usage


def counted(**fields: Any) -> dict[str, Any]:
    return {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, **fields}


@pytest.mark.parametrize(
    ("given", "usage"),
    [
        pytest.param(counted(), Usage(input_tokens=10, output_tokens=4), id="plain"),
        pytest.param(
            counted(
                prompt_tokens_details={"cached_tokens": 8, "audio_tokens": 1},
                completion_tokens_details={
                    "reasoning_tokens": 3,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 1,
                    "rejected_prediction_tokens": 2,
                },
            ),
            Usage(
                input_tokens=10,
                output_tokens=4,
                cached_input_tokens=8,
                input_audio_tokens=1,
                reasoning_tokens=3,
                output_audio_tokens=0,
                accepted_prediction_tokens=1,
                rejected_prediction_tokens=2,
            ),
            id="OpenAI",
        ),
        pytest.param(
            counted(prompt_cache_hit_tokens=8, prompt_cache_miss_tokens=2),
            Usage(
                input_tokens=10,
                output_tokens=4,
                cached_input_tokens=8,
                extra={"prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2},
            ),
            id="DeepSeek",
        ),
        pytest.param(
            counted(cached_tokens=8),
            Usage(input_tokens=10, output_tokens=4, cached_input_tokens=8, extra={"cached_tokens": 8}),
            id="Moonshot",
        ),
        pytest.param(
            counted(prompt_tokens_details=None, completion_tokens_details={}),
            Usage(input_tokens=10, output_tokens=4),
            id="empty details",
        ),
        pytest.param(
            counted(prompt_tokens=10.0, completion_tokens=4.0),
            Usage(input_tokens=10, output_tokens=4),
            id="whole floats",
        ),
        pytest.param(
            counted(prompt_tokens_details={"cached_tokens": "8"}, completion_tokens_details={"reasoning_tokens": -1}),
            Usage(input_tokens=10, output_tokens=4),
            id="parts that are no counts",
        ),
    ],
)
def test_usage_is_read_in_each_of_its_forms(given: dict[str, Any], usage: Usage) -> None:
    """What was cached or thought is told alike, whoever counted it; a part that was not told is None."""
    assert decode_usage(given) == usage


def test_a_total_that_is_no_sum_and_unknown_parts_are_kept_as_they_came() -> None:
    """Some upstreams bill more than they show; the wire says so again, at the same places."""
    given = counted(total_tokens=20, x=1, prompt_tokens_details={"cached_tokens": 1, "image_tokens": 5})

    usage = decode_usage(given)

    assert usage is not None
    assert usage.extra == {"total_tokens": 20, "x": 1, "prompt_tokens_details": {"image_tokens": 5}}
    assert encode_usage(usage) == given


def test_an_estimate_is_marked_on_the_wire() -> None:
    """A reader can tell what we counted from what the upstream said."""
    assert encode_usage(Usage(input_tokens=1, output_tokens=2, estimated=True)) == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "estimated": True,
    }


@pytest.mark.parametrize(
    "given",
    [
        None,
        3,
        [],
        {},
        {"prompt_tokens": 1},
        counted(prompt_tokens=-1),
        counted(completion_tokens="4"),
        counted(completion_tokens=True),
        counted(prompt_tokens=1.5),
        counted(prompt_tokens=float("inf")),
        counted(prompt_tokens=1e300),
    ],
    ids=repr,
)
def test_what_is_no_usage_is_none(given: object) -> None:
    """Unknown is None, never 0 and never a crash."""
    assert decode_usage(given) is None
