"""`ai-chat kb`: its commands and their options. What they need is imported inside them, as for the others."""

from __future__ import annotations

from typing import Annotated

import typer

from ..core.knowledge import DEFAULT_COLLECTION
from .options import AsJson, Into, Of

kb_app = typer.Typer(rich_markup_mode=None)

Named = Annotated[str, typer.Argument(metavar="NAME", help="What it is called in its collection, or its id.")]


@kb_app.callback(invoke_without_command=True)
def _kb(context: typer.Context) -> int:
    return _list() if context.invoked_subcommand is None else 0


@kb_app.command("add")
def _add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files and folders; - stands for stdin.")],
    *,
    collection: Into = DEFAULT_COLLECTION,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What to call the text of stdin.")] = None,
    as_json: AsJson = False,
) -> int:
    """Add documents, or replace those that have changed."""
    from . import process  # noqa: PLC0415
    from .kb_adding import Adding, add  # noqa: PLC0415

    adding = Adding(paths=tuple(paths), collection=collection, name=name, as_json=as_json)
    return process.run(lambda interrupts: add(adding, interrupts))


@kb_app.command("list")
def _list(*, collection: Of = None, as_json: AsJson = False) -> int:
    """List the documents."""
    from . import kb, process  # noqa: PLC0415

    return process.run(lambda interrupts: kb.list_documents(interrupts, collection=collection, as_json=as_json))


@kb_app.command("search")
def _search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="A question, or its most telling words.")],
    *,
    top_k: Annotated[int | None, typer.Option(metavar="N", help="Passages to show. Default: what is set.")] = None,
    collection: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Search this collection only; repeatable.")
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Search the document of this name only; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Find passages by their words and by their meaning."""
    from . import kb, process  # noqa: PLC0415

    wanted = kb.Wanted(
        query=" ".join(query), top_k=top_k, collections=collection or None, files=file or None, as_json=as_json
    )
    return process.run(lambda interrupts: kb.search(wanted, interrupts))


@kb_app.command("show")
def _show(
    name: Named,
    *,
    collection: Of = None,
    chunks: Annotated[bool, typer.Option("--chunks", help="Show the pieces that it is found by.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show a document, or the pieces that it is found by."""
    from . import kb, process  # noqa: PLC0415

    return process.run(
        lambda interrupts: kb.show(interrupts, name=name, collection=collection, chunks=chunks, as_json=as_json)
    )


@kb_app.command("remove")
def _remove(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="What documents are called, or their ids.")
    ] = None,
    *,
    collection: Of = None,
    whole: Annotated[bool, typer.Option("--all", help="Remove all documents of the --collection.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Remove documents, or with --all a whole collection."""
    from . import process  # noqa: PLC0415
    from .kb_removing import Removal, remove  # noqa: PLC0415

    removal = Removal(names=tuple(names or ()), collection=collection, whole=whole, yes=yes)
    return process.run(lambda interrupts: remove(removal, interrupts))


@kb_app.command("reindex")
def _reindex(*, collection: Of = None, as_json: AsJson = False) -> int:
    """Make vectors anew where another model made them."""
    from . import process  # noqa: PLC0415
    from .kb_adding import reindex  # noqa: PLC0415

    return process.run(lambda interrupts: reindex(interrupts, collection=collection, as_json=as_json))
