"""What runs now, as far as Argoos cares: workloads, their containers and the rules on their labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argoos.core.image import ImageRef, Repository

LABEL_PREFIX = "argoos.io/"
"""Every label and annotation that Argoos reads or writes starts with this."""

POLICY_LABEL = "argoos.io/policy"
"""The label without which a workload is never touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadRef:
    """Which workload, in words a person knows.

    `backend` is the backend's configured name; `namespace` is "" where the backend has none.
    `uid` is what the backend itself tells it by: unique in time, too (a Kubernetes UID; a file and a position in it).
    """

    backend: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        """Return ``kind namespace/name``, as messages spell it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One named image slot of a workload.

    `image` is what is written there now. `digest` is what is known to run: the image's own digest, or the one that
    Argoos recorded when it wrote a bare tag, or None. `index` is its place among the containers (or, with `init`,
    among the init containers); adapters find the slot by it.
    """

    name: str
    image: ImageRef
    index: int
    init: bool = False
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A labelled workload: its containers, and all its ``argoos.io/*`` labels and annotations as `rules`.

    Containers whose image is no reference (a template, an empty text) are not among them; their names are in
    `left_out`. `last_push` is the id of the push
    that Argoos applied last, or "".
    """

    ref: WorkloadRef
    rules: Mapping[str, str]
    containers: tuple[Container, ...]
    left_out: tuple[str, ...] = ()
    last_push: str = field(default="", compare=False)

    def container_names(self) -> frozenset[str]:
        """Return the names of all containers, those that are left out included."""
        return frozenset(container.name for container in self.containers).union(self.left_out)

    def repositories(self) -> frozenset[Repository]:
        """Return the repositories that this workload runs images of, as written there."""
        return frozenset(container.image.repository for container in self.containers)
