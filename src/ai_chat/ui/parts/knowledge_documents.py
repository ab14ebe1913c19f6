"""The list of documents, by collection."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from ...assembly import Services
from ...core.errors import ChatError
from ...core.knowledge import Collection, Document
from ..state import language, remembered, say
from .bridge import ask_house
from .dialogs import open_document, open_removal
from .places import counted, facts_of
from .trouble import plain, quiet_line, sentence

PAGE = 30
"""Documents that are drawn at once."""
MANY = 10
"""From so many on they can be filtered by their names."""
READ_AT_ONCE = 1_000
ALL = ""
ICONS = {"pdf": "picture_as_pdf", "code": "code", "csv": "table", "html": "public", "md": "markdown"}


def draw_documents(collections: Sequence[Collection]) -> None:
    """Draw the list."""
    collection, words = _draw_choice(collections)
    counts = {each.name: each.documents for each in collections}
    try:
        if words:
            matching = ask_house(lambda services: _matching(services, collection, words))
            pages, offset = _paged(len(matching))
            documents: Sequence[Document] = matching[offset:][:PAGE]
        else:
            pages, offset = _paged(sum(counts.values()) if collection is None else counts.get(collection, 0))
            documents = ask_house(lambda services: services.knowledge.documents(collection, limit=PAGE, offset=offset))
    except ChatError as error:
        quiet_line(sentence(error), "trouble-documents", icon=":material/error:")
        return
    if not documents:
        st.caption(plain(say("nothing_found", query=words)))
        return
    with st.container(key="documents", gap="xsmall"):
        for name, group in groupby(documents, lambda document: document.collection):
            if len(collections) > 1 or name != collections[0].name:
                st.caption(plain(f"{name} · {counted('documents', counts.get(name, 0))}"))
            for document in group:
                _draw_row(document)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.pagination(pages, key=_page_key(pages))


def _draw_choice(collections: Sequence[Collection]) -> tuple[str | None, str]:
    """Draw what is listed, where there is something to choose; give the collection and the words of the filter."""
    collection, words = ALL, ""
    several, many = len(collections) > 1, sum(each.documents for each in collections) > MANY
    if not several and not many:
        return None, ""
    with st.container(key="documents-choice", horizontal=True, gap="small"):
        if several:
            names = [ALL, *(each.name for each in collections)]
            collection = st.selectbox(
                say("collection"),
                names,
                key=f"listed-{language()}",  # what is picked goes over the wire by its label
                format_func=lambda name: name or say("all_documents"),
                label_visibility="collapsed",
            )
        if many:
            words = st.text_input(
                say("filter"),
                key="documents-filter",
                type="search",
                placeholder=say("filter"),
                label_visibility="collapsed",
                icon=":material/filter_list:",
                live=True,
            )
    return collection or None, (words or "").strip()


def _paged(total: int) -> tuple[int, int]:
    """Give how many pages there are, and how many documents stand before the one that is shown."""
    pages = max(1, -(-total // PAGE))
    shown: int = remembered(_page_key(pages), 1)
    return pages, (shown - 1) * PAGE


def _page_key(pages: int) -> str:
    return f"documents-page-{pages}"


async def _matching(services: Services, collection: str | None, words: str) -> list[Document]:
    """Give the documents in whose names or titles these words stand."""
    found: list[Document] = []
    offset, words = 0, words.casefold()
    while page := await services.knowledge.documents(collection, limit=READ_AT_ONCE, offset=offset):
        found += [each for each in page if words in f"{each.name}\n{each.title or ''}".casefold()]
        offset += len(page)
    return found


def _draw_row(document: Document) -> None:
    with st.container(
        key=f"document-{document.id}", horizontal=True, wrap=False, vertical_alignment="center", gap="small"
    ):
        with st.container(key=f"document-facts-{document.id}", gap=None):
            st.button(
                plain(document.name),
                key=f"view-{document.id}",
                type="tertiary",
                icon=f":material/{ICONS.get(document.kind, 'description')}:",
                on_click=open_document,
                args=(document,),
            )
            st.caption(plain(" · ".join(facts_of(document))))
        st.menu_button(
            say("menu"),
            ("view", "remove"),
            key=f"menu-{document.id}",
            icon=":material/more_horiz:",
            type="tertiary",
            format_func={name: say(name) for name in ("view", "remove")}.__getitem__,
            on_click=_choose,
            args=(document,),
        )


def _choose(document: Document) -> None:
    if st.session_state[f"menu-{document.id}"] == "view":
        open_document(document)
    else:
        open_removal(document)
