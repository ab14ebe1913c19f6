"""How fast tokens are counted and priced, beside tiktoken alone on the same texts in the same run.

    uv run python benchmarks/tokens.py [GGUF-FILE]

With a file of an embedded model its vocabulary is measured too. Figures are MB (10^6 bytes of UTF-8) for each second of
CPU, for machines are shared. Aims: English 8 MB/s, Chinese 5 MB/s, no text slower the longer it is; a price 20 µs.
"""

from __future__ import annotations

import asyncio
import inspect
import pydoc_data.topics
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import tiktoken

from ai_chat.accounting import gguf
from ai_chat.accounting.encodings import PATTERNS, Encoding, load, read_ranks
from ai_chat.accounting.prices import Prices
from ai_chat.core.usage import Usage

ROUNDS = 5
PRICED = 2000
USAGE = Usage(input_tokens=1200, output_tokens=345, cached_input_tokens=1000, reasoning_tokens=100)
TARGETS = (
    "openai/gpt-4o",
    "openai/gpt-5.4",
    "deepseek/deepseek-chat",
    "openrouter/openai/gpt-4o",
    "qwen/qwen-max",
    "local/x",
)
CLAUSES = (
    "模型每次读到的文字都先切成词元",
    "流式输出断开时已经产生的费用照样要算",
    "今天下午三点在北京开会",
    "请把下面的报告翻译成英文",
    "这个函数在并发调用时会不会出错",
    "缓存命中以后不再向上游发送请求",
    "温度越低回答越稳定",
    "天气预报说明天有雨记得带伞",
    "余额不足的时候应该提前提醒用户",
    "他沿着河边慢慢走回了家",
    "数据库迁移失败要能够安全回滚",
    "小学生也能看懂的解释才是好解释",
)


def texts() -> dict[str, str]:
    """Give the texts by name: prose and code that Python itself carries, and Chinese in random order."""
    chance = random.Random(1)
    return {
        "English": "\n".join(pydoc_data.topics.topics.values()),
        "Chinese": "".join(chance.choice(CLAUSES) + chance.choice("，，。！？") for _ in range(20_000)),
        "code": inspect.getsource(asyncio.base_events) * 8,
        "one letter x 100k": "a" * 100_000,
        "one letter x 1M": "a" * 1_000_000,
        "random letters x 1M": "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=1_000_000)),
        "Chinese, no stops x 1M": "".join(chance.choices("".join(CLAUSES), k=1_000_000)),
        "digits x 1M": "".join(chance.choices("0123456789", k=1_000_000)),
        "blanks x 900k": " " * 900_000,
    }


def speed(count: Callable[[str], object], text: str) -> float:
    """Give the median speed in MB of UTF-8 per second of CPU."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        count(text)
        times.append(time.process_time() - start)
    return len(text.encode()) / statistics.median(times) / 1e6


def tokens(title: str, ours: Callable[[], Encoding], bare: Callable[[], tiktoken.Encoding]) -> None:
    """Print one vocabulary's table."""
    start = time.process_time()
    encoding = ours()
    loaded = time.process_time() - start
    plain = bare()
    print(f"\n{title}: loaded in {1000 * loaded:.0f} ms of CPU")
    print(f"{'MB/s':24} {'ai_chat':>8} {'tiktoken':>9}")
    for name, text in texts().items():
        if encoding.count(text) != len(plain.encode_ordinary(text)):
            raise SystemExit(f"{name}: the counts differ.")
        print(f"{name:24} {speed(encoding.count, text):8.1f} {speed(plain.encode_ordinary, text):9.1f}")


def prices() -> None:
    """Print what a price costs once its model has been looked up."""
    start = time.process_time()
    Prices.warm()
    print(f"\nprices: loaded in {1000 * (time.process_time() - start):.0f} ms of CPU, imports included")
    table, now = Prices(), datetime.now(UTC)
    for target in TARGETS:
        cost = table.price(target, USAGE, at=now)
        start = time.process_time()
        for _ in range(PRICED):
            table.price(target, USAGE, at=now)
        each = (time.process_time() - start) / PRICED
        print(f"{target:28} {1e6 * each:5.1f} µs  {'unknown' if cost is None else f'{cost:f} USD'}")


def embedded(path: Path) -> None:
    """Print the table of a model's own vocabulary."""
    header = gguf.read_header(path)
    pattern = gguf.PATTERNS[header["tokenizer.ggml.pre"].decode()]
    ranks = gguf.ranks_of(header["tokenizer.ggml.merges"])
    tokens(
        path.name,
        lambda: gguf.encoding_of(path) or sys.exit("Its tokenizer is not known here."),
        lambda: tiktoken.Encoding("bare", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}),
    )


def main() -> None:
    """Print the tables."""
    for name, pattern in PATTERNS.items():
        tokens(
            name,
            lambda name=name: load(name),
            lambda name=name, pattern=pattern: tiktoken.Encoding(
                name, pat_str=pattern, mergeable_ranks=read_ranks(name), special_tokens={}
            ),
        )
    if len(sys.argv) > 1:
        embedded(Path(sys.argv[1]))
    prices()


if __name__ == "__main__":
    main()
