"""How fast tokens are counted, beside tiktoken alone on the same texts in the same run."""

from __future__ import annotations

import asyncio
import inspect
import pydoc_data.topics
import random
import statistics
import time
from collections.abc import Callable

import tiktoken

from ai_chat.accounting.encodings import PATTERNS, load, read_ranks

ROUNDS = 5
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
    """Give the median speed in MB (10^6 bytes of UTF-8) per second."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        count(text)
        times.append(time.perf_counter() - start)
    return len(text.encode()) / statistics.median(times) / 1e6


def main() -> None:
    """Print the table."""
    for name, pattern in PATTERNS.items():
        start = time.perf_counter()
        ours = load(name)
        loaded = time.perf_counter() - start
        bare = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=read_ranks(name), special_tokens={})
        print(f"\n{name}: loaded in {1000 * loaded:.0f} ms (the first import of tiktoken included)")
        print(f"{'MB/s':24} {'ai_chat':>8} {'tiktoken':>9}")
        for title, text in texts().items():
            if ours.count(text) != len(bare.encode_ordinary(text)):
                raise SystemExit(f"{title}: the counts differ.")
            print(f"{title:24} {speed(ours.count, text):8.1f} {speed(bare.encode_ordinary, text):9.1f}")


if __name__ == "__main__":
    main()
