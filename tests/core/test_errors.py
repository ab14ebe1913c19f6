"""The error tree: what every class says of itself."""

import inspect
import pickle
import re

import pytest

from ai_chat.core import errors
from ai_chat.core.errors import ChatError, RateLimited, UpstreamTimeout

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, ChatError)]


def drawn() -> dict[str, str | None]:
    """The tree in the module's docstring: each class and the one it hangs on."""
    tree: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if (match := re.match(r"([│├└─ ]*)([A-Z]\w+)( {2}|$)", line)) is not None:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            tree[match[2]] = path[-2] if depth else None
    return tree


def test_the_drawing_is_the_tree() -> None:
    """The docstring names exactly the classes that exist, each under its own base."""
    parents = {cls.__name__: cls.__base__.__name__ if cls is not ChatError else None for cls in CLASSES}

    assert drawn() == parents


def test_codes_are_unique() -> None:
    """A code leads back to one class."""
    assert len({cls.code for cls in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_is_complete(cls: type[ChatError]) -> None:
    """Each has its own code and sentence, and facts that make sense together."""
    assert "code" in vars(cls)
    assert re.fullmatch(r"[a-z_]+", cls.code)
    assert re.fullmatch(r"[a-z_]+", cls.kind)
    assert cls.__doc__
    assert 400 <= cls.http_status <= 599
    assert cls.fallback or not cls.retryable, "what may succeed here later may succeed elsewhere now"
    assert not (cls.retryable and 400 <= cls.http_status < 500) or issubclass(cls, RateLimited)


def test_an_error_keeps_its_facts() -> None:
    """The sentence is the text; the rest is there for machines."""
    error = RateLimited(
        "The upstream allows 3 requests a minute; wait 20 s.",
        param="model",
        retry_after=20.0,
        upstream_status=429,
        upstream_code="rpm",
    )

    assert str(error) == error.message == "The upstream allows 3 requests a minute; wait 20 s."
    assert (error.param, error.retry_after) == ("model", 20.0)
    assert (error.upstream_status, error.upstream_code) == (429, "rpm")


def test_a_timeout_says_which() -> None:
    """It tells its limit's name and length."""
    error = UpstreamTimeout("Nothing came for 60 s; ask again.", phase="between_tokens", seconds=60.0)

    assert (error.phase, error.seconds, error.http_status) == ("between_tokens", 60.0, 504)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_an_error_survives_a_process_border(cls: type[ChatError]) -> None:
    """Pickled, as between the processes of a pool, an error stays what it is with all its facts."""
    facts = {"phase": "total", "seconds": 1.5} if cls is UpstreamTimeout else {"retry_after": 1.5, "param": "n"}
    error = cls("It broke; ask again.", **facts)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert (type(again), str(again), vars(again)) == (cls, str(error), vars(error))
