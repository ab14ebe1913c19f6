"""Runs whose answers have a form."""

from __future__ import annotations

import json

import pytest
from tests.chat.test_runs import home, read, running, text_in  # noqa: F401 - `home` is a fixture

from ai_chat.core.errors import BadRequest
from ai_chat.core.presets import FORMS

REVIEW = FORMS["review"]
GOOD = json.dumps({"sentiment": "positive", "confidence": 0.9, "keywords": ["好吃"], "summary": "很好吃。"})


async def test_an_answer_that_fits(home):  # noqa: F811
    """What is wrong is asked again; what is kept and told is JSON that fits, with the usage of all attempts."""
    async with running(home, '{"sentiment": "fine"}', GOOD, structured=True) as runs:
        run = await runs.ask("很好吃！", schema=REVIEW)
        events = await read(runs, run)
    answer = await home.turn(run.id)
    assert json.loads(text_in(events)) == json.loads(answer.text) == json.loads(GOOD)
    assert answer.usage.output_tokens == len(['{"sentiment":', '"fine"}']) + len(GOOD.split())
    assert [event.data["kind"] for event in events if event.kind == "notice"] == ["asked_again"]
    assert [event.kind for event in events if event.kind != "notice"] == ["run", "text", "usage", "done"]


async def test_no_answer_fits(home):  # noqa: F811
    """The run fails with the reason; nothing that does not fit is kept as an answer."""
    async with running(home, "I like it", structured=True) as runs:
        run = await runs.ask("很好吃！", schema=REVIEW)
        events = await read(runs, run)
    (error,) = [event.data for event in events if event.kind == "error"]
    answer = await home.turn(run.id)
    assert (error["code"], answer.state, answer.text) == ("output_invalid", "failed", "")


async def test_the_form_stays_with_the_conversation(home):  # noqa: F811
    """Until an empty one takes it away."""
    async with running(home, GOOD, GOOD, "free", structured=True) as runs:
        run = await runs.ask("a", schema=REVIEW)
        await read(runs, run)
        for schema in (None, {}):
            following = await runs.ask("b", conversation=run.conversation, schema=schema)
            await read(runs, following)
        assert [bool(request.response_format) for request in runs.scripted.requests] == [True, True, False]
    assert (await home.turn(following.id)).text == "free"


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"properties": {"a": {"$ref": "http://somewhere/x"}}}], ids=["wrong", "remote"]
)
async def test_a_schema_that_is_none(home, schema):  # noqa: F811
    """It is refused before anything is kept."""
    async with running(home, GOOD, structured=True) as runs:
        with pytest.raises(BadRequest):
            await runs.ask("a", schema=schema)
        with pytest.raises(BadRequest, match="do not go together"):
            await runs.ask("a", schema=REVIEW, tools=["weather"], conversation=None)
    assert not await home.list()
