"""The databases that the contracts are run over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conversations import SteppedClock, decode, encode

from ai_chat.core.ports import ConversationStore, DocumentStore
from ai_chat.stores import open_conversations
from ai_chat.stores.opening import Stores, open_stores


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'ai-chat.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def stores(database_url: str, clock: SteppedClock) -> AsyncIterator[Stores]:
    """Give all stores of an empty database, of each kind in turn."""
    stores = await open_stores(database_url, encode=encode, decode=decode, now=clock)
    yield stores
    await stores.aclose()


@pytest.fixture
async def store(database_url: str, clock: SteppedClock) -> AsyncIterator[ConversationStore]:
    """Give an empty store of conversations over each kind of database in turn."""
    store = await open_conversations(database_url, encode=encode, decode=decode, now=clock)
    yield store
    await store.aclose()


@pytest.fixture
def documents(stores: Stores) -> DocumentStore:
    """Give an empty store of documents over each kind of database in turn."""
    return stores.documents
