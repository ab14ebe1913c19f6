"""A JSON object while it is being written."""

from __future__ import annotations

import json
import time

from ai_chat.chat import partial_json
from ai_chat.chat.partial_json import PartialJson


class Clock:
    """Stands still until it is set on."""

    now = 0.0

    def __call__(self):
        return self.now


def fed(pieces):
    clock = Clock()
    partial = PartialJson(clock)
    values = []
    for piece in pieces:
        clock.now += 1
        if partial.add(piece):
            values.append(partial.value)
    return values


def test_a_part_is_given_from_its_beginning():
    """Each value holds all that came before, and the text that is being written as far as it came."""
    pieces = ['{"name": "Bei', 'jing", "par', 'ts": [{"x": 1}, {"x"', ": 2}]}"]
    assert fed(pieces) == [
        {"name": "Bei"},
        {"name": "Beijing"},
        {"name": "Beijing", "parts": [{"x": 1}, {}]},
        {"name": "Beijing", "parts": [{"x": 1}, {"x": 2}]},
    ]


def test_what_stands_around_it_is_no_part():
    """Thinking, words and fences give nothing."""
    assert fed(["<think>a {set}", "</think>Here: ```json\n", '{"a": 1}', "\n``` Done."]) == [{"a": 1}]
    assert fed(["no JSON ", "at all"]) == []
    assert fed(["no {JSON} ", "at all"]) == []


def test_half_a_character_is_not_shown():
    """An escape that is cut in the middle waits for its other half."""
    assert fed(['{"a": "\\u4f', '60"}']) == [{"a": ""}, {"a": "你"}]


def test_small_pieces_are_read_together():
    """Within a moment it takes a share of the whole before all of it is read again."""
    partial = PartialJson(Clock())
    text = json.dumps({"text": "word " * 2000})
    reads = sum(partial.add(character) for character in text)
    assert reads < 70


def test_what_came_is_read_after_a_moment():
    """A slow answer is shown as it comes, however little that is."""
    clock = Clock()
    partial = PartialJson(clock)
    assert not partial.add('{"a": "x')
    clock.now += partial_json.SECONDS
    assert partial.add("y")
    assert partial.value == {"a": "xy"}
    assert not partial.add("z")


def test_a_long_text_costs_little():
    """A megabyte in pieces of a word takes about as long as any pass over it."""
    text = json.dumps({"items": [{"name": "a name", "number": n} for n in range(25_000)]})
    partial = PartialJson()
    began = time.process_time()
    for start in range(0, len(text), 6):
        partial.add(text[start : start + 6])
    assert time.process_time() - began < 5
