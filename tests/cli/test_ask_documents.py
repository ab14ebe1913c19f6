"""`ai-chat ask --kb` and `ai-chat chat --kb`: answers from documents, and what they cite."""

from __future__ import annotations

import json

import pytest
from tests.cli.child import run
from tests.cli.test_ask import turns_of
from tests.upstream import streamed, whole

from ai_chat.cli.ask import ask
from ai_chat.cli.kb_adding import Adding, add
from ai_chat.cli.process import Interrupts
from ai_chat.cli.question import Question, checked_collections
from ai_chat.core.errors import BadRequest, NotFound

LEAVE = "# Handbook\n\n## Leave\n\nEvery employee has 25 days of annual leave.\n"
SHOP = "The shop opens at nine.\n"
CITED = "[1] handbook.md · Handbook › Leave"
DAYS = "How many days of annual leave does every employee have?"


@pytest.fixture
async def documents(settings, clean_environment, capsysbinary):
    """The environment of a person with two collections: `work` and `town`."""
    for collection, name, text in (("work", "handbook.md", LEAVE), ("town", "shop.md", SHOP)):
        path = clean_environment / name
        path.write_text(text)
        assert await add(Adding(paths=(str(path),), collection=collection), Interrupts()) == 0
    capsysbinary.readouterr()
    return settings


async def put(prompt=DAYS, **fields):
    """Ask."""
    return await ask(Question(prompt=prompt, parameters={}, **fields), Interrupts())


async def test_cited_sources(documents, capsysbinary, upstream):
    """The answer cites what was found and nothing else; what it cites stands on stderr, a line each."""
    upstream.replies = [streamed("25 days ", "[1]", ", they say [9].")]
    assert await put(collections=("work",)) == 0
    out, err = capsysbinary.readouterr()
    assert out.decode() == "25 days [1], they say.\n"
    first, second = err.decode().splitlines()
    assert first.startswith("search_knowledge_base (")
    assert first.endswith(" s): 1 passage")
    assert second == CITED
    sent = upstream.chats[0]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert "25 days of annual leave" in sent[-1]["content"]
    assert "nine" not in sent[-1]["content"]


@pytest.mark.parametrize("in_one_piece", [False, True], ids=["streamed", "whole"])
async def test_for_programs(documents, capsysbinary, upstream, in_one_piece):
    """The JSON object has the passages that are cited, and only if documents were asked."""
    upstream.replies = [whole("25 days [1].") if in_one_piece else streamed("25 days [1].")]
    assert await put(collections=("*",), as_json=True, whole=in_one_piece) == 0
    answer = json.loads(capsysbinary.readouterr().out)
    [source] = answer["sources"]
    assert (source["number"], source["name"], source["collection"]) == (1, "handbook.md", "work")
    assert "25 days" in source["text"]
    upstream.replies = [streamed("I know nothing.")]
    await put(collections=("*",), as_json=True)
    assert json.loads(capsysbinary.readouterr().out)["sources"] == []
    await put(as_json=True)
    assert "sources" not in json.loads(capsysbinary.readouterr().out)
    assert "tools" not in upstream.chats[-1]


async def test_with_other_tools(documents, capsysbinary, upstream):
    """Documents go together with tools."""
    upstream.replies = [streamed("25 [1]")]
    assert await put(collections=("work",), tools=("calculate",)) == 0
    names = [tool["function"]["name"] for tool in upstream.chats[0]["tools"]]
    assert sorted(names) == ["calculate", "search_knowledge_base"]


async def test_a_conversation_keeps_them(documents, capsysbinary, upstream):
    """The next question is answered from them too, numbers mean the same, and `-` takes them away."""
    upstream.replies = [streamed("25 [1]"), streamed("At nine [2]"), streamed("Bye [1]")]
    await put(conversation="c1", collections=("work",))
    capsysbinary.readouterr()
    await put("When does the shop open in the morning?", conversation="c1", collections=("*",))
    assert capsysbinary.readouterr().err.decode().splitlines()[-1] == "[2] shop.md"
    conversation, turns = await turns_of("c1")
    assert conversation.options["collections"] == ["*"]
    assert [[source.number for source in turn.cited] for turn in turns] == [[], [1], [], [2]]

    assert len(upstream.chats) == 2
    await put("Thanks", conversation="c1", collections=())
    conversation, _ = await turns_of("c1")
    assert conversation.options["collections"] == []
    assert "tools" not in upstream.chats[-1]
    assert capsysbinary.readouterr().out == b"Bye [1]\n"


async def test_collections_that_there_are_not(documents, upstream):
    """One sentence names those there are; nothing is asked, and no conversation begins."""
    with pytest.raises(NotFound, match="no collection 'play'; there are 'town', 'work', and '\\*' for all"):
        await put(collections=("work", "play"), conversation="c2")
    assert upstream.requests == []
    assert await turns_of("c2") == (None, ())


async def test_options_that_do_not_go_together(documents, upstream):
    """A schema and documents are refused together."""
    with pytest.raises(BadRequest, match="--schema and --kb"):
        await put(collections=("work",), schema={"type": "object"})


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, None), ([], None), (["-"], ()), (["a", "b  c"], ("a", "b c")), (["*"], ("*",))],
)
def test_what_is_named(given, read):
    """Names are read as they are kept; `-` alone is none."""
    assert checked_collections(given) == read


@pytest.mark.parametrize("given", [[""], ["a", "-"], ["a\0"]])
def test_what_is_no_name(given):
    """It is refused."""
    with pytest.raises(BadRequest):
        checked_collections(given)


async def test_the_command(documents, upstream):
    """Both options reach the question; a collection that is not there has the exit code 2."""
    upstream.replies = [streamed("25 [1]")]
    ended = await run("ask", DAYS, "--kb", "work", "--kb", "town", env=documents)
    assert (ended.code, ended.out) == (0, "25 [1]\n")
    assert ended.err.endswith(f"{CITED}\n")
    ended = await run("ask", DAYS, "--kb", "play", env=documents)
    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence == "There is no collection 'play'; there are 'town', 'work', and '*' for all."


async def test_chat(documents, upstream):
    """Each answer is followed by what it cites; `/kb` changes what is asked, and the conversation keeps it."""
    upstream.replies = [streamed("25 [1]"), streamed("At nine [2]"), streamed("Bye")]
    said = f"{DAYS}\n/kb town\nWhen does the shop open in the morning?\n/kb play\n/kb -\nThanks\n/kb\n"
    ended = await run("chat", "--kb", "work", "-c", "c3", env=documents, stdin=said.encode())
    assert (ended.code, ended.out) == (2, "25 [1]\nAt nine [2]\nBye\n")
    lines = ended.err.splitlines()
    assert CITED in lines
    assert "[2] shop.md" in lines
    told = [line.removeprefix("Documents: ") for line in lines if line.startswith("Documents: ")]
    assert told == ["town", "none", "none"]
    assert any("no collection 'play'" in line for line in lines)
    assert "tools" not in upstream.chats[-1]
    conversation, _ = await turns_of("c3")
    assert conversation.options["collections"] == []

    upstream.replies = [streamed("25 [1]")]
    await run("chat", "--kb", "work", "-c", "c4", env=documents, stdin=f"{DAYS}\n".encode())
    ended = await run("chat", "-c", "c4", env=documents, stdin=f"{DAYS} Again.\n".encode())
    assert CITED in ended.err.splitlines()
    missing = await run("chat", "--kb", "play", env=documents, stdin=b"hi\n")
    assert (missing.code, missing.out) == (2, "")
