"""What the contract suite of the `Backend` port asks of each adapter's world.

An adapter joins with one file that opens a `Harness`, and one line in `tests/contracts/backends/harnesses.py`.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from argoos.core.image import RegistryNames
from argoos.ports import Backend


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A Deployment as the suite wants it. Without `argoos.io/policy` among its `rules` it is unlabelled.

    `containers` and `init` map names to images, in order.
    """

    name: str
    containers: Mapping[str, str]
    init: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=lambda: {"argoos.io/policy": "all"})


class Harness(Protocol):
    """One adapter and the world it works on. What it changes, it changes behind the backend's back."""

    keeps_last_push: bool
    """Whether the backend writes the push beside the images, so that `Workload.last_push` gives it back."""
    keeps_digests: bool
    """Whether the backend records the digest beside a bare tag (``argoos.io/pin: tag``), so that it is found again."""

    async def put(self, spec: Spec) -> None:
        """Create the workload, or make the one of that name what `spec` says (same identity, no more rules)."""
        ...

    async def remove(self, name: str) -> None:
        """Delete the workload."""
        ...

    async def images(self, name: str) -> dict[str, str]:
        """Return the images as they stand there, by container name, init containers first."""
        ...

    async def rest(self, name: str) -> Any:
        """Return all of the workload that no change may alter, as a value that compares.

        That is: everything but the images, Argoos's own annotations, and what the orchestrator counts up by itself.
        """
        ...

    async def writes(self) -> int:
        """Return how many writes to workloads the backend has made that changed something."""
        ...

    def started(self, names: RegistryNames) -> AbstractAsyncContextManager[Backend]:
        """Run a backend named ``test`` over what is there; entered once its list is complete, cancelled at exit."""
        ...


class Opener(Protocol):
    """Opens a harness with an empty world, using `folder` for its files, and clears everything away at the end."""

    def __call__(self, folder: Path) -> AbstractAsyncContextManager[Harness]:
        """Return the context manager."""
        ...
