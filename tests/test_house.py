"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/ai_chat"
FILES = sorted(SOURCE.rglob("*.py"))
FILE_LINES = 320
FUNCTION_LINES = 65
REGISTRIES = re.compile(r"p[y]pi\.(org|io)|python[h]osted\.org|npm[j]s\.(org|com)|deb\.de[b]ian\.org")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(w[o]rk|f[a]rm|r[o]ot|opt/w[h]eels|tmp/b[a]sh_jobs)/")
TIME_AND_CHANCE = {"time.time", "time.time_ns", "time.sleep", "datetime.now", "datetime.today", "datetime.utcnow"}


def _place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _dotted(node: ast.AST) -> str:
    """Write `a.b.c` of an expression; of anything else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def _names(path: Path) -> Iterator[str]:
    """Give every dotted name a file uses, and every one it imports."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute):
            yield _dotted(node)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_file_says_what_it_is_in_its_first_line() -> None:
    """Each file begins with a docstring whose first line is a sentence of its own."""
    assert not [_place(file) for file in FILES if not _is_introduced(ast.get_docstring(_tree(file)) or "")]


def _is_introduced(docstring: str) -> bool:
    first, _, rest = docstring.partition("\n")
    return first.endswith((".", ":")) and not rest.partition("\n")[0]


def test_a_file_holds_one_thing() -> None:
    """No file is longer than a person reads in one go."""
    lengths = {_place(file): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert not {place: lines for place, lines in lengths.items() if lines > FILE_LINES}


def test_a_function_does_one_thing() -> None:
    """No function is longer than a screen."""
    assert not [f"{_place(file)}: {name}" for file in FILES for name in _long_functions(file)]


def _long_functions(file: Path) -> Iterator[str]:
    for node in ast.walk(_tree(file)):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES:
            yield node.name


def test_a_room_is_a_package() -> None:
    """Every folder with code has an `__init__`; without one the import rules would not see it."""
    assert not [_place(file) for file in FILES if not (file.parent / "__init__.py").exists()]


# --- doors ---------------------------------------------------------------------------------------------------------


def test_settings_alone_read_the_environment() -> None:
    """Nothing but `config.py` looks at the environment, so that one page shows all that can be set."""
    doors = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}
    assert [_place(file) for file in FILES if doors & set(_names(file))] == ["config.py"]


def test_the_core_stands_on_the_standard_library_alone() -> None:
    """Values and seams need nothing that has to be installed."""
    names = {name.partition(".")[0] for file in (SOURCE / "core").glob("*.py") for name in _imported(file)}
    assert names <= sys.stdlib_module_names


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def test_time_and_chance_are_handed_in() -> None:
    """The layers and the turns ask a `Clock` for the date and for dice, so that a test can hold both still."""
    files = [file for room in ("gateway", "chat") for file in (SOURCE / room).rglob("*.py")]
    assert not [f"{_place(file)}: {name}" for file in files for name in _names(file) if _is_time_or_chance(name)]


def _is_time_or_chance(name: str) -> bool:
    return name.removeprefix("datetime.") in TIME_AND_CHANCE or name.partition(".")[0] in {"random", "secrets", "uuid"}


# --- the contracts of import-linter can fail ------------------------------------------------------------------------

BREAKS = {
    "server/a.py": "from ..gateway import pipeline",
    "server/b.py": "from ..ui import a",
    "server/c.py": "import streamlit",
    "ui/a.py": "from ..wire import sse",
    "ui/b.py": "from ..server import a",
    "cli/zz.py": "from ..providers import catalog",
    "chat/zz.py": "from ..client import AsyncChat",
    "gateway/zz.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..chat.session import Session",
    "gateway/zy.py": "from ..config import Settings",
    "wire/zz.py": "def late():\n    from ..accounting import tokens",
    "stores/zz.py": "import aiohttp",
    "providers/zz.py": "from ..tools import a",
    "providers/zy.py": "import openai",
    "tools/a.py": "from ..knowledge import a",
    "knowledge/a.py": "from ..stores import opening",
    "prompts/a.py": "from ..logs import CallLog",
    "core/zz.py": "from ..assembly import Services",
}
"""Imports that are not allowed, some of them in rooms that may not have been built yet."""
FINE = {
    "cli/fine.py": "from ..server import fine\nfrom ..ui import fine as other\nfrom ..core.errors import ChatError",
    "server/fine.py": "from ..assembly import Services\nfrom ..wire import sse\nfrom ..core.errors import ChatError",
    "ui/fine.py": "from ..sync import Chat\nfrom ..client import AsyncChat\nfrom ..core.events import Event",
    "chat/fine.py": "from ..tools import a\nfrom ..prompts import a as b\nfrom ..accounting import tokens",
    "tools/fine.py": "from ..core.request import ToolSpec",
    "attic/fine.py": "",
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the package with all of these in it."""
    copy = tmp_path_factory.mktemp("house")
    for path in (*FILES, ROOT / "pyproject.toml"):
        _write(copy / path.relative_to(ROOT), path.read_text("utf-8"))
    for place, text in (BREAKS | FINE).items():
        room = copy / "src/ai_chat" / Path(place).parent
        _write(room.parent / place.replace("/", os.sep), f"{text}\n")
        (room / "__init__.py").touch()
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.mark.parametrize("place", BREAKS)
def test_a_forbidden_import_is_found(complaints: str, place: str) -> None:
    """The contracts see an import that breaks the floor plan, wherever and however it is written."""
    assert f" {_module(place)} -> " in complaints


@pytest.mark.parametrize("place", FINE)
def test_a_permitted_import_is_not(complaints: str, place: str) -> None:
    """The contracts let pass what the floor plan allows."""
    assert f" {_module(place)} -> " not in complaints


def test_a_room_without_a_floor_is_found(complaints: str) -> None:
    """A room that the floor plan does not show has to be entered there first."""
    assert "- ai_chat.attic\n" in complaints


def _module(place: str) -> str:
    return "ai_chat." + place.removesuffix(".py").replace("/", ".")


# --- what is written beside the code --------------------------------------------------------------------------------


@cache
def _tracked() -> tuple[Path, ...]:
    """Give every file that is, or could be, committed."""
    command = "git ls-files --cached --others --exclude-standard -z"
    done = subprocess.run(command.split(), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return tuple(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file())


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["registries", "machine paths"])
def test_no_file_holds_an_address_of_ours(pattern: re.Pattern[str]) -> None:
    """No registry's address and no path of some machine is committed: both differ from place to place."""
    if not _tracked():
        pytest.skip("this is no git checkout")
    texts = ((path, path.read_text("utf-8", "replace")) for path in _tracked() if path.suffix not in {".gz", ".png"})
    assert not [f"{path.relative_to(ROOT)}: {found[0]}" for path, text in texts if (found := pattern.search(text))]


def test_no_lock_file_is_committed() -> None:
    """A lock file holds addresses; the constraints in pyproject.toml take its place."""
    assert ROOT / "uv.lock" not in _tracked()


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_of_settings_is_the_settings() -> None:
    """`.env.example` is what its script makes of the settings today."""
    assert (ROOT / ".env.example").read_text("utf-8") == _script("env_example").text()


def test_every_dependency_has_one_version() -> None:
    """The constraints name a version of each package that pyproject.toml asks for: installs can be repeated."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    pinned = {_package(line) for line in project["tool"]["uv"]["constraint-dependencies"] if "==" in line}
    lists = [project["project"]["dependencies"]]
    lists += project["project"]["optional-dependencies"].values()
    lists += project["dependency-groups"].values()
    asked = {_package(line) for lines in lists for line in lines}
    assert asked - {project["project"]["name"]} <= pinned


def _package(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_new_versions_take_the_place_of_the_old_ones() -> None:
    """The script changes what stands between its markers and nothing else, markers of platforms included."""
    constraints = _script("constraints")
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    once = constraints.with_constraints(text, ["a==1 ; sys_platform == 'win32'"])
    assert tomllib.loads(once)["tool"]["uv"]["constraint-dependencies"] == ["a==1 ; sys_platform == 'win32'"]
    old = [line.strip(' ",') for line in text.partition(constraints.BEGIN)[2].partition(constraints.END)[0].split("\n")]
    assert constraints.with_constraints(once, [line for line in old if line]) == text
