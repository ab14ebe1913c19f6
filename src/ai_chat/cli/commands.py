"""The commands and their options. What they need is imported inside them: `--help` waits for none of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from .. import __version__
from .kb_commands import kb_app
from .options import (
    AsJson,
    ConversationId,
    Kb,
    MaxTokens,
    Model,
    OwnName,
    Port,
    ProviderName,
    Seed,
    Stop,
    System,
    Temperature,
    TopP,
    WeightsName,
)
from .printing import output_failure, say

MISUSED = 2
APP_PORT = 8501
API_PORT = 8000

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(rich_markup_mode=None)
app.add_typer(models_app, name="models", help="The models on this machine, and what a provider offers.")
app.add_typer(kb_app, name="kb", help="Your own documents: add them, search them, and have them answered from.")


def run(arguments: Sequence[str]) -> int:
    """Run a command line and give its exit code."""
    try:
        return int(app(args=list(arguments), prog_name="ai-chat", standalone_mode=False) or 0)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "ai-chat"
        say(f"{error.format_message().rstrip('.')}; see `{command} --help`.")
        return MISUSED
    except Exception as error:  # noqa: BLE001 - this is the last place where anything can be told
        from .process import report  # noqa: PLC0415

        return report(output_failure(error) if isinstance(error, OSError) else error)  # nothing else was opened here


def _print_version(asked: bool) -> None:  # noqa: FBT001 - the signature is the library's
    if asked:
        typer.echo(f"ai-chat {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    *,
    port: Port = APP_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> int:
    """Chat with any OpenAI-style model, or with one on your own machine. Without a command, opens the app."""
    del version
    if context.invoked_subcommand is not None:
        if no_browser or port != APP_PORT:
            raise typer.BadParameter("--port and --no-browser belong to the app, so they come without a command")
        return 0
    from . import process  # noqa: PLC0415
    from .serve import serve_app  # noqa: PLC0415

    return process.run(lambda interrupts: serve_app(interrupts, port=port, browser=not no_browser))


@app.command("serve")
def _serve(*, port: Port = API_PORT) -> int:
    """Serve the API alone, as OpenAI's clients expect it."""
    from . import process  # noqa: PLC0415
    from .serve import serve_api  # noqa: PLC0415

    return process.run(lambda interrupts: serve_api(interrupts, port=port))


@app.command("ask")
def _ask(
    *,
    prompt: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT", help="The question; - stands for stdin.")
    ] = None,
    model: Model = None,
    system: System = None,
    conversation: ConversationId = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with usage and timings.")] = False,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Ask for the answer in one piece.")] = False,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    stop: Stop = None,
    tools: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Tools that may be called, with commas between, or all; see `ai-chat tools`."
        ),
    ] = None,
    kb: Kb = None,
    schema: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON Schema that the answer must fit; the answer is JSON.")
    ] = None,
) -> int:
    """Ask one question; what is piped in is put below it."""
    from .question import (  # noqa: PLC0415
        Question,
        checked_collections,
        checked_conversation,
        checked_option,
        checked_parameters,
        checked_tools,
        prompt_from,
        read_schema,
    )

    question = Question(
        conversation=checked_conversation(conversation),
        parameters=checked_parameters(
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, stop=stop
        ),
        model=checked_option(model, "--model"),
        system=checked_option(system, "--system"),
        as_json=as_json,
        whole=no_stream,
        tools=checked_tools(tools),
        collections=checked_collections(kb),
        schema=read_schema(schema),
        prompt=prompt_from(prompt or ()),
    )
    from . import process  # noqa: PLC0415
    from .ask import ask  # noqa: PLC0415

    return process.run(lambda interrupts: ask(question, interrupts))


@app.command("tools")
def _tools(*, as_json: AsJson = False) -> int:
    """List the tools that a model may be allowed to call."""
    from . import process  # noqa: PLC0415
    from .tools import list_tools  # noqa: PLC0415

    return process.run(lambda interrupts: list_tools(interrupts, as_json=as_json))


@app.command("chat")
def _chat(
    *,
    model: Model = None,
    system: System = None,
    conversation: ConversationId = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    stop: Stop = None,
    kb: Kb = None,
) -> int:
    """Talk in several turns; the conversation is kept."""
    from . import process  # noqa: PLC0415
    from .chat import chat  # noqa: PLC0415
    from .question import (  # noqa: PLC0415
        Question,
        checked_collections,
        checked_conversation,
        checked_option,
        checked_parameters,
    )

    start = Question(
        prompt="",
        conversation=checked_conversation(conversation),
        parameters=checked_parameters(
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, stop=stop
        ),
        model=checked_option(model, "--model"),
        system=checked_option(system, "--system"),
        collections=checked_collections(kb),
    )
    return process.run(lambda interrupts: chat(start, interrupts))


@app.command("estimate")
def _estimate(
    *,
    prompt: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT", help="The question; - stands for stdin.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="NAME", help="Look at this model; repeatable. Default: those set up."),
    ] = None,
    messages_per_day: Annotated[int, typer.Option(metavar="N", help="How often you ask such a question.")] = 50,
    output_tokens: Annotated[int, typer.Option(metavar="N", help="Tokens you expect of an answer.")] = 400,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", "-c", metavar="ID", help="As the next question of this conversation."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say what a question would cost, without asking it."""
    from .estimate import Asked, estimate  # noqa: PLC0415
    from .question import checked, prompt_from  # noqa: PLC0415

    asked = Asked(
        prompt=prompt_from(prompt or ()),
        models=tuple(checked(name, "--model") for name in model or ()),
        messages_per_day=messages_per_day,
        output_tokens=output_tokens,
        conversation=conversation,
        as_json=as_json,
    )
    from . import process  # noqa: PLC0415

    return process.run(lambda interrupts: estimate(asked, interrupts))


@app.command("doctor")
def _doctor(
    *,
    online: Annotated[
        bool, typer.Option("--online", help="Ask each provider for its models; costs no tokens.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show what is set up, where each value comes from and what works."""
    from . import process  # noqa: PLC0415
    from .doctor import doctor  # noqa: PLC0415

    return process.run(lambda interrupts: doctor(interrupts, online=online, as_json=as_json))


@app.command("usage")
def _usage(
    *,
    by: Annotated[str, typer.Option(metavar="WHAT", help="day, model, conversation or caller.")] = "day",
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="A day like 2026-11-01, today, month, or how long ago: 7d, 12h.")
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> int:
    """Show what was used and what it cost, by day, model, conversation or caller."""
    from . import process  # noqa: PLC0415
    from .usage import Form, usage  # noqa: PLC0415

    form: Form = "json" if as_json else "csv" if as_csv else "table"
    return process.run(lambda interrupts: usage(interrupts, by=by, since=since, form=form))


# --- models -------------------------------------------------------------------------------------------------------


@models_app.callback(invoke_without_command=True)
def _models(context: typer.Context) -> int:
    return _list() if context.invoked_subcommand is None else 0


@models_app.command("list")
def _list(*, provider: ProviderName = None, as_json: AsJson = False) -> int:
    """List the weights of the embedded model, or what a provider offers."""
    from . import models, process  # noqa: PLC0415

    if provider is not None and provider != "local":
        return process.run(lambda interrupts: models.list_offered(interrupts, provider=provider, as_json=as_json))
    return process.run(lambda interrupts: models.list_weights(interrupts, as_json=as_json))


@models_app.command("pull")
def _pull(what: Annotated[str, typer.Argument(metavar="NAME_OR_URL")], name: OwnName = None) -> int:
    """Fetch weights, by their name or from a URL of a GGUF file."""
    from . import models, process  # noqa: PLC0415

    return process.run(lambda interrupts: models.pull(interrupts, what=what, name=name))


@models_app.command("add")
def _add(file: Annotated[Path, typer.Argument(metavar="FILE")], name: OwnName = None) -> int:
    """Take in a GGUF file that is on this machine already."""
    from . import models, process  # noqa: PLC0415

    return process.run(lambda interrupts: models.add(interrupts, file=file.expanduser(), name=name))


@models_app.command("remove")
def _remove(name: WeightsName) -> int:
    """Take weights off this machine."""
    from . import models, process  # noqa: PLC0415

    return process.run(lambda interrupts: models.remove(interrupts, name=name))


@models_app.command("path")
def _path(name: WeightsName) -> int:
    """Print where a file of weights lies."""
    from . import models, process  # noqa: PLC0415

    return process.run(lambda interrupts: models.path(interrupts, name=name))
