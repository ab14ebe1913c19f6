"""Uploads wait in a folder, whole or not at all, and outlive the process that took them."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

from ai_chat.core.errors import StorageFailed
from ai_chat.knowledge import uploads as module
from ai_chat.knowledge.uploads import Uploads


def made(tmp_path, owner="me"):
    numbers = count(1)
    return Uploads(tmp_path / "uploads", owner=owner, new_id=lambda: f"{owner}{next(numbers)}")


def test_a_name_is_no_path(tmp_path):
    """Bytes are kept under a number; the name goes along."""
    given = tmp_path / "given"
    given.write_bytes(b"two")
    upload = made(tmp_path).keep("notes", [("../../etc/passwd", b"one"), ("b/c.md", given)])
    assert [file.name for file in upload.files] == ["../../etc/passwd", "b/c.md"]
    assert [file.path.read_bytes() for file in upload.files] == [b"one", b"two"]
    assert all(file.path.parent == upload.folder for file in upload.files)
    assert not given.exists()
    upload.remove()
    assert not upload.folder.exists()


def test_what_a_dead_process_left_is_taken_over(tmp_path):
    """Once; what a living one has, and what never came whole, is not."""
    made(tmp_path, "dead").keep("notes", [("a.md", b"text")])
    made(tmp_path, "alive").keep("notes", [("b.md", b"text")])
    half = tmp_path / "uploads" / "dead.half"
    half.mkdir()
    (half / "000000").write_bytes(b"te")
    [left] = made(tmp_path).left(lambda owner: owner == "alive")
    assert (left.collection, [(file.name, file.path.read_bytes()) for file in left.files]) == (
        "notes",
        [("a.md", b"text")],
    )
    assert list(made(tmp_path, "another").left(lambda owner: owner in {"alive", "me"})) == []
    assert not half.exists()
    assert len(list((tmp_path / "uploads").iterdir())) == 2


def test_no_room(tmp_path, monkeypatch):
    """Says so before it writes, and leaves nothing behind."""
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(StorageFailed, match="no room"):
        made(tmp_path).keep("notes", [("a.md", b"text")])
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    """One sentence names it."""
    (tmp_path / "uploads").write_text("a file")
    with pytest.raises(StorageFailed, match="uploads"):
        made(tmp_path).keep("notes", [("a.md", b"text")])
