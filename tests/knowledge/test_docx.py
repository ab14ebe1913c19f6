"""Documents of Word become text: all that is written in them, in its order, and no trap is stepped into."""

from __future__ import annotations

import time

import pytest
from tests.knowledge.documents import MANUAL_EN, MANUAL_ZH, archive, lying_archive, word, word_xml

from ai_chat.core.knowledge import Extract
from ai_chat.knowledge.docx_text import read_docx
from ai_chat.knowledge.refusals import Unreadable


def read(data: bytes) -> Extract:
    return read_docx(data, most_characters=100_000)


def sections(extract: Extract) -> list[tuple[str, str]]:
    """The headings of each section, and its text."""
    return [(" > ".join(each.heading), extract.text[each.start : each.end]) for each in extract.sections]


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        read(data)
    return refused.value.refusal


def test_a_document_of_word():
    """Headings, lists and tables come in their order, with the title of its title style."""

    def write(it):
        it.add_heading("Manual 手册", 0)
        it.add_heading("Reset", 1)
        it.add_paragraph(MANUAL_EN)
        it.add_paragraph("first", style="List Bullet")
        it.add_paragraph("second", style="List Bullet")
        it.add_heading("Parts", 2)
        table = it.add_table(2, 2)
        for cell, text in zip(table._cells, ["Part", "Price", "Pump", "12"], strict=True):
            cell.text = text
        it.add_paragraph(MANUAL_ZH)

    extract = read(word(write))
    assert extract.title == "Manual 手册"
    assert sections(extract) == [
        ("", "Manual 手册"),
        ("Reset", f"Reset\n\n{MANUAL_EN}\n\n- first\n- second"),
        ("Reset > Parts", f"Parts\n\nPart | Price\nPump | 12\n\n{MANUAL_ZH}"),
    ]


def test_styles_have_names_in_the_language_of_word():
    """A heading is one by its style's name in Chinese, by the style it is based on, or by its outline level."""

    def write(it):
        chinese = it.styles.add_style("标题 2", 1)
        based = it.styles.add_style("my own", 1)
        based.base_style = chinese
        it.add_heading("甲", 1)
        it.add_paragraph("乙", style="标题 2")
        it.add_paragraph("正文")
        it.add_paragraph("丙", style="my own")
        it.core_properties.title = "属性里的标题"

    extract = read(word(write))
    assert extract.title == "属性里的标题"
    assert sections(extract) == [("甲", "甲"), ("甲 > 乙", "乙\n\n正文"), ("甲 > 丙", "丙")]
    outline = (
        '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Top</w:t></w:r></w:p><w:p><w:r><w:t>x</w:t></w:r></w:p>'
    )
    assert sections(read(archive({"word/document.xml": word_xml(outline)}))) == [("Top", "Top\n\nx")]


def test_all_text_of_a_document_and_nothing_else():
    """Insertions, controls, links, boxes and breaks are read; deletions and codes are not, and nothing twice."""
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r>"
        "<w:ins><w:r><w:t> inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:hyperlink><w:r><w:t> linked</w:t></w:r></w:hyperlink><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        f"<w:p><w:r><w:t>anchor</w:t><w:AlternateContent><w:Choice>{box}</w:Choice><w:Fallback>{box}</w:Fallback>"
        "</w:AlternateContent></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>framed</w:t></w:r></w:p><w:p><w:r><w:t>text</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    text = read(archive({"word/document.xml": word_xml(body)})).text
    assert text == "one\ttwo\nthree inserted linked\n\ncontrolled\n\nanchor\n\nboxed\n\nframed\n\ntext"


def test_a_document_cut_short_is_damaged():
    """Of half an archive nothing is read."""
    data = word(lambda it: it.add_paragraph(MANUAL_EN))
    for part in (0.2, 0.6, 0.99):
        assert refusal(data[: int(len(data) * part)]) == "damaged"
    assert refusal(archive({"word/document.xml": b"<w:document"})) == "damaged"
    assert refusal(archive({"word/other.xml": b"<a/>"})) == "damaged"


def test_a_document_cannot_be_a_bomb():
    """What unpacks to gigabytes, says so or not, and entities that grow, are refused in no time."""
    zeros = b" " * (80 * 2**20)
    before = time.process_time()
    assert refusal(archive({"word/document.xml": word_xml("") + zeros})) == "too_large"
    assert refusal(archive({f"word/{at}": b"" for at in range(10_001)})) == "too_large"
    assert refusal(lying_archive(word_xml("<w:p/>") + zeros, 1000)) == "damaged"
    entities = "".join(f"<!ENTITY e{at} '{f'&e{at - 1};' * 10 if at else 'lol'}'>" for at in range(12))
    body = "<w:p><w:r><w:t>a&e11;b</w:t></w:r></w:p>"
    bomb = archive({"word/document.xml": word_xml(body, before=f"<!DOCTYPE w:document [{entities}]>")})
    assert refusal(bomb) == "damaged"
    assert time.process_time() - before < 10
