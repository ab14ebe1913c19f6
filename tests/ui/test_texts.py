"""The catalogue of the page's sentences."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from ai_chat.core import errors
from ai_chat.ui import texts
from ai_chat.ui.parts import bridge

ROOM = Path(texts.__file__).parent
KEYS = re.compile(r"^[a-z][a-z0-9_]+$")
MADE = re.compile(
    r"^(suggestion_\d|error_.+|reason_.+|budget_.+|preset_.+|tool_.+|form_.+|failed_.+|refused_.+|outcome_.+|.+_one|"
    r".+_many|(add|reindex)_(finished|cancelled|failed))$"
)
"""Keys that are put together where they are used."""


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", texts.TEXTS)
def test_both_languages_say_the_same_things(key):
    """Each sentence is there in both languages, with the same values in it."""
    english, chinese = texts.TEXTS[key]
    assert english.strip()
    assert chinese.strip()
    assert _names(english) == _names(chinese)
    assert not re.search(r"[\u4e00-\u9fff]", english)


def _strings() -> set[str]:
    files = [file for file in ROOM.rglob("*.py") if not file.name.startswith("texts")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_sentence_is_said_somewhere():
    """Nothing is kept that nobody says."""
    used = _strings() | set(re.findall(r"[a-z_]+", " ".join(value for value in _strings() if KEYS.match(value))))
    assert not {key for key in texts.TEXTS if key not in used and not MADE.match(key)}


def test_everything_that_is_said_is_in_the_catalogue():
    """Each key that the page names is there."""
    calls = (
        node
        for file in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args
    )
    keys = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert keys
    assert keys <= texts.TEXTS.keys()


def test_translated_errors_are_errors_of_the_tree():
    """A code that no error has any more has no sentence."""
    codes = {bridge.TooSlow.code} | {
        each.code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")
    }
    named = {key.partition("_")[2] for key in texts.TEXTS if key.startswith(("error_", "reason_"))}
    assert named - {"other"} <= codes


@pytest.mark.parametrize(
    ("locale", "language"), [("zh-CN", "zh"), ("zh", "zh"), ("en-GB", "en"), ("de", "en"), (None, "en"), ("", "en")]
)
def test_the_browser_names_the_language(locale, language):
    """Chinese where the browser is, English everywhere else."""
    assert texts.language_of(locale) == language
