"""A model's Markdown, as the renderer has to be told it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.ui.parts.markdown import for_renderer, unfinished


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"so \(x\) is", "so $x$ is"),
        (r"so \( x + y \) is", "so $x + y$ is"),
        ("\\[\nx = 1\n\\]", "$$\nx = 1\n$$"),
        (r"\[ x = 1 \]", "$$\nx = 1\n$$"),
        ("a\n  \\[ x \\]\nb", "a\n  $$\n  x\n  $$\nb"),
        (r"see \[x\] there", "see $$x$$ there"),
        ("$$ E = mc^2 $$", "$$\nE = mc^2\n$$"),
        ("$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n$$", None),
        ("the set $x_1$ and $\\alpha$", None),
        ("$f(x) = x^2$, where $x > 0$", None),
        ("设$n$个点，$m$条边", None),
    ],
    ids=["inline", "spaces", "display", "one line", "indented", "in a line", "dollars", "aligned", "one", "two", "zh"],
)
def test_maths_gets_dollars(text, shown):
    """Formulas are written the one way that the renderer knows; those that are already stay."""
    assert for_renderer(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    "text",
    [
        "from $120 to $85",
        "$5",
        "$5-$10 each",
        "US$5 or US$10, then A$3",
        "between $1,000 and $2,000 (about 30% off)",
        "从$120降到$85，省了$35",
        "a budget of $100 or 30$",
        "$AAPL and $MSFT",
        "it is $20, not $30.",
    ],
)
def test_money_is_no_formula(text):
    """Every dollar that is money is escaped, and nothing else changes."""
    assert for_renderer(text) == text.replace("$", "\\$")


@pytest.mark.parametrize(
    "text",
    [
        "`\\(x\\)` and `$5 to $6` and ``a ` :red[b]``",
        "```\n$5 to $6 \\[x\\] :red[x] ![a](http://b)\n```\n",
        "~~~python\nprint(f'${x}')  # :smile:\n~~~",
        "- item\n  ```sh\n  echo $HOME:$PATH\n  ```\n",
        "```\nnever closed $5 and $6",
        "see https://a.example/x:y?z=~b and <https://c.example/d:e>",
        "1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "~~gone~~ and **bold**",
    ],
    ids=["spans", "fence", "tildes", "in a list", "open", "addresses", "plain", "strikethrough"],
)
def test_code_and_plain_text_are_left_alone(text):
    """What is code, an address or ordinary Markdown comes out as it went in."""
    assert for_renderer(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (":red[not red]", r"\:red[not red]"),
        ("python:list[int]", r"python\:list[int]"),
        ("color:red;", r"color\:red;"),
        (":smile: at 12:30:45", r"\:smile: at 12\:30\:45"),
        ("::note\n:::tip", "\\:\\:note\n\\:\\:\\:tip"),
        (":material/home:", "\\:\u2060material/home:"),
        ("5~10 and 20~30", r"5\~10 and 20\~30"),
        ("时间：上午 9:30", r"时间：上午 9\:30"),
        ("so: this", "so: this"),
    ],
)
def test_the_renderers_own_commands_are_text(text, shown):
    """Colons and tildes in front of which the renderer would do something are only themselves."""
    assert for_renderer(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a cat](https://b.example/c.png)", "[Image: a cat](https://b.example/c.png)"),
        ("![](http://b.example/c.png?q=secret)", "[Image](http://b.example/c.png?q=secret)"),
        ("![a][ref]\n\n[ref]: https://b.example/c.png", "[Image: a][ref]\n\n[ref]: https://b.example/c.png"),
        ("[![x](https://a.example)](https://b.example)", "[[Image: x](https://a.example)](https://b.example)"),
    ],
)
def test_a_picture_is_a_link(text, shown):
    """No picture is loaded from elsewhere: its server would learn who reads what."""
    assert for_renderer(text) == shown


def test_a_picture_is_named_in_the_readers_language():
    """The word for it is handed in."""
    assert for_renderer("![猫](https://a.example)", image="图片") == "[图片: 猫](https://a.example)"


def test_a_diagram_that_could_load_something_is_text():
    """A diagram is drawn unless it holds an address."""
    fine = "```mermaid\ngraph TD; A-->B\n```"
    assert for_renderer(fine) == fine
    loading = "```mermaid\nflowchart TD\n A@{ img: 'https://a.example/x.png' }\n```"
    assert for_renderer(loading) == loading.replace("mermaid", "text")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("some **bold te", "some **bold te**"),
        ("call `pri", "call `pri`"),
        ("done **bold** and `code`", "done **bold** and `code`"),
        ("so \\[ x = ", "so "),
        ("so \\(x", "so "),
        ("so $$x = ", "so "),
        ("```python\nx = [", "```python\nx = ["),
        ("**", "**"),
    ],
)
def test_what_is_still_being_written_is_closed(text, shown):
    """Emphasis and code that have only begun show as such; a formula shows when it is whole."""
    assert unfinished(text) == shown


LINKS = {1: "#one", 12: "#twelve"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a fact [1].", r"a fact [\[1\]](#one)."),
        ("two [1][12]，三[12]。", r"two [\[1\]](#one)[\[12\]](#twelve)，三[\[12\]](#twelve)。"),
        ("[1]: handbook.pdf", r"[\[1\]](#one): handbook.pdf"),
        ("| a [1] | b |", r"| a [\[1\]](#one) | b |"),
        ("it costs $5 [1] to $6", r"it costs \$5 [\[1\]](#one) to \$6"),
        ("made up [2], `a[1]`, $x[1]$", None),
        ("```\n[1]\n```\n", None),
        ("!![1](b)", r"\![Image: 1](b)"),
        ("[1](https://a.example) and ![1](b)", "[1](https://a.example) and [Image: 1](b)"),
    ],
    ids=["one", "in a row", "a list of them", "table", "money", "not there", "code", "loud", "links"],
)
def test_citations_become_links(text, shown):
    """Outside of code, and where there is such a source."""
    assert for_renderer(text, links=LINKS) == (text if shown is None else shown)
    assert unfinished(text, links=LINKS).startswith((text if shown is None else shown).rstrip("\n"))


words = st.text(alphabet="ab c\n`$~:[]()!\\*|x1中", max_size=120)


@given(words)
def test_no_letter_is_lost(text):
    """Whatever a model writes, its letters and digits are all there, in order."""
    kept = re.sub(r"[^\w]", "", for_renderer(text, image=""))
    assert kept == re.sub(r"[^\w]", "", text)


@given(words)
def test_no_picture_is_left(text):
    """Outside code nothing that would load a picture remains."""
    shown = for_renderer(f"before\n\n{text}")
    without_code = re.sub(r"(?s)(`+).*?\1", "", shown)
    assert "![" not in re.sub(r"\\[^\s\w]", "x", without_code) or "`" in text
