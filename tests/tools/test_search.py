"""The search of documents as a tool: numbered passages for the model, sources for whoever shows the answer."""

from __future__ import annotations

import json

from tests.knowledge.passages import passage

from ai_chat.core.errors import StorageFailed
from ai_chat.core.knowledge import CITE, SEARCH_TOOL, Scope
from ai_chat.core.messages import ToolCall
from ai_chat.core.sources import Sources
from ai_chat.tools.registry import Registry
from ai_chat.tools.search import KnowledgeSearch


class Retriever:
    def __init__(self, *found, error=None) -> None:
        self.found, self.error, self.asked = found, error, []

    async def search(self, query, *, top_k, scope):
        self.asked.append((query, top_k, scope))
        if self.error:
            raise self.error
        return self.found


async def run(retriever, sources=None, **arguments):
    registry = Registry([KnowledgeSearch(retriever, sources or Sources()).search_knowledge_base])
    return await registry.run(ToolCall(id="1", name=SEARCH_TOOL, arguments=json.dumps(arguments)))


async def test_passages_have_numbers():
    """The model reads them with their place; whoever shows the answer gets them as values."""
    retriever = Retriever(passage("a.md", "Alpha."), passage("b.md", "Beta."))
    scope = Scope(collections=("notes",))
    result = await run(retriever, Sources(scope), query="letters", top_k=2)
    assert result.content == f"[1] a.md · p. 2 · Hours\nAlpha.\n\n[2] b.md · p. 2 · Hours\nBeta.\n\n{CITE}"
    assert [(source.number, source.passage.name) for source in result.sources] == [(1, "a.md"), (2, "b.md")]
    assert retriever.asked == [("letters", 2, scope)]
    assert result.told["sources"][0]["text"] == "Alpha."


async def test_nothing_found_is_said():
    """It is no error, and there is nothing to cite."""
    result = await run(Retriever(), query="unicorns")
    assert (result.error, result.sources) == (None, ())
    assert "'unicorns'" in result.content


async def test_what_goes_wrong_is_told_to_the_model():
    """A broken database, too many passages, no query: words that it can act on."""
    broken = await run(Retriever(error=StorageFailed("The disk is gone.")), query="a")
    assert (broken.error, broken.content) == ("failed", "The disk is gone.")
    assert (await run(Retriever(), query="a", top_k=500)).error == "bad_arguments"
    assert (await run(Retriever(), top_k=5)).error == "bad_arguments"


def test_it_has_the_name_that_the_house_knows():
    """The page, the embedded model and the first search find it by that."""
    assert KnowledgeSearch.search_knowledge_base.__name__ == SEARCH_TOOL


async def test_a_registry_exchanges_only_what_the_tool_does():
    """Its arguments and description stay."""
    registry = Registry([KnowledgeSearch(Retriever(), Sources()).search_knowledge_base])
    (spec,) = registry.specs
    registry.exchange(KnowledgeSearch(Retriever(passage()), Sources()).search_knowledge_base)
    assert registry.specs == (spec,)
    result = await registry.run(ToolCall(id="1", name=SEARCH_TOOL, arguments='{"query": "a"}'))
    assert len(result.sources) == 1
