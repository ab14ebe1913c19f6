"""Counting up what calls used."""

import dataclasses

import pytest

from ai_chat.core.usage import NOTHING, Usage

PARTS = [field.name for field in dataclasses.fields(Usage) if field.default is None]


def test_sum_of_totals() -> None:
    """Input and output add up."""
    total = Usage(input_tokens=3, output_tokens=4) + Usage(input_tokens=10, output_tokens=20)

    assert (total.input_tokens, total.output_tokens, total.total_tokens) == (13, 24, 37)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("one", "other", "together"),
    [(None, None, None), (None, 0, 0), (0, None, 0), (None, 3, 3), (3, None, 3), (3, 4, 7)],
    ids=str,
)
def test_sum_of_parts(part: str, one: int | None, other: int | None, together: int | None) -> None:
    """What nobody told stays unknown, which is not 0; what one told counts."""
    total = Usage(input_tokens=1, output_tokens=1, **{part: one}) + Usage(
        input_tokens=1, output_tokens=1, **{part: other}
    )

    assert getattr(total, part) == together
    assert [name for name in PARTS if getattr(total, name) is not None] == ([] if together is None else [part])


@pytest.mark.parametrize("flags", [(True, False), (False, True), (True, True), (False, False)], ids=str)
def test_an_estimate_makes_the_sum_one(flags: tuple[bool, bool]) -> None:
    """A sum is exact only if all of it is."""
    one, other = (Usage(input_tokens=1, output_tokens=1, estimated=flag) for flag in flags)

    assert (one + other).estimated is any(flags)


def test_unknown_fields_are_not_added() -> None:
    """They belong to one call."""
    one = Usage(input_tokens=1, output_tokens=1, extra={"queue_time": 0.1})

    assert (one + one).extra == {}


def test_nothing() -> None:
    """The shared empty mapping behaves like an empty dictionary that can be hashed."""
    assert NOTHING == {}
    assert (len(NOTHING), list(NOTHING), repr(NOTHING), "a" in NOTHING) == (0, [], "{}", False)
    assert {NOTHING: 1}[NOTHING] == 1
    with pytest.raises(KeyError):
        NOTHING["a"]
