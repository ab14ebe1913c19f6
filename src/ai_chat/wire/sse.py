"""Server-sent events: bytes to frames as they come, and frames to bytes.

After "Interpreting an event stream" of the HTML standard (section 9.2.6). Data stays bytes: all but a few frames are
JSON for a parser that wants bytes. `retry` is left to those who reconnect by themselves, which a model's answer cannot.
"""

from __future__ import annotations

from typing import NamedTuple

from ..core.errors import ServerFailed

MAX_EVENT_BYTES = 16 * 2**20
"""Bound on one event unless another is given; a picture inside a chunk takes a few MB."""

PING = b": ping\n\n"
"""A comment that keeps a quiet connection open; no reader sees it."""

DONE_MARK = b"[DONE]"
"""The data of the frame that ends an OpenAI stream."""

DONE = b"data: [DONE]\n\n"
"""That frame."""

_BOM = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """One event."""

    data: bytes
    """The `data` lines, joined by LF."""
    event: str = "message"
    """Its type."""
    id: str | None = None
    """The last id that the stream has told, with this event or before it; None if it has told none."""

    @property
    def text(self) -> str:
        """The data as text; what is no UTF-8 becomes U+FFFD."""
        return self.data.decode(errors="replace")


class SSEDecoder:
    """Takes the bytes of one stream in pieces, cut anywhere, and gives the events that are complete.

    The work is linear in the bytes, however small the pieces, and what it keeps is the unfinished event.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        """Begin a stream; `max_event_bytes` bounds what stands between two blank lines, comments included."""
        self._max_event_bytes = max_event_bytes
        self._tail = bytearray()  # the unfinished event, its line ends already LF
        self._id: str | None = None
        self._head: bytes | None = b""  # what may yet become a byte order mark; None once that is settled
        self._after_cr = False
        self._look_at_start = True  # whether one of the two above matters to the next bytes

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; give the events they complete.

        Raises:
            ServerFailed: an event is larger than the bound. The stream cannot be read on.
        """
        if self._look_at_start or data.find(b"\r") >= 0:  # `in` takes twice as long on bytes
            data = self._with_lf(data)
        tail = self._tail
        if tail:
            searched = len(tail) - 1
            tail += data
            if tail.find(b"\n\n", searched) < 0:
                self._check_size(len(tail))
                return []
            data = bytes(tail)
            tail.clear()
        if data[-2:] != b"\n\n":
            blank = data.rfind(b"\n\n")
            begun = blank + 2 if blank >= 0 else 0
            tail += data[begun:]
            self._check_size(len(tail))
            data = data[:begun]
        # What is left ends with a blank line, and nearly always it is frames of one line: cut at what is between them.
        if data[:6] == b"data: " and len(data) <= self._max_event_bytes:
            last_id = self._id
            if data.find(b"\n") == len(data) - 2:
                return [Frame(data[6:-2], "message", last_id)]
            payloads = data[6:-2].split(b"\n\ndata: ")
            if data.count(b"\n") == 2 * len(payloads):
                return [Frame(payload, "message", last_id) for payload in payloads]
        return self._frames(data)

    def end(self) -> list[Frame]:
        """Tell that the connection ended; give the last event if only its blank line is missing.

        The standard drops such an event, since a browser cannot know whether more lines were to follow. Upstreams that
        close right behind their last line are common and one chunk is one line, so it counts here. A line that was cut
        does not, except for `data: [DONE]`, which cannot be the beginning of anything else.
        """
        rest = bytes(self._tail)
        self._tail.clear()
        frame = self._frame(rest)
        if frame is None or not (rest.endswith(b"\n") or frame.data == DONE_MARK):
            return []
        return [frame]

    def _with_lf(self, data: bytes) -> bytes:
        """Leave out a byte order mark at the very start, and make every line end LF, also a CR LF that was cut."""
        if self._head is not None:
            data = self._head + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._head = data
                return b""
            self._head = None
            data = data.removeprefix(_BOM)
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if data.endswith(b"\r"):
            self._after_cr = True
        self._look_at_start = self._after_cr
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _frames(self, data: bytes) -> list[Frame]:
        """Give the events of whole blocks of lines."""
        frames = []
        for block in data.split(b"\n\n"):
            self._check_size(len(block) + 1)
            frame = self._frame(block)
            if frame is not None:
                frames.append(frame)
        return frames

    def _frame(self, block: bytes) -> Frame | None:
        """Read the lines of one event; None if it has no data."""
        payloads = []
        event = ""
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                payloads.append(value)
            elif field == b"event":
                event = value.decode(errors="replace")
            elif field == b"id" and b"\0" not in value:
                self._id = value.decode(errors="replace")
        if not payloads:
            return None
        return Frame(b"\n".join(payloads), event or "message", self._id)

    def _check_size(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise ServerFailed(
                f"The upstream sent an event of more than {self._max_event_bytes:,} bytes, which is no piece of a chat "
                "answer; check that the base URL points to a chat API."
            )


def encode_frame(data: bytes, *, event: str | None = None, id: str | None = None) -> bytes:  # noqa: A002 - the field's name
    """Write one event. Each line of `data` becomes a line of its own, and whatever ended it, a reader gets LF.

    Raises:
        ValueError: `event` or `id` holds a line end, or `id` a NUL, which readers must ignore.
    """
    head = b""
    if event is not None:
        head += _field("event", event)
    if id is not None:
        if "\0" in id:
            raise ValueError(f"an event's id must not hold NUL, and {id!r} does")
        head += _field("id", id)
    if data.find(b"\r") >= 0:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if data.find(b"\n") >= 0:
        data = data.replace(b"\n", b"\ndata: ")
    return head + b"data: " + data + b"\n\n"


def _field(name: str, value: str) -> bytes:
    if "\n" in value or "\r" in value:
        raise ValueError(f"an event's {name} is one line, and {value!r} is not")
    return f"{name}: {value}\n".encode()
