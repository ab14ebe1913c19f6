"""What was used, on the page."""

from __future__ import annotations

import csv
import io

import pytest
from tests.ui.conftest import PRICE
from tests.ui.test_page import ask, captions, press, said

from ai_chat.providers.scripted import Echo


def test_what_a_conversation_has_used(home, page):
    """Under its answer and at the side stand tokens and cost, exactly as the books have them."""
    house = home(Echo())
    ask(page.run(), "one two three")
    ask(page, "four five")
    (total,) = house.do(house.services.storage.usage())
    page.run()  # what is not in the books yet when a page is drawn, it does not wait for
    assert "$0.0125" in captions(page)
    assert f"{total.input_tokens} → {total.output_tokens} tokens · \\${total.cost.normalize():f}" in captions(page)
    assert total.cost == total.calls * PRICE


def test_the_page_of_what_was_used(home, page):
    """It adds up by day, model and conversation, and its CSV has every figure of the books."""
    house = home(Echo())
    ask(page.run(), "one two three")
    press(page, "usage")
    assert page.query_params["v"] == "usage"
    assert [metric.value for metric in page.metric] == ["\\$0.0125", "3", "3", "1"]
    (by_model,) = house.do(house.services.storage.usage("model"))
    rows = list(csv.DictReader(io.StringIO(usage_csv(house))))
    assert {row["by"] for row in rows} == {"day", "model", "conversation"}
    assert next(row for row in rows if row["by"] == "model")["known_cost"] == format(by_model.cost, "f")
    press(page, "back")
    assert "v" not in page.query_params
    assert "one two three" in said(page)


def usage_csv(house) -> str:
    from ai_chat.ui.parts.usage_page import _as_csv, _read

    _, days, models, conversations, _ = house.do(_read(house.services, None))
    return _as_csv({"day": days, "model": models, "conversation": conversations})


@pytest.mark.parametrize("unit", ["USD", "tokens"])
def test_a_budget_at_the_side(home, page, monkeypatch, unit):
    """How much of it is gone stands in words."""
    monkeypatch.setenv("AI_CHAT_BUDGETS", f'[{{"limit": 50, "unit": "{unit}"}}]')
    home(Echo())
    page.run()
    assert any("of" in bar.text and "50" in bar.text for bar in page.get("progress"))


def test_nothing_was_used(home, page):
    """An empty book says so."""
    home(Echo())
    page.query_params["v"] = "usage"
    page.run()
    assert "Nothing was used in this time." in captions(page)
