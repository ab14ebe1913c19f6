"""GGUF files for tests: a tiny tokenizer, whole or broken."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

MERGES = ("h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "l d", "Ġwor ld", "ä ½", "ä½ ł")
SPECIAL = ("<|im_start|>", "<|im_end|>", "<|odd|>")
TEMPLATE = "{%- if tools %}…\n{%- else %}\nrest"


def text(value: str | bytes) -> bytes:
    """Write a text as GGUF does."""
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def texts(values: tuple[str, ...]) -> bytes:
    """Write an array of texts."""
    return struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))


def numbers(values: tuple[int, ...]) -> bytes:
    """Write an array of 32-bit integers."""
    return struct.pack("<IIQ", 9, 5, len(values)) + struct.pack(f"<{len(values)}i", *values)


def typed(value: Any) -> bytes:
    """Write a text, a truth or a number with its type."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<IQ", 10, value)
    return struct.pack("<I", 8) + text(value)


def tiny(**changes: bytes | None) -> dict[str, bytes]:
    """Give the keys of a tokenizer of 256 bytes, a few merges and three special tokens."""
    tokens = (*("x" * 267), *SPECIAL)
    keys: dict[str, bytes | None] = {
        "general.name": typed("tiny"),
        "general.size": typed(7),
        "tokenizer.ggml.model": typed("gpt2"),
        "tokenizer.ggml.pre": typed("qwen2"),
        "tokenizer.ggml.tokens": texts(tokens),
        "tokenizer.ggml.token_type": numbers((*((1,) * 267), 3, 3, 4)),
        "tokenizer.ggml.merges": texts(MERGES),
        "tokenizer.ggml.add_bos_token": typed(False),
        "tokenizer.chat_template": typed(TEMPLATE),
    }
    keys |= {f"tokenizer.{name.replace('__', '.')}": value for name, value in changes.items()}
    return {name: value for name, value in keys.items() if value is not None}


def written(keys: dict[str, bytes], *, magic: bytes = b"GGUF", version: int = 3, count: int | None = None) -> bytes:
    """Write a whole file, with a few bytes behind the header where tensors would be."""
    head = struct.pack("<4sIQQ", magic, version, 0, len(keys) if count is None else count)
    return head + b"".join(text(name) + value for name, value in keys.items()) + bytes(64)


def file(folder: Path, data: bytes | None = None) -> Path:
    """Put a file into a folder: a sound one, or these bytes."""
    path = folder / "model.gguf"
    path.write_bytes(written(tiny()) if data is None else data)
    return path
