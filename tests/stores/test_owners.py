"""Which processes still write what they began."""

import subprocess
import sys

import pytest

from ai_chat.core.errors import StorageFailed
from ai_chat.providers.file_lock import FileLock
from ai_chat.stores.owners import SILENT_SECONDS, Owners

ENTER = """
import sys
from pathlib import Path
from ai_chat.providers.file_lock import FileLock
from ai_chat.stores.owners import Owners

owners = Owners(Path(sys.argv[1]), FileLock)
owners.enter()
print(owners.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owners(tmp_path):
    return Owners(tmp_path / "running", FileLock)


@pytest.fixture
def other(owners, tmp_path):
    """Another process that has entered, and its name."""
    command = [sys.executable, "-c", ENTER, str(tmp_path / "running")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield child, child.stdout.readline().strip()
        child.kill()


def test_a_process_lives_until_it_is_killed(owners, other):
    """However it ends, the others know at once; what it left is cleared away then."""
    child, name = other
    owners.enter()
    assert owners.is_alive(name, 1e9)

    child.kill()
    child.wait()

    assert not owners.is_alive(name, 0.0)
    owners.clear()
    assert [file.stem for file in (owners._folder).iterdir()] == [owners.name]


def test_this_process_lives(owners):
    """It knows itself, entered or not; when it has left nothing of it stays behind."""
    assert owners.is_alive(owners.name, None)
    owners.enter()
    owners.leave()
    assert not list(owners._folder.iterdir())


@pytest.mark.parametrize(("seen", "alive"), [(None, False), (SILENT_SECONDS - 1, True), (SILENT_SECONDS + 1, False)])
def test_a_process_of_another_machine_is_judged_by_when_it_was_seen(owners, seen, alive):
    """Its lock is not here, so its silence decides."""
    assert owners.is_alive("elsewhere", seen) is alive


def test_what_nobody_writes_is_not_written(owners):
    """A turn without an owner is one of a command that has gone."""
    assert not owners.is_alive(None, 0.0)


def test_a_folder_that_cannot_be_written(tmp_path):
    """The sentence names the folder."""
    (tmp_path / "running").touch()
    with pytest.raises(StorageFailed, match="running' cannot be written"):
        Owners(tmp_path / "running", FileLock).enter()
