"""An answer without citations gets those that its words show."""

from __future__ import annotations

import pytest
from tests.chat.test_grounding import Retriever, searching
from tests.chat.test_runs import home, read, running, text_in  # noqa: F401 - `home` is a fixture
from tests.knowledge.passages import passage

from ai_chat.chat.attribution import mended, taken_from
from ai_chat.core.sources import Source
from ai_chat.providers.scripted import text_steps

SOURCES = [
    Source(number=number, passage=passage(f"{number}.md", text))
    for number, text in enumerate(
        (
            "Expenses are refunded within 14 days. Receipts must be uploaded before the 20th of the month.",
            "Every employee has 26 days of paid leave a year. Unused days expire on 31 March.",
            "蓝鲸X2 的保修期为 18 个月，电池保修 6 个月。人为损坏不在保修范围内。",
            "蓝鲸X2 充满电需要 95 分钟，电池容量为 5200 毫安时。",
        ),
        1,
    )
]


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("You have 26 days of paid leave, and unused days expire on 31 March.", [2]),
        ("Receipts must be uploaded before the 20th; you have 26 days of paid leave a year.", [1, 2]),
        ("电池保修 6 个月。", [3]),
        ("充满电需要 95 分钟。", [4]),
        ("The passages do not say who the director is.", []),
        ("文档中没有提到这个问题的答案。", []),
        ("A completely different statement about the weather in Oslo.", []),
        ("Yes.", []),
        ("", []),
    ],
)
def test_what_an_answer_was_taken_from(answer: str, numbers: list[int]) -> None:
    """Its words decide, Chinese ones too; what stands in no passage has no source."""
    assert [source.number for source in taken_from(answer, SOURCES)] == numbers


@pytest.mark.parametrize(
    ("sentence", "cited", "right"),
    [
        ("Receipts must be uploaded before the 20th of the month", [3], [1]),
        ("Receipts must be uploaded before the 20th of the month", [1], [1]),
        ("Receipts must be uploaded before the 20th of the month", [2, 1], [1]),
        ("电池保修 6 个月", [1], [3]),
        ("Employees get 26 days of paid leave and receipts must be uploaded", [1], [1]),
        ("Within 14 days, unused days of paid leave expire on 31 March", [1], [2]),
        ("Within 14 days expenses are refunded, unused days expire on 31 March", [1], [1]),
        ("充满电的保修期为 18 个月，电池保修 6 个月", [4], [3]),
        ("The battery is under warranty for half a year", [3], [3]),
        ("Nothing in common with anything", [2], [2]),
        ("Yes", [4], [4]),
    ],
)
def test_a_citation_of_the_wrong_passage_is_set_right(sentence, cited, right):
    """Only where its words stand in another; what is said in other words stays as it is."""
    assert mended(sentence, cited, SOURCES) == right


async def test_it_is_set_right_on_its_way(home):  # noqa: F811
    """Piece by piece, in the text that is shown and kept."""
    said = "The shop opens at nine in the morning [2 ]. Parking costs 2 euros. [1] And so on."
    retriever = Retriever(
        passage("hours.md", "The shop opens at nine in the morning."), passage("prices.md", "Parking costs 2 euros.")
    )
    async with running(home, text_steps(said), toolbox=searching(retriever)) as runs:
        run = await runs.ask("When?", collections=["town"])
        events = await read(runs, run)
    assert text_in(events) == "The shop opens at nine in the morning [1]. Parking costs 2 euros. [2] And so on."
    assert (await home.turn(run.id)).text == text_in(events)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The shop opens at nine.", "The shop opens at nine. [1]"),
        ("The shop opens at nine [1].", "The shop opens at nine [1]."),
        ("The shop opens at nine [8].", "The shop opens at nine. [1]"),
        ("I do not know.", "I do not know."),
        ("```\nThe shop opens at nine\n```", "```\nThe shop opens at nine\n```\n\n[1]"),
    ],
)
async def test_it_stands_at_the_end(home, said, shown):  # noqa: F811
    """Only an answer that cites nothing gets one, in the text that is shown and kept."""
    retriever = Retriever(
        passage("hours.md", "The shop opens at nine."), passage("prices.md", "Parking costs 2 euros.")
    )
    async with running(home, said, toolbox=searching(retriever)) as runs:
        run = await runs.ask("When?", collections=["town"])
        events = await read(runs, run)
    assert text_in(events) == shown
    assert (await home.turn(run.id)).text == shown
