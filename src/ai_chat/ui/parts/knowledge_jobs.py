"""Ingests: how far those have come that go on, and what became of those that have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from ...assembly import Services
from ...core.errors import ChatError
from ...core.knowledge import IngestState, Outcome, Progress
from ..state import remember, remembered, say
from ..texts import has
from .bridge import ask_house, services
from .trouble import note, plain

LOOK_SECONDS = 0.5
STATES: tuple[IngestState, ...] = ("added", "replaced", "unchanged", "refused")
MOST_REFUSED = 20
"""Files that were not taken and are named; of more the number is told."""
JOBS = "jobs"
"""The ingests that this tab has begun or has seen going on, until they are put away."""


def follow_job(job: str) -> None:
    """Show this ingest from now on, until it is put away."""
    remember(JOBS, [*(name for name in remembered(JOBS, ()) if name != job), job])


def reindex() -> None:
    """Begin to give documents vectors of the present model."""
    try:
        follow_job(ask_house(lambda services: services.knowledge.reindex()).id)
    except ChatError as error:
        note(error)


def draw_jobs() -> None:
    """Draw the ingests. While one goes on it is looked again and again; when one ends the whole page is drawn anew."""
    for progress in reversed(services().knowledge.jobs):
        if progress.state == "running" and progress.id not in remembered(JOBS, ()):
            follow_job(progress.id)
    if not (shown := _shown()):
        return
    running = {progress.id for progress in shown if progress.state == "running"}

    @st.fragment(run_every=LOOK_SECONDS if running else None)
    def look() -> None:
        try:
            jobs = _shown()
        except ChatError:  # the program is ending
            return
        if {progress.id for progress in jobs if progress.state == "running"} != running:
            st.rerun()
        for progress in jobs:
            _draw_job(progress)

    # In a container of its own: a look that comes while the page is drawn would move up what stands behind it.
    with st.container():
        look()


def _shown() -> Sequence[Progress]:
    names = remembered(JOBS, ())
    return [progress for progress in services().knowledge.jobs if progress.id in names]


def _draw_job(progress: Progress) -> None:
    runs = progress.state == "running"
    with st.container(key=f"job-{progress.id}", gap="xsmall"):
        with st.container(key=f"job-head-{progress.id}", horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(plain(_title(progress)))
            st.button(
                say("cancel") if runs else say("dismiss"),
                key=f"job-{'cancel' if runs else 'dismiss'}-{progress.id}",
                type="tertiary",
                on_click=_cancel if runs else _dismiss,
                args=(progress.id,),
            )
        if runs:
            st.progress(_share(progress), text=plain(_line(progress)))
        else:
            _draw_outcomes(progress)


def _title(progress: Progress) -> str:
    collection = progress.collection or say("all_documents")
    if progress.state == "running":
        return say("adding", collection=collection) if progress.kind == "add" else say("reindexing")
    return say(f"{progress.kind}_{progress.state}", collection=collection)


def _line(progress: Progress) -> str:
    """Say what is being worked on."""
    done, current = len(progress.outcomes), progress.current
    if current is None:
        words = say("in_line") if done == 0 else ""
    elif progress.chunks == 0:
        words = say("reading_file", name=current)
    else:
        words = say("indexing_file", name=current, done=f"{progress.chunks_done:,}", chunks=f"{progress.chunks:,}")
    files = say("files_done", done=f"{done:,}", files=f"{progress.files:,}") if progress.files > 1 else ""
    return " · ".join(part for part in (files, words) if part)


def _share(progress: Progress) -> float:
    of_current = progress.chunks_done / progress.chunks if progress.chunks else 0.0
    return min((len(progress.outcomes) + of_current) / progress.files, 1.0) if progress.files else 0.0


def _draw_outcomes(progress: Progress) -> None:
    counts = Counter(outcome.state for outcome in progress.outcomes)
    if told := [say(f"outcome_{state}", count=f"{counts[state]:,}") for state in STATES if counts[state]]:
        st.caption(" · ".join(told))
    if progress.error is not None:
        st.caption(plain(progress.error))
    refused = [outcome for outcome in progress.outcomes if outcome.state == "refused"]
    if refused:
        lines = [f"- **{plain(outcome.name)}** — {plain(_reason(outcome))}" for outcome in refused[:MOST_REFUSED]]
        st.markdown("\n".join(lines))
    if len(refused) > MOST_REFUSED:
        st.caption(say("more_refused", count=f"{len(refused) - MOST_REFUSED:,}"))


def _reason(outcome: Outcome) -> str:
    key = f"refused_{outcome.refusal}"
    return say(key) if has(key) else outcome.reason or ""


def _cancel(job: str) -> None:
    try:
        ask_house(lambda services: _cancelled(services, job))
    except ChatError:
        return  # it has ended meanwhile


async def _cancelled(services: Services, job: str) -> None:
    found = services.knowledge.job(job)
    found.cancel()
    await found.over()


def _dismiss(job: str) -> None:
    remember(JOBS, [name for name in remembered(JOBS, ()) if name != job])
