"""The contract is run against each kind of database in the table; another kind is another line."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from argoos.store import open_store
from tests.contracts.store.making import Inbox

KINDS: Mapping[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder}/argoos.db",
}
"""For each kind the URL of a database that is empty."""


@pytest.fixture(params=sorted(KINDS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database."""
    return KINDS[request.param](tmp_path)


@pytest.fixture
async def inbox(url: str) -> AsyncIterator[Inbox]:
    """Return an open, empty store."""
    async with open_store(url) as store:
        yield store
