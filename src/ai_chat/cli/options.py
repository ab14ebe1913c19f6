"""The options that several commands have, or that only name a thing."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="NAME", help="provider/model, an alias, or local. Default: what is set up."),
]
System = Annotated[str | None, typer.Option("--system", "-s", metavar="TEXT", help="Instructions for the model.")]
ConversationId = Annotated[
    str | None,
    typer.Option("--conversation", "-c", metavar="ID", help="Go on with this conversation, begun if there is none."),
]
Temperature = Annotated[float | None, typer.Option(metavar="0..2", help="Higher is wilder.")]
TopP = Annotated[float | None, typer.Option(metavar="0..1", help="Share of the likeliest tokens to choose from.")]
MaxTokens = Annotated[int | None, typer.Option(metavar="N", help="Upper bound on the tokens of an answer.")]
Seed = Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same answer, where supported.")]
Stop = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="End the answer before this text; repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProviderName = Annotated[
    str | None, typer.Option("--provider", "-p", metavar="NAME", help="List what this provider offers instead.")
]
WeightsName = Annotated[str, typer.Argument(metavar="NAME", help="As `ai-chat models list` shows it.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65_535, metavar="N", help="Where to listen; 0: any that is free.")
]
OwnName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it.")]
Kb = Annotated[
    list[str] | None,
    typer.Option(
        "--kb",
        metavar="NAME",
        help="Answer from this collection of your documents; repeatable, '*' for all, - for none any more.",
    ),
]
Into = Annotated[str, typer.Option("--collection", metavar="NAME", help="The collection to add to.")]
Of = Annotated[str | None, typer.Option("--collection", metavar="NAME", help="Look in this collection only.")]
