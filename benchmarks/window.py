"""What it costs to see which turns fit: conversations of a thousand to twenty thousand messages, counted before.

    uv run python benchmarks/window.py

The aim is 30 ms for ten thousand messages whose counts are remembered, growing no faster than the conversation.
"""

from __future__ import annotations

import time
from statistics import median

from floors import table

from ai_chat.accounting.tokens import Tokens
from ai_chat.chat.counting import Counts
from ai_chat.chat.window import fit
from ai_chat.core.messages import Message

SIZES = (1_000, 2_500, 5_000, 10_000, 20_000)
ROUNDS = 9
MODEL = "openai/gpt-4o"
TEXT = "The quick brown fox jumps over the lazy dog, 然后睡着了。 " * 6


def conversation(size: int) -> list[Message]:
    """Make questions and answers in turn."""
    roles = ("user", "assistant")
    return [Message(role=roles[number % 2], content=f"{number} {TEXT}") for number in range(size)]


def seconds(work: object) -> float:
    """Give the median of several runs."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()  # type: ignore[operator]
        times.append(time.process_time() - began)
    return median(times)


def main() -> None:
    """Measure and print."""
    rows = []
    for size in SIZES:
        messages = conversation(size)
        counts = Counts(Tokens(), str)
        began = time.process_time()
        total = counts.total(messages, MODEL)
        first = time.process_time() - began
        count = counts.of(MODEL)
        whole = seconds(lambda messages=messages, count=count, total=total: fit(messages, total, count))
        small = seconds(lambda messages=messages, count=count: fit(messages, 8_000, count))
        rows.append((f"{size:,}", f"{first * 1000:.0f}", f"{whole * 1000:.1f}", f"{small * 1000:.1f}",
                     f"{whole / size * 1e6:.2f}"))  # fmt: skip
    table(
        "Windowing, CPU ms",
        ("messages", "counted for the first time", "all of them fit", "8,000 tokens fit", "µs a message"),
        rows,
    )


if __name__ == "__main__":
    main()
