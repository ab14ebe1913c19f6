"""Bytes become text: every encoding that people's files have, and what is no text."""

from __future__ import annotations

import random

import pytest

from ai_chat.knowledge.decoding import SAMPLE_BYTES, declared_in, decode
from ai_chat.knowledge.refusals import Unreadable

SIMPLIFIED = "知识库的检索首先需要把文档切成小块，然后为每一块计算向量。系统会寻找最相近的段落。"
TRADITIONAL = "臺灣的夏天很熱，我們常常去海邊游泳。這個週末你要不要一起來？圖書館裡面有許多書籍。"
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。東京タワーへ行きました。"
KOREAN = "안녕하세요. 오늘은 날씨가 매우 좋습니다. 우리는 함께 공원에 가서 산책을 하기로 했습니다."
GERMAN = "Über die Brücke läuft ein Mädchen. Es wäre schön, wenn wir größere Bäume hätten."
FRENCH = "Déjà vu: l’été à la plage, où les élèves français étaient fatigués."
POLISH = "Zażółć gęślą jaźń. Dzisiaj jest ładna pogoda i idziemy na spacer z przyjaciółmi."
TURKISH = "Bugün hava çok güzel ve arkadaşlarımızla parkta yürüyüşe çıkıyoruz. Işık söndü."
RUSSIAN = "Привет, мир! Сегодня хорошая погода, и мы идём гулять в парк вместе с друзьями."
GREEK = "Σήμερα ο καιρός είναι ωραίος και πηγαίνουμε βόλτα στο πάρκο με φίλους. " * 5
ENGLISH = "It’s a nice day, isn’t it? We’ll go — they’re waiting."

TEXTS = [
    *[(SIMPLIFIED, each) for each in ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be")],
    *[(TRADITIONAL, each) for each in ("utf-8", "big5", "gbk", "utf-16-le")],
    *[(JAPANESE, each) for each in ("utf-8", "shift_jis", "euc_jp", "utf-16-be")],
    *[(KOREAN, each) for each in ("utf-8", "euc_kr", "utf-16-le")],
    *[(GERMAN, each) for each in ("utf-8", "cp1252", "iso8859_15", "utf-16", "utf-16-le", "utf-32")],
    *[(FRENCH, each) for each in ("utf-8", "cp1252", "mac_roman")],
    *[(POLISH, each) for each in ("cp1250", "iso8859_2")],
    *[(RUSSIAN, each) for each in ("cp1251", "koi8_r", "cp866", "utf-16-le")],
    (TURKISH, "cp1254"),
    (GREEK, "cp1253"),
    (ENGLISH, "cp1252"),
]
SHORT = [
    *[("你好，世界", each) for each in ("gbk", "gb18030", "utf-8", "utf-16", "utf-16-le", "utf-16-be")],
    *[("你好", each) for each in ("gbk", "utf-8", "utf-16")],
    *[("中文", each) for each in ("gbk", "big5")],
    ("café", "cp1252"),
    ("café", "utf-8"),
    ("Änderung", "cp1252"),
    ("name,城市\n张三,北京\n", "gbk"),
    ("print('ok')  # 打印\n", "gbk"),
]


@pytest.mark.parametrize(("text", "encoding"), TEXTS, ids=[f"{text[:5]} {name}" for text, name in TEXTS])
def test_an_encoding_is_found_out(text, encoding):
    """A few sentences are enough to tell how a text is encoded."""
    assert decode(text.encode(encoding))[0] == text


@pytest.mark.parametrize(("text", "encoding"), SHORT, ids=[f"{text[:5]} {name}" for text, name in SHORT])
def test_a_few_words_are_enough(text, encoding):
    """Even a short text comes out right: a note is a file too."""
    assert decode(text.encode(encoding))[0] == text


def test_the_encoding_is_called_as_python_calls_it():
    """The second value can be given to `open`."""
    named = [decode(text.encode(name))[1] for text, name in ((SIMPLIFIED, "gbk"), (SIMPLIFIED, "utf-16-le"))]
    assert named == ["gb18030", "utf-16-le"]
    assert decode(b"\xef\xbb\xbfa") == ("a", "utf-8-sig")
    assert decode(b"plain") == ("plain", "utf-8")


def test_what_comes_late_in_a_file_counts():
    """The first Chinese character may stand behind a long English text."""
    text = "a line of English\n" * (SAMPLE_BYTES // 10) + SIMPLIFIED
    assert decode(text.encode("gbk")) == (text, "gb18030")


def test_a_text_without_its_end_is_whole_enough():
    """A file that is still being written may end within a character."""
    assert decode(SIMPLIFIED.encode()[:-1]) == (SIMPLIFIED[:-1], "utf-8")
    assert decode(SIMPLIFIED.encode("gbk")[:-1])[0] == SIMPLIFIED[:-1]


def test_a_few_wrong_bytes_are_marked():
    """UTF-8 with under one per cent of wrong bytes stays UTF-8, and says that it is damaged."""
    data = bytearray((SIMPLIFIED * 50).encode())
    data[300] = 0xFF
    text, encoding = decode(bytes(data))
    assert encoding == "utf-8 (damaged)"
    assert text.endswith(SIMPLIFIED)
    assert 0 < text.count("\ufffd") <= 3


def test_one_accent_is_no_damaged_utf8():
    """A long English text with one accented letter of an old encoding is not taken for UTF-8 with a fault."""
    text = "more of the same words " * 50 + "café au lait"
    assert decode(text.encode("cp1252")) == (text, "cp1252")


def test_a_declared_encoding_is_believed_where_it_fits():
    """What a page says of itself decides what could be two things, but not against the bytes."""
    data = "東京".encode("shift_jis")
    assert decode(data, declared="shift_jis")[0] == "東京"
    assert decode(SIMPLIFIED.encode("gbk"), declared="iso-8859-1")[0] == SIMPLIFIED
    assert decode(SIMPLIFIED.encode(), declared="gb2312")[0] == SIMPLIFIED
    assert decode(SIMPLIFIED.encode("gbk"), declared="no-such-thing")[0] == SIMPLIFIED


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b'<meta charset="GBK">', "gbk"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=big5'>", "big5"),
        (b'<?xml version="1.0" encoding="Shift_JIS"?>', "shift_jis"),
        (b"<p>nothing", None),
    ],
)
def test_a_page_says_how_it_is_encoded(head, said):
    """The name stands in a meta element or in the declaration of XML."""
    assert declared_in(head) == said


CHANCE = random.Random(1)  # noqa: S311
BINARY = {
    "random": CHANCE.randbytes(4000),
    "few random": CHANCE.randbytes(120),
    "zeros and ones": bytes([0, 1]) * 500,
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + CHANCE.randbytes(600),
    "program": b"\x7fELF\x02\x01\x01" + bytes(9) + bytes(range(256)) * 4,
}


@pytest.mark.parametrize("data", BINARY.values(), ids=BINARY)
def test_what_is_no_text_is_refused(data):
    """Bytes that no encoding makes sense of are no text, and never garbage in the index."""
    with pytest.raises(Unreadable) as refused:
        decode(data)
    assert refused.value.refusal == "binary"


def test_random_bytes_never_become_text():
    """Of hundreds of random blocks none is taken."""
    for _ in range(300):
        with pytest.raises(Unreadable):
            decode(CHANCE.randbytes(CHANCE.randrange(200, 2000)))


def test_a_hole_in_a_log_is_no_reason_to_refuse_it():
    """A crash can leave some zero bytes in a text file."""
    text = "a line of a log\n" * 500
    assert decode(text.encode() + bytes(20) + b"the end") == (text + "\0" * 20 + "the end", "utf-8")
