"""What every store of conversations does with conversations and their turns, whatever database is below it."""

import asyncio
import dataclasses
import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from tests.conversations import BORN, add_line, found_titles, make_turn

from ai_chat.core.conversations import Turn
from ai_chat.core.errors import BadRequest
from ai_chat.core.messages import Message, Step, ToolCall, ToolResult
from ai_chat.core.usage import Usage

TEXTS = {
    "plain": "hello",
    "empty": "",
    "chinese": "用一句话介绍北京",
    "astral": "👩‍👩‍👧 𠮷",
    "nul": "a\0b",
    "half a surrogate pair": "x\ud83dy",
    "the mark of escaped texts": "\ufdd0x",
    "json": '{"a": "\\u0000"}',
    "quotes": "'; DROP TABLE turns; --",
}


# --- conversations --------------------------------------------------------------------------------------------------


async def test_what_is_created_is_given_back(store):
    """A conversation is read as it was returned when it was created."""
    made = await store.create(title="北京", model="openai/gpt", system="Be brief.")

    assert await store.get(made.id) == made
    assert (made.title, made.model, made.system, made.leaf, dict(made.options)) == (
        "北京", "openai/gpt", "Be brief.", None, {},
    )  # fmt: skip
    assert made.created == made.updated
    assert made.created.utcoffset() == timedelta(0)


async def test_new_ids_differ_and_sort_by_age(store):
    """Conversations that are created one after the other have ids in that order."""
    ids = [(await store.create()).id for _ in range(5)]

    assert ids == sorted(set(ids))


async def test_a_given_id_is_taken(store):
    """A conversation can be created under a name of one's own."""
    assert (await store.create(id="北京/1")).id == "北京/1"
    assert (await store.get("北京/1")) is not None


@pytest.mark.parametrize("deleted", [False, True], ids=["present", "deleted"])
async def test_an_id_is_taken_once(store, deleted):
    """An id that exists, even if put away, is refused, and what is there stays as it is."""
    made = await store.create(id="c", title="first")
    if deleted:
        await store.delete("c")

    with pytest.raises(BadRequest, match="'c' is taken"):
        await store.create(id="c", title="second")

    await store.restore("c")
    assert await store.get("c") == made


@pytest.mark.parametrize("name", ["x" * 201, "a\0b", "\ud800"], ids=["long", "nul", "surrogate"])
async def test_an_id_must_be_plain(store, name):
    """An id that a database cannot hold is refused when it is made and not found when it is looked for."""
    with pytest.raises(BadRequest, match="id"):
        await store.create(id=name)
    assert await store.get(name) is None
    assert await store.turn(name) is None
    assert await store.path(name) == ()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_any_title_survives(store, text):
    """Titles and system prompts come back character for character."""
    made = await store.create(title=text, system=text, model=text)
    changed = await store.change(made.id, title=text + "!")

    assert (await store.get(made.id)) == changed
    assert (changed.title, changed.system, changed.model) == (text + "!", text, text)


async def test_list_gives_the_newest_change_first(store):
    """A conversation moves to the front when it is renamed or gets a turn, and not when another leaf is looked at."""
    a, b, c = [await store.create(title=title) for title in "abc"]
    assert [found.title for found in await store.list()] == ["c", "b", "a"]

    (turn,) = await add_line(store, b.id, "hello")
    assert [found.title for found in await store.list()] == ["b", "c", "a"]

    await store.change(a.id, title="A")
    await store.change(c.id, leaf=None)
    await store.change(b.id, leaf=turn.id)
    assert [found.title for found in await store.list()] == ["A", "b", "c"]


@pytest.mark.parametrize(
    ("limit", "offset", "titles"),
    [(2, 0, "ed"), (2, 2, "cb"), (9, 4, "a"), (0, 0, ""), (-1, 0, ""), (9, 9, ""), (1, -5, "e")],
)
async def test_list_gives_pages(store, limit, offset, titles):
    """Limit and offset cut the list; numbers that make no sense give nothing or count from the start."""
    for title in "abcde":
        await store.create(title=title)

    assert [found.title for found in await store.list(limit=limit, offset=offset)] == list(titles)


async def test_change_sets_what_is_named(store):
    """Only the named fields change, and the new state is given back."""
    made = await store.create(title="a", model="m", system="s")

    changed = await store.change(made.id, title="b", options={"tools": ["calculator"], "深": {"度": 1.5}})

    assert changed == dataclasses.replace(
        made, title="b", options={"tools": ["calculator"], "深": {"度": 1.5}}, updated=changed.updated
    )
    assert changed.updated > made.updated
    assert await store.get(made.id) == changed


async def test_change_refuses_what_is_no_field(store):
    """A name that cannot be changed is a mistake of the caller."""
    made = await store.create()

    with pytest.raises(TypeError, match="created"):
        await store.change(made.id, created=BORN)


async def test_what_is_not_there_gives_none_or_false(store):
    """Unknown names are answered, not raised."""
    assert await store.get("x") is None
    assert await store.change("x", title="y") is None
    assert await store.delete("x") is False
    assert await store.restore("x") is False
    assert await store.turn("x") is None
    assert await store.path("x") == ()
    assert await store.siblings("x") == ()


async def test_delete_puts_away_and_restore_takes_back(store):
    """What is deleted is shown nowhere, and comes back whole."""
    made = await store.create(title="weather")
    line = await add_line(store, made.id, "will it rain", "no")

    assert await store.delete(made.id) is True
    assert await store.delete(made.id) is False
    assert await store.get(made.id) is None
    assert await store.list() == ()
    assert await store.search("rain weather") == ()
    assert await store.search("rain") == ()
    assert await store.path(made.id) == ()
    assert await store.turn(line[0].id) is None
    assert await store.siblings(line[0].id) == ()
    assert await store.change(made.id, title="x") is None

    assert await store.restore(made.id) is True
    assert await store.restore(made.id) is False
    assert list(await store.path(made.id)) == line
    assert await found_titles(store, "rain") == ["weather"]


async def test_purge_removes_what_was_deleted_long_ago(store, clock):
    """Only conversations that were deleted so long ago go, with their turns and words, and their ids are free again."""
    old, new, kept = [await store.create(id=name, title=name) for name in ("old", "new", "kept")]
    line = await add_line(store, old.id, "rain", "sun", "snow")
    await store.delete(old.id)
    clock.seconds += 100
    await store.delete(new.id)

    assert await store.purge(older_than=50) == 1
    assert await store.restore(old.id) is False
    assert await store.restore(new.id) is True
    assert [found.id for found in await store.list()] == [kept.id, new.id]

    again = await store.create(id="old", title="again")
    assert await store.turn(line[0].id) is None
    assert await store.path(again.id) == ()
    assert await store.search("rain") == ()


async def test_purge_takes_all_by_default(store):
    """Without an age everything that was deleted goes."""
    for name in "abc":
        await store.create(id=name)
        await store.delete(name)

    assert await store.purge() == 3
    assert await store.purge() == 0


# --- turns ----------------------------------------------------------------------------------------------------------


async def test_a_turn_survives_whole(store):
    """Every field of a turn comes back as it was: money to the last digit, times to the microsecond, unknown fields."""
    made = await store.create()
    turn = make_turn(
        made.id,
        message=Message(role="assistant", content="晴", extra={"audio": {"id": "a", "n": 2**70, "x": 0.1}}),
        created=BORN.astimezone(timezone(timedelta(hours=8))),
        state="failed",
        model="openai/gpt",
        finish_reason="length",
        usage=Usage(
            input_tokens=2**40,
            output_tokens=2,
            cached_input_tokens=0,
            reasoning_tokens=None,
            input_audio_tokens=3,
            output_audio_tokens=4,
            accepted_prediction_tokens=5,
            rejected_prediction_tokens=6,
            estimated=True,
            extra={"queue_time": 0.25},
        ),
        cost=Decimal("0.000000037500000000000000000001"),
        first_token=0.1,
        total=2.5,
        error="The upstream broke; ask again.",
        steps=(
            Step(
                message=Message(role="assistant", tool_calls=(ToolCall(id="c1", name="clock", arguments='{"zone":'),)),
                results=(ToolResult(call_id="c1", name="clock", content="\0 no", seconds=0.25, error="bad_arguments"),),
            ),
        ),
        left_out=3,
    )
    await store.add(turn)

    read = await store.turn(turn.id)

    assert read == turn
    assert read.created.utcoffset() == timedelta(0)
    assert str(read.cost) == str(turn.cost)


async def test_unknown_is_not_zero(store):
    """Usage, cost and times that nobody told stay None, and zeros stay zeros."""
    made = await store.create()
    unknown = make_turn(made.id)
    zero = make_turn(made.id, usage=Usage(input_tokens=0, output_tokens=0), cost=Decimal(0), first_token=0.0)
    await store.add(unknown)
    await store.add(zero)

    assert await store.turn(unknown.id) == unknown
    assert await store.turn(zero.id) == zero


@pytest.mark.parametrize("text", [*TEXTS.values(), "长" * 3_000_000], ids=[*TEXTS, "9 MB"])
async def test_any_text_survives(store, text):
    """Messages, errors and names of models come back character for character."""
    made = await store.create()
    turn = make_turn(made.id, text, error=text, model=text, finish_reason=text)
    await store.add(turn)

    assert await store.turn(turn.id) == turn


async def test_a_time_without_zone_is_a_mistake(store):
    """A naive time is refused, and nothing is written."""
    made = await store.create()
    turn = make_turn(made.id, created=datetime(2026, 1, 1))  # noqa: DTZ001

    with pytest.raises(ValueError, match="zone"):
        await store.add(turn)
    assert await store.path(made.id) == ()


async def test_a_count_beyond_64_bits_is_refused(store):
    """A number that no database holds is a bad request, and nothing is written."""
    made = await store.create()
    turn = make_turn(made.id, usage=Usage(input_tokens=2**63, output_tokens=1))

    with pytest.raises(BadRequest, match="64 bits"):
        await store.add(turn)
    assert await store.get(made.id) == made
    assert await store.path(made.id) == ()


async def test_a_turn_that_is_added_becomes_the_leaf(store):
    """The conversation shows the newest turn and counts as changed."""
    made = await store.create()
    line = await add_line(store, made.id, "a", "b", "c")

    shown = await store.get(made.id)
    assert shown.leaf == line[-1].id
    assert shown.updated > made.updated
    assert list(await store.path(made.id)) == line


async def test_a_turn_belongs_where_it_says(store):
    """Unknown and deleted conversations, parents from elsewhere and used ids are refused, and nothing changes."""
    here, there, gone = [await store.create() for _ in range(3)]
    (elsewhere,) = await add_line(store, there.id, "a")
    (first,) = await add_line(store, here.id, "b")
    await store.delete(gone.id)
    before = await store.get(here.id)

    with pytest.raises(BadRequest, match="no conversation 'x'"):
        await store.add(make_turn("x"))
    with pytest.raises(BadRequest, match="restore it"):
        await store.add(make_turn(gone.id))
    with pytest.raises(BadRequest, match="parent 'x' is no turn"):
        await store.add(make_turn(here.id, parent="x"))
    with pytest.raises(BadRequest, match="parent"):
        await store.add(make_turn(here.id, parent=elsewhere.id))
    with pytest.raises(BadRequest, match="is taken"):
        await store.add(make_turn(here.id, "other", id=first.id))
    with pytest.raises(BadRequest, match="is taken"):
        await store.add(make_turn(here.id, "other", id=elsewhere.id))

    assert await store.get(here.id) == before
    assert list(await store.path(here.id)) == [first]


async def test_save_writes_over(store):
    """A saved turn has its new state; its place and its time of birth stay."""
    made = await store.create()
    (question,) = await add_line(store, made.id, "question")
    running = make_turn(made.id, "", parent=question.id, state="running")
    await store.add(running)
    done = dataclasses.replace(
        running,
        message=Message(role="assistant", content="answer"),
        state="finished",
        usage=Usage(input_tokens=1, output_tokens=2),
        cost=Decimal("0.1"),
    )

    await store.save(dataclasses.replace(done, created=BORN + timedelta(days=1)))

    assert list(await store.path(made.id)) == [question, done]


async def test_save_needs_the_turn(store):
    """A turn that is not there, or lies elsewhere, is not written."""
    made, other = await store.create(), await store.create()
    first, second = await add_line(store, made.id, "a", "b")

    for wrong in (
        make_turn(made.id),
        dataclasses.replace(second, conversation=other.id),
        dataclasses.replace(second, parent=None),
        dataclasses.replace(first, parent=second.id),
    ):
        with pytest.raises(BadRequest, match="add it before"):
            await store.save(wrong)
    assert list(await store.path(made.id)) == [first, second]


async def test_a_run_ends_in_a_conversation_that_was_deleted(store):
    """What runs on while its conversation is put away is saved, as it may be taken back."""
    made = await store.create()
    running = make_turn(made.id, state="running")
    await store.add(running)
    await store.delete(made.id)

    done = dataclasses.replace(running, state="finished", message=Message(role="assistant", content="done"))
    await store.save(done)

    await store.restore(made.id)
    assert list(await store.path(made.id)) == [done]


async def test_the_leaf_can_be_chosen(store):
    """Looking at another branch changes the path that is shown, and only a turn of the conversation can be chosen."""
    made, other = await store.create(), await store.create()
    first, second = await add_line(store, made.id, "a", "b")
    (elsewhere,) = await add_line(store, other.id, "c")

    await store.change(made.id, leaf=first.id)
    assert list(await store.path(made.id)) == [first]
    assert list(await store.path(made.id, second.id)) == [first, second]
    assert await store.path(made.id, elsewhere.id) == ()
    with pytest.raises(BadRequest, match="leaf"):
        await store.change(made.id, title="x", leaf=elsewhere.id)
    assert (await store.get(made.id)).title == ""

    await store.change(made.id, leaf=None)
    assert await store.path(made.id) == ()


@pytest.mark.parametrize(
    ("limit", "count"), [(None, 30), (1, 1), (12, 12), (30, 30), (31, 30), (0, 0), (-1, 0), (2**80, 30)]
)
async def test_path_gives_the_end(store, limit, count):
    """A limit keeps the last turns, in order."""
    made = await store.create()
    line = await add_line(store, made.id, *map(str, range(30)))

    assert list(await store.path(made.id, limit=limit)) == line[30 - count :]


async def test_paths_and_siblings_of_any_tree(store):
    """In a tree that grew at random every path and every set of siblings is what following the parents gives."""
    chance = random.Random(7)  # noqa: S311
    made = await store.create()
    tree: dict[str, Turn] = {}
    for _ in range(60):
        parent = chance.choice([None, *tree])
        turn = make_turn(made.id, parent=parent)
        await store.add(turn)
        tree[turn.id] = turn

    for turn in tree.values():
        line = [turn]
        while line[0].parent is not None:
            line.insert(0, tree[line[0].parent])
        assert list(await store.path(made.id, turn.id)) == line
        assert list(await store.siblings(turn.id)) == [other for other in tree.values() if other.parent == turn.parent]


async def test_interrupted_runs_are_marked(store):
    """What was left running is marked, given back and can be found; the rest stays."""
    made = await store.create(title="t")
    (question,) = await add_line(store, made.id, "question")
    left = [make_turn(made.id, f"part{n}", parent=question.id, state="running") for n in range(2)]
    for turn in left:
        await store.add(turn)

    interrupted = [dataclasses.replace(turn, state="interrupted") for turn in left]
    assert list(await store.interrupt_running()) == interrupted
    assert list(await store.siblings(left[0].id)) == interrupted
    assert await store.turn(question.id) == question
    assert await found_titles(store, "part1") == ["t"]
    assert await store.interrupt_running() == ()


async def test_what_a_living_process_writes_goes_on(store, clock):
    """Only what dead processes left running is marked; of each it is known when it was last seen."""
    made = await store.create(title="t")
    mine, theirs, nobodys = (make_turn(made.id, state="running") for _ in range(3))
    await store.add(mine, owner="me")
    await store.add(theirs, owner="them")
    await store.add(nobodys)
    clock.seconds += 100
    await store.save_parts([], owner="me")
    asked = {}

    def is_alive(owner, seen):
        asked[owner] = seen
        return owner == "me"

    interrupted = await store.interrupt_running(is_alive=is_alive)

    assert {turn.id for turn in interrupted} == {theirs.id, nobodys.id}
    assert asked["me"] < 10 < asked["them"] - 90
    assert asked[None] is None
    assert (await store.turn(mine.id)).state == "running"
    assert await store.interrupt_running(is_alive=is_alive) == ()


async def test_parts_of_many_turns(store):
    """What has come of those that run is written at once; one that has ended stays as it ended."""
    made = await store.create(title="t")
    running, ended = (make_turn(made.id, "", state="running") for _ in range(2))
    for turn in (running, ended):
        await store.add(turn, owner="me")
    await store.save(dataclasses.replace(ended, message=Message(role="user", content="whole"), state="finished"))

    parts = [dataclasses.replace(turn, message=Message(role="user", content="part")) for turn in (running, ended)]
    await store.save_parts(parts, owner="me")

    assert (await store.turn(running.id)).message.text == "part"
    assert (await store.turn(ended.id)).message.text == "whole"


async def test_a_database_without_what_dead_processes_left_is_not_written(store, database_url):
    """Looking for it at each start asks for no right to write, which another process may have."""
    made = await store.create(title="t")
    await store.add(make_turn(made.id, state="running"), owner="me")

    async with store._database.writing():
        assert await store.interrupt_running(is_alive=lambda *_: True) == ()


async def test_the_tip_of_a_branch(store):
    """Behind a turn the branch that was gone on with last leads to its end; where nothing follows, it is the turn."""
    made = await store.create(title="t")
    root, left = await add_line(store, made.id, "root", "left")
    right = make_turn(made.id, "right", parent=root.id)
    await store.add(right)
    below = make_turn(made.id, "below the older one", parent=left.id)
    await store.add(below)

    assert await store.tip(root.id) == right.id
    assert await store.tip(left.id) == below.id
    assert await store.tip(below.id) == below.id
    assert await store.tip("nothing") == "nothing"


async def test_versions_of_many_turns(store):
    """Of each turn with siblings their ids are given at once, those of roots too; one that stands alone has none."""
    made = await store.create(title="t")
    root, left = await add_line(store, made.id, "root", "left")
    right, other = make_turn(made.id, "right", parent=root.id), make_turn(made.id, "another root")
    below = make_turn(made.id, "below", parent=left.id)
    for turn in (right, other, below):
        await store.add(turn)

    found = await store.versions([root, left, below])

    assert {name: list(beside) for name, beside in found.items()} == {
        root.id: [root.id, other.id], left.id: [left.id, right.id],
    }  # fmt: skip
    assert await store.versions([]) == {}


# --- many at once ---------------------------------------------------------------------------------------------------


async def test_many_writers_at_once(store):
    """Turns that are added at the same time are all there."""
    made = await store.create()
    turns = [make_turn(made.id, f"w{n}") for n in range(40)]

    await asyncio.gather(*(store.add(turn) for turn in turns), *(store.list() for _ in range(20)))

    assert {turn.id for turn in await store.siblings(turns[0].id)} == {turn.id for turn in turns}


async def test_a_cancelled_write_is_whole_or_not_there(store):
    """Whenever a writer is cancelled, its turn is there, found and shown, or there is no trace; the store works on."""
    made = await store.create(title="t")
    (root,) = await add_line(store, made.id, "root")
    chance = random.Random(3)  # noqa: S311
    for n in range(40):
        before = await store.get(made.id)
        turn = make_turn(made.id, f"word{n}", parent=root.id)
        writer = asyncio.create_task(store.add(turn))
        await asyncio.sleep(chance.uniform(0, 0.006))  # anywhere before, in and after its statements
        writer.cancel()
        await asyncio.wait([writer])
        is_there = await store.turn(turn.id) is not None
        assert bool(await store.search(f"word{n}")) is is_there
        assert ((await store.get(made.id)).leaf == turn.id) is is_there
        assert is_there or await store.get(made.id) == before
