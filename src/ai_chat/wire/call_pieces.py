"""The tool calls of one choice while their pieces come in, from upstreams that number them each in their own way."""

from __future__ import annotations

from ..core.errors import ServerFailed
from ..core.events import ToolCallDelta
from .leniency import arguments_text, call_id
from .messages import ARGUMENTS
from .shapes import unknown, unknown_within

_MAX_CALLS = 1024
_CALL_FIELDS = {kind: frozenset({"index", "id", "type", kind}) for kind in ARGUMENTS}
_CALLED_FIELDS = {kind: frozenset({"name", arguments}) for kind, arguments in ARGUMENTS.items()}


class _Call:
    """A call that has begun."""

    __slots__ = ("given_id", "named")

    def __init__(self, given_id: object) -> None:
        self.given_id = given_id
        self.named = False


class CallPieces:
    """Gives each piece to its call: id and name once, calls numbered from 0 in the order in which they begin.

    `index` tells which call a piece belongs to, except where an upstream leaves it out or numbers every call 0: then a
    new id, or a name without any id, begins a call, and a piece with neither goes on with the last one.
    """

    def __init__(self, reply: str, choice: int) -> None:
        """Begin with the reply's id and the choice's index; ids for calls that come without are made of them."""
        self._reply = reply
        self._choice = choice
        self._calls: list[_Call] = []
        self._numbers: dict[int, int] = {}  # by the upstream's index

    def __len__(self) -> int:
        return len(self._calls)

    def read(self, piece: object) -> tuple[ToolCallDelta, bool]:
        """Read a piece; tell also whether it is written as the reference has it, so that any reader understands it.

        Raises:
            ServerFailed: it is no piece of a call, or the answer makes more calls than anybody asks for.
        """
        if not isinstance(piece, dict):
            raise ServerFailed("A piece of a tool call in the answer is no object; ask again, or ask another model.")
        kind = "custom" if "custom" in piece else "function"
        called = piece.get(kind)
        called = called if isinstance(called, dict) else {}
        name, given_id, index = called.get("name"), piece.get("id"), piece.get("index")
        number = self._find(index, given_id, name)
        begins = number == len(self._calls)
        if begins:
            self._begin(index, given_id)
        call = self._calls[number]
        names = bool(name) and not call.named
        call.named = call.named or names
        arguments = called.get(ARGUMENTS[kind], "")
        delta = ToolCallDelta(
            number,
            arguments_text(arguments),
            (str(given_id) if given_id else call_id(self._reply, self._choice, number)) if begins else None,
            str(name) if names else None,
            kind if begins else None,
            self._choice,
            unknown_within(piece, _CALL_FIELDS[kind], kind, unknown(called, _CALLED_FIELDS[kind])),
        )
        said_once = delta.id == given_id and delta.name == name and not (delta.id is None and "id" in piece)
        return delta, said_once and index == number and isinstance(arguments, str)

    def _find(self, index: object, given_id: object, name: object) -> int:
        """Give the number of the piece's call, which is that of the next one if the piece begins it."""
        new = len(self._calls)
        if isinstance(index, int):
            number = self._numbers.get(index, new)
            another = number < new and name and given_id and given_id != self._calls[number].given_id
            return new if another else number
        if given_id:
            return next((number for number, call in enumerate(self._calls) if call.given_id == given_id), new)
        return new if name else max(new - 1, 0)

    def _begin(self, index: object, given_id: object) -> None:
        if len(self._calls) == _MAX_CALLS:
            raise ServerFailed(
                f"The answer makes more than {_MAX_CALLS:,} tool calls; ask again, or ask another model."
            )
        if isinstance(index, int):
            self._numbers[index] = len(self._calls)
        self._calls.append(_Call(given_id))
