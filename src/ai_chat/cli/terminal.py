"""Messages typed at a terminal, with history and several lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output

from .printing import say
from .process import INTERRUPTED, Leave

PROMPT = "> "


class Pressed(Exception):
    """Ctrl-C at the prompt."""


class Terminal:
    """Reads messages from a person."""

    def __init__(self, history: Path, commands: Sequence[str]) -> None:
        """Keep what is typed in `history`, for the arrow keys; complete `commands` with Tab."""
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation="  ",
            key_bindings=_keys(),
            history=_history(history),
            completer=WordCompleter(list(commands), sentence=True),
            complete_while_typing=False,
            interrupt_exception=Pressed,
            output=create_output(sys.stdout, always_prefer_tty=True),
        )

    async def read(self) -> str:
        """Give the next message. Ctrl-C takes back what was typed; a second one right after it leaves."""
        pressed = False
        while True:
            try:
                return await self._session.prompt_async()
            except Pressed:
                if pressed:
                    raise Leave(INTERRUPTED) from None
                pressed = not self._session.default_buffer.text
                if pressed:
                    say("Ctrl-C once more or Ctrl-D leaves.", prefix="")
            except EOFError:
                raise Leave from None


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _history(path: Path) -> History:
    """Give the history of earlier conversations; only its owner can read it."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        say(f"What you type is not remembered: {path} cannot be written ({error.strerror}).")
        return InMemoryHistory()
    return FileHistory(str(path))
