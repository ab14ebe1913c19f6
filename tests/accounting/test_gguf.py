"""The tokenizer in a GGUF file's header: read right, refused where it is not understood."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.accounting.gguf_file import MERGES, TEMPLATE, file, numbers, text, texts, tiny, typed, written

from ai_chat.accounting import gguf


def test_the_header_is_read(tmp_path):
    """Texts, numbers, truths and arrays come out; what lies behind the header is not looked at."""
    header = gguf.read_header(file(tmp_path))
    assert header["general.name"] == b"tiny"
    assert header["general.size"] == 7
    assert header["tokenizer.ggml.add_bos_token"] is False
    assert header["tokenizer.ggml.merges"] == tuple(merge.encode() for merge in MERGES)
    assert header["tokenizer.ggml.token_type"][-3:] == (3, 3, 4)


@pytest.mark.parametrize(
    ("words", "tokens"),
    [
        ("", 0),
        ("hello", 1),
        ("hello world", 2),
        ("hello world!", 3),
        ("hellx", 2),
        ("1234", 4),
        ("你", 1),
        ("好", 3),
        ("<|im_start|>hello<|im_end|>", 3),
        ("<|odd|><|odd|>", 2),
        ("<|im_start", 10),
        ("\u2028", 3),
    ],
)
def test_merges_are_followed_in_their_order(tmp_path, words, tokens):
    """Bytes are merged as the file says, digits stay single, and special tokens are found wherever they stand."""
    encoding = gguf.encoding_of(file(tmp_path))
    assert encoding.count(words) == tokens


def test_the_template_comes_with_it(tmp_path):
    """The chat template is given as it stands; a file without one gives an empty text."""
    assert gguf.tokenizer_of(file(tmp_path)).template == TEMPLATE
    bare = written(tiny(chat_template=None))
    assert gguf.tokenizer_of(file(tmp_path, bare)).template == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"ggml__model": typed("llama")},
        {"ggml__model": None},
        {"ggml__pre": typed("deepseek-llm")},
        {"ggml__pre": None},
        {"ggml__pre": typed(3)},
        {"ggml__merges": None},
        {"ggml__merges": typed("h e")},
        {"ggml__merges": texts(("中 文",))},
        {"ggml__tokens": texts(("a",))},
        {"ggml__token_type": None},
        {"ggml__add_bos_token": typed(True)},
        {"chat_template": typed(b"\xff")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_tokenizer_of_another_kind_is_not_guessed_at(tmp_path, changes):
    """Where the kind is not known, or a part is missing or odd, there is no tokenizer."""
    path = file(tmp_path, written(tiny(**changes)))
    assert gguf.tokenizer_of(path) is None
    assert gguf.encoding_of(path) is None


ENDLESS = struct.pack("<IIQ", 9, 8, 2**60)
HUGE = struct.pack("<IQ", 8, 2**60)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        written({}, magic=b"GGML"),
        written({}, version=1),
        written({}, count=2**60),
        written({}, count=9),
        written({"a": ENDLESS}),
        written({"a": HUGE}),
        written({"a": struct.pack("<I", 77)}),
        written({"a": struct.pack("<IIQ", 9, 77, 1)}),
        written({"a": struct.pack("<IIQ", 9, 9, 1)}),
        text("GGUF") * 100,
    ],
    ids=[
        "empty",
        "magic-alone",
        "other",
        "old",
        "keys",
        "short",
        "endless",
        "huge",
        "type",
        "items",
        "nested",
        "noise",
    ],
)
def test_a_broken_file_gives_nothing(tmp_path, data):
    """A file that is no GGUF file, or lies about its lengths, is read in no time and gives no key."""
    assert gguf.read_header(file(tmp_path, data)) == {}
    assert gguf.tokenizer_of(file(tmp_path, data)) is None


def test_no_file_gives_nothing(tmp_path):
    """A path where nothing is, or a folder, is as good as a broken file."""
    assert gguf.read_header(tmp_path / "none") == {}
    assert gguf.read_header(tmp_path) == {}


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_no_damage_makes_reading_fail(tmp_path_factory, at, byte, cut):
    """Wherever a file is cut or changed, there is a tokenizer or none, but no exception."""
    data = bytearray(written(tiny()))
    at %= len(data)
    data[at:] = data[at + 1 :] if cut else bytes([byte]) + data[at + 1 :]
    if cut:
        del data[at:]
    found = gguf.tokenizer_of(file(tmp_path_factory.mktemp("gguf"), bytes(data)))
    assert found is None or found.encoding.count("hello") > 0


def test_ranks_need_no_line_end_of_their_own():
    """A merge that makes a line end, which also stands between merges on the way, is kept apart from them."""
    ranks = gguf.ranks_of(("Ċ Ċ".encode(), "Ġ Ċ".encode()))
    assert ranks[b"\n\n"] == 256
    assert ranks[b" \n"] == 257
    assert len(ranks) == 258


def test_numbers_of_a_kind_are_read_at_once(tmp_path):
    """An array of numbers comes out as a tuple of them."""
    assert gguf.read_header(file(tmp_path, written({"a": numbers((1, -2))}))) == {"a": (1, -2)}
