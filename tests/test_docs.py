"""What the guides show runs as it stands, against an upstream that answers all; both languages show the same."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.upstream import Reply, Request, Upstream, streamed, whole

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("**/*.md"))]
TOP_PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


def _blocks(page: Path) -> list[tuple[str, str]]:
    """Give the language and the text of each block of code."""
    return BLOCK.findall(page.read_text("utf-8"))


def _examples() -> Iterator[object]:
    for page in PAGES:
        codes = [text for language, text in _blocks(page) if language == "python"]
        for number, code in enumerate(codes, start=1):
            yield pytest.param(code, id=f"{page.name}-{number}")


class Answering(Upstream):
    """Answers each request in the form it asks for."""

    def _reply_to(self, request: Request) -> Reply:
        form = request.json.get("response_format", {})
        schema = form.get("json_schema", {}).get("schema", {"type": "object"})
        text = json.dumps(_made_for(schema)) if form else "Hello"
        return streamed(text[:3], text[3:]) if request.json.get("stream") else whole(text)


def _made_for(schema: dict[str, Any]) -> Any:
    """Make a value that fits a simple schema."""
    if "enum" in schema or "anyOf" in schema:
        return schema["enum"][0] if "enum" in schema else _made_for(schema["anyOf"][0])
    match schema["type"]:
        case "object":
            return {name: _made_for(field) for name, field in schema.get("properties", {}).items()}
        case "array":
            return [_made_for(schema["items"])]
        case "integer":
            return 1
    return "Hello"


@pytest.mark.parametrize("code", list(_examples()))
async def test_an_example_runs(code: str, monkeypatch: pytest.MonkeyPatch, no_leaks: None) -> None:
    """An example of the guides runs to its end as it stands there, over a real connection, and leaves nothing open."""
    async with Answering() as upstream:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
        monkeypatch.setenv("AI_CHAT_MODEL", "test-model")
        await asyncio.to_thread(exec, compile(code, "the example", "exec", dont_inherit=True), {"__name__": "__main__"})
        assert ("handler=" in code) != bool(upstream.chats), "the example asks through the upstream, or a double"


def test_both_languages_show_the_same() -> None:
    """The two readmes have the same code, and as many headings of each depth in the same order."""
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    assert _blocks(english) == _blocks(chinese)
    assert _depths(english) == _depths(chinese)


def _depths(page: Path) -> list[int]:
    prose = BLOCK.sub("", page.read_text("utf-8"))
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


@pytest.mark.parametrize("page", TOP_PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    """A link to a file of the repository names one that is there."""
    assert not [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()]
