"""The page of a person's own documents: what there is, adding to it, and trying what is found."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ...assembly import Services
from ...core.errors import ChatError
from ...core.knowledge import Collection
from ..state import go_back, language, say
from .bridge import ask_house
from .knowledge_adding import draw_adding
from .knowledge_documents import draw_documents
from .knowledge_jobs import draw_jobs, reindex
from .knowledge_search import draw_search
from .places import counted
from .trouble import plain, quiet_line, sentence, show_noted

PARTS = {"documents": draw_documents, "add": draw_adding, "search": draw_search}


def draw_knowledge() -> None:
    """Draw the page."""
    with st.container(key="knowledge-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("", key="back", icon=":material/arrow_back:", type="tertiary", help=say("back"), on_click=go_back)
        st.markdown(f"## {say('knowledge')}", anchors=False)
    with st.container(key="knowledge-body", gap="small"):
        with st.empty():
            show_noted()
        try:
            collections, outdated, problem = ask_house(_read)
        except ChatError as error:
            quiet_line(sentence(error), "trouble-knowledge", icon=":material/error:")
            return
        if problem is not None:
            quiet_line(sentence(problem), "trouble-embedding", icon=":material/error:")
        _draw_outdated(outdated)
        draw_jobs()
        if collections:
            _draw_part(collections)
        else:
            st.caption(say("knowledge_for"))
            draw_adding(collections)


async def _read(services: Services) -> tuple[Sequence[Collection], int, ChatError | None]:
    """Give the collections, how many documents have old vectors, and why no vectors can be made, if so."""
    collections = await services.knowledge.collections()
    try:
        return collections, await services.knowledge.outdated(), None
    except ChatError as error:  # the model is set wrongly: documents can be seen and found by words all the same
        return collections, 0, error


def _draw_part(collections: Sequence[Collection]) -> None:
    chosen = st.segmented_control(
        say("knowledge"),
        list(PARTS),
        default="documents",
        key=f"knowledge-part-{language()}",  # what is picked goes over the wire by its label
        format_func=say,
        required=True,
        label_visibility="collapsed",
    )
    PARTS[chosen](collections)


def _draw_outdated(outdated: int) -> None:
    """Say that documents have vectors of another model, with the way out."""
    if outdated == 0:
        return
    with st.container(key="trouble-outdated", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/update: {plain(counted('old_vectors', outdated))}")
        st.button(say("reindex"), key="reindex", on_click=reindex)
