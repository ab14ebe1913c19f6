"""Reads a reply of the form Thought, Action, Action Input, Final Answer, piece by piece as it comes.

The form is that of ReAct (Yao et al., 2023, arXiv:2210.03629). A label counts at the beginning of a line only, so no
more is held back than what may still become one, and white space that may stand before one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

from ..core.events import Event, ReasoningDelta, TextDelta, ToolCallDelta

Label = Literal["thought", "action", "input", "answer", "observation"]
State = Literal["text", "thought", "action", "input", "answer", "over"]
"""Where a reply is: `text` before any label, `over` where all that follows is dropped."""

CUT_OFF = frozenset({"length", "content_filter"})
"""Endings that the model did not choose: what stands unfinished before them is not what it meant."""
NO_ARGUMENTS = "{}"

LABELS: Mapping[str, Label] = {
    "thought": "thought",
    "action": "action",
    "actioninput": "input",
    "finalanswer": "answer",
    "observation": "observation",
    "思考": "thought",
    "行动": "action",
    "行动输入": "input",
    "最终答案": "answer",
    "观察": "observation",
}
"""Labels without their spaces, in small letters."""
_LABEL = re.compile(
    r"[ \t]{0,8}(?P<opened>\*\*)?[ \t]?"
    r"(?P<label>thought|action(?:[ \t_]?input)?|final[ \t_]?answer|observation|思考|行动(?:输入)?|最终答案|观察)"
    r"[ \t]{0,2}(?P<closed>\*\*)?[ \t]{0,2}[:：]",
    re.IGNORECASE | re.ASCII,  # ASCII: no letter but these is the small form of one of them
)
_LONGEST = 40
"""Characters that a label may take, its stars and spaces included, and a few more."""
_BETWEEN = re.compile(r"[ \t*_]+")
_BEGINNINGS = frozenset(label[:size] for label in LABELS for size in range(len(label) + 1))
_AROUND_A_NAME = " \t\r`*\"'[]()"


class _Undecided(Enum):
    UNDECIDED = "the beginning of a line that may become a label"


UNDECIDED: Final = _Undecided.UNDECIDED


class ReactParser:
    """Turns the text of one reply into thinking, at most one call, and an answer.

    A reply without any label is the answer as it stands. The first action that has its input ends the reply: whatever
    follows is what the model only imagines.
    """

    def __init__(self, call_id: str | None) -> None:
        """Begin a reply.

        Args:
            call_id: the name that a call gets; None where none may be made, and an action is a text like any other.
        """
        self._call_id = call_id
        self._state: State = "text"
        self._pending = ""
        self._at_start = True
        """Whether what is pending begins a line."""
        self._lead: str | None = None
        """White space and stars behind a label; None once there is more behind it."""
        self._bold = False
        """Whether the label was opened with stars that are not closed yet."""
        self._space = ""
        self._name = ""
        self._input = Arguments()
        self._thought: list[str] = []
        self._answered = False
        self._events: list[Event] = []
        self.called = False
        """Whether a call has been made."""
        self.dropped = 0
        """Characters that came behind the end of the reply."""

    @property
    def over(self) -> bool:
        """Whether all that still comes is dropped."""
        return self._state == "over"

    def feed(self, text: str) -> list[Event]:
        """Take more text, and give what is certain by now."""
        self._pending += text
        self._read(last=False)
        return self._given()

    def end(self, reason: str) -> list[Event]:
        """Take the end of the reply, for whatever reason it ended, and give what was held back.

        A reply that is nothing but a thought is the answer too: there is no other.
        """
        self._read(last=True)
        chosen = reason not in CUT_OFF
        if self._state in {"action", "input"} and chosen:
            self._call()
        if self._state in {"text", "answer"} and self._space:
            self._events.append(TextDelta(self._space))
        if chosen and self._thought and not (self.called or self._answered):
            self._events.append(TextDelta("".join(self._thought)))
        self._state = "over"
        return self._given()

    def _given(self) -> list[Event]:
        given, self._events = self._events, []
        return given

    def _read(self, *, last: bool) -> None:
        text, place = self._pending, 0
        while place < len(text) and self._state != "over":
            found = self._label_at(text, place, last=last) if self._at_start else None
            if found is UNDECIDED:
                break
            if found is None:
                end = len(text) if self._state == "answer" else text.find("\n", place) + 1 or len(text)
                self._at_start = text[end - 1] == "\n" and self._state != "answer"
                self._take(text[place:end])
            else:
                end = found.end()
                self._at_start = False
                self._enter(_label_of(found), bold=bool(found["opened"]) and not found["closed"])
            place = end
        if self._state == "over":
            self.dropped += len(text) - place
            place = len(text)
        self._pending = text[place:]

    # --- labels -----------------------------------------------------------------------------------------------------

    def _label_at(self, text: str, place: int, *, last: bool) -> re.Match[str] | Literal[_Undecided.UNDECIDED] | None:
        found = _LABEL.match(text, place)
        if found is not None:
            return found if self._counts(_label_of(found)) else None
        line = text[place : place + _LONGEST + 1]
        if last or len(line) > _LONGEST or "\n" in line:
            return None
        return UNDECIDED if _BETWEEN.sub("", line).lower() in _BEGINNINGS else None

    def _counts(self, label: Label) -> bool:
        """Say whether a label may stand here; one that may not is text."""
        if self._call_id is None:
            return label in {"thought", "answer"} and not (self._state == "text" and self._answered)
        if label == "input":
            return self._state in {"action", "input"}
        return label != "observation" or self._state != "text"

    def _enter(self, label: Label, *, bold: bool) -> None:
        if self._state in {"action", "input"} and not (self._state == "action" and label == "input"):
            self._call()
        elif label == "observation":
            self._state = "over"
        else:
            self._state = label
            self._lead, self._bold = "", bold
            said_before = self._answered if label == "answer" else bool(self._thought) and label == "thought"
            self._space = "\n\n" if said_before else ""

    # --- what stands behind them ------------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        if self._lead is not None:
            text = self._behind_label(self._lead + text)
        if self._state == "action":
            self._name += text
        elif self._state == "input":
            if self._input.add(text):
                self._call()
        elif text:
            self._say(text)

    def _behind_label(self, text: str) -> str:
        """Give the first that stands behind a label; nothing while it is white space, or stars that may close it."""
        first = text.lstrip()
        if self._bold and first.startswith("**"):
            self._bold = False
            first = first[2:].lstrip()
        elif self._bold and first not in {"", "*"}:  # what was opened is closed behind the text, if ever
            self._bold = False
            first = f"**{first}"
        if self._bold or not first:
            self._lead = first
            return ""
        self._lead = None
        return first

    def _say(self, text: str) -> None:
        """Give text but for the white space at its end, which may stand before a label."""
        text = self._space + text
        said = text.rstrip()
        self._space = text[len(said) :]
        if not said:
            return
        if self._state == "thought":
            self._thought.append(said)
            self._events.append(ReasoningDelta(said))
        else:
            self._answered = True
            self._events.append(TextDelta(said))

    def _call(self) -> None:
        self._state = "over"
        name = next((bare for line in self._name.split("\n") if (bare := line.strip(_AROUND_A_NAME))), "")
        if name:
            self.called = True
            arguments = self._input.text
            self._events.append(ToolCallDelta(0, arguments, id=self._call_id, name=name, type="function"))


def _label_of(found: re.Match[str]) -> Label:
    return LABELS[_BETWEEN.sub("", found["label"]).lower()]


# --- arguments ------------------------------------------------------------------------------------------------------

_OPENING = re.compile(r"[\s*]{0,99}(?:`{1,3}[\w-]{0,20}\s{0,99})?\{")
"""Bounded, as it is tried with every piece until it is found."""
_FENCE = re.compile(r"`{3}[\w-]{0,20}\s*")
_SIGNS = re.compile(r'["\\{}]')


class Arguments:
    """The input of an action while it comes: a JSON object up to its last bracket, or else all there is."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._pieces: list[str] = []
        self._head: str | None = ""
        """What came before the object's first bracket; None once that has come."""
        self._depth = 0
        self._quoted = False
        self._escaped = False
        """Whether the next character is, wherever the piece before it ended."""

    @property
    def text(self) -> str:
        """The input as the model wrote it, without a code fence around it."""
        text = ("".join(self._pieces) if self._head is None else self._head).strip()
        fence = _FENCE.match(text)
        if fence is not None:
            text = text[fence.end() :]
        return text.removesuffix("```").strip() or NO_ARGUMENTS

    def add(self, text: str) -> bool:
        """Take more of it, and say whether the object is whole now; what stands behind it in this piece is dropped."""
        if self._head is not None:
            self._head += text
            opening = _OPENING.match(self._head)
            if opening is None:
                return False
            text, self._head = self._head[opening.end() - 1 :], None
        end = self._end_in(text)
        self._pieces.append(text if end is None else text[:end])
        return end is not None

    def _end_in(self, text: str) -> int | None:
        """Give the place behind the bracket that closes the object."""
        skipped = 0 if self._escaped else -1
        for sign in _SIGNS.finditer(text):
            place = sign.start()
            if place == skipped:
                continue
            if sign[0] == "\\":
                skipped = place + 1
            elif sign[0] == '"':
                self._quoted = not self._quoted
            elif not self._quoted:
                self._depth += 1 if sign[0] == "{" else -1
                if self._depth == 0:
                    return place + 1
        self._escaped = skipped == len(text)
        return None
