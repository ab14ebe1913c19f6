"""The command as a whole: help, exit codes, sentences, encodings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.child import environment, run
from tests.upstream import failing, streamed, whole

from ai_chat import __version__
from ai_chat.cli.process import report
from ai_chat.core import errors

HEAVY = ("aiohttp", "pydantic", "sqlalchemy", "prompt_toolkit", "rich", "tiktoken", "asyncio", "ai_chat.assembly")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [(("--help",), "Usage: ai-chat"), (("-h",), "Usage: ai-chat"), (("--version",), f"ai-chat {__version__}\n")],
    ids=["nothing", "help", "version"],
)
async def test_help_and_version(env, arguments, shown):
    """What is asked about the command itself is answered on stdout."""
    ended = await run(*arguments, env=env)
    assert (ended.code, ended.err) == (0, "")
    assert shown in ended.out


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_loads_nothing_dear(argument):
    """Help and version do not wait for libraries that only calls need."""
    program = (
        f"import sys; from ai_chat.cli import main; main([{argument!r}]); print({set(HEAVY)!r} & {{*sys.modules}})"
    )
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert out.splitlines()[-1] == "set()"


def test_a_missing_library_is_named():
    """Without the libraries of the command, one sentence says how to get them."""
    program = "import sys; sys.modules['typer'] = None; from ai_chat.cli import main; sys.exit(main(['--version']))"
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == (
        'ai-chat: The command needs typer, which is not installed; install it with: pip install "ai-chat-app[app]"\n'
    )


NUL_IN_STDIN = b"a\0b"
MISUSES = {
    "no question": (("ask",), b"", "There is no question"),
    "blanks": (("ask", " "), b"\n", "There is no question"),
    "a byte that is no UTF-8": (("ask", b"\xff"), b"", "no Unicode text"),
    "NUL": (("ask",), NUL_IN_STDIN, "NUL character (at 1)"),
    "stdin in another encoding": (("ask",), "你好".encode("gbk"), "not UTF-8 text"),
    "a conversation id with a slash": (("ask", "-c", "../x", "hi"), b"", "'../x' cannot be used"),
    "a temperature that is no number": (("ask", "--temperature", "nan", "hi"), b"", "temperature is nan"),
    "a temperature out of range": (("ask", "--temperature", "3", "hi"), b"", "temperature"),
    "a word for a number": (("ask", "--max-tokens", "x", "hi"), b"", "--max-tokens"),
    "an alias that is not set": (("ask", "-m", "fast", "hi"), b"", "AI_CHAT_FAST_MODEL"),
    "an unknown option": (("ask", "--modle", "x", "hi"), b"", "No such option: --modle"),
    "an unknown command": (("aks", "hi"), b"", "No such command 'aks'"),
    "an unknown provider": (("models", "list", "-p", "nobody"), b"", "no provider 'nobody'"),
}


@pytest.mark.parametrize(("arguments", "stdin", "said"), MISUSES.values(), ids=MISUSES)
async def test_bad_input(env, arguments, stdin, said):
    """Bad input is one sentence that names it, and exit code 2."""
    ended = await run(*arguments, env=env, stdin=stdin)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.sentence


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OPENAI_API_KEY": "sk-your-api-key-here"}, "OPENAI_API_KEY is still a placeholder"),
        ({"OPENAI_BASE_URL": "localhost:80/v1"}, "OPENAI_BASE_URL is 'localhost:80/v1'"),
        ({"AI_CHAT_TEMPERATURE": "warm"}, "AI_CHAT_TEMPERATURE is 'warm'"),
        ({"AI_CHAT_MODEL": "nobody-knows-it"}, "'nobody-knows-it'"),
    ],
    ids=["placeholder", "base URL", "setting", "unknown model"],
)
async def test_bad_settings(clean_environment, variables, said):
    """A setting that cannot be used is one sentence that names it, and exit code 2."""
    ended = await run("ask", "hi", env=environment(clean_environment, **variables))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.sentence


@pytest.mark.parametrize("content", [b"model = ", b"\xff\xfe"], ids=["syntax", "encoding"])
async def test_a_broken_config_file(env, clean_environment, content):
    """A config.toml that cannot be read is told in a sentence."""
    folder = clean_environment / "config"
    folder.mkdir()
    (folder / "config.toml").write_bytes(content)
    ended = await run("ask", "hi", env=env)
    assert ended.code == 2
    assert "config.toml" in ended.sentence


async def test_a_data_folder_that_cannot_be_made(env, clean_environment):
    """A conversation that cannot be kept is refused before anything is asked."""
    (clean_environment / "file").touch()
    ended = await run("ask", "-c", "a", "hi", env={**env, "AI_CHAT_DATA_DIR": str(clean_environment / "file" / "data")})
    assert ended.code == 2
    assert "set AI_CHAT_DATA_DIR to another" in ended.sentence


@pytest.mark.parametrize(
    ("reply", "code"),
    [(failing(401), 1), (failing(404, code="model_not_found"), 2), (streamed("Hel").cut_after(2), 1)],
    ids=["wrong key", "unknown model", "cut"],
)
async def test_failures_of_the_upstream(env, upstream, reply, code):
    """What the upstream refuses or breaks off is one sentence."""
    upstream.replies = [reply]
    ended = await run("ask", "hi", env=env)
    assert ended.code == code
    assert ended.sentence
    assert ended.out == ("Hel\n" if reply.end == "cut" else "")


async def test_an_upstream_that_is_not_there(clean_environment):
    """An address where nobody listens is named."""
    ended = await run("ask", "hi", env=environment(clean_environment, OPENAI_BASE_URL="http://127.0.0.1:1/v1"))
    assert ended.code == 1
    assert "127.0.0.1:1 could not be reached" in ended.sentence


@pytest.mark.parametrize(
    "variables", [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "ascii"}], ids=["C", "POSIX", "ascii"]
)
@pytest.mark.parametrize("option", ["--json", "--no-stream"])
async def test_chinese_without_a_locale(env, upstream, variables, option):
    """Chinese comes out as UTF-8 where no encoding is set, and JSON does anywhere."""
    upstream.replies = [streamed("你好") if option == "--json" else whole("你好")]
    ended = await run("ask", option, "问", env={**env, **variables})
    assert ended.code == 0
    assert "你好" in ended.out
    assert upstream.chats[0]["messages"][0]["content"] == "问"


async def test_an_encoding_that_lacks_a_character(env, upstream):
    """A character that the output's encoding does not know is replaced."""
    upstream.replies = [streamed("a 你")]
    ended = await run("ask", "hi", env={**env, "PYTHONIOENCODING": "latin-1"})
    assert (ended.code, ended.out) == (0, "a ?\n")


@pytest.mark.parametrize("kind", errors.ChatError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_code(capsys, kind):
    """Bad input and bad settings are 2, all else is 1; the sentence goes to stderr."""
    error = kind("A sentence.", phase="total", seconds=1.0) if kind is errors.UpstreamTimeout else kind("A sentence.")
    assert report(error) == (2 if kind in {errors.BadRequest, errors.SettingsError} else 1)
    assert capsys.readouterr() == ("", "ai-chat: A sentence.\n")


def test_a_fault_of_ours_is_told_without_its_text(capsys):
    """An error that should not be gets no trace, and its text, which may hold anything, is not shown."""
    assert report(ValueError("sk-secret")) == 1
    out, err = capsys.readouterr()
    assert (out, "sk-secret" in err, "ValueError" in err) == ("", False, True)


def test_it_runs_as_a_script():
    """The installed script is the same command."""
    script = Path(sys.executable).with_name("ai-chat")
    out = subprocess.run([script, "--version"], check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
    assert out == f"ai-chat {__version__}\n"
