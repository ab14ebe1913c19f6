"""`parse` and `parse_stream` of the client, async and sync, against an upstream and against doubles."""

from __future__ import annotations

import inspect
import json
import threading

import pytest
from pydantic import BaseModel
from tests.upstream import Upstream, failing, streamed, whole

from ai_chat import AsyncChat, Chat
from ai_chat.chat.structured import ParseStream
from ai_chat.config import Settings
from ai_chat.core.errors import BadRequest, ClientMisused, OutputInvalid, UpstreamTimeout
from ai_chat.core.events import ChoiceFinished, Finished, Started, TextDelta
from ai_chat.core.request import Timeouts
from ai_chat.models import Models
from ai_chat.providers import catalog
from ai_chat.providers.http import Http
from ai_chat.providers.scripted import Scripted
from ai_chat.sync import SyncParseStream


class Town(BaseModel):
    name: str
    people: int = 0


ROME = '{"name": "Rome", "people": 2800000}'


@pytest.fixture
async def upstream(no_leaks, monkeypatch):
    """A scripted upstream that the settings point to."""
    async with Upstream(whole(ROME)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        yield server


async def test_a_value_is_asked_for(upstream):
    """The type goes out as a schema, the answer comes back as a value of the type, with what it took."""
    async with AsyncChat(model="m") as chat:
        parsed = await chat.parse(Town, "Which town?", system="Be brief.", temperature=0)
    assert parsed.value == Town(name="Rome", people=2_800_000)
    assert (parsed.attempts, parsed.usage.total_tokens, parsed.result.text) == (1, 12, ROME)
    assert [report.model_served for report in parsed.reports] == ["openai/m"]
    (sent,) = upstream.chats
    assert sent["temperature"] == 0
    assert sent["response_format"]["json_schema"] == {
        "name": "Town",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "people": {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "default: 0"},
            },
            "required": ["name", "people"],
            "additionalProperties": False,
        },
    }
    assert sent["messages"][0]["content"].startswith("Be brief.\n\nAnswer with one JSON object")


async def test_a_value_is_given_while_it_comes(upstream):
    """The parts of a real stream, with the whole at the end."""
    upstream.replies = [streamed('{"name": "Ro', 'me", "people": 28', "00000}")]
    async with AsyncChat(model="m") as chat, chat.parse_stream(Town, "Which town?") as stream:
        shown = [part async for part in stream]
    assert shown[-1] == json.loads(ROME)
    assert stream.parsed.value.people == 2_800_000
    assert upstream.chats[0]["stream"] is True


async def test_an_upstream_without_schemas_is_asked_for_json(upstream):
    """Its refusal is seen once for a form, and never by the caller."""
    upstream.replies = [failing(400, "This response_format type is unavailable now"), whole(ROME)]
    async with AsyncChat(model="m") as chat:
        for _ in range(2):
            assert (await chat.parse(Town, "Which town?")).value.name == "Rome"
    kinds = [sent["response_format"]["type"] for sent in upstream.chats]
    assert kinds == ["json_schema", "json_object", "json_object"]


async def test_a_wrong_answer_is_asked_again(upstream):
    """A service that does not keep to the schema gets its problems back; every attempt has a call of its own."""
    upstream.replies = [whole("I think it is Rome."), whole(ROME)]
    messages = [{"role": "user", "content": "Which town?"}]
    async with AsyncChat(model="m") as chat:
        parsed = await chat.parse(Town, messages)
    assert (parsed.attempts, parsed.usage.total_tokens) == (2, 24)
    assert len({report.trace_id for report in parsed.reports}) == 2
    assert messages == [{"role": "user", "content": "Which town?"}]


async def test_time_limits_hold_for_each_attempt(upstream):
    """`timeouts` reach the calls."""
    upstream.replies = [streamed(ROME).stalled_after(1)]
    async with AsyncChat(model="m") as chat:
        with pytest.raises(UpstreamTimeout):
            await chat.parse(Town, "Which town?", timeouts=Timeouts(total=0.05))


async def test_bad_arguments_are_refused_before_any_call(upstream):
    """Those of a request, and those of parsing."""
    async with AsyncChat(model="m") as chat:
        with pytest.raises(BadRequest, match="temperature"):
            await chat.parse(Town, "Which town?", temperature=3)
        with pytest.raises(BadRequest, match="reference"):
            await chat.parse({"$ref": "https://example.com/s.json"}, "Which town?")
        with pytest.raises(BadRequest, match="response_format"):
            chat.parse_stream(Town, "Which town?", response_format={"type": "json_object"})
    assert upstream.requests == []


async def test_a_closed_client_parses_nothing():
    """It says that it is closed."""
    chat = AsyncChat(handler=Scripted(ROME))
    await chat.aclose()
    with pytest.raises(ClientMisused):
        await chat.parse(Town, "Which town?")


# --- sync -----------------------------------------------------------------------------------------------------------


def test_sync_parses_and_streams():
    """The same words without async."""
    with Chat(handler=Scripted("no", ROME)) as chat:
        assert chat.parse(Town, "Which town?").value == Town(name="Rome", people=2_800_000)
        with chat.parse_stream(Town, "Which town?") as stream:
            shown = list(stream)
        assert shown[-1] == json.loads(ROME)
        assert stream.parsed.value.name == "Rome"
        assert stream.error is None
    assert not [thread for thread in threading.enumerate() if thread.name == "ai-chat"]


def test_sync_leaving_early_ends_the_call():
    """Leaving the block closes the source before the next line runs."""
    script = Scripted([*_steps(ROME)[:4], 60.0])
    with Chat(handler=script) as chat:
        with chat.parse_stream(Town, "Which town?") as stream:
            next(stream)
        assert script.sources[0].closed
        with pytest.raises(ClientMisused):
            _ = stream.parsed


def test_sync_errors_come_through():
    """Where it is read, and again where the value is asked for."""
    with Chat(handler=Scripted("no")) as chat:
        with pytest.raises(OutputInvalid):
            chat.parse(Town, "Which town?")
        stream = chat.parse_stream(Town, "Which town?")
        with pytest.raises(OutputInvalid):
            list(stream)
        with pytest.raises(OutputInvalid):
            _ = stream.parsed
        assert isinstance(stream.error, OutputInvalid)


def _steps(text):
    pieces = [text[at : at + 12] for at in range(0, len(text), 12)]
    return [Started("i", "m", 0), *map(TextDelta, pieces), ChoiceFinished("stop"), Finished()]


def test_both_streams_have_the_same_words():
    """What one offers, the other does."""
    renamed = {"aclose": "close"}
    for name, _ in inspect.getmembers(ParseStream):
        if not name.startswith("_"):
            assert hasattr(SyncParseStream, renamed.get(name, name)), name


# --- what upstreams can do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "model", "support"),
    [
        ({"OPENAI_API_KEY": "sk-1"}, "gpt-4o", "strict"),
        ({"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, "gpt-4o", "json_schema"),
        ({"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:1"}, "azure/d", "strict"),
        ({"DEEPSEEK_API_KEY": "k"}, "deepseek/deepseek-chat", "json_object"),
        ({"DEEPSEEK_API_KEY": "k", "DEEPSEEK_BASE_URL": "http://127.0.0.1:1/v1"}, "default", "json_object"),
        ({}, "ollama/x", "json_schema"),
        ({}, "local", "json_schema"),
        ({}, "fast", "json_schema"),
        ({}, "nobody-knows-it", "json_schema"),
        ({"AI_CHAT_FAST_MODEL": "qwen/qwen-plus"}, "fast", "json_object"),
    ],
    ids=["OpenAI", "another", "Azure", "DeepSeek", "proxy", "Ollama", "local", "not set", "unknown", "alias"],
)
def test_what_an_upstream_can_do_is_known_by_its_row(monkeypatch, environment, model, support):
    """An address in place of OpenAI's is somebody else; a name that means nothing is refused later."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (
        Models(Settings.load(), Http(), weights=lambda: pytest.fail("asked for weights")).structured(model) == support
    )


def test_every_row_says_what_there_is():
    """A typing error in the catalog would be found out by a customer."""
    supports = {"strict", "json_schema", "json_object", "none"}
    assert {row.structured for row in catalog.rows().values()} <= supports
