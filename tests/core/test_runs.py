"""The log of a run."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.runs import RunEvent, RunLog

PIECES = st.lists(
    st.tuples(st.sampled_from(["text", "reasoning", "tool_call", "notice", "retry"]), st.text(max_size=3)), max_size=40
)


def written(pieces):
    log = RunLog()
    for kind, text in pieces:
        log.add(kind, {"text": text})
    return log


def texts(events, kind):
    return "".join(event.data["text"] for event in events if event.kind == kind)


@given(PIECES, st.data())
def test_a_reader_misses_nothing_wherever_it_goes_on(pieces, data):
    """Read in any number of goes, the text is the same, the numbers rise, and single events come once each."""
    log = written(pieces)
    read, after = [], 0
    while after < log.last:
        part = RunLog()
        upto = data.draw(st.integers(after + 1, log.last))
        for kind, text in pieces[:upto]:  # the log as it was when only so many had come
            part.add(kind, {"text": text})
        read += part.after(after)
        after = part.last

    numbers = [event.number for event in read]
    assert numbers == sorted(set(numbers))
    assert numbers[-1:] == ([log.last] if pieces else [])
    for kind in ("text", "reasoning"):
        assert texts(read, kind) == "".join(text for name, text in pieces if name == kind) == log.text(kind)
    assert [e.data["text"] for e in read if e.kind == "tool_call"] == [t for name, t in pieces if name == "tool_call"]


def test_pieces_of_one_text_come_as_one_event():
    """What a slow reader missed comes at once, under the number of its last piece."""
    log = written([("text", "a"), ("text", "b"), ("tool_call", "c"), ("text", "d")])
    assert log.after(1) == [
        RunEvent(2, "text", {"text": "b"}), RunEvent(3, "tool_call", {"text": "c"}), RunEvent(4, "text", {"text": "d"}),
    ]  # fmt: skip
    assert log.after(4) == log.after(99) == []


def test_only_the_newest_of_a_download_is_kept():
    """Ten thousand signs of progress take the room of one; what stands between two kinds stays."""
    log = written([("notice", str(n)) for n in range(10_000)] + [("text", "x"), ("notice", "y")])
    assert log.entries == 3
    assert [event.data["text"] for event in log.after(0)] == ["9999", "x", "y"]
    assert log.newest("notice") == RunEvent(10_002, "notice", {"text": "y"})
    assert log.newest("error") is None


def test_a_long_answer_takes_little_room():
    """A hundred thousand pieces are one text, and any of its ends can be read."""
    log = written([("text", f"{n:05} ") for n in range(100_000)])
    assert (log.entries, log.size) == (1, 600_000)
    assert log.after(99_999)[0].data["text"] == "99999 "


def test_a_thread_waits_for_news():
    """A reader in a thread is woken by the next event, and told when none came in time."""
    log = RunLog()
    assert not log.wait(0, 0.01)
    writer = threading.Timer(0.02, lambda: log.add("text", {"text": "x"}))
    writer.start()
    assert log.wait(0, 10)
    writer.join()


@pytest.mark.parametrize("text", ["\r\n\r", "\udc80", "𝔘nicode"])
def test_text_comes_back_as_it_went_in(text):
    """No line end and no half of a pair is changed."""
    assert written([("text", text), ("text", text)]).after(1)[0].data["text"] == text
