"""Counting by the shipped vocabularies: the right ones, exact on any text, and never from the network."""

import base64
import hashlib
import subprocess
import sys
import threading

import pytest
import regex
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from ai_chat.accounting import encodings

NAMES = ["cl100k_base", "o200k_base"]
PUBLISHED = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@pytest.fixture(scope="module")
def official():
    """Give tiktoken's own two encodings, which differ from ours in nothing but where the ranks come from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            openai_public, "load_tiktoken_bpe", lambda url, **_: encodings.read_ranks(url[url.rfind("/") + 1 : -9])
        )
        return {name: tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[name]()) for name in NAMES}


def slow_count(name, text):
    """Merge pairs one by one, always the lowest rank first, as the definition of byte-pair encoding says."""
    ranks = encodings.read_ranks(name)
    total = 0
    for piece in regex.findall(encodings.PATTERNS[name], text):
        parts = [bytes([byte]) for byte in piece.encode()]
        while len(parts) > 1:
            rank, at = min((ranks.get(parts[i] + parts[i + 1], len(ranks)), i) for i in range(len(parts) - 1))
            if rank == len(ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        total += len(parts)
    return total


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_ranks_are_those_openai_published(name):
    """Written back as tiktoken's text form, each vocabulary has the hash that tiktoken expects of its download."""
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in encodings.read_ranks(name).items())
    assert hashlib.sha256(b"".join(lines)).hexdigest() == PUBLISHED[name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello, world! Don't panic: it's 12345 o'clock.",
        "你好，世界。今天天气怎么样？我们去北京吃烤鸭吧！",
        "def f(x):\n    return {'a': x ** 2}\n\n\n\t# 注释\r\n",
        "naïve café — “quotes” … 👩‍👩‍👧‍👦 🇨🇳 ﷽ नमस्ते สวัสดี",
        "   leading,  double   and trailing   ",
        "<|endoftext|> and <|im_start|> are plain text",
        "\x00\x01\x7f\u200b\ufeff",
    ],
    ids=["empty", "english", "chinese", "code", "scripts", "blanks", "special", "control"],
)
def test_counts_equal_merging_by_hand(name, text):
    """A count is what the plain definition of byte-pair encoding gives over the same ranks."""
    assert encodings.load(name).count(text) == slow_count(name, text)


runs = st.lists(
    st.tuples(
        st.text(st.sampled_from("aA1中é,'!/ \n\r\t\u3000\u0301\U0001f600ǅ٣"), min_size=1, max_size=4),
        st.integers(1, 6000),
    ),
    min_size=1,
    max_size=6,
).map(lambda parts: "".join(text * times for text, times in parts))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(text=runs)
def test_cutting_a_long_text_changes_no_count(official, name, text):
    """However long its runs are and whatever stands beside them, a text is counted as tiktoken counts it whole."""
    assert encodings.load(name).count(text) == len(official[name].encode_ordinary(text))


UNITS = [
    "don't ",
    "we'll'S",
    "a   b",
    "a \n b",
    " \n\n  x",
    "x!\n",
    "!/\n/",
    "中文，",
    "。」中",
    "A1a2",
    "aé'd ",
    "a,'s",
    "-\r\n\t",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_a_text_is_cut_between_pieces_only(official, name, unit):
    """Wherever the cut of a repeated phrase falls, no piece is broken: contractions, blanks, line ends stay whole."""
    for shift in range(len(unit)):
        text = (unit * 12_000)[shift : shift + 35_000]
        assert encodings.load(name).count(text) == len(official[name].encode_ordinary(text))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(
    piece=st.text(st.sampled_from("abetino") | st.sampled_from("-=#") | st.characters(codec="utf-8"), min_size=1),
    window=st.integers(1, 60),
    overlap=st.integers(1, 4),
)
def test_windows_of_any_width_give_the_exact_count(name, piece, window, overlap):
    """A piece merged window by window has the tokens it has when merged whole, however narrow the windows."""
    encoding, data = encodings.load(name), (piece * 4).encode()
    assert encoding._count_piece(data, window=window, overlap=overlap) == len(encoding._merge(data))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=300), times=st.integers(1, 90))
def test_any_text_repeated_is_counted_as_a_whole(official, name, text, times):
    """Texts of every script, repeated past the length at which they are cut, agree with tiktoken."""
    assert encodings.load(name).count(text * times) == len(official[name].encode_ordinary(text * times))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a" * 100_000, 12_500),  # the longest tokens are 8 letters
        ("a" * 1_000_000, 125_000),
        (" " * 1_000_000, 7_813),  # 128 blanks
        (" " * 1_000_000 + "x", 7_814),  # one blank goes to the x
        ("1" * 1_000_000, 333_334),  # digits go by three
        ("中" * 1_000_000, 1_000_000),
    ],
    ids=["100k-letters", "1M-letters", "1M-blanks", "1M-blanks-and-letter", "1M-digits", "1M-chinese"],
)
def test_endless_runs_are_counted(name, text, tokens):
    """A million of one character is counted, blanks too, on which tiktoken itself overflows."""
    assert encodings.load(name).count(text) == tokens


@pytest.mark.parametrize("length", [10, 20_000], ids=["short", "long"])
def test_a_lone_surrogate_counts_as_the_replacement_character(length):
    """Half a surrogate pair, as truncated JSON may hold, does not fail."""
    encoding = encodings.load("o200k_base")
    assert encoding.count("ab\ud800 " * length) == encoding.count("ab\ufffd " * length)


@settings(max_examples=100, deadline=None)
@given(left=st.text(max_size=200), right=st.text(max_size=200))
def test_joining_texts_hardly_changes_the_sum(left, right):
    """Two texts together take about what they take apart: only pieces at the border may merge or split."""
    count = encodings.load("o200k_base").count
    assert abs(count(left + right) - count(left) - count(right)) <= min(len(left), len(right)) * 3 + 3
    assert count(left + right) <= len((left + right).encode())


def test_many_threads_load_one_encoding():
    """Threads that all come first get the same object."""
    encodings._loaded.pop("cl100k_base", None)
    start = threading.Barrier(8)
    got = []

    def load():
        start.wait()
        got.append(encodings.load("cl100k_base"))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def run_child(code, home):
    """Run Python in a child whose home folder is empty and which has no other environment."""
    return subprocess.run(
        [sys.executable, "-c", code], env={"HOME": str(home)}, capture_output=True, text=True, check=False
    )


def test_counting_needs_no_network_and_writes_nothing(tmp_path):
    """In a bare environment with every socket refused, counts are right and the home folder stays empty."""
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.socket = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from ai_chat.accounting.tokens import Tokens\n"
        "print(Tokens().text('hello world', 'gpt-4'), Tokens().text('你好，世界', 'gpt-4o'))\n"
    )
    done = run_child(code, tmp_path)
    assert (done.stdout, done.stderr) == ("2 3\n", "")
    assert list(tmp_path.iterdir()) == []


def test_importing_loads_no_tokenizer(tmp_path):
    """The library is imported without tiktoken: whoever never counts does not pay for it."""
    done = run_child("import sys, ai_chat.accounting.tokens; print('tiktoken' in sys.modules)", tmp_path)
    assert (done.stdout, done.stderr) == ("False\n", "")
