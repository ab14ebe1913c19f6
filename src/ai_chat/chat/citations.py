"""Citations that hold: every `[n]` that is shown points to a passage that was found.

A model writes numbers as it writes words, and now and then makes one up. What it writes is looked at on its way to the
reader: a citation of nothing is taken out and logged. Code is left alone, where brackets mean something else. An answer
that cites nothing, though its words stand in a passage, gets that one's number at its end; a sentence that stands in
another passage clearly more than in the one that it cites, gets the other's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from ..core.events import Batch, ChoiceFinished, Event, TextDelta, rewritten
from ..core.ports import Handler
from ..core.request import Call
from ..core.sources import Sources, cited
from ..core.stream import EventStream
from .attribution import mended, taken_from

log = logging.getLogger("ai_chat.citations")

CITATION = re.compile(r" ?[\[【]\s?\^?(\d{1,3}(?:\s?[,，、;；]\s?\d{1,3}){0,7})\s?[\]】]")
"""`[1]`, `[1, 2]` and what models make of them, `【1】` and `[^1]`, with a space before it."""
BEGINNING = re.compile(r" ?[\[【]\s?\^?[\d\s,，、;；]{0,46}$| $")
"""What may still become one."""
WHOLE = frozenset({"stop", "length"})
"""How an answer ends that is one."""
SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？\n]")
LONGEST_SENTENCE = 400
"""Characters of what was said before a citation that it may belong to."""
Mend = Callable[[str, Sequence[int]], Sequence[int]]
NUMBER = re.compile(r"\d+")
TICKS = re.compile(r"`+")
FENCE = 3
"""Backticks from which on they open lines of code, which end by as many again and not by a line's end."""
LONGEST_CODE = 200
"""Characters of code within a line."""


def checked(handler: Handler, sources: Sources, *, always: bool = False) -> Handler:
    """Have the answers of a handler cite nothing but these sources.

    Args:
        handler: answers.
        sources: what was found by then.
        always: whether an answer is looked at even if nothing was found: then it can cite nothing at all.
    """

    async def ask(call: Call) -> EventStream:
        stream = await handler(call)
        if always or sources:
            stream.map(_Map(sources))
        return stream

    return ask


class CitationFilter:
    """Checks a text that comes piece by piece, and gives it back as far as it is certain."""

    def __init__(self, known: Container[int], mend: Mend = lambda _, numbers: numbers) -> None:
        """Begin a text.

        Args:
            known: the numbers that may be cited.
            mend: gives what a sentence should cite, where it cites these.
        """
        self._known = known
        self._mend = mend
        self._said = ""
        """The last that was said, without citations."""
        self._held = ""
        self._fence = 0
        """Backticks that opened the lines of code we are in; 0 outside."""
        self.made_up: list[int] = []
        """Numbers that were taken out."""

    def feed(self, text: str) -> str:
        """Take a piece; give what can be shown by now."""
        return self._read(self._held + text, last=False)

    def end(self) -> str:
        """Give what was held back."""
        return self._read(self._held, last=True)

    def _read(self, text: str, *, last: bool) -> str:
        shown: list[str] = []
        place = 0
        while place < len(text):
            found = TICKS.search(text, place)
            if found is None:
                uncertain = None if last or self._fence else BEGINNING.search(text, place)
                end = len(text) if uncertain is None else uncertain.start()
                shown.append(self._plain(text[place:end]))
                place = end
                break
            shown.append(self._plain(text[place : found.start()]))
            place = found.start()
            code_end = self._code_end(text, found, last=last)
            if code_end is None:
                break
            shown.append(text[place:code_end])
            place = code_end
        self._held = text[place:]
        return "".join(shown)

    def _code_end(self, text: str, ticks: re.Match[str], *, last: bool) -> int | None:
        """Give where the code ends that these backticks open, or they themselves; None if more must come first."""
        size = len(ticks[0])
        if ticks.end() == len(text) and not last:
            return None  # there may be more of them
        if self._fence:
            self._fence = 0 if size >= self._fence else self._fence
            return ticks.end()
        if size >= FENCE:
            self._fence = size
            return ticks.end()
        stretch = text[ticks.end() : ticks.end() + LONGEST_CODE]
        line, newline, _ = stretch.partition("\n")
        for closing in TICKS.finditer(line):
            if len(closing[0]) == size and (last or newline or closing.end() < len(line)):
                return ticks.end() + closing.end()
        whole = last or bool(newline) or len(stretch) == LONGEST_CODE
        return ticks.end() if whole else None  # nothing closes them: they are no code

    def _plain(self, text: str) -> str:
        if self._fence or not text:
            return text
        shown: list[str] = []
        place = 0
        for found in CITATION.finditer(text):
            shown.append(self._heard(text[place : found.start()]))
            shown.append(self._kept(found))
            place = found.end()
        shown.append(self._heard(text[place:]))
        return "".join(shown)

    def _heard(self, text: str) -> str:
        self._said = (self._said + text)[-LONGEST_SENTENCE:]
        return text

    def _kept(self, found: re.Match[str]) -> str:
        numbers = [int(number) for number in NUMBER.findall(found[1])]
        self.made_up += [number for number in numbers if number not in self._known]
        known = [number for number in numbers if number in self._known]
        if not known:
            return ""
        sentences = [sentence for sentence in SENTENCE_END.split(self._said) if sentence.strip()]
        self._said += "\n"  # what follows is about something else, until it is the next citation
        kept = "".join(f"[{number}]" for number in self._mend(sentences[-1] if sentences else "", known))
        return f" {kept}" if found[0].startswith(" ") else kept


class _Map:
    """Checks the text of one stream; its first choice, for an answer that searches has no other."""

    __slots__ = ("_filter", "_shown", "_sources")

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._filter = CitationFilter(sources, lambda sentence, numbers: mended(sentence, numbers, sources.found))
        self._shown: list[str] = []

    def __call__(self, batch: Batch) -> Batch:
        return rewritten(batch, self._read)

    def _read(self, event: Event) -> tuple[Event, ...]:
        if isinstance(event, TextDelta):
            text = self._filter.feed(event.text)
            self._shown.append(text)
            return (event,) if text == event.text else (replace(event, text=text),) if text else ()
        if isinstance(event, ChoiceFinished):
            rest = self._filter.end()
            if self._filter.made_up:
                log.warning("an answer cited passages that were not found: %s", self._filter.made_up)
            rest += self._added("".join(self._shown) + rest) if event.reason in WHOLE else ""
            return (TextDelta(rest), event) if rest else (event,)
        return (event,)

    def _added(self, text: str) -> str:
        """Give the citations that an answer without any should have had."""
        found = self._sources.found
        if cited(text, found):
            return ""
        numbers = "".join(f"[{source.number}]" for source in taken_from(text, found))
        return (f"\n\n{numbers}" if text.endswith(("`", "|", "\n")) else f" {numbers}") if numbers else ""
