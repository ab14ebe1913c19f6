"""Tool calls in pieces, as upstreams really number and name them."""

from __future__ import annotations

from typing import Any

import pytest

from ai_chat.core.events import ToolCallDelta
from ai_chat.wire.call_pieces import CallPieces


def piece(index: int | None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """A piece with those fields that are given; a name belongs to the function."""
    function = {"name": fields.pop("name", None), "arguments": arguments}
    told = {key: value for key, value in {"index": index, **fields}.items() if value is not None}
    return {**told, "function": {key: value for key, value in function.items() if value is not None}}


def calls(*pieces: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The calls that the pieces make: id, name, arguments."""
    reader = CallPieces("chatcmpl-1", 0)
    made: dict[int, list[str]] = {}
    for given in pieces:
        delta, _ = reader.read(given)
        call = made.setdefault(delta.index, ["", "", ""])
        call[0] += delta.id or ""
        call[1] += delta.name or ""
        call[2] += delta.arguments
    assert list(made) == list(range(len(reader)))
    return [(call[0], call[1], call[2]) for call in made.values()]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param(
            [
                piece(0, "", id="a", name="f"),
                piece(0, '{"x":'),
                piece(1, "", id="b", name="g"),
                piece(0, "1}"),
                piece(1, "{}"),
            ],
            [("a", "f", '{"x":1}'), ("b", "g", "{}")],
            id="by index, as the reference has it",
        ),
        pytest.param(
            [piece(0, "{", id="a", name="f"), piece(0, "}", id="a", name="f")],
            [("a", "f", "{}")],
            id="id and name in every piece",
        ),
        pytest.param(
            [piece(0, "{", id="a", name="f"), piece(0, "}", id="z")], [("a", "f", "{}")], id="another id in every piece"
        ),
        pytest.param(
            [piece(0, "{}", id="a", name="f"), piece(0, "{}", id="b", name="f")],
            [("a", "f", "{}"), ("b", "f", "{}")],
            id="every call numbered 0",
        ),
        pytest.param(
            [piece(1, "{", id="a", name="f"), piece(2, "{}", id="b", name="g"), piece(1, "}")],
            [("a", "f", "{}"), ("b", "g", "{}")],
            id="numbered from 1",
        ),
        pytest.param(
            [piece(None, "{", id="a", name="f"), piece(None, "}"), piece(None, "{}", id="b", name="g")],
            [("a", "f", "{}"), ("b", "g", "{}")],
            id="no index",
        ),
        pytest.param(
            [piece(None, "{", id="a", name="f"), piece(None, "{", id="b", name="g"), piece(None, "}", id="a")],
            [("a", "f", "{}"), ("b", "g", "{")],
            id="no index, going on by id",
        ),
        pytest.param([piece(0, {"x": 1}, id="a", name="f")], [("a", "f", '{"x":1}')], id="arguments as an object"),
        pytest.param([piece(0, id="a", name="f")], [("a", "f", "")], id="no arguments"),
        pytest.param([piece(0, "{", id="a"), piece(0, "}", name="f")], [("a", "f", "{}")], id="the name in the second"),
        pytest.param(
            [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": "x"}}],
            [("a", "c", "x")],
            id="custom",
        ),
    ],
)
def test_each_piece_joins_its_call(pieces: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    """No call is lost, doubled or run into another."""
    assert calls(*pieces) == expected


def test_calls_without_ids_get_one_each_that_fits_everywhere() -> None:
    """A tool's result names its call, so a call needs an id; OpenAI takes 40 characters."""
    made = calls(piece(None, "{}", name="f"), piece(None, "{}", name="f"))

    ids = [call[0] for call in made]
    assert len(set(ids)) == 2
    assert all(0 < len(call_id) <= 40 for call_id in ids)
    assert calls(piece(None, "{}", name="f"), piece(None, "{}", name="f")) == made, "the same answer, the same ids"


def test_unknown_fields_of_a_piece_keep_their_place() -> None:
    """What stands beside and inside `function` is told apart."""
    given = piece(0, "", id="a", name="f", signature="s")
    given["function"]["x"] = 1

    delta, plain = CallPieces("", 0).read(given)

    assert delta == ToolCallDelta(0, "", "a", "f", "function", extra={"signature": "s", "function": {"x": 1}})
    assert plain


@pytest.mark.parametrize(
    ("later", "plain"),
    [
        (piece(0, "x"), True),
        (piece(0, "x", type="function"), True),
        (piece(0, "x", id="a"), False),
        (piece(0, "x", name="f"), False),
        ({"index": 0, "id": None, "function": {"arguments": "x"}}, False),
        (piece(None, "x"), False),
        (piece(0, {"x": 1}), False),
    ],
    ids=["plain", "its type again", "its id again", "its name again", "a null id", "no index", "an object"],
)
def test_what_confuses_readers_is_known_as_such(later: dict[str, Any], plain: bool) -> None:  # noqa: FBT001
    """Clients join what comes in pieces, so an id that is sent twice would be doubled."""
    reader = CallPieces("", 0)
    reader.read(piece(0, "", id="a", name="f"))

    assert reader.read(later)[1] is plain
