"""Adding documents: files, or a text that is pasted, into a collection."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ...core.errors import ChatError
from ...core.knowledge import DEFAULT_COLLECTION, Collection
from ..state import remember, remembered, say
from .bridge import ask_house, services
from .knowledge_jobs import follow_job
from .places import MIB, size_of
from .trouble import note

TARGET = "knowledge-target"


def draw_adding(collections: Sequence[Collection]) -> None:
    """Draw what is added where."""
    names = list(dict.fromkeys([DEFAULT_COLLECTION, *(collection.name for collection in collections)]))
    with st.container(key="adding", gap="medium"):
        st.selectbox(
            say("collection_target"), names, key=TARGET, accept_new_options=True, placeholder=say("collection")
        )
        files, text = st.tabs([say("upload"), say("paste")])
        with files:
            _draw_upload()
        with text:
            _draw_paste()


def _draw_upload() -> None:
    most = services().knowledge.most_bytes
    key = f"upload-{remembered('uploads', 0)}"
    with st.container(key="uploading", gap="small"):
        _say_in_uploader()
        chosen = st.file_uploader(
            say("upload"),
            accept_multiple_files=True,
            key=key,
            max_upload_size=most // MIB,
            label_visibility="collapsed",
        )
        st.caption(f"{say('kinds', size=size_of(most))}  \n{say('same_name')}")
        st.button(
            say("add"),
            key="add-files",
            type="primary",
            icon=":material/add:",
            disabled=not chosen,
            on_click=_add_files,
            args=(key,),
        )


def _say_in_uploader() -> None:
    """Have the box speak the reader's language: Streamlit's own words cannot be changed, but covered."""
    st.html(f'<style>.st-key-uploading {{ --drop: "{say("drop")}"; --choose: "{say("choose_files")}"; }}</style>')


def _draw_paste() -> None:
    number = remembered("pastes", 0)
    with st.form(f"paste-{number}", border=False):
        st.text_input(say("text_name"), key=f"paste-name-{number}")
        st.text_area(say("text"), key=f"paste-text-{number}", height=220)
        st.form_submit_button(
            say("add"), key="add-text", type="primary", icon=":material/add:", on_click=_add_text, args=(number,)
        )


def _add_files(key: str) -> None:
    """Begin to add the files that were chosen, and have the box be empty again."""
    remember("trouble", None)
    files = [(file.name, file.getvalue()) for file in st.session_state[key] or ()]
    collection = st.session_state[TARGET] or DEFAULT_COLLECTION
    if not files:
        return
    try:
        job = ask_house(lambda services: services.knowledge.add_uploads(files, collection))
    except ChatError as error:
        note(error)
        return
    follow_job(job.id)
    remember("uploads", remembered("uploads", 0) + 1)


def _add_text(number: int) -> None:
    """Begin to add a text that was pasted, and have the form be empty again."""
    remember("trouble", None)
    name, text = st.session_state[f"paste-name-{number}"].strip(), st.session_state[f"paste-text-{number}"]
    collection = st.session_state[TARGET] or DEFAULT_COLLECTION
    if not name or not text.strip():
        remember("trouble", say("text_missing"))
        return
    try:
        job = ask_house(lambda services: services.knowledge.add_text(text, name, collection))
    except ChatError as error:
        note(error)
        return
    follow_job(job.id)
    remember("pastes", number + 1)
