"""A fake API server for each test."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from argoos.backends.kubernetes import KubernetesBackend, KubernetesOptions
from argoos.core.image import RegistryNames
from tests.fakes.kube_api import FakeKubeApi, serving

MakeBackend = Callable[..., KubernetesBackend]


@pytest.fixture
def api() -> FakeKubeApi:
    """Return the state of the server."""
    return FakeKubeApi()


@pytest.fixture
async def url(api: FakeKubeApi) -> AsyncIterator[str]:
    """Serve it."""
    async with serving(api) as url:
        yield url


@pytest.fixture
def make(url: str) -> MakeBackend:
    """Return what makes backends over it, given options other than the address."""

    def make(**options: Any) -> KubernetesBackend:
        options.setdefault("master", url)
        return KubernetesBackend(name="test", options=KubernetesOptions(**options), names=RegistryNames())

    return make
