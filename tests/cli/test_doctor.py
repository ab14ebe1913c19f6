"""`ai-chat doctor`: what is set, where it comes from, what works; never a secret."""

from __future__ import annotations

import json

import pytest
from tests.upstream import Upstream, failing, offering

from ai_chat.cli.doctor import doctor
from ai_chat.cli.process import Interrupts

KEY = "sk-abcdefghijklmnop"


@pytest.fixture
def look(capsysbinary):
    """Examine, and give exit code and findings."""

    async def look(*, online: bool = False):
        code = await doctor(Interrupts(), online=online, as_json=True)
        return code, json.loads(capsysbinary.readouterr().out)

    return look


async def test_without_any_settings(clean_environment, look):
    """With nothing set up, the embedded model is the default, and ready to be fetched."""
    code, found = await look()
    assert code == 0
    assert found["default"] == {"model": "local", "why": "no provider is set up", "error": None}
    assert found["providers"] == []
    assert not any(row["installed"] for row in found["local"]["weights"])
    assert "The first question fetches" in found["local"]["notice"]


async def test_where_values_come_from(clean_environment, monkeypatch, look):
    """Each value that is set is shown with its source, and the stronger source wins."""
    config = clean_environment / "config"
    config.mkdir()
    (config / "config.toml").write_text('temperature = 1.0\nmodel = "local"\n')
    (clean_environment / "work" / ".env").write_text("AI_CHAT_MODEL=local/mine\nDEEPSEEK_API_KEY=sk-0123456789abcdef\n")
    monkeypatch.setenv("AI_CHAT_CONFIG_DIR", str(config))
    monkeypatch.setenv("AI_CHAT_TIMEOUT__TOTAL", "30")
    monkeypatch.setenv("AI_CHAT_MODLE", "x")
    _, found = await look()
    values = {value["name"]: (value["value"], value["origin"]) for value in found["settings"]["values"]}
    assert values["model"] == ("local/mine", "./.env")
    assert values["temperature"] == ("1.0", "config.toml")
    assert values["timeout.total"] == ("30.0", "environment")
    assert found["settings"]["unknown"] == ["AI_CHAT_MODLE"]
    assert [(each["name"], each["key"]) for each in found["providers"]] == [("deepseek", "set")]


async def test_no_secret_is_shown(settings, monkeypatch, capsysbinary, upstream):
    """Neither a key nor a password of a proxy nor any part of them is in the findings, as text or as JSON."""
    upstream.models = failing(401, f"Incorrect API key provided: {KEY}")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:1")
    for as_json in (False, True):
        await doctor(Interrupts(), online=True, as_json=as_json)
    out, err = capsysbinary.readouterr()
    shown = (out + err).decode()
    assert "127.0.0.1:1" in shown
    for secret in (KEY, KEY[-4:], "hunter2", "user:"):
        assert secret not in shown


async def test_a_provider_is_asked_online(settings, upstream, look):
    """`--online` asks for the list of models, which costs nothing, and says how many there are."""
    upstream.models = offering("a", "b")
    code, found = await look(online=True)
    assert [request.path for request in upstream.requests] == ["/v1/models"]
    assert (code, found["providers"][0]["online"], found["providers"][0]["models"]) == (0, "ok", 2)


async def test_nothing_is_asked_offline(settings, upstream, look):
    """Without `--online` nobody is called."""
    code, found = await look()
    assert (code, upstream.requests, found["providers"][0]["online"]) == (0, [], None)
    assert found["default"]["why"] == "OPENAI_BASE_URL is set; the first of its models is taken"


async def test_a_default_that_does_not_answer(settings, upstream: Upstream, look):
    """When the provider of the default model refuses, the exit code says so."""
    upstream.models = failing(401)
    code, found = await look(online=True)
    assert code == 1
    assert found["default"]["error"] == found["providers"][0]["online"] != "ok"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OPENAI_API_KEY": "sk-your-api-key-here"}, "placeholder"),
        ({"OPENAI_BASE_URL": "nonsense"}, "no address"),
        ({"AI_CHAT_TEMPERATURE": "warm"}, "AI_CHAT_TEMPERATURE"),
        ({"AI_CHAT_MODEL": "deepseek/m"}, "DEEPSEEK_API_KEY is not set"),
        ({"AI_CHAT_MODEL": "unheard-of"}, "'unheard-of'"),
        ({"AI_CHAT_LOCAL__MODEL": "unheard-of"}, "'unheard-of'"),
    ],
    ids=["placeholder", "base URL", "setting", "no key", "model", "weights"],
)
async def test_a_default_that_cannot_be_used(clean_environment, monkeypatch, look, variables, said):
    """What keeps the default model from being used is told, and the exit code is 1."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, found = await look()
    assert code == 1
    assert said in found["default"]["error"]


async def test_a_data_folder_that_cannot_be_written(clean_environment, monkeypatch, look):
    """A data folder that cannot be made is told with its mend."""
    (clean_environment / "file").touch()
    monkeypatch.setenv("AI_CHAT_DATA_DIR", str(clean_environment / "file" / "data"))
    code, found = await look()
    assert code == 1
    assert "set AI_CHAT_DATA_DIR" in found["data_folder"]["error"]


async def test_damaged_weights(clean_environment, monkeypatch, look):
    """Weights that are not what they were published as are told apart from good ones."""
    monkeypatch.setenv("AI_CHAT_DATA_DIR", str(clean_environment))
    monkeypatch.setenv("AI_CHAT_LOCAL__MODEL", "qwen2.5-coder-0.5b")
    (clean_environment / "models").mkdir()
    (clean_environment / "models" / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf").write_bytes(b"GGUF")
    code, found = await look()
    row = next(each for each in found["local"]["weights"] if each["name"] == "qwen2.5-coder-0.5b")
    assert (code, row["installed"]) == (1, True)
    assert "4 bytes instead of" in row["error"]


async def test_text_for_people(settings, capsysbinary, monkeypatch):
    """The same findings stand under headings, each fault marked."""
    monkeypatch.setenv("AI_CHAT_MODLE", "x")
    assert await doctor(Interrupts(), online=True, as_json=False) == 0
    text = capsysbinary.readouterr().out.decode()
    for heading in ("Settings\n", "Data folder\n", "Default model\n", "Providers\n", "Embedded model\n"):
        assert f"\n{heading}" in text
    assert "! AI_CHAT_MODLE is no setting" in text
    assert "ok, models offered: 1" in text
