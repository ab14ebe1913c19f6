"""The files below a folder: which are given, under which names, and what is passed over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ai_chat.knowledge.folders import Found, files_below

LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")


def write(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return folder


def names(folder: Path, **fields) -> list[str]:
    return [found.name for found in files_below(folder, **fields)]


def test_files_are_given_in_order_by_their_paths_below_the_folder(tmp_path):
    """Names have slashes, come in order, and are not ASCII only."""
    write(tmp_path, "b.txt", "a/z.md", "a/deep/er/说明.pdf", "c.py")
    assert names(tmp_path) == ["a/deep/er/说明.pdf", "a/z.md", "b.txt", "c.py"]
    assert all(found.path == tmp_path / found.name for found in files_below(tmp_path))


def test_what_nobody_reads_is_marked(tmp_path):
    """Files of other kinds are given too, so that they can be counted."""
    write(tmp_path, "a.txt", "b.png", "c", "Makefile", "d.XLSX", "E.PDF")
    told = {found.name: found.readable for found in files_below(tmp_path)}
    assert told == {"a.txt": True, "b.png": False, "c": False, "Makefile": True, "d.XLSX": False, "E.PDF": True}


def test_what_programs_left_there_is_passed_over(tmp_path):
    """Hidden things, version control, environments, caches and lock files of Office are not a person's documents."""
    write(tmp_path, ".git/config.txt", ".hidden.txt", "node_modules/a.js", "x/__pycache__/a.py", "~$a.docx", "a.docx")
    write(tmp_path, "env/pyvenv.cfg", "env/lib/a.py", "cache/CACHEDIR.TAG", "cache/a.txt", "__MACOSX/a.txt")
    assert names(tmp_path) == ["a.docx"]


def test_the_added_folder_itself_may_be_hidden(tmp_path):
    """What a person names is meant, whatever it is called."""
    assert names(write(tmp_path / ".notes", "a.txt", "pyvenv.cfg")) == ["a.txt", "pyvenv.cfg"]


@LINKS
def test_links_are_followed_but_not_in_a_circle(tmp_path):
    """A linked folder is looked into once, and a circle of links ends."""
    write(tmp_path / "outside", "o.txt")
    inside = write(tmp_path / "inside", "a/a.txt", "b.txt")
    (inside / "a/up").symlink_to(inside, target_is_directory=True)
    (inside / "self").symlink_to(inside / "self")
    (inside / "broken.txt").symlink_to(inside / "nothing.txt")
    (inside / "file.txt").symlink_to(inside / "b.txt")
    (inside / "0").symlink_to(tmp_path / "outside", target_is_directory=True)
    (inside / "again").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert names(inside) == ["a/a.txt", "b.txt", "file.txt", "0/o.txt"]


@LINKS
def test_a_folder_is_given_by_its_own_name(tmp_path):
    """A link that comes first in the order does not take its name from a folder."""
    write(tmp_path, "real/a.txt")
    (tmp_path / "alias").symlink_to(tmp_path / "real", target_is_directory=True)
    assert names(tmp_path) == ["real/a.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_what_is_no_file_is_passed_over(tmp_path):
    """A pipe is neither a file nor a folder, and is not opened."""
    os.mkfifo(write(tmp_path, "a.txt") / "pipe.txt")
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path, monkeypatch):
    """The others are given all the same."""
    write(tmp_path, "a/a.txt", "b/b.txt", "c.txt")
    real = os.scandir

    def guarded(folder: Path):
        if folder == tmp_path / "b":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    found = list(files_below(tmp_path))
    assert [each.name for each in found] == ["a/a.txt", "b", "c.txt"]
    assert (found[1].readable, found[1].problem) == (
        False,
        "The folder 'b' cannot be looked into (Permission denied); make it readable and add it again.",
    )


def test_a_folder_that_is_not_there_is_told(tmp_path):
    """Nothing is raised, for it may have gone just now."""
    (told,) = files_below(tmp_path / "gone")
    assert (
        told.problem
        == "The folder 'gone' cannot be looked into (No such file or directory); make it readable and add it again."
    )


def test_there_is_an_end_to_it(tmp_path):
    """Of a folder with too many files so many are given, and then a word that there are more."""
    write(tmp_path, *[f"{at}.txt" for at in range(5)], "sub/6.txt")
    *files, told = files_below(tmp_path, most=3)
    assert [found.name for found in files] == ["0.txt", "1.txt", "2.txt"]
    assert isinstance(told, Found)
    assert "holds more files than are added at once" in str(told.problem)
    assert all(found.problem is None for found in files_below(tmp_path, most=6))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_unicode_can_be_stored(tmp_path):
    """Its wrong bytes are replaced in the name, and the path still leads to it."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xc4\xe3.txt")).write_text("x")
    (found,) = files_below(tmp_path)
    assert found.name == "\ufffd\ufffd.txt"
    assert found.path.read_text() == "x"
