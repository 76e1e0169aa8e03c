"""The contract suite over every adapter of the table."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.backends.harness import Harness
from tests.contracts.backends.harnesses import HARNESSES
from tests.contracts.backends.suite import BackendContract


class TestBackends(BackendContract):
    """Each adapter keeps the promises of the port."""

    @pytest.fixture(params=sorted(HARNESSES))
    async def world(self, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
        """Open the adapter's harness for one test."""
        async with HARNESSES[request.param](tmp_path) as harness:
            yield harness
