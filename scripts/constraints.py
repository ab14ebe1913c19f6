"""Resolve every dependency anew and write the versions into pyproject.toml: `uv run scripts/constraints.py`.

The list takes the place of a lock file, which would hold addresses of a package index. It keeps platform markers, so it
serves every system and every Python that the project supports.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BEGIN = "  # begin: written by scripts/constraints.py"
END = "  # end"
EXPORT = "uv export --no-hashes --no-emit-project --all-groups --all-extras --no-header --no-annotate"


def with_constraints(pyproject: str, constraints: list[str]) -> str:
    """Give the text of pyproject.toml with these lines between the markers."""
    head, _, rest = pyproject.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = "".join(f'  "{constraint}",\n' for constraint in constraints)
    return f"{head}{BEGIN}\n{lines}{END}{tail}"


def resolved(pyproject: str) -> list[str]:
    """Resolve in a copy of the project whose list is empty, as the old versions would hold the new ones back."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(with_constraints(pyproject, []), encoding="utf-8")
        shutil.copy(ROOT / "README.md", folder)
        package = Path("src/ai_chat/__init__.py")  # holds the version
        (folder / package).parent.mkdir(parents=True)
        shutil.copy(ROOT / package, folder / package)
        exported = subprocess.run(EXPORT.split(), cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line for line in exported.splitlines() if line.strip()]


def main() -> None:
    """Write the list and say what changed."""
    path = ROOT / "pyproject.toml"
    old = path.read_text(encoding="utf-8")
    new = with_constraints(old, resolved(old))
    path.write_text(new, encoding="utf-8")
    before, after = set(old.splitlines()), set(new.splitlines())
    changes = [f"- {line.strip()}" for line in sorted(before - after)]
    changes += [f"+ {line.strip()}" for line in sorted(after - before)]
    print("\n".join(changes) or "nothing is newer")


if __name__ == "__main__":
    main()
