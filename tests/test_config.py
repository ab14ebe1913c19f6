"""Settings: where values come from, and what is said of those that cannot be used."""

from __future__ import annotations

import pytest

from ai_chat.config import Settings, checked_url, unknown_variables, variables
from ai_chat.core.errors import SettingsError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder with a configuration folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_CHAT_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    return tmp_path


def test_argument_beats_environment_beats_dotenv_beats_file_beats_default(here, monkeypatch):
    """Each source gives way to the one before it, and the origin of each value is known."""
    (here / "config" / "config.toml").write_text(
        'model = "file"\nfast_model = "file"\nmax_tokens = 7\ntemperature = 1\n'
    )
    (here / ".env").write_text("AI_CHAT_MODEL=dotenv\nAI_CHAT_FAST_MODEL=dotenv\nAI_CHAT_MAX_TOKENS=8\n")
    monkeypatch.setenv("AI_CHAT_MODEL", "environment")
    monkeypatch.setenv("AI_CHAT_FAST_MODEL", "environment")
    settings = Settings.load(model="argument")
    assert (settings.model, settings.fast_model, settings.max_tokens) == ("argument", "environment", 8)
    assert settings.temperature == 1
    assert settings.reasoning_model is None
    assert settings.origins() == {
        "model": "environment",
        "fast_model": "environment",
        "max_tokens": "./.env",
        "temperature": "config.toml",
        "config_dir": "environment",
    }


def test_nested_settings_come_from_one_variable_each(here, monkeypatch):
    """Two underscores go one level down."""
    monkeypatch.setenv("AI_CHAT_TIMEOUT__FIRST_TOKEN", "3.5")
    settings = Settings.load()
    assert settings.timeout.first_token == 3.5
    assert settings.timeout.connect == 10


def test_an_empty_variable_leaves_the_default(here, monkeypatch):
    """`NAME=` in a .env file is no value."""
    (here / ".env").write_text("AI_CHAT_TEMPERATURE=\nAI_CHAT_LOCAL__THREADS=\n")
    settings = Settings.load()
    assert settings.temperature is None
    assert settings.local.threads is None


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AI_CHAT_TEMPERATURE", "9", "AI_CHAT_TEMPERATURE is '9'"),
        ("AI_CHAT_TIMEOUT__CONNECT", "-1", "AI_CHAT_TIMEOUT__CONNECT is '-1'"),
        ("AI_CHAT_LOCAL__CONTEXT", "many", "AI_CHAT_LOCAL__CONTEXT is 'many'"),
        ("AI_CHAT_TIMEOUT", "{", "AI_CHAT_TIMEOUT is no JSON object"),
        ("AI_CHAT_TIMEOUT__CONECT", "3", "AI_CHAT_TIMEOUT__CONECT"),
    ],
    ids=["range", "negative", "no number", "no JSON", "misspelt"],
)
def test_a_value_that_cannot_be_used_is_one_sentence(here, monkeypatch, variable, value, said):
    """The sentence names the variable and its value."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert said in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("text", ["model = [", "model = '\udcff'", "timeout = 3"], ids=["syntax", "encoding", "shape"])
def test_a_broken_file_is_one_sentence(here, text):
    """A configuration file that cannot be read stops everything, clearly."""
    (here / "config" / "config.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SettingsError):
        Settings.load()


@pytest.mark.parametrize(
    "value",
    ["sk-your-api-key-here", "your-api-key", "<key>", "sk-...", "changeme", "sk-xxxxxxxx", "YOUR_API_KEY"],
)
def test_a_placeholder_key_is_refused_by_name(here, monkeypatch, value):
    """A key copied from a guide is told from a real one, and never repeated."""
    monkeypatch.setenv("OPENAI_API_KEY", value)
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is still a placeholder") as caught:
        Settings.load().key("OPENAI_API_KEY")
    assert value not in caught.value.message


@pytest.mark.parametrize("value", ["sk-proj-Ab3dEf6hYourself9", "sk-0123456789abcdef", "gsk_yourx9"])
def test_a_real_key_is_taken_and_never_shown(here, monkeypatch, value):
    """A key passes; its repr does not hold it."""
    monkeypatch.setenv("OPENAI_API_KEY", f" {value}\n")
    key = Settings.load().key("OPENAI_API_KEY")
    assert key is not None
    assert key.get_secret_value() == value
    assert value not in repr(key)


def test_a_key_with_foreign_characters_is_refused(here, monkeypatch):
    """A key that could not be a header is refused before any call."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-密钥")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY holds characters"):
        Settings.load().key("OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("api.openai.com/v1", "no address"),
        ("ftp://x/v1", "no address"),
        ("https://", "no address"),
        ("http://[::1/v1", "no address"),
        ("http://host:99999/v1", "no address"),
        ("https://user:pw@host/v1", "user name or password"),
        ("https://user:pw@host:99999/", "user name or password"),
        ("https://host/v1/chat/completions", "leave that off"),
        ("https://host/v1?x=1", "holds a \\? or #"),
        ("sk-supersecret-1234567890", "looks like a key"),
    ],
)
def test_a_malformed_base_url_says_what_is_wrong(value, said):
    """Each kind of mistake is named."""
    with pytest.raises(SettingsError, match=said) as caught:
        checked_url(value, "OPENAI_BASE_URL")
    assert "OPENAI_BASE_URL" in caught.value.message
    assert "pw" not in caught.value.message
    assert "supersecret" not in caught.value.message


def test_a_key_in_the_wrong_variable_is_not_repeated(here, monkeypatch):
    """What may be a secret is in no sentence."""
    monkeypatch.setenv("AI_CHAT_TIMEOUT__CONNECT", "sk-supersecret-1234567890")
    with pytest.raises(SettingsError, match="AI_CHAT_TIMEOUT__CONNECT") as caught:
        Settings.load()
    assert "supersecret" not in caught.value.message


def test_a_dotenv_that_is_no_text_is_named(here):
    """The sentence says which file, and what to do."""
    (here / ".env").write_bytes(b"AI_CHAT_MODEL=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\./\.env cannot be read .* UTF-8"):
        Settings.load()


def test_a_proxy_that_is_no_address_is_named(here, monkeypatch):
    """It is refused before anything is sent, and what it holds is not repeated."""
    monkeypatch.setenv("HTTPS_PROXY", "user:pw@nowhere")
    with pytest.raises(SettingsError, match="HTTPS_PROXY is no address") as caught:
        Settings.load().proxies()
    assert "pw" not in caught.value.message


def test_a_base_url_loses_its_last_slash():
    """Paths are appended to it."""
    assert checked_url("https://host/v1/", "X") == "https://host/v1"


def test_misspelt_variables_are_found(here, monkeypatch):
    """A variable that nobody listens to is told of."""
    monkeypatch.setenv("AI_CHAT_TEMPRATURE", "1")
    assert unknown_variables() == ["AI_CHAT_TEMPRATURE"]


def test_every_setting_has_a_description():
    """The example file and `doctor` have something to say of each."""
    assert all(description for description, _ in variables().values())
