"""What the planner says beyond the plan itself."""

import pytest

from argoos.core.image import RegistryNames, Repository
from argoos.planner import Planner
from tests.fakes.backend import MemoryBackend
from tests.worker.builders import workload


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("registry.example/shop/wep", "registry.example/shop/web"),
        ("shop/webb", "registry.example/shop/web"),
        ("registry.exmaple/shop/cart", "registry.example/shop/cart"),
        ("localhost:5000/shop/cart", "registry.example/shop/cart"),
        ("quay.io/prometheus/node-exporter", None),
    ],
)
async def test_the_nearest_repository_that_runs_is_named(asked: str, nearest: str | None) -> None:
    """A misspelt path or a wrong host leads to what was meant; something else altogether leads nowhere."""
    backend = MemoryBackend()
    for repository in ("registry.example/shop/web", "registry.example/shop/cart", "redis"):
        one = workload(repository.replace("/", "-"), web=f"{repository}:1.0.0")
        backend.workloads[one.ref] = one
    planner = Planner(backends=[backend], history=None, names=RegistryNames(), settle_seconds=30)
    found = await planner.nearest(Repository.parse(asked))
    assert found == (Repository.parse(nearest) if nearest else None)
