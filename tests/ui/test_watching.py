"""How an idle page looks for what it does not show: by a look that belongs to one drawing, behind all else."""

from __future__ import annotations

from streamlit.runtime.fragment import MemoryFragmentStorage
from tests.ui.test_page import opened

from ai_chat.providers.scripted import Echo


def test_a_look_belongs_to_one_drawing(home, page, monkeypatch):
    """What the browser asked for by an earlier drawing's look finds nothing to run behind a later one."""
    looks: list[str] = []
    register = MemoryFragmentStorage.register

    def registering(storage: MemoryFragmentStorage, key: str, *args: object, **options: object) -> None:
        looks.append(key)
        register(storage, key, *args, **options)

    monkeypatch.setattr(MemoryFragmentStorage, "register", registering)
    opened(page, home(Echo()).ask("a question").conversation)
    page.run()
    assert len(looks) == len(set(looks)) == 2


def test_a_look_stands_behind_the_messages(home, page):
    """Its place may be taken out of a drawing; nothing may be behind it that would move up."""
    opened(page, home(Echo()).ask("a question").conversation)
    *_, thread, look = page.main.children.values()
    assert "a question" in [text.value for text in thread.text]
    assert not look.children
