"""PDF files become text: paragraphs, headings and pages again, of which the file says nothing."""

from __future__ import annotations

import pytest
from tests.knowledge.documents import MANUAL_EN, MANUAL_ZH, Text, lines, pdf, printed

from ai_chat.core.knowledge import Extract
from ai_chat.knowledge.pdf_text import read_pdf
from ai_chat.knowledge.refusals import Unreadable

WIDE = "This line of a paragraph reaches as far to the right as a line can go"


def read(data: bytes, most: int = 100_000) -> Extract:
    return read_pdf(data, most_characters=most)


def sections(extract: Extract) -> list[tuple[int | None, str, str]]:
    """The page and the headings of each section, and its text."""
    return [(each.page, " > ".join(each.heading), extract.text[each.start : each.end]) for each in extract.sections]


def refusal(data: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        read(data)
    return refused.value


# --- what is on a page ---------------------------------------------------------------------------------------------


def test_each_page_is_a_section():
    """Text in English and Chinese comes out with the page it stands on, and the title of the file."""
    extract = read(pdf(lines(MANUAL_EN), lines(MANUAL_ZH), title="说明 Manual"))
    assert sections(extract) == [(1, "", MANUAL_EN), (2, "", MANUAL_ZH)]
    assert (extract.title, extract.pages, extract.kind, extract.encoding) == ("说明 Manual", 2, "pdf", None)


def test_wrapped_lines_are_a_paragraph():
    """Lines that end because there was no more room are joined: with a space, or in Chinese without one."""
    chinese = "知识库的检索首先需要把文档切成小块然后为每一块计算向量系统会按顺序找"
    page = lines(WIDE, WIDE, "and ends.") + lines(chinese, f"又{chinese[1:]}", "完。", top=600)
    assert read(pdf(page)).text == f"{WIDE} {WIDE} and ends.\n\n{chinese}又{chinese[1:]}完。"


def test_a_hyphen_at_the_end_of_a_line_goes():
    """A word that was parted is one again; a name with a hyphen of its own is left alone."""
    page = lines(f"{WIDE} and hyphen-", f"ation {WIDE} to Jean-", "Paul.")
    assert read(pdf(page)).text == f"{WIDE} and hyphenation {WIDE} to Jean-Paul."


def test_lines_that_end_early_stay_lines():
    """Addresses and rows of a table are not run together: the next word would have had room."""
    page = lines(WIDE, WIDE) + lines("Name Price", "Pump 12", "Valve 3", top=600)
    assert read(pdf(page)).text.endswith("\n\nName Price\nPump 12\nValve 3")


def test_items_stay_items():
    """A line that begins with a bullet or a number begins a line."""
    page = lines("1. " + WIDE, "and more of it.", "2. Two", "• Three", "一、四")
    assert read(pdf(page)).text == f"1. {WIDE} and more of it.\n2. Two\n• Three\n一、四"


def test_an_indent_begins_a_paragraph():
    """Books part paragraphs by an indent and not by a gap."""
    page = [*lines(WIDE, WIDE), *lines(WIDE, top=692, x=96), *lines("end.", top=678)]
    assert read(pdf(page)).text == f"{WIDE} {WIDE}\n\n{WIDE} end."


def test_running_heads_and_page_numbers_go():
    """What stands at the edge of most pages is no part of the text; a heading in large type is."""
    words = ["", "ant", "bee", "cow", "dog", "eel"]

    def page(number: int) -> list[Text]:
        body = lines(f"Chapter {number}", size=20, top=700) + lines(WIDE, f"Body of {words[number]}.", top=660)
        return [*lines("ACME Manual 2024", top=760), *body, Text(f"- {number} / 5 -", 30, x=280)]

    extract = read(pdf(*[page(number) for number in range(1, 6)]))
    assert sections(extract)[1] == (2, "Chapter 2", f"Chapter 2\n\n{WIDE} Body of bee.")
    assert "ACME" not in extract.text
    assert "/" not in extract.text


def test_pages_that_are_all_alike_are_read():
    """Forms of the same words are more than their running heads."""
    assert read(pdf(*[lines(MANUAL_EN)] * 4)).text.count(MANUAL_EN) == 4


def test_a_table_that_goes_over_pages_keeps_its_first_rows():
    """Rows of numbers look alike on every page, and are no page numbers."""
    extract = read(pdf(*[lines(*[f"{page} {row} 12.5" for row in range(9)]) for page in range(5)]))
    assert extract.text.count("12.5") == 45


def test_large_type_is_a_heading():
    """The size tells the level."""
    page = [*lines("Part", size=24), *lines("Section 节", size=16, top=680), *lines(WIDE, "Body.", top=650)]
    page += [*lines("Other", size=16, top=600), *lines(WIDE, WIDE, WIDE, top=570)]
    assert [heading for _, heading, _ in sections(read(pdf(page)))] == ["Part", "Part > Section 节", "Part > Other"]


def test_an_outline_tells_the_headings():
    """Its headings are found on their pages with or without their numbers; large type then means nothing."""
    pages = [lines("1.1 Set-up 安装", WIDE, "One."), [*lines("Large", size=30), *lines(WIDE, "Two.", top=600)]]
    extract = read(pdf(*pages, outline=[("Set-up 安装", 0), ("Not to be found", 1)]))
    assert sections(extract) == [
        (1, "1.1 Set-up 安装", f"1.1 Set-up 安装\n\n{WIDE} One."),
        (2, "Not to be found", f"Large\n\n{WIDE} Two."),
    ]


# --- what cannot be read -------------------------------------------------------------------------------------------


def test_a_locked_file_says_so():
    """Without its password there is nothing to read; an empty one opens by itself."""
    assert refusal(pdf(lines(MANUAL_EN), password="secret")).refusal == "encrypted"
    assert read(pdf(lines(MANUAL_EN), password="")).text == MANUAL_EN


def test_pictures_of_pages_have_no_text():
    """A scan says that it needs OCR."""
    why = refusal(pdf([], []))
    assert why.refusal == "empty"
    assert (why.problem, why.mend) == (
        "holds no text that can be read, for it is made of pictures of its pages",
        "run OCR over it and add it again",
    )


def test_fonts_that_do_not_tell_their_letters():
    """Text that is only for the eye is no text."""
    why = refusal(pdf(lines("".join(chr(0xE000 + at) for at in range(40)))))
    assert (why.refusal, "which letters its fonts have" in why.problem) == ("empty", True)


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9, 0.995])
def test_half_a_file_is_damaged(part):
    """A file that was cut anywhere is not read in part, for nobody would know that the rest is missing."""
    data = pdf(*[lines(MANUAL_EN) for _ in range(20)])
    assert refusal(data[: int(len(data) * part)]).refusal == "damaged"
    assert refusal(b"%PDF-1.7\n" + bytes(range(256)) * 20).refusal == "damaged"


def test_more_text_than_is_taken():
    """The limit is looked at page by page."""
    with pytest.raises(Unreadable) as refused:
        read(pdf(*[lines(WIDE) for _ in range(50)]), most=1000)
    assert refused.value.refusal == "too_long"


# --- a real one ----------------------------------------------------------------------------------------------------


def test_what_a_browser_prints(tmp_path):
    """Of a page with real fonts, both languages come out as paragraphs below their headings."""
    english, chinese = f"{MANUAL_EN} " * 8, MANUAL_ZH * 8
    page = "<html lang=en><meta charset=utf-8><title>Kaffee</title><style>p{text-align:justify}</style>"
    page += f"<h1>安装 Set-up</h1><p>{english}</p>"
    page += f"<h2 style='break-before:page'>重置</h2><p>{chinese}</p><ul><li>first<li>second</ul>"
    extract = read(printed(page, tmp_path))
    assert extract.title == "Kaffee"
    assert sections(extract) == [
        (1, "安装 Set-up", f"安装 Set-up\n\n{english.strip()}"),
        (2, "安装 Set-up > 重置", f"重置\n\n{chinese}\n\nfirst\nsecond"),
    ]
