"""The servers that the tests of this folder share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.servers.access import User
from tests.servers.binaries import Binaries
from tests.servers.kubernetes import ControlPlane, Options


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """Return what finds the programs, or skips the test, or fails it where `CI` is set."""
    return Binaries()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """Run one whole control plane, with a token for the user `robin`, for all tests of this folder."""
    options = Options(users=(User(name="robin", groups=("builders",)),))
    async with ControlPlane(binaries, tmp_path_factory.mktemp("control-plane"), options) as plane:
        yield plane
