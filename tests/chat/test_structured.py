"""Answers of a given form: asked for, checked, asked again."""

from __future__ import annotations

import asyncio
import enum
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from ai_chat.chat.forms import form_of
from ai_chat.chat.structured import ParseStream, StructuredParts, parse
from ai_chat.core.errors import (
    BadRequest,
    ClientMisused,
    ContextTooLong,
    OutputCut,
    OutputInvalid,
    OutputRefused,
    RateLimited,
    ServerFailed,
)
from ai_chat.core.events import ChoiceFinished, Finished, RefusalDelta, Started, TextDelta, UsageReported
from ai_chat.core.messages import Message, TextPart
from ai_chat.core.request import Call, ChatRequest, Trail
from ai_chat.core.usage import Usage
from ai_chat.providers.scripted import Scripted

QUESTION = (Message(role="user", content="Who is it?"),)


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int = Field(ge=0, default=18)
    tags: list[str] = []


class Node(BaseModel):
    name: str
    children: list[Node] = []


@dataclass
class Point:
    x: int
    y: int


class Town(TypedDict, total=False):
    name: str


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def check(cls, number: int) -> int:
        assert number % 2 == 0, "is odd"
        return number


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


ADA = {"name": "Ada", "age": 36, "tags": ["x"]}


def request(messages=QUESTION, **fields):
    return ChatRequest(model="m", messages=messages, **fields)


def parts(model, support="json_schema", cost=None):
    calls = []

    def make_call(request, on_notice=None, *, purpose="chat"):
        calls.append(Call(request=request, trail=Trail(trace_id="t"), on_notice=on_notice, purpose=purpose))
        return calls[-1]

    made = StructuredParts(handler=model, make_call=make_call, support=lambda _: support)
    return made, calls


async def asked(form, *answers, support="json_schema", messages=QUESTION, **options):
    """Ask a model that gives these answers in turn; give the value and the model."""
    model = Scripted(*(answer if isinstance(answer, (str, list)) else json.dumps(answer) for answer in answers))
    parsed = await parse(parts(model, support)[0], request(messages), form, **options)
    return parsed, model


def ending(text, reason, *, refusal=None, thought=None):
    """The steps of an answer that ends for this reason."""
    deltas = [TextDelta(text)] if text else []
    if refusal is not None:
        deltas.append(RefusalDelta(refusal))
    usage = UsageReported(Usage(input_tokens=1, output_tokens=2, reasoning_tokens=thought))
    return [Started("i", "m", 0), *deltas, ChoiceFinished(reason), usage, Finished()]


# --- what is asked for, and what is given ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "answer", "value"),
    [
        (Person, ADA, Person(name="Ada", age=36, tags=["x"])),
        (Person, {"name": "Ada", "age": None, "tags": None}, Person(name="Ada")),
        (Node, {"name": "a", "children": [{"name": "b", "children": []}]}, Node(name="a", children=[Node(name="b")])),
        (Point, {"x": 1, "y": 2}, Point(1, 2)),
        (Town, {"name": "Rome"}, {"name": "Rome"}),
        (Owner, {"pet": {"kind": "cat", "lives": None}}, Owner(pet=Cat(kind="cat"))),
        (list[Point], {"value": [{"x": 1, "y": 2}]}, [Point(1, 2)]),
        (list[Point], '[{"x": 1, "y": 2}]', [Point(1, 2)]),
        (Literal["yes", "no"], {"value": "no"}, "no"),
        (Colour, {"value": "red"}, Colour.RED),
        (Cat | Dog, {"value": {"kind": "dog"}}, Dog(kind="dog")),
        (int | None, {"value": None}, None),
        (Decimal, {"value": "1.10"}, Decimal("1.10")),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Annotated[int, ["a remark that has no hash"]], {"value": 1}, 1),
        (tuple[int, str], {"value": [1, "a"]}, (1, "a")),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ({"type": "array", "items": {"$ref": "#"}}, {"value": [[], [[]]]}, [[], [[]]]),
        ({}, {"value": 1}, 1),
    ],
    ids=[
        "model", "defaults", "recursive", "dataclass", "TypedDict", "union inside", "list", "bare list", "Literal",
        "Enum", "union", "optional", "Decimal", "dict", "Annotated", "tuple", "schema",
        "schema of an array", "anything",
    ],
)  # fmt: skip
async def test_an_answer_becomes_a_value(form, answer, value):
    """Whatever pydantic knows can be asked for, and so can a JSON Schema."""
    parsed, model = await asked(form, answer)
    assert parsed.value == value
    assert type(parsed.value) is type(value)
    assert (parsed.attempts, len(model.requests)) == (1, 1)


async def test_strict_upstreams_get_a_strict_schema_and_nothing_in_the_prompt():
    """OpenAI's own mode tells the model itself."""
    _, model = await asked(Person, ADA, support="strict")
    (sent,) = model.requests
    assert sent.messages == QUESTION
    form = sent.response_format
    assert (form.type, form.name, form.strict) == ("json_schema", "Person", True)
    assert form.schema["required"] == ["name", "age", "tags"]
    assert form.schema["additionalProperties"] is False


async def test_grammars_are_told_in_the_prompt_too():
    """The model does not see the grammar that holds it: a schema is put in front, or behind the instructions."""
    system = (Message(role="system", content="Be brief."), *QUESTION)
    parted = (Message(role="developer", content=(TextPart(text="Be brief."),)), *QUESTION)
    for messages in (QUESTION, system, parted):
        _, model = await asked(Person, ADA, messages=messages)
        (sent,) = model.requests
        assert sent.response_format.type == "json_schema"
        assert len(sent.messages) == 2
        assert sent.messages[0].text.endswith(form_of(Person).told)
        assert sent.messages[0].role == (messages[0].role if len(messages) > 1 else "system")
        assert sent.messages[0].text.startswith("Be brief." if len(messages) > 1 else "Answer with one JSON object")
    assert system[0].content == "Be brief."


@pytest.mark.parametrize(("support", "kind"), [("json_object", "json_object"), ("none", None)])
async def test_weaker_upstreams_are_asked_as_they_can(support, kind):
    """For any JSON object, or by the prompt alone; the prompt has the schema and the word JSON."""
    _, model = await asked(Person, ADA, support=support)
    (sent,) = model.requests
    assert (sent.response_format and sent.response_format.type) == kind
    assert "JSON Schema" in sent.messages[0].text


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (Person, "Person"),
        (list[Person], "list_Person"),
        ({"title": "A town, 城市!"}, "A_town"),
        ({"title": "城市"}, "answer"),
        ({"title": "x" * 99}, "x" * 64),
    ],
    ids=["model", "list", "title", "no letters", "long"],
)
def test_names_are_such_as_upstreams_take(form, name):
    """Letters, digits, _ and - only, at most 64."""
    assert form_of(form).response_format("strict").name == name


def test_what_is_not_strict_is_sent_as_it_is():
    """A mapping of free names has no strict form, and says so."""
    form = form_of(dict[str, int]).response_format("strict")
    assert form.strict is False
    assert form.schema == {"type": "object", "additionalProperties": {"type": "integer"}}


@pytest.mark.parametrize(
    "form",
    [
        {"type": 5},
        {"$ref": "https://example.com/schema.json"},
        {"minimum": float("nan")},
        {"type": {1, 2}},
        object(),
        "Person",
        None,
        Person(name="x"),
        list["Nobody"],  # noqa: F821
    ],
    ids=["type", "remote", "NaN", "set", "object", "text", "None", "instance", "unknown name"],
)
async def test_what_is_no_form_is_refused_before_anything_is_sent(form):
    """An invalid schema, one that refers elsewhere and what is no type are bad requests."""
    model = Scripted("{}")
    with pytest.raises(BadRequest):
        await parse(parts(model)[0], request(), form)
    assert not model.requests


@pytest.mark.parametrize(
    ("fields", "options", "param"),
    [
        ({}, {"attempts": 0}, "attempts"),
        ({}, {"attempts": True}, "attempts"),
        ({}, {"attempts": 11}, "attempts"),
        ({"n": 2}, {}, "n"),
        ({"response_format": form_of(Person).response_format("json_object")}, {}, "response_format"),
    ],
    ids=["none", "bool", "many", "choices", "another form"],
)
async def test_requests_that_contradict_are_refused(fields, options, param):
    """What parsing decides itself cannot be asked for otherwise."""
    model = Scripted("{}")
    with pytest.raises(BadRequest) as caught:
        await parse(parts(model)[0], request(**fields), Person, **options)
    assert caught.value.param == param
    assert not model.requests


# --- mended, asked again, given up ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"name": "Ada"}\n```',
        'Of course! {"name": "Ada"} Anything else?',
        '{"name": "Ada",}',
        '<think>{"name": "Eve"}?</think>\n{"name": "Ada"}',
    ],
    ids=["fence", "words", "comma", "thinking"],
)
async def test_what_is_plain_all_the_same_is_not_asked_again(text):
    """A fence, words around it and a comma too many cost nothing."""
    parsed, _ = await asked(Person, text)
    assert (parsed.value.name, parsed.attempts) == ("Ada", 1)


async def test_a_wrong_answer_is_asked_again_with_what_is_wrong():
    """The model sees its last answer and the problems; all that was used is added up."""
    notices = []
    parsed, model = await asked(Person, {"age": 3}, {"name": "Ada", "age": -1}, ADA, on_notice=notices.append)
    assert parsed.value == Person(**ADA)
    assert parsed.attempts == 3
    assert len(parsed.reports) == 3
    assert parsed.usage == Usage(input_tokens=2 + 4 + 6, output_tokens=2 + 4 + 6)
    assert parsed.cost is None
    first, second, third = (sent.messages[len(QUESTION) + 1 :] for sent in model.requests)
    assert first == ()
    assert [message.role for message in second] == ["assistant", "user"]
    assert second[0].text == '{"age": 3}'
    assert '"name"' in second[1].text
    assert len(third) == 2, "only the last wrong answer is sent"
    assert "age is -1" in third[1].text
    assert [(notice.kind, notice.data["attempt"]) for notice in notices] == [("asked_again", 2), ("asked_again", 3)]


async def test_money_is_added_up(monkeypatch):
    """The cost of all answers together, where that of each is known."""
    model = Scripted("{}", json.dumps(ADA))
    made, calls = parts(model)

    async def priced(call):
        stream = await model(call)
        monkeypatch.setattr(Trail, "cost", property(lambda _: Decimal("0.5")))
        return stream

    parsed = await parse(replace(made, handler=priced), request(), Person)
    assert parsed.cost == Decimal("1.0")
    assert {call.purpose for call in calls} == {"parse"}


async def test_strict_upstreams_tell_the_schema_at_the_second_attempt():
    """One that took the form and did not keep it has told its model nothing."""
    _, model = await asked(Person, "Ada, I think.", ADA, support="strict")
    assert model.requests[0].messages == QUESTION
    assert model.requests[1].messages[-1].text.endswith(form_of(Person).told)


async def test_an_empty_answer_is_not_sent_back():
    """Some upstreams refuse an empty message."""
    _, model = await asked(Person, [*ending("", "stop")], ADA)
    assert [message.role for message in model.requests[1].messages] == ["system", "user", "user"]
    assert "empty" in model.requests[1].messages[-1].text


async def test_a_long_wrong_answer_is_shortened():
    """What is sent back costs little."""
    _, model = await asked(Person, "word " * 10_000, ADA)
    assert len(model.requests[1].messages[-2].text) < 8_100


async def test_what_python_checks_is_told_as_well():
    """A validator of the model is a rule that no schema has."""
    parsed, model = await asked(Even, {"number": 3}, {"number": 4})
    assert parsed.value.number == 4
    assert "is odd" in model.requests[1].messages[-1].text


async def test_an_answer_that_stays_wrong_is_an_error():
    """After the last attempt the error has the text, what is wrong with it, and what it all took."""
    with pytest.raises(OutputInvalid, match=r"'Person' after 2 attempts: .*lacks .name.") as caught:
        await asked(Person, {"age": 1}, attempts=2)
    error = caught.value
    assert (error.text, error.attempts) == ('{"age": 1}', 2)
    assert error.problems == ('The value lacks "name", which is required',)
    assert error.usage.input_tokens == 4
    assert error.cost is None


async def test_a_schema_that_nothing_fits_ends():
    """It is asked as often as was said, and then it is over."""
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 2, "maximum": 1}}, "required": ["a"]}
    with pytest.raises(OutputInvalid, match="a is 1, and must be at least 2"):
        await asked(schema, {"a": 1})


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (ending("", "stop", refusal="I cannot say that."), "refused to answer: I cannot say that."),
        (ending('{"name": "A', "content_filter"), 'filter of the upstream stopped the answer: {"name": "A'),
        (ending("", "content_filter"), "filter of the upstream stopped the answer."),
    ],
    ids=["refusal", "filter", "filter at once"],
)
async def test_a_refusal_is_told_in_its_words(steps, words):
    """It is not asked again: the model has decided."""
    model = Scripted(steps)
    with pytest.raises(OutputRefused) as caught:
        await parse(parts(model)[0], request(), Person)
    assert words in caught.value.message
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("fields", "thought", "words", "param"),
    [
        ({"max_tokens": 5}, None, "max_tokens = 5 before its JSON was whole; raise max_tokens", "max_tokens"),
        (
            {"max_tokens": 5, "max_tokens_field": "max_completion_tokens"},
            4,
            "max_completion_tokens = 5 (4 tokens of it went into thinking)",
            "max_completion_tokens",
        ),
        ({}, None, "its own limit before its JSON was whole; set max_tokens", "max_tokens"),
    ],
    ids=["bound", "thinking", "no bound"],
)
async def test_a_cut_answer_says_so(fields, thought, words, param):
    """It is neither completed by us nor asked again: it would end there again."""
    model = Scripted(ending('{"name": "Ada", "tags": ["x"', "length", thought=thought))
    with pytest.raises(OutputCut) as caught:
        await parse(parts(model)[0], request(**fields), Person)
    assert words in caught.value.message
    assert (caught.value.param, len(model.requests)) == (param, 1)


async def test_other_errors_come_through():
    """What fails for another reason is that error, also at a later attempt."""
    with pytest.raises(RateLimited):
        await asked(Person, "{}", [RateLimited("Wait.")])


# --- upstreams that can do less than was thought --------------------------------------------------------------------


def unable(words, *, status=400, param=None):
    return [BadRequest(f"It refused the request ({words}).", upstream_status=status, param=param)]


@pytest.mark.parametrize(
    "refusal",
    [
        unable("This response_format type is unavailable now"),
        unable("response_format.type `json_schema` is unavailable now", status=422),
        unable("Invalid value", param="response_format"),
        unable("failed to parse grammar"),
        [
            Started("i", "m", 0),
            TextDelta('{"na'),
            ServerFailed("It failed (empty grammar stack).", upstream_status=200),
        ],
    ],
    ids=["DeepSeek", "DeepSeek before", "OpenAI", "llama.cpp", "llama.cpp in its answer"],
)
@pytest.mark.parametrize("support", ["strict", "json_schema"])
async def test_a_refused_schema_is_asked_for_as_an_object(refusal, support):
    """The next best way is taken, which costs no attempt, and taken at once the next time."""
    model = Scripted(refusal, json.dumps(ADA))
    made, _ = parts(model, support)
    parsed = await parse(made, request(), Person)
    assert (parsed.value.name, parsed.attempts, len(parsed.reports)) == ("Ada", 1, 1)
    assert model.requests[1].response_format.type == "json_object"
    assert "JSON Schema" in model.requests[1].messages[0].text
    await parse(made, request(), Person, attempts=1)
    assert model.requests[2].response_format.type == "json_object"
    await parse(made, request(), Town, attempts=1)
    assert model.requests[3].response_format.type == "json_schema", "another form may be taken"


async def test_at_last_the_prompt_alone_asks():
    """An upstream that knows no response_format gets none."""
    no = unable("unknown field response_format")
    parsed, model = await asked(Person, no, no, ADA, support="strict")
    assert parsed.value.name == "Ada"
    assert [sent.response_format and sent.response_format.type for sent in model.requests] == [
        "json_schema", "json_object", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "error",
    [
        BadRequest("The request has a bad temperature.", upstream_status=400),
        BadRequest("response_format is bad here."),
        ContextTooLong("Too long for json_schema.", upstream_status=400),
        ServerFailed("The answer is no JSON object."),
        ServerFailed("It failed.", upstream_status=500),
    ],
    ids=["other field", "ours", "too long", "no answer", "broken"],
)
async def test_other_refusals_are_not_asked_again(error):
    """Only what an upstream says of the form means that it can do less."""
    model = Scripted([error])
    with pytest.raises(type(error)) as caught:
        await parse(parts(model)[0], request(), Person)
    assert caught.value is error
    assert len(model.requests) == 1


async def test_what_is_remembered_is_bounded(monkeypatch):
    """Names of models come from clients, who may send any number of them."""
    monkeypatch.setattr("ai_chat.chat.structured.KNOWN_REFUSALS", 0)
    made, _ = parts(Scripted(unable("no json_schema"), json.dumps(ADA)))
    await parse(made, request(), Person)
    assert made.refused == {}


# --- while it comes -------------------------------------------------------------------------------------------------


def in_pieces(text, size=20):
    deltas = [TextDelta(text[at : at + size]) for at in range(0, len(text), size)]
    usage = UsageReported(Usage(input_tokens=1, output_tokens=2))
    return [Started("i", "m", 0), *deltas, ChoiceFinished("stop"), usage, Finished()]


def stream_of(form, *scripts, **options):
    model = Scripted(*scripts)
    return ParseStream[Any](parts(model)[0], request(stream=True), form, **options), model


async def test_a_value_is_given_while_it_comes(no_leaks):
    """Each part holds the one before, and the last is the whole."""
    whole = {"name": "Ada Lovelace, Countess", "age": 36, "tags": ["mathematics", "poetry and machines"]}
    stream, _ = stream_of(Person, in_pieces(json.dumps(whole)))
    async with stream:
        shown = [part async for part in stream]
    assert len(shown) > 3
    assert shown[-1] == whole
    for before, after in pairwise(shown):
        assert list(after)[: len(before)] == list(before)
        assert after["name"].startswith(before.get("name", ""))
    assert stream.parsed.value == Person(**whole)
    assert stream.parsed.usage.output_tokens == 2


async def test_a_list_is_given_while_it_comes():
    """The object that is around it for the upstream is not shown."""
    whole = {"value": [{"x": 1, "y": 2}, {"x": 30, "y": 40}]}
    stream, _ = stream_of(list[Point], in_pieces(json.dumps(whole), 16))
    shown = [part async for part in stream]
    assert all(isinstance(part, list) for part in shown)
    assert shown[-1] == whole["value"]
    assert stream.parsed.value == [Point(1, 2), Point(30, 40)]


async def test_the_next_attempt_begins_anew():
    """After a wrong answer what is shown is that of the next one."""
    stream, model = stream_of(Person, in_pieces('{"age": "unknown to anybody here"}'), in_pieces(json.dumps(ADA)))
    shown = [part async for part in stream]
    assert "name" not in shown[0]
    assert shown[-1] == ADA
    assert (stream.parsed.attempts, len(model.requests)) == (2, 2)


async def test_leaving_early_ends_the_call(no_leaks):
    """The upstream is closed at once, and nothing goes on."""
    stream, model = stream_of(Person, [*in_pieces(json.dumps(ADA))[:3], 60.0])
    async with stream:
        async for _ in stream:
            break
    assert model.sources[0].closed
    assert [part async for part in stream] == []
    with pytest.raises(ClientMisused, match="read this to its end"):
        _ = stream.parsed


async def test_dropping_it_ends_the_call_too(no_leaks):
    """Whoever breaks out and forgets it has left."""
    stream, model = stream_of(Person, [*in_pieces(json.dumps(ADA))[:3], 60.0])
    async for _ in stream:
        break
    del stream
    assert model.sources[0].closed


async def test_closing_and_cancelling_end_the_call(no_leaks):
    """Whether by `aclose` or by the end of the task that reads."""
    stream, model = stream_of(Person, [*in_pieces(json.dumps(ADA))[:3], 60.0])
    await anext(stream)
    await stream.aclose()
    assert model.sources[0].closed

    stream, model = stream_of(Person, [60.0])
    task = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(stream.error, asyncio.CancelledError)


async def test_an_error_is_there_afterwards():
    """`parsed` says why there is no value."""
    stream, _ = stream_of(Person, in_pieces("no"), attempts=1)
    with pytest.raises(OutputInvalid):
        _ = [part async for part in stream]
    assert isinstance(stream.error, OutputInvalid)
    with pytest.raises(OutputInvalid, match="after 1 attempt:"):
        _ = stream.parsed


async def test_a_whole_answer_is_not_read_in_parts():
    """Without streaming nothing is shown before the value."""
    model = Scripted(json.dumps(ADA))
    async with ParseStream[Any](parts(model)[0], request(), Person) as stream:
        assert [part async for part in stream] == []
    assert stream.parsed.value.name == "Ada"
