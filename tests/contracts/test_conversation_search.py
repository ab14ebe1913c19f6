"""How conversations are found, whatever database is below."""

import dataclasses

import pytest
from tests.conversations import add_line, found_titles, make_turn

from ai_chat.core.messages import Message


@pytest.mark.parametrize(
    "query",
    [
        "京",
        "北京",
        "北京的天气",
        "天气 北京",
        "python",
        "PYTHON",
        "Ｐｙｔｈｏｎ",
        "pyth",
        "python 天气",
        "get_user",
        "user",
        "3000",
        "ｶﾞ",
        "ガ",
    ],
)
async def test_search_finds(store, query):
    """One Chinese character, two, or a run of them, and words in any case and width."""
    found = await store.create(title="found")
    await add_line(store, found.id, "今天北京的天气很好，用 Python 写 get_user_name(3000) ガ", "ok")
    other = await store.create(title="other")
    await add_line(store, other.id, "上海 is large, see JavaScript")

    assert await found_titles(store, query) == ["found"]


@pytest.mark.parametrize(
    "query", ["京天", "北天", "thon", "py", "上海 python", "found other", "大", "", "  ", "*", '"', "，。"]
)
async def test_search_does_not_find(store, query):
    """Characters that are not neighbours, insides of words, words of two texts, and queries without a word."""
    found = await store.create(title="found")
    await add_line(store, found.id, "北京的天气 python", "上海")
    await store.create(title="other")

    assert await store.search(query) == ()


@pytest.mark.parametrize(
    "query",
    [
        '"rain', "rain*", "rain AND", "NOT rain", "rain OR", "(rain", "rain)", "NEAR(rain)", "words:rain", "rain'",
        "rain\\", "'rain' & !", "rain:*", "<-> rain", "^rain", "rain -", "rain\0", "rain\ud800", "{rain}", "rain;--",
        "%rain%",
    ],
)  # fmt: skip
async def test_signs_in_a_query_mean_nothing(store, query):
    """Operators and quotes of any query language are not obeyed and never an error."""
    made = await store.create(title="t")
    await add_line(store, made.id, "and not or near words rain")

    assert await found_titles(store, query) == ["t"]


async def test_a_long_query_is_cut(store):
    """A whole page pasted into the search box is answered."""
    made = await store.create(title="t")
    await add_line(store, made.id, " ".join(f"w{n}" for n in range(50)))

    assert await found_titles(store, " ".join(f"w{n}" for n in range(50_000))) == ["t"]
    assert await found_titles(store, "北京" * 100_000) == []


async def test_search_gives_the_best_first(store):
    """A title counts most, then the number of messages, then how new the last change is."""
    for title, texts in {
        "newer one": ["rain"],
        "many": ["rain", "rain", "sun"],
        "rain in the title": ["sun"],
        "old one": ["rain"],
    }.items():
        made = await store.create(title=title)
        await add_line(store, made.id, *texts)
    await store.change((await store.search("newer"))[0].id, model="m")

    assert await found_titles(store, "rain") == ["rain in the title", "many", "newer one", "old one"]
    assert [found.title for found in await store.search("rain", limit=2)] == ["rain in the title", "many"]
    assert await store.search("rain", limit=-1) == ()


async def test_the_index_follows(store):
    """New words are found and old ones are not, when a title is changed and when a turn ends or is written again."""
    made = await store.create(title="alpha")
    running = make_turn(made.id, "beta", state="running")
    await store.add(running)
    assert await store.search("beta") == ()

    for text, state in (("gamma", "stopped"), ("delta 北京", "finished"), ("", "finished")):
        await store.save(dataclasses.replace(running, message=Message(role="assistant", content=text), state=state))
        found = {word for word in ("beta", "gamma", "delta", "北京") if await store.search(word)}
        assert found == {word for word in ("beta", "gamma", "delta", "北京") if word in text}

    await store.change(made.id, title="omega")
    assert await store.search("alpha") == ()
    assert await found_titles(store, "omega") == ["omega"]


async def test_a_text_of_any_size_can_be_found(store):
    """A huge message of nothing but different words is stored, and its beginning can be found."""
    made = await store.create(title="t")
    everything = "".join(map(chr, range(0x20000, 0x2A6D6))) * 3 + "".join(f" w{n}" for n in range(200_000))
    await add_line(store, made.id, everything)

    assert await found_titles(store, everything[100:104]) == ["t"]
