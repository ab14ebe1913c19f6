"""Files of every kind but PDF become text with sections: what a person reads in them, and nothing else."""

from __future__ import annotations

import time

import pytest
from tests.knowledge.documents import MANUAL_EN, MANUAL_ZH, OLE, archive, word

from ai_chat.core.knowledge import Extract
from ai_chat.knowledge.kinds import LOCKED, kind_by_name
from ai_chat.knowledge.parsing import parse
from ai_chat.knowledge.refusals import Unreadable

MOST = 100_000
SOURCES = [
    "py",
    "js",
    "ts",
    "java",
    "c",
    "cpp",
    "h",
    "go",
    "rs",
    "rb",
    "sh",
    "sql",
    "json",
    "yaml",
    "toml",
    "ini",
    "xml",
]


def read(content: str | bytes, name: str, most: int = MOST) -> Extract:
    data = content.encode() if isinstance(content, str) else content
    return parse(data, name=name, most_characters=most)


def sections(extract: Extract) -> list[tuple[str, str]]:
    """The headings of each section, and its text."""
    return [(" > ".join(each.heading), extract.text[each.start : each.end]) for each in extract.sections]


def refusal(content: str | bytes, name: str, most: int = MOST) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        read(content, name, most)
    return refused.value


# --- which kind ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.TXT", "txt"),
        ("notes/说明.md", "md"),
        ("a.html", "html"),
        ("a.pdf", "pdf"),
        ("a.docx", "docx"),
        ("a.tsv", "csv"),
        ("a.b.py", "code"),
        ("Dockerfile", "code"),
        ("README", "txt"),
        ("a.xlsx", None),
        ("a.unknown", None),
        ("unknown", None),
        (".env", None),
    ],
)
def test_the_name_tells_the_kind(name, kind):
    """The last suffix decides, in whatever case; some files need none."""
    assert kind_by_name(name) == kind


@pytest.mark.parametrize("suffix", SOURCES)
def test_source_is_code(suffix):
    """Source and settings of many languages are read."""
    assert read("a = 1 # 说明", f"x.{suffix}").kind == "code"


def test_content_says_more_than_a_name():
    """A page that is called a text is a page; a text without a known name is a text."""
    assert read("<!DOCTYPE html><html><body><p>words</p>", "saved.txt").kind == "html"
    assert read("<!DOCTYPE html><html><p>words</p>", "template.vue").kind == "code"
    assert (read("words", "x.unheard").kind, read("words", "x").kind) == ("txt", "txt")
    assert read(word(lambda it: it.add_paragraph("words")), "x.doc").kind == "docx"
    assert read("about %PDF- and PK", "x.md").kind == "md"


@pytest.mark.parametrize(
    ("content", "name", "code", "mend"),
    [
        (OLE + bytes(600), "old.doc", "unsupported", "save it as docx, PDF or CSV"),
        (OLE + bytes(100) + LOCKED, "a.docx", "encrypted", "remove the password"),
        (b"x", "a.xlsx", "unsupported", "save its sheets as CSV"),
        (archive({"xl/workbook.xml": b"x"}), "a.zip", "unsupported", "save its sheets as CSV"),
        (archive({"ppt/presentation.xml": b"x"}), "a", "unsupported", "save it as PDF"),
        (archive({"a.txt": b"x"}), "a.zip", "unsupported", "unpack it"),
        (b"{\\rtf1 x}", "a.doc", "unsupported", "save it as docx or PDF"),
        (b"\x89PNG\r\n\x1a\n", "a.png", "unsupported", "OCR"),
        (bytes(range(256)) * 9, "a.bin", "binary", "save it as PDF, docx or text"),
        (b"words", "a.pdf", "damaged", "save it anew"),
        (b"words", "a.docx", "damaged", "save it anew"),
        (b" \n\t\r\n", "a.txt", "empty", "add a file that has some"),
        (b"\xef\xbb\xbf\n", "a.md", "empty", "add a file that has some"),
        (b"<html><script>x</script>", "a.html", "empty", "add a file that has some"),
    ],
)
def test_what_is_not_read_says_what_to_do(content, name, code, mend):
    """Each refusal has its code, and a way out that fits the kind of file."""
    why = refusal(content, name)
    assert why.refusal == code
    assert mend in why.mend


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv", "a.py", "a.docx"])
def test_more_text_than_is_taken_is_refused(name):
    """The limit holds for every kind, and is in characters."""
    data = word(lambda it: it.add_paragraph("字" * 120)) if name == "a.docx" else "字" * 120
    assert refusal(data, name, 100).refusal == "too_long"
    assert refusal(data, name, 100).problem == "holds more than the 100 characters that are taken"
    assert "字" * 120 in read(data, name, 120).text


# --- text and code -------------------------------------------------------------------------------------------------


def test_nothing_comes_out_that_cannot_be_stored():
    """Controls, colours of a terminal and invisible characters go; every line end is a newline."""
    text = read("a\0b\x1b[31mred\x1b[0m\r\nsoft\xadhyphen\rno\xa0break\x0cpage\ufeff\u200b\ufffe!", "a.log").text
    assert text == "abred\nsofthyphen\nno break\npage!"
    assert read(b"\xff\xfea\x00\x00\xd8b\x00" + "c".encode("utf-16-le") * 200, "a.txt").text.startswith("a")


def test_chapters_of_a_book_are_sections():
    """Lines that begin a chapter in Chinese or English books make sections."""
    text = (
        "前言\n\n第一章 起源\n很久以前。\n第十二回　归来\n后来。\nChapter 3: The End\nAll is well. Chapter 4 is not.\n"
    )
    assert sections(read(text, "book.txt")) == [
        ("", "前言"),
        ("第一章 起源", "第一章 起源\n很久以前。"),
        ("第十二回 归来", "第十二回　归来\n后来。"),
        ("Chapter 3: The End", "Chapter 3: The End\nAll is well. Chapter 4 is not."),
    ]


def test_definitions_of_python_are_sections():
    """A chunk of code tells the class and the function it is from, decorators included."""
    method = "    @property\n    def f(self):\n        def g(): ..."
    code = f"import os\n\n@final\nclass A:\n    x = 1\n\n{method}\n\nasync def h(): ...\n"
    assert sections(read(code, "a.py")) == [
        ("", "import os"),
        ("A", "@final\nclass A:\n    x = 1"),
        ("A > f", method),
        ("h", "async def h(): ..."),
    ]
    assert sections(read("class A {}\n\nclass B {}", "a.java")) == [("", "class A {}\n\nclass B {}")]


# --- Markdown ------------------------------------------------------------------------------------------------------


def test_headings_of_markdown_are_a_path():
    """Both kinds of headings count; what stands in a fence, a list or a table does not."""
    text = """intro

# A `code` **bold** [link](http://x) {#id} ##
one
## B
```sh
# no heading
~~~
```
### C
Set
---
- item
---
| a |
|---|
a paragraph
of two lines
---
#no heading
"""
    extract = read(text, "a.md")
    assert [heading for heading, _ in sections(extract)] == [
        "",
        "A code bold link",
        "A code bold link > B",
        "A code bold link > B > C",
        "A code bold link > Set",
    ]
    assert extract.text == text
    assert extract.title == "A code bold link"


def test_front_matter_tells_the_title():
    """Its title counts more than the first heading, and its lines are no headings."""
    extract = read("---\ntitle: '使用 手册'\ntags: [a]\n# comment\n---\n# H\nx", "a.md")
    assert extract.title == "使用 手册"
    assert [heading for heading, _ in sections(extract)] == ["", "H"]
    assert read("---\n\n# Rule above\n---\n", "a.md").title == "Rule above"


@pytest.mark.parametrize(
    "text",
    [
        "#" * 200_000,
        "```" * 100_000,
        "[" * 100_000 + "](" * 100_000,
        "# " + "*a " * 100_000,
        "---\n" * 50_000,
        "a\n-\n" * 60_000,
    ],
)
def test_odd_markdown_takes_no_time(text):
    """No heap of marks makes the time explode."""
    before = time.process_time()
    read(text, "a.md", 10**6)
    assert time.process_time() - before < 5


# --- HTML ----------------------------------------------------------------------------------------------------------

PAGE = f"""<!DOCTYPE html><html><head><title> The
 Manual </title><style>p {{}}</style><script>var x = "<p>no</p>";</script></head><body>
<nav><a href=/>Home</a></nav><h1>Coffee &amp; more</h1>
<p>{MANUAL_EN} <b>Bo</b>ld,<br>and a new line.</p>
<div hidden>secret</div><div style="color:red; DISPLAY : none">secret</div><span aria-hidden="true">secret</span>
<h2>咖啡机</h2><p>{MANUAL_ZH}</p><!-- secret -->
<ul><li>one</li><li><p>two</p><ul><li>three</li></ul></li></ul>
<table><tr><th>Part</th><th>Price</th></tr><tr><td>Pump</td><td><p>12</p><p>EUR</p></td></tr></table>
<pre>def f():
    return 1</pre>
after</body></html>"""


def test_a_page_is_what_a_person_sees():
    """Headings make sections, rows are lines, listings keep their form; what is not shown is not there."""
    extract = read(PAGE, "a.html")
    lists = "- one\n- two\n- three\n\nPart | Price\nPump | 12 EUR"
    assert extract.title == "The Manual"
    assert sections(extract) == [
        ("Coffee & more", f"Coffee & more\n\n{MANUAL_EN} Bold,\nand a new line."),
        (
            "Coffee & more > 咖啡机",
            f"咖啡机\n\n{MANUAL_ZH}\n\n{lists}\n\ndef f():\n    return 1\n\nafter",
        ),
    ]


def test_a_table_that_only_frames_a_page_is_no_table():
    """Old pages are one large table; its cells are read as the blocks that they hold."""
    page = "<table><tr><td><h1>T</h1><p>a</p></td><td><table><tr><td>x<td>y</tr></table></td></tr></table>"
    assert sections(read(page, "a.html")) == [("T", "T\n\na\n\nx | y")]


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "big5", "utf-16"])
def test_a_page_in_any_encoding(encoding):
    """The encoding that a page declares is used, where it declares one."""
    extract = read(f"<html><meta charset={encoding}><p>中文網頁</p>".encode(encoding), "a.html")
    assert extract.text == "中文網頁"


def test_a_page_cannot_be_a_bomb():
    """Entities that grow, and elements nested without end, neither hang nor fill the memory."""
    entities = "".join(f"<!ENTITY e{at} '{f'&e{at - 1};' * 10 if at else 'lol'}'>" for at in range(12))
    assert len(read(f"<!DOCTYPE html [{entities}]><html><p>&e11; end", "a.html").text) < 3000
    assert "deep" in read("<html>" + "<div>" * 800 + "deep", "a.html").text
    before = time.process_time()
    read("<html><p>top" + "<div>" * 200_000 + "x", "a.html")
    read("<html>" + "<table><tr><td>a<td>" * 20_000 + "x", "a.html", 10**6)
    assert time.process_time() - before < 20


# --- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_row_says_what_its_values_are(delimiter):
    """Each row is a line that is understood alone, whatever parts its values."""
    table = [["姓名", "City", "note"], ["张三", "北京", '"two\nlines"'], ["李四", "", "x"]]
    text = "\n".join(delimiter.join(row) for row in table)
    assert read(text, "a.csv").text == "姓名: 张三; City: 北京; note: two lines\n姓名: 李四; note: x"


def test_a_table_of_numbers_has_no_header():
    """A first row of numbers is a row."""
    assert read("1,2.5\n3,4\n", "a.csv").text == "1; 2.5\n3; 4"


@pytest.mark.parametrize(
    "text", ["just a text\nwithout any table", "a,b\n1\n2\n3\n", "one line, only", 'a,b\n"never closed']
)
def test_what_is_no_table_stays_text(text):
    """A file that only has the name of a table is kept as it is."""
    extract = read(text, "a.csv")
    assert (extract.text, extract.kind) == (text, "csv")


def test_a_table_that_would_become_too_long_stays_text():
    """Long names of columns are not repeated beyond the limit."""
    text = f"{'n' * 900},b\n" + "1,2\n" * 200
    assert read(text, "a.csv").text == text
