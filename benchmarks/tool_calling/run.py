"""Tool calling of the embedded model, over sentences that were frozen before its prompts were tuned.

    uv run python benchmarks/tool_calling/run.py [--model local] [--only ID ...] [--limit N] [--json FILE] [--check]

Floors: right tool 85 %, right arguments 75 %, left alone 85 %; aims 95, 88, 95. Exit code 1 if a floor is missed over
all that was run. `--check` asks no model: it checks the sentences, the expected answers and this runner.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[1]))

from floors import table
from scoring import PROMPTS, Got, Prompt, Score, Verdict, judge, load_prompts, score

from ai_chat import AsyncChat
from tools import TOOLS, offered_for

SCORES = (("right_tool", 85, 95), ("right_arguments", 75, 88), ("left_alone", 85, 95))
"""Name, floor and aim in percent."""
MAX_TOKENS = 384
Row = tuple[Prompt, Got, Verdict]


async def ask(chat: AsyncChat, prompt: Prompt, most: int = MAX_TOKENS) -> Got:
    """Ask one; whatever is raised is a result too."""
    began = time.perf_counter()
    try:
        result = await chat.complete(prompt.text, tools=offered_for(prompt.id), temperature=0, max_tokens=most)
    except Exception as error:  # noqa: BLE001 - one failure must not end the run
        return Got(error=f"{type(error).__name__}: {error}", seconds=time.perf_counter() - began)
    calls = tuple((call.name, call.arguments) for call in result.message.tool_calls)
    return Got(calls=calls, text=result.text, seconds=time.perf_counter() - began)


async def ask_all(
    chat: AsyncChat, prompts: Sequence[Prompt], rows: list[Row], *, loud: bool = True, most: int = MAX_TOKENS
) -> list[Row]:
    """Ask one after another and add each to `rows` as it is done."""
    for number, prompt in enumerate(prompts, 1):
        got = await ask(chat, prompt, most)
        rows.append((prompt, got, judge(prompt, got)))
        if loud:
            mark = "miss" if rows[-1][2].is_miss else "ok"
            print(f"{number}/{len(prompts)} {prompt.id} {got.seconds:.1f} s {mark}", file=sys.stderr, flush=True)
    return rows


async def warm_up(chat: AsyncChat) -> None:
    """Have the model loaded, so that the first prompt is not charged for it."""
    try:
        await chat.complete("Hi", max_tokens=1)
    except Exception as error:  # noqa: BLE001 - each prompt will say the same
        print(f"the model did not answer a greeting: {type(error).__name__}: {error}", file=sys.stderr)


def scores_of(rows: Sequence[Row], what: str) -> dict[str, Score]:
    """Give one score over all and by language."""
    groups = {"all": rows, **{name: [row for row in rows if row[0].language == name] for name in ("en", "zh")}}
    return {name: score((verdict for *_, verdict in group), what) for name, group in groups.items()}


def print_scores(model: str, rows: Sequence[Row]) -> bool:
    """Print the scores; say whether every floor holds."""
    lines, holds = [], True
    for what, floor, aim in SCORES:
        by = scores_of(rows, what)
        if by["all"].of and by["all"].percent < floor:
            holds = False
        lines.append((what.replace("_", " "), by["all"], by["en"], by["zh"], f"{floor} %", f"{aim} %"))
    seconds = [fmean(got.seconds for _, got, _ in group) if group else None for group in _by_language(rows)]
    lines.append(("mean seconds per prompt", *("-" if mean is None else f"{mean:.1f}" for mean in seconds), "", ""))
    title = f"tool calling, model {model}, {len(rows)} prompts, sentences and tools {fingerprint()}"
    table(title, ("score (95 % interval)", "all", "en", "zh", "floor", "aim"), lines)
    return holds


def _by_language(rows: Sequence[Row]) -> tuple[Sequence[Row], ...]:
    return (rows, *([row for row in rows if row[0].language == name] for name in ("en", "zh")))


def print_misses(rows: Sequence[Row]) -> None:
    """Print every miss in full."""
    for prompt, got, verdict in rows:
        if not verdict.is_miss:
            continue
        wrong = [what.replace("_", " ") for what, *_ in SCORES if getattr(verdict, what) is False]
        print(f"\n{prompt.id}: not {', not '.join(wrong)}\n  prompt    {prompt.text}")
        print("  expected  " + ("\n            ".join(map(str, prompt.expect)) or "no call"))
        done = [f"{name}({arguments})" for name, arguments in got.calls]
        if got.error is not None:
            done.append(f"raised {got.error}")
        if got.text or not done:
            done.append(f"text: {got.text!r}")
        print("  got       " + "\n            ".join(done))


def fingerprint() -> str:
    """Tell one state of the sentences, the expected answers and the tools from any other."""
    frozen = json.dumps([json.loads(PROMPTS.read_text("utf-8")), TOOLS], sort_keys=True)
    return hashlib.sha256(frozen.encode()).hexdigest()[:12]


def write_results(file: Path, model: str, rows: Sequence[Row]) -> None:
    """Write what was measured, prompt by prompt."""
    results = [
        {
            "id": prompt.id,
            "text": prompt.text,
            "expected": [{"name": call.name, "arguments": call.arguments} for call in prompt.expect],
            "got": [{"name": name, "arguments": arguments} for name, arguments in got.calls],
            "answer": got.text,
            "error": got.error,
            "seconds": round(got.seconds, 3),
            **{what: getattr(verdict, what) for what, *_ in SCORES},
        }
        for prompt, got, verdict in rows
    ]
    totals = {
        what: {by: {"hits": one.hits, "of": one.of} for by, one in scores_of(rows, what).items()} for what, *_ in SCORES
    }
    written = {"model": model, "frozen": fingerprint(), "scores": totals, "prompts": results}
    file.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8")


def chosen(parser: argparse.ArgumentParser, only: Sequence[str] | None, limit: int | None) -> Sequence[Prompt]:
    """Give the prompts that the options leave."""
    prompts = load_prompts()
    unknown = set(only or ()) - {prompt.id for prompt in prompts}
    if unknown:
        parser.error(f"there is no prompt {', '.join(sorted(unknown))}; ids stand in prompts.json")
    left = [prompt for prompt in prompts if not only or prompt.id in only]
    count = len(left) if limit is None else min(limit, len(left))
    return [left[number * len(left) // count] for number in range(count)]


async def measure(model: str, prompts: Sequence[Prompt], file: Path | None, most: int = MAX_TOKENS) -> int:
    """Run, print, and give the exit code. What was done is written even if the run is stopped."""
    rows: list[Row] = []
    try:
        async with AsyncChat(model=model) as chat:
            await warm_up(chat)
            await ask_all(chat, prompts, rows, most=most)
    finally:
        if file is not None:
            write_results(file, model, rows)
    print_misses(rows)
    return 0 if print_scores(model, rows) else 1


def main() -> int:
    """Read the options."""
    parser = argparse.ArgumentParser(description="Tool calling of the embedded model, over frozen sentences.")
    parser.add_argument("--model", default="local")
    parser.add_argument("--only", nargs="+", metavar="ID")
    parser.add_argument("--limit", type=int, metavar="N", help="N of what is chosen, spread evenly")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument(
        "--max-tokens", type=int, default=MAX_TOKENS, metavar="N", help="of an answer; few save time where none is read"
    )
    parser.add_argument("--check", action="store_true", help="check the sentences and the runner, without a model")
    options = parser.parse_args()
    if options.check:
        from self_check import check

        return asyncio.run(check())
    prompts = chosen(parser, options.only, options.limit)
    return asyncio.run(measure(options.model, prompts, options.json, options.max_tokens))


if __name__ == "__main__":
    sys.exit(main())
