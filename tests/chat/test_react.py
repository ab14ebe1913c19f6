"""Tools for models that write their calls as text: what they are asked, and how what they write is read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.answers import cuts
from tests.chat.test_tool_loop import Box
from tests.doubles import Words, to
from tests.grammar import all_events, check_grammar
from tests.sources import Given, read_into

from ai_chat.chat.answer import complete
from ai_chat.chat.counting import Counts
from ai_chat.chat.react import FINAL, NO_LONGER, STOP, form_of, in_words, react
from ai_chat.chat.react_parser import ReactParser
from ai_chat.chat.session import Session, SessionParts
from ai_chat.chat.tool_loop import ToolUse
from ai_chat.core.errors import BadRequest, RateLimited, ServerFailed
from ai_chat.core.events import (
    ChoiceFinished,
    Finished,
    Notice,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolEnded,
    UsageReported,
    batch_of,
)
from ai_chat.core.folding import fold
from ai_chat.core.messages import ImagePart, Message, TextPart, ToolCall, check_order
from ai_chat.core.request import Call, ChatRequest, ResponseFormat, Timeouts, ToolSpec, Trail
from ai_chat.core.stream import EventStream
from ai_chat.core.usage import Usage
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted, call_steps

WEATHER = ToolSpec(
    name="weather",
    description="Tells the weather.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Its name"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
)
ASKS_OSLO = 'Thought: I need the weather.\nAction: weather\nAction Input: {"city": "Oslo"}'
ANSWERS = "Thought: I know it now.\nFinal Answer: It is cold.\nVery."


def steps(text, *, size=1, reason="stop"):
    """The events of a reply that comes in pieces of so many characters."""
    pieces = [TextDelta(text[place : place + size]) for place in range(0, len(text), size)]
    usage = UsageReported(Usage(input_tokens=10, output_tokens=5))
    return [Started("chatcmpl-1", "m", 0), *pieces, ChoiceFinished(reason), usage, Finished()]


def talking(*scripts, box=None, tools=True, **use) -> Session:
    scripted = Scripted(*scripts)
    calls: list[Call] = []

    def make_call(request, on_notice):
        calls.append(Call(request=request, trail=Trail(trace_id="t"), on_notice=on_notice))
        return calls[-1]

    dispatch = Dispatch(to(scripted), timeouts=Timeouts(), counter=Words(), price=lambda *_: Decimal("0.5"))
    parts = SessionParts(
        handler=react(pipeline.build(dispatch, log=None)),
        make_call=make_call,
        counts=Counts(Words(), str),
        window_of=lambda _: None,
    )
    template = ChatRequest(model="m", messages=(Message(role="user", content="-"),))
    session = Session(parts, template, tools=ToolUse(box=box or Box(), **use) if tools else None)
    session.scripted = scripted
    session.calls = calls
    return session


def asking(*messages, tools=(WEATHER,), **fields) -> ChatRequest:
    said = messages or (Message(role="user", content="Weather?"),)
    return ChatRequest(model="m", messages=said, tools=tools, **fields)


def call_of(request) -> Call:
    return Call(request=request, trail=Trail(trace_id="t"))


def said(text, *, call_id="call_1", reason="stop", places=()):
    """What is read of a reply that is cut there: its thinking, its text, and its call."""
    parser = ReactParser(call_id)
    places = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    events = []
    for start, end in pairwise(places):
        events += parser.feed(text[start:end])
    events += parser.end(reason)
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert len(calls) <= 1
    return (
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        (calls[0].name, calls[0].arguments) if calls else None,
    )


# --- the loop -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_tools_are_run_in_two_rounds(no_leaks, size):
    """What the model writes is run, told as an observation, and the answer has the steps and usage of all rounds."""
    box = Box()
    second = ASKS_OSLO.replace("Oslo", "Bergen")
    session = talking(steps(ASKS_OSLO, size=size), steps(second, size=size), steps(ANSWERS, size=size), box=box)
    result = await session.complete("Weather?")

    assert result.text == "It is cold.\nVery."
    assert result.message.reasoning == "I know it now."
    assert box.ran == ['{"city": "Oslo"}', '{"city": "Bergen"}']
    calls = [step.message.tool_calls[0] for step in result.steps]
    assert [(call.id, call.name) for call in calls] == [("call_1", "weather"), ("call_2", "weather")]
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.estimated) == (30, 15, False)
    assert (result.report.tries, result.report.cost) == (3, Decimal("1.5"))
    check_order(session.messages)

    asked = session.scripted.requests
    assert [(request.tools, request.tool_choice, request.stop) for request in asked] == [(None, None, (STOP,))] * 3
    assert [(message.role, message.text) for message in asked[2].messages[1:]] == [
        ("user", "Weather?"),
        ("assistant", ASKS_OSLO),
        ("user", 'Observation: told {"city": "Oslo"}'),
        ("assistant", second),
        ("user", 'Observation: told {"city": "Bergen"}'),
    ]
    assert not any(message.tool_calls for request in asked for message in request.messages)


async def test_to_its_reader_it_is_a_model_that_calls_tools(no_leaks):
    """One beginning, one end, thinking apart from the answer, in the order of the grammar."""
    session = talking(steps(ASKS_OSLO), steps(ANSWERS))
    async with session.stream("Weather?") as answer:
        events = [event async for event in answer]
    kinds = [type(event) for event in events]
    assert [kinds.count(kind) for kind in (Started, ToolEnded, ChoiceFinished, UsageReported, Finished)] == [1] * 5
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    assert "".join(texts) == "It is cold.\nVery."
    assert len(texts) > 10  # as it came


async def test_the_final_answer_is_asked_for_at_the_bound(no_leaks):
    """The model is told in words; the tools stay described, so the beginning of the prompt is the same."""
    session = talking(steps(ASKS_OSLO), steps(ANSWERS), most_rounds=1)
    result = await session.complete("Weather?")
    assert (result.text, len(result.steps)) == ("It is cold.\nVery.", 1)
    first, last = session.scripted.requests
    assert last.messages[0] == first.messages[0]
    assert last.messages[-1].text == f'Observation: told {{"city": "Oslo"}}\n\n{FINAL}'
    assert last.tool_choice is None

    stubborn = talking(steps(ASKS_OSLO), most_rounds=1)
    with pytest.raises(ServerFailed, match="further tools"):
        await stubborn.complete("Weather?")


async def test_malformed_input_and_unknown_tools_reach_the_box(no_leaks):
    """They are passed on as the model wrote them: the box says what is wrong, in words for the model."""
    box = Box()
    text = 'Action: whether\nAction Input: {"city": Oslo,}\nObservation: cold'
    session = talking(steps(text, size=4), steps("Final Answer: ok"), box=box)
    result = await session.complete("Weather?")
    assert box.ran == ['{"city": Oslo,}']
    assert result.steps[0].message.tool_calls[0].name == "whether"
    assert session.scripted.requests[1].messages[-1].text == 'Observation: told {"city": Oslo,}'


async def test_a_question_after_tools_were_used(no_leaks):
    """Earlier rounds are told as text too, and earlier answers have their label."""
    session = talking(steps(ASKS_OSLO), steps(ANSWERS), steps("Final Answer: Bye"))
    await session.complete("Weather?")
    await session.complete("Thanks")
    sent = session.scripted.requests[-1].messages
    assert [message.role for message in sent] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert sent[2].text == 'Action: weather\nAction Input: {"city": "Oslo"}'  # a session keeps no thinking
    assert sent[4].text == "Final Answer: It is cold.\nVery."
    assert sent[5].text == "Thanks"


async def test_a_reply_without_any_label(no_leaks):
    """It is the answer as it stands, and no tool is run."""
    box = Box()
    session = talking(steps("Actually, hello!\nHow are you?\n"), box=box)
    result = await session.complete("Hi")
    assert (result.text, result.steps, box.ran) == ("Actually, hello!\nHow are you?\n", (), [])


async def test_leaving_early(no_leaks):
    """The upstream is closed at once, and what came of the answer is kept."""
    session = talking([*steps(ANSWERS)[:60], 60.0, Finished()])
    async with session.stream("Weather?") as answer:
        async for event in answer:
            if isinstance(event, TextDelta) and "cold" in answer.result.text:
                break
    assert session.scripted.sources[0].closed
    assert answer.result.text.startswith("It is cold")
    assert not answer.whole


async def test_a_reader_who_lets_go(no_leaks):
    """A stream that nobody holds any more is closed, with the reader of its text."""
    scripted = Scripted([*steps("Final Answer: It"), 60.0])
    stream = await react(scripted)(call_of(asking()))
    await anext(stream)
    del stream
    assert scripted.sources[0].closed


async def test_cancelling_in_the_middle_of_a_call(no_leaks):
    """Nothing is run of a call that was not whole."""
    box = Box()
    session = talking([*steps(ASKS_OSLO)[:-10], 60.0], box=box)
    async with session.stream("Weather?") as answer:
        reading = asyncio.create_task(read_into([], answer))
        await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.wait({reading})
    assert box.ran == []
    assert session.scripted.sources[0].closed


async def test_errors_and_notices_pass(no_leaks):
    """The reader gets them as from any upstream, with what came before."""
    begun = [Started("chatcmpl-1", "m", 0), Notice("queued", "Wait."), TextDelta("Final Answer: It is")]
    session = talking([*begun, RateLimited("Too many.")])
    answer = session.stream("Weather?")
    events = []
    with pytest.raises(RateLimited):
        await read_into(events, answer)
    assert [type(event) for event in events] == [Started, Notice, TextDelta]
    assert answer.result.text == "It is"


# --- what follows a call --------------------------------------------------------------------------------------------

IMAGINED = "\nObservation: It is hot.\nThought: I know.\nFinal Answer: It is hot."


async def test_an_imagined_observation_is_dropped(no_leaks):
    """The call stands, what the model imagines behind it does not; a short rest is read on for the exact usage."""
    session = talking(steps(ASKS_OSLO + IMAGINED), steps(ANSWERS))
    result = await session.complete("Weather?")
    assert result.text == "It is cold.\nVery."
    assert result.steps[0].message.text == ""
    assert result.usage.output_tokens == 10
    assert not result.usage.estimated


async def test_an_upstream_that_does_not_stop_is_cut(no_leaks):
    """It writes no novel at our cost: it is cut, its tokens are counted, and the books say that they were."""
    session = talking([*steps(ASKS_OSLO + IMAGINED * 20)[:-3], 60.0], steps(ANSWERS))
    answer = session.stream("Weather?")
    result = await complete(answer)
    assert result.text == "It is cold.\nVery."
    assert session.scripted.sources[0].closed
    assert result.usage.estimated
    trail = session.calls[0].trail
    assert (trail.outcome, trail.attempts[0].outcome) == ("finished", "cut")
    assert trail.usage.estimated
    assert trail.usage.output_tokens > 0
    assert trail.cost == Decimal("0.5")


async def test_an_answer_that_is_not_streamed_is_never_cut(no_leaks):
    """It is paid for already, and its usage is about to come."""
    session = talking(steps(ASKS_OSLO + IMAGINED * 20, size=100_000), steps(ANSWERS))
    result = await session.complete("Weather?")
    assert (result.usage.output_tokens, result.usage.estimated) == (10, False)


@given(
    st.sampled_from([ASKS_OSLO, ASKS_OSLO + IMAGINED, ASKS_OSLO + IMAGINED * 20, ANSWERS, "Hello", ""]),
    st.booleans(),
    st.data(),
)
async def test_the_cut_into_batches_does_not_matter(text, stream, data):
    """Read or cut, it is one whole answer, the same one, with the reason of one that calls tools if it does."""
    whole = await fold(await react(Scripted(steps(text, size=100_000)))(call_of(asking())))
    batches = data.draw(cuts(steps(text, size=data.draw(st.integers(1, 20)))))
    source = Given(batches)

    async def handler(call):
        return EventStream(source)

    events = all_events([batch async for batch in await react(handler)(call_of(asking(stream=stream)))])
    check_grammar(events)
    result = await fold(EventStream(Given([batch_of(*events)])))
    assert result.message == whole.message
    assert result.choices[0].finish_reason == ("tool_calls" if "Action" in text else "stop")
    assert stream or result.usage == whole.usage
    assert source.closes


# --- how a reply is read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(ASKS_OSLO, ("I need the weather.", "", ("weather", '{"city": "Oslo"}')), id="a call"),
        pytest.param(
            'Thought: a\nAction: f\nAction Input:\n```json\n{\n  "a": "}",\n  "b": {"c": "\\"}"}\n}\n```\nThought: x',
            ("a", "", ("f", '{\n  "a": "}",\n  "b": {"c": "\\"}"}\n}')),
            id="fenced, over lines, brackets and quotes in texts",
        ),
        pytest.param("思考：查天气\n行动：weather\n行动输入：{}", ("查天气", "", ("weather", "{}")), id="Chinese"),
        pytest.param("思考：知道了\n最终答案：今天很冷。", ("知道了", "今天很冷。", None), id="Chinese answer"),
        pytest.param("**Thought:** a\n**Action:** f\n**Action Input:** {}", ("a", "", ("f", "{}")), id="bold"),
        pytest.param("**Thought**: a\n **Final Answer**: **b** c", ("a", "**b** c", None), id="bold, colon outside"),
        pytest.param("**Final Answer: 42**", ("", "**42**", None), id="all of it bold"),
        pytest.param("THOUGHT: a\nfinal answer : b", ("a", "b", None), id="other letters"),
        pytest.param("Thought: a\r\nAction: f\r\nAction Input: {}\r\n", ("a", "", ("f", "{}")), id="other line ends"),
        pytest.param("Thought: a\nb\n\nThought: c\nFinal Answer: d", ("a\nb\n\nc", "d", None), id="two thoughts"),
        pytest.param("Let me look.\nAction: `f`\nAction Input: {}", ("", "Let me look.", ("f", "{}")), id="text first"),
        pytest.param("Sure.\nFinal Answer: 42", ("", "Sure.\n\n42", None), id="text and an answer"),
        pytest.param("Action: f", ("", "", ("f", "{}")), id="no input"),
        pytest.param("Action:\nf()\nAction Input:\n", ("", "", ("f", "{}")), id="empty input"),
        pytest.param("Action: f\nFinal Answer: x", ("", "", ("f", "{}")), id="an answer in place of an input"),
        pytest.param("Action: f\nAction Input: Oslo\nAction: g", ("", "", ("f", "Oslo")), id="plain input"),
        pytest.param("Action: f\nAction Input: ```\nOslo\n```", ("", "", ("f", "Oslo")), id="plain input, fenced"),
        pytest.param('Action: f\nAction Input: {"a": 1} {"b": 2}', ("", "", ("f", '{"a": 1}')), id="two inputs"),
        pytest.param(
            'Action: f\nAction Input: {"a": "b}\nObservation: c', ("", "", ("f", '{"a": "b}')), id="a text left open"
        ),
        pytest.param("Thought: I say Action: now", ("I say Action: now",) * 2 + (None,), id="a label inside a line"),
        pytest.param("Thought: only this", ("only this", "only this", None), id="nothing but a thought"),
        pytest.param("Thought: a\nObservation: b\nFinal Answer: c", ("a", "a", None), id="imagined without a call"),
        pytest.param("Final Answer: a\nAction: b", ("", "a\nAction: b", None), id="an answer holds anything"),
        pytest.param("Note\nObservation: b", ("", "Note\nObservation: b", None), id="a word in plain text"),
        pytest.param("Action Input: {}", ("", "Action Input: {}", None), id="input of nothing"),
        pytest.param("Actions: f\nThoughtful: x", ("", "Actions: f\nThoughtful: x", None), id="other words"),
        pytest.param("  \n", ("", "  \n", None), id="white space"),
    ],
)
def test_reading(text, expected):
    """A reply is read strictly, and the same however it was cut."""
    assert said(text) == expected
    assert said(text, places=range(len(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('Action: f\nAction Input: {"a": "b', ("", "", None), id="in the input"),
        pytest.param("Thought: a\nAction: f", ("a", "", None), id="in the name"),
        pytest.param("Thought: a", ("a", "", None), id="in a thought"),
        pytest.param('Action: f\nAction Input: {"a": 1}\nThou', ("", "", ("f", '{"a": 1}')), id="behind the call"),
    ],
)
def test_a_reply_that_was_cut_off(text, expected):
    """Half a call is none: what it would have done nobody knows. Half a thought is no answer."""
    assert said(text, reason="length") == expected


def test_only_the_beginning_of_a_label_is_held_back():
    """A text goes on as soon as it can no longer become a label."""
    parser = ReactParser("call_1")
    given_at_once = [
        "".join(event.text for event in parser.feed(text)) for text in ("Act", "ress", "\n", "**Fin", "e**", "\nThou")
    ]
    assert given_at_once == ["", "Actress", "", "", "\n**Fine**", ""]


PIECES = st.sampled_from(
    [
        *(
            "Thought",
            "Action",
            "Action Input",
            "Final Answer",
            "Observation",
            "思考",
            "行动",
            "行动输入",
            "最终答案",
            "观察",
        ),
        *(
            ":",
            "：",
            ": ",
            "\n",
            "\n\n",
            " ",
            "**",
            "*",
            "```",
            "```json\n",
            "{",
            "}",
            '"',
            "\\",
            '{"a": 1}',
            "name",
            "a",
            "\t",
        ),
    ]
)


@given(
    st.lists(PIECES, max_size=24).map("".join),
    st.lists(st.integers(0, 200), max_size=12),
    st.sampled_from(["stop", "length"]),
    st.sampled_from(["call_1", None]),
)
@example(ASKS_OSLO + IMAGINED, [3, 30, 45, 46, 47, 60], "stop", "call_1")
def test_any_cut_of_a_text_is_read_the_same(text, places, reason, call_id):
    """The same thinking, the same text and the same call, joined."""
    whole = said(text, reason=reason, call_id=call_id)
    assert said(text, reason=reason, call_id=call_id, places=places) == whole
    assert said(text, reason=reason, call_id=call_id, places=range(len(text))) == whole


@given(st.text(alphabet=st.characters(exclude_characters=":："), max_size=60), st.lists(st.integers(0, 60)))
def test_a_text_without_labels_is_not_changed(text, places):
    """Nothing is lost and nothing is added, white space included."""
    assert said(text, places=places) == ("", text, None)


# --- what is asked --------------------------------------------------------------------------------------------------


def test_the_tools_are_described_among_the_instructions():
    """The caller's own stay in front; the tools stand with their arguments."""
    lines = "- weather(city: string (Its name), days?: integer): Tells the weather."
    told = form_of((WEATHER,))
    assert lines in told
    assert 'Action: weather\nAction Input: {"city": "<city>"}\n' in told
    system, user = Message(role="system", content="Be kind."), Message(role="user", content="Hi")
    assert in_words(asking()).messages[0] == Message(role="system", content=told)
    assert in_words(asking(system, user)).messages == (replace(system, content=f"Be kind.\n\n{told}"), user)
    parts = replace(system, content=(TextPart(text="Be kind."),))
    assert in_words(asking(parts, user)).messages[0].content == (*parts.content, TextPart(text=f"\n\n{told}"))


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        pytest.param(None, (STOP,), id="none"),
        pytest.param("END", ("END", STOP), id="one"),
        pytest.param(("a", "b", STOP), ("a", "b", STOP), id="ours already"),
        pytest.param(("a", "b", "c", "d"), ("a", "b", "c", "d"), id="as many as there may be"),
    ],
)
def test_the_stops_of_the_caller_stay(asked, sent):
    """Ours is added where there is room for it."""
    assert in_words(asking(stop=asked)).stop == sent


def test_calls_of_other_models_are_told_as_text():
    """Several at once become one behind the other; thinking, pictures and missing results have their place."""
    calls = tuple(
        ToolCall(id=f"x{n}", name="weather", arguments=arguments) for n, arguments in enumerate(('{"n": 1}', ""))
    )
    picture = (ImagePart(url="data:image/png;base64,"),)
    messages = (
        Message(role="user", content="Weather?"),
        Message(role="assistant", content="I look.", reasoning="Both.", tool_calls=calls),
        Message(role="tool", content=picture, tool_call_id="x1"),
        Message(role="tool", content="cold", tool_call_id="x0"),
    )
    assert [(message.role, message.content) for message in in_words(asking(*messages)).messages[1:]] == [
        ("user", "Weather?"),
        ("assistant", 'Thought: I look.\nBoth.\nAction: weather\nAction Input: {"n": 1}'),
        ("user", "Observation: cold"),
        ("assistant", "Action: weather\nAction Input: {}"),
        ("user", (TextPart(text="Observation: "), *picture)),
    ]


async def test_names_of_calls_do_not_meet(no_leaks):
    """The next one is counted on, also where a window has left the first ones out."""
    calls = [ToolCall(id=name, name="weather", arguments="{}") for name in ("call_3", "call_2")]
    messages = [Message(role="user", content="Weather?")]
    for call in calls:
        messages += [
            Message(role="assistant", tool_calls=(call,)),
            Message(role="tool", content="x", tool_call_id=call.id),
        ]
    stream = await react(Scripted(steps(ASKS_OSLO)))(call_of(asking(*messages)))
    assert (await fold(stream)).message.tool_calls[0].id == "call_4"


@pytest.mark.parametrize(
    ("choice", "note"),
    [
        pytest.param("auto", None, id="auto"),
        pytest.param("required", "Use a tool in this reply", id="required"),
        pytest.param({"type": "function", "function": {"name": "weather"}}, "Use the tool weather", id="named"),
    ],
)
def test_a_choice_of_the_caller_is_told(choice, note):
    """It stands behind the question."""
    last = in_words(asking(tool_choice=choice)).messages[-1]
    assert last.role == "user"
    assert last.text == "Weather?" if note is None else note in last.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"n": 2}, "n is 2", id="several choices"),
        pytest.param({"response_format": ResponseFormat(type="json_object")}, "response_format", id="a form"),
        pytest.param({"tools": (ToolSpec(name="x", type="custom"),)}, "custom", id="not a function"),
        pytest.param({"tool_choice": {"function": {"name": "x"}}}, "no such tool", id="no such tool"),
    ],
)
async def test_what_cannot_be_asked(fields, words):
    """It is refused before anything is sent."""
    scripted = Scripted("never")
    with pytest.raises(BadRequest, match=words):
        await react(scripted)(call_of(asking(**fields)))
    assert scripted.requests == []


async def test_a_request_without_tools_passes_as_it_is(no_leaks):
    """So does its answer, labels and all."""
    scripted = Scripted(steps(ANSWERS))
    request = asking(tools=None)
    result = await fold(await react(scripted)(call_of(request)))
    assert scripted.requests == [request]
    assert result.text == ANSWERS


async def test_tools_that_may_not_be_called_and_were_not(no_leaks):
    """The model is not told of them, and asked as any other."""
    scripted = Scripted(steps(ASKS_OSLO))
    result = await fold(await react(scripted)(call_of(asking(tool_choice="none"))))
    assert scripted.requests == [asking(tools=None)]
    assert result.text == ASKS_OSLO


async def test_tools_that_are_no_longer_there(no_leaks):
    """Earlier rounds are told as text, and nothing the model writes is a call."""
    session = talking(steps(ASKS_OSLO), steps(ANSWERS), steps("Action: none\nIt is over."))
    await session.complete("Weather?")
    session._tools = None
    result = await session.complete("Thanks")
    assert result.text == "Action: none\nIt is over."
    sent = session.scripted.requests[-1]
    assert sent.messages[0].text == NO_LONGER
    assert sent.stop is None
    assert not any(message.tool_calls or message.role == "tool" for message in sent.messages)


async def test_calls_that_the_upstream_makes_itself(no_leaks):
    """They pass: there is nothing to read in them."""
    box = Box()
    session = talking(call_steps(("weather", '{"city": "Oslo"}')), steps(ANSWERS), box=box)
    result = await session.complete("Weather?")
    assert box.ran == ['{"city": "Oslo"}']
    assert result.text == "It is cold.\nVery."


async def test_thinking_that_the_upstream_shows_itself(no_leaks):
    """It passes up to the call; what is thought behind it is dropped as well."""
    text = steps(ASKS_OSLO, size=1000)
    events = [text[0], ReasoningDelta("Hm. "), text[1], ReasoningDelta("Oh."), *text[2:]]
    result = await fold(await react(Scripted(events))(call_of(asking())))
    assert result.message.reasoning == "Hm. I need the weather."


async def test_what_was_read_ahead_is_not_cut(no_leaks):
    """All of the answer is there, its usage included."""

    async def handler(call):
        stream = await Scripted(steps(ASKS_OSLO + IMAGINED * 20))(call)
        await stream.peek(lambda _: False)
        return stream

    result = await fold(await react(handler)(call_of(asking(stream=True))))
    assert result.usage == Usage(input_tokens=10, output_tokens=5)


def test_messages_in_an_unusual_order():
    """A result of no call is told all the same, and a note behind an answer that was begun is a message of its own."""
    orphan = Message(role="tool", content="cold", tool_call_id="x")
    begun = Message(role="assistant", content="It is")
    sent = in_words(asking(Message(role="user", content="Hi"), orphan, begun, tool_choice="required")).messages
    assert [message.role for message in sent] == ["system", "user", "user", "assistant", "user"]
    assert sent[2].text == "Observation: cold"
    assert sent[3] == begun
