"""`ai-chat kb`: real files, the real embedding model, a real database."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.child import COMMAND, Child, Ended, environment
from tests.cli.child import run as run_child
from tests.cli.test_chat import needs_a_terminal
from tests.knowledge.documents import MANUAL_EN, archive, lines, pdf, word, word_xml

from ai_chat.assembly import Services
from ai_chat.cli.commands import run
from ai_chat.cli.kb_printing import one_line, size
from ai_chat.core.errors import LocalModelFailed

LEAVE = "# Handbook\n\n## Leave\n\nEvery employee has 25 days of annual leave.\n"
CHINESE = "员工每年有二十五天年假。病假需要医生证明，三天以上还需要经理批准。\n"


@pytest.fixture
def home(clean_environment, monkeypatch):
    """An empty home in which commands run in this process; the folder to work in is the present one."""
    for name, value in environment(clean_environment).items():
        monkeypatch.setenv(name, value)
    return Path.cwd()


@pytest.fixture
def kb(home, capsysbinary, monkeypatch):
    """Run a command in this process, and give how it ended."""

    def run_here(*arguments, stdin=b""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(["kb", *arguments])
        out, err = capsysbinary.readouterr()
        assert b"Traceback" not in err
        return Ended(code, out.decode(), err.decode())

    return run_here


def handbook(home, text=LEAVE):
    """Write a small folder of documents."""
    folder = home / "docs"
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    (folder / "handbook.md").write_text(text)
    (folder / "sub" / "年假.txt").write_bytes(CHINESE.encode("gbk"))
    return folder


# --- adding ---------------------------------------------------------------------------------------------------------


def test_a_folder(kb, home):
    """Each file has a line; what is of no kind that is read is counted; a second time nothing is done."""
    folder = handbook(home)
    (folder / "photo.png").write_bytes(b"\x89PNG")
    ended = kb("add", "docs")
    assert (ended.code, ended.out) == (0, "added      handbook.md (1 chunk)\nadded      sub/年假.txt (1 chunk)\n")
    assert ended.err == "2 added, 1 file of another kind passed over.\n"

    handbook(home, LEAVE.replace("25", "30"))
    (folder / "new.csv").write_text("name,price\ntea,2\n")
    job = json.loads(kb("add", "docs", "--json").out)
    states = {outcome["name"]: outcome["state"] for outcome in job["outcomes"]}
    assert states == {"handbook.md": "replaced", "new.csv": "added", "sub/年假.txt": "unchanged"}
    assert (job["state"], job["left_out"], job["done"]) == ("finished", 1, 3)
    assert "30 days" in kb("search", "annual leave").out


def test_kinds_of_files(kb, home):
    """A PDF, a document of Word and a text in GBK, named one by one; `~` is the home."""
    (Path.home() / "manual.pdf").write_bytes(pdf(lines(MANUAL_EN)))
    (home / "manual.docx").write_bytes(word(lambda new: new.add_paragraph(MANUAL_EN)))
    (home / "年假.txt").write_bytes(CHINESE.encode("gb18030"))
    assert kb("add", "~/manual.pdf", "manual.docx", "年假.txt", "年假.txt").code == 0
    rows = json.loads(kb("list", "--json").out)["documents"]
    assert [(row["name"], row["kind"], row["pages"]) for row in rows] == [
        ("manual.docx", "docx", None),
        ("manual.pdf", "pdf", 1),
        ("年假.txt", "txt", None),
    ]
    assert "二十五天" in kb("search", "年假有几天", "--top-k", "1").out


BAD = {
    "locked.pdf": (pdf(lines("secret"), password="open sesame"), "is locked with a password"),
    "empty.txt": (b"", "holds no text"),
    "noise.txt": (bytes(range(256)) * 40, "noise.txt"),
    "bomb.docx": (archive({"word/document.xml": word_xml("") + b" " * (80 * 2**20)}), "bomb.docx"),
    "large.txt": (b"word " * 2**18, "files may have"),
}


def test_bad_files_among_good_ones(kb, home, monkeypatch):
    """They are told on stderr with what to do, and fail the command only if they were named or nothing was good."""
    monkeypatch.setenv("AI_CHAT_KNOWLEDGE__MAX_FILE_MB", "1")
    folder = handbook(home)
    for name, (data, _) in BAD.items():
        (folder / name).write_bytes(data)
    ended = kb("add", "docs")
    assert (ended.code, ended.out.count("added")) == (0, 2)
    for name, (_, words) in BAD.items():
        [line] = [line for line in ended.err.splitlines() if f"{name!r}" in line]
        assert line.startswith("refused    The file ")
        assert words in line
    assert "2 added, 5 refused." in ended.err

    named = kb("add", "docs/empty.txt", "docs/handbook.md")
    assert (named.code, named.out) == (2, "unchanged  handbook.md (1 chunk)\n")
    missing = kb("add", "nowhere.txt", "docs/handbook.md")
    assert missing.code == 2
    assert "'nowhere.txt' cannot be read (No such file or directory)" in missing.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "'nowhere' cannot be read"),
        (("empty",), "there is no file to add"),
        (("/dev/zero",), "is no regular file"),
        (("",), "A path is empty"),
        ((), "Missing argument 'PATH'"),
        (("-",), "give it with --name"),
        (("-", "x", "--name", "y"), "alone"),
        (("x", "--name", "y"), "--name goes with -"),
        (("empty", "--collection", " "), "cannot name a collection"),
        (("empty", "--collection", "*"), "cannot name a collection"),
    ],
)
def test_nothing_to_add(kb, home, arguments, words):
    """One sentence says why; the exit code is 2."""
    (home / "empty").mkdir()
    ended = kb("add", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_stdin(kb):
    """A text that is piped in gets a name; it may be in another encoding."""
    assert kb("add", "-", "--name", "年假", "--collection", "notes", stdin=CHINESE.encode("gbk")).code == 0
    ended = kb("add", "-", "--name", "年假", "--collection", "notes", stdin=CHINESE.encode("gbk"))
    assert ended.out == "unchanged  年假.md (1 chunk)\n"
    assert kb("add", "-", "--name", "x", stdin=b"").code == 2
    assert "三天以上" in kb("search", "病假").out


def test_a_name_that_is_no_text(kb, home):
    """Bytes of a name that are no UTF-8 are shown as what they are."""
    Path(os.fsdecode(b"caf\xe9.md")).write_text(LEAVE)
    assert kb("add", os.fsdecode(b"caf\xe9.md")).out == "added      caf\ufffd.md (1 chunk)\n"
    assert [row["name"] for row in json.loads(kb("list", "--json").out)["documents"]] == ["caf\ufffd.md"]


def test_two_files_of_one_name(kb, home):
    """The second takes the place of the first, which is told."""
    for folder in ("a", "b"):
        (home / folder).mkdir()
        (home / folder / "x.md").write_text(f"About {folder}.")
    ended = kb("add", "a/x.md", "b/x.md")
    assert (ended.code, ended.out) == (0, "added      x.md (1 chunk)\nreplaced   x.md (1 chunk)\n")
    assert "More than one of these files is called 'x.md'" in ended.err


def test_a_failure(kb, home, monkeypatch):
    """What went wrong for all of them is told in its own words; what was done by then stays."""
    handbook(home)
    kb("add", "docs/handbook.md")

    async def fail(*_):
        raise LocalModelFailed("The embedding model is out of order.")

    monkeypatch.setattr("ai_chat.knowledge.embedding.LocalEmbedder.embed", fail)
    ended = kb("add", "docs")
    assert (ended.code, ended.out) == (1, "unchanged  handbook.md (1 chunk)\n")
    assert ended.err == "1 unchanged.\nai-chat: The embedding model is out of order.\n"


async def test_ctrl_c(home, clean_environment):
    """What is done stays, what is being done is undone, and the same command goes on from there."""
    folder = home / "docs"
    folder.mkdir()
    (folder / "a.md").write_text(LEAVE)
    (folder / "b.txt").write_text("\n\n".join(f"Paragraph {n} is about {n}. " * 20 for n in range(3000)))
    env = environment(clean_environment)
    terminal, theirs = os.openpty()
    async with Child("kb", "add", "docs", env=env, stderr=theirs) as child:
        os.close(theirs)
        shown = b""
        while not re.search(rb"b\.txt \([1-9]", shown):
            shown += await asyncio.to_thread(_read, terminal)
        child.interrupt()
        while data := await asyncio.to_thread(_read, terminal):
            shown += data
        ended = await child.ended()
    os.close(terminal)
    assert (ended.code, ended.out) == (130, "added      a.md (1 chunk)\n")
    assert "Stopped; what is done is kept, and the same command goes on from there." in shown.decode()
    assert "1/2" in shown.decode()
    listed = await run_child("kb", "list", "--json", env=env)
    assert [row["name"] for row in json.loads(listed.out)["documents"]] == ["a.md"]
    assert not [*(clean_environment / "data").glob("uploads/*")]


def _read(terminal):
    try:
        return os.read(terminal, 2**16)
    except OSError:  # the other end is closed
        return b""


# --- what there is ---------------------------------------------------------------------------------------------------


def test_nothing_yet(kb):
    """It is said, with how to begin; the exit code is 0."""
    for arguments in (("list",), (), ("search", "x"), ("reindex",)):
        assert kb(*arguments) == Ended(0, "", "There are no documents yet; add some with: ai-chat kb add PATH\n")
    assert json.loads(kb("list", "--json").out)["documents"] == []


def test_list_and_show(kb, home):
    """Documents stand by collection and name, with sums; one of them with all that is known, and its chunks."""
    handbook(home)
    kb("add", "docs/sub")
    kb("add", "docs/handbook.md", "--collection", "work rules")
    head, first, second, total = kb("list").out.splitlines()
    assert head.split() == ["COLLECTION", "NAME", "KIND", "PAGES", "CHUNKS", "SIZE", "CHANGED"]
    assert first.split()[:6] == ["default", "年假.txt", "txt", "-", "1", "67"]
    assert second.startswith("work rules  handbook.md  md    -      1       66 B   20")
    assert total.split() == ["total", "2", "documents", "0", "2", "133", "B"]
    assert kb("list", "--collection", "work rules").out.count("handbook.md") == 1
    assert len(json.loads(kb("list", "--collection", "default", "--json").out)["collections"]) == 1

    shown = kb("show", "handbook.md", "--chunks").out
    assert "title       Handbook" in shown
    assert "#0 · Handbook" in shown
    told = json.loads(kb("show", "handbook.md", "--chunks", "--json").out)
    assert told["pieces"][0]["text"].endswith("annual leave.")
    assert json.loads(kb("show", told["id"], "--json").out)["name"] == "handbook.md"


def test_search(kb, home):
    """Passages come with their rank, their scores and their place; where to look can be said."""
    handbook(home)
    kb("add", "docs/sub")
    kb("add", "docs/handbook.md", "--collection", "work")
    out = kb("search", "days", "of", "annual leave", "--top-k", "1").out
    head, *body = out.splitlines()
    assert head.startswith("1. handbook.md · Handbook")
    assert " · work (score 1.00, similarity 0." in head
    assert "   Every employee has 25 days of annual leave." in body
    told = json.loads(kb("search", "年假", "--json", "--file", "年假.txt").out)
    assert [passage["name"] for passage in told["data"]] == ["年假.txt"]
    assert (told["words_only"], told["outdated"]) == (None, 0)
    told = json.loads(kb("search", "年假", "--json", "--collection", "work", "--collection", "*").out)
    assert told["data"][0]["name"] == "年假.txt"
    assert kb("search", "leave", "--file", "年假.txt", "--collection", "work").code == 2


def test_nothing_is_found(kb, home):
    """It is said, and is no failure."""
    handbook(home)
    kb("add", "docs/handbook.md")
    ended = kb("search", "zzzqqq", "--collection", "default")
    assert (ended.code, ended.err if not ended.out else "Nothing was found.\n") == (0, "Nothing was found.\n")


def test_what_there_is_not(kb, home):
    """One sentence names it, and of collections those that there are."""
    handbook(home)
    kb("add", "docs", "--collection", "work")
    for arguments in (("list",), ("search", "x"), ("reindex",), ("show", "handbook.md"), ("remove", "x", "--yes")):
        ended = kb(*arguments, "--collection", "play")
        assert ended.code == 2
        assert ended.sentence == "There is no collection 'play'; there are 'work', and '*' for all."
    for arguments in (("show", "x.md"), ("search", "x", "--file", "x.md"), ("remove", "x.md", "--yes")):
        assert kb(*arguments).sentence.startswith("There is no document 'x.md' there")
    assert kb("search", "").code == kb("search", "x", "--top-k", "0").code == 2


def test_vectors_of_another_model(kb, home, monkeypatch):
    """They are counted, and `reindex` makes them anew."""
    handbook(home)
    kb("add", "docs")

    async def spoil():
        services = Services.open()
        try:
            store = await services.storage.documents()
            for document in await store.list():
                chunks = await store.chunks(document.id)
                text = await store.text(document.id)
                other = replace(document, embedding="other/model")
                await store.put(other, text, chunks, [bytes(2048)] * len(chunks))
        finally:
            await services.aclose()

    asyncio.run(spoil())
    told = "2 documents have vectors of another model; run: ai-chat kb reindex\n"
    assert kb("list").err == kb("search", "leave").err == told
    ended = kb("reindex", "--collection", "default")
    assert (ended.code, ended.err) == (0, "2 of 2 documents have new vectors, of local/use-multilingual-3.\n")
    assert kb("list").err == ""

    async def fail(*_):
        raise LocalModelFailed("The embedding model is out of order.")

    monkeypatch.setattr("ai_chat.knowledge.embedding.LocalEmbedder.embed", fail)
    ended = kb("search", "leave")
    assert ended.err == "This was searched by words alone: The embedding model is out of order.\n"
    assert "25 days" in ended.out


def test_without_the_key_of_the_embedding_model(kb, home, monkeypatch):
    """What there is can still be listed; what needs vectors says what is missing, before it begins."""
    handbook(home)
    kb("add", "docs")
    monkeypatch.setenv("AI_CHAT_KNOWLEDGE__EMBEDDING", "deepseek/vectors")
    assert kb("list").code == 0
    for arguments in (("add", "docs"), ("search", "x"), ("reindex",)):
        ended = kb(*arguments)
        assert (ended.code, "DEEPSEEK_API_KEY" in ended.sentence) == (2, True)


# --- removing --------------------------------------------------------------------------------------------------------


def test_remove(kb, home):
    """By name or id; a name that stands in two collections needs one; with --all everything of one."""
    handbook(home)
    kb("add", "docs")
    kb("add", "docs", "--collection", "work")
    ended = kb("remove", "handbook.md", "--yes")
    assert (ended.code, "in the collections 'default', 'work'" in ended.sentence) == (2, True)
    assert kb("remove", "handbook.md", "nothing", "--collection", "work", "--yes").code == 2
    identity = json.loads(kb("show", "handbook.md", "--collection", "work", "--json").out)["id"]
    assert kb("remove", identity, "--yes").out == "removed    handbook.md\n"
    assert kb("remove", "--all", "--collection", "default", "--yes").out.count("removed") == 2
    rows = json.loads(kb("list", "--json").out)["documents"]
    assert [(row["collection"], row["name"]) for row in rows] == [("work", "sub/年假.txt")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name the documents to remove"),
        (("--all",), "name it with --collection"),
        (("--all", "--collection", "*"), "name it with --collection"),
        (("handbook.md", "--all", "--collection", "default"), "Name the documents to remove"),
        (("handbook.md",), "say --yes"),
    ],
)
def test_nothing_is_removed_by_accident(kb, home, arguments, words):
    """What is to go has to be named, and agreed to."""
    handbook(home)
    kb("add", "docs/handbook.md")
    ended = kb("remove", *arguments)
    assert (ended.code, words in ended.sentence) == (2, True)
    assert "handbook.md" in kb("list").out


@pytest.mark.parametrize("answer", ["y\n", "\n", "no\n"])
def test_a_person_is_asked(kb, home, monkeypatch, answer):
    """Only yes is yes."""
    handbook(home)
    kb("add", "docs/handbook.md")
    asked = SimpleNamespace(isatty=lambda: True, readline=lambda: answer)
    with monkeypatch.context() as patched:
        patched.setattr("ai_chat.cli.kb_removing.sys", SimpleNamespace(stdin=asked))
        ended = kb("remove", "handbook.md")
    assert ended.err.startswith("Remove handbook.md? [y/N] ")
    assert ended.code == 0
    assert ("handbook.md" in kb("list").out) == (answer != "y\n")


# --- what people see -------------------------------------------------------------------------------------------------


@needs_a_terminal
def test_at_a_terminal(home, clean_environment):
    """The query's words stand out, and no document can steer the terminal."""
    (home / "a.md").write_text("Annual leave\x1b[2J: 25 days. 年假二十五天。\n")
    kept = {"env": {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", **environment(clean_environment)}}
    subprocess.run([*COMMAND, "kb", "add", "a.md"], check=True, capture_output=True, **kept)
    ours, theirs = os.openpty()
    with subprocess.Popen([*COMMAND, "kb", "search", "LEAVE 年假"], stdout=theirs, stderr=theirs, **kept) as child:
        os.close(theirs)
        shown = b""
        while data := _read(ours):
            shown += data
    os.close(ours)
    assert child.returncode == 0
    text = shown.decode()
    assert "\x1b[2J" not in text
    assert "\x1b[1;33mleave" in text
    assert "\x1b[1;33m年假" in text
    assert "\x1b[1m1. a.md" in text


def test_names_and_sizes():
    """A name cannot break its line; small files have a size too."""
    assert one_line("a\nb\x1b\ud800") == "a b␛?"
    assert [size(count) for count in (0, 999, 1000, 15_300, 2_500_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "15.3 kB",
        "2.5 MB",
    ]


def test_postgres(kb, home, monkeypatch, postgres_url):
    """All of it with the other database."""
    monkeypatch.setenv("AI_CHAT_DATABASE", postgres_url)
    handbook(home)
    assert kb("add", "docs").code == 0
    assert kb("add", "docs").err == "2 unchanged.\n"
    assert kb("search", "年假有几天", "--top-k", "1").out.startswith("1. sub/年假.txt")
    assert kb("show", "handbook.md", "--chunks").code == 0
    assert kb("remove", "handbook.md", "--yes").code == 0
    assert kb("list").out.count("年假.txt") == 1
