"""How sure a model was of the calls it chose."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from tests.providers.test_local_tools import ASKED, choice

from ai_chat.providers.local_certainty import certainties
from ai_chat.providers.local_tools import SURE, chosen


def token(text: str, **rivals: float) -> dict:
    """A token with its rivals; `call` begins a call, `end` ends the list."""
    names = {"call": ' [{"', "end": " []", "other": " none"}
    alternatives = [{"token": names[name], "logprob": math.log(value)} for name, value in rivals.items()]
    return {"token": text, "top_logprobs": alternatives}


@pytest.mark.parametrize(
    ("rivals", "certainty"),
    [({"call": 0.6, "end": 0.2}, 0.75), ({"call": 0.5, "other": 0.5}, 1.0), ({"other": 1.0}, None), ({}, None)],
)
def test_the_first_call(rivals, certainty):
    """What counts are the tokens that begin a call and those that end the list, whatever else was likely."""
    tokens = [token('{"calls":'), token(' [{"', **rivals), token('tool":'), token(' "clock", "arguments": {}}]}')]
    (found,) = certainties("".join(part["token"] for part in tokens), tokens)
    assert found == (certainty if certainty is None else pytest.approx(certainty))


def test_where_the_bracket_is_a_token_of_its_own():
    """The next one decides."""
    after = {"token": "{", "top_logprobs": [{"token": "{", "logprob": -0.1}, {"token": "]", "logprob": -2.4}]}
    tokens = [token('{"calls": ['), after, token('"tool": "clock", "arguments": {}}]}')]
    (found,) = certainties("".join(part["token"] for part in tokens), tokens)
    assert found == pytest.approx(math.exp(-0.1) / (math.exp(-0.1) + math.exp(-2.4)))


def test_the_second_call():
    """It was decided on behind the first."""
    item = '{"tool": "clock", "arguments": {"n": 1}}'
    between = {
        "token": "},",
        "top_logprobs": [{"token": "},", "logprob": math.log(0.4)}, {"token": "}]", "logprob": math.log(0.6)}],
    }
    tokens = [token('{"calls": ['), token(item[:-1]), between, token(f" {item}]}}")]
    text = "".join(part["token"] for part in tokens)
    assert [each["tool"] for each in json.loads(text)["calls"]] == ["clock", "clock"]
    assert certainties(text, tokens) == [None, pytest.approx(0.4)]


@pytest.mark.parametrize("text", ["", "[", '{"calls": []}', '{"calls": [{"tool"', "x" * 100])
def test_nothing_to_be_sure_of(text):
    """No items, or a list that was cut off; the tokens may be missing too."""
    assert all(each is None for each in certainties(text, []))


def test_a_doubtful_call_is_not_made():
    """Unless one must be made."""
    text = choice(("clock", {}))
    at = text.index("[")
    doubtful = [
        token(text[:at].rstrip()),
        token(text[at - 1 : at + 3], call=SURE - 0.2, end=1 - SURE + 0.2),
        token(text[at + 3 :]),
    ]
    assert "".join(part["token"] for part in doubtful) == text
    assert chosen(text, ASKED, doubtful) == ()
    assert len(chosen(text, replace(ASKED, tool_choice="required"), doubtful)) == 1
    assert len(chosen(text, ASKED, None)) == 1
