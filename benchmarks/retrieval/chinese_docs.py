"""Chinese documents: the help and the manuals that the system's own commands have in Chinese, where it has them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENOUGH = 40
"""Chinese characters; what has fewer was not translated."""
BUILTINS = 'for name in $(compgen -b); do printf \'## %s\\n\\n\' "$name"; help -- "$name" 2>/dev/null; echo; done'
SHARE = Path("/usr/share")


def chinese_documents(wanted: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Give the documents whose translation is installed."""
    found = [
        *_helps(wanted["help"]),
        *(_git(wanted["git"])),
        *_manuals(wanted["manual"]),
        *_texts(wanted["texts"]),
        ("bash-builtins.zh.txt", _printed(["bash", "-c", BUILTINS])),
    ]
    for name, text in found:
        if len(CHINESE.findall(text)) >= ENOUGH:
            yield name, text


def _helps(commands: Iterable[str]) -> Iterator[tuple[str, str]]:
    for command in commands:
        yield f"{command}.zh.txt", _printed([command, "--help"])


def _git(commands: Iterable[str]) -> Iterator[tuple[str, str]]:
    for command in commands:
        yield f"git-{command}.zh.txt", _printed(["git", command, "-h"])


def _manuals(pages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for page in pages:
        name, _, section = page.rpartition(".")
        if any((SHARE / "man" / "zh_CN" / f"man{section}").glob(f"{page}*")):
            text = _printed(["man", "--nj", "--nh", "-L", "zh_CN", section, name])
            yield f"{page}.man.zh.txt", re.sub(r"(?<=\S) {2,}(?=\S)", "  ", text)


def _texts(patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        for file in sorted(SHARE.glob(pattern)):
            yield f"{file.parts[3]}-{file.stem}.zh.txt", file.read_text("utf-8")


def _printed(command: Sequence[str]) -> str:
    """Run a command as if its user read Chinese; give what it prints, nothing if it is not there."""
    if shutil.which(command[0]) is None:
        return ""
    spoken = {"LANGUAGE": "zh_CN", "LC_ALL": "C.UTF-8", "MANWIDTH": "110", "COLUMNS": "110", "MANPAGER": "cat"}
    done = subprocess.run(
        command,
        env={**os.environ, **spoken},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
        encoding="utf-8",
        errors="replace",
    )
    return done.stdout if CHINESE.search(done.stdout) else done.stderr
