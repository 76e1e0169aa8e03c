"""Values for the worker's tests, each in one line."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from argoos.core.image import ImageRef, Repository
from argoos.core.push import Push
from argoos.core.record import QueuedPush
from argoos.core.workload import Container, Workload, WorkloadRef

START = datetime(2026, 1, 1, tzinfo=UTC)


def digest(letter: str) -> str:
    """Return a digest of one repeated hex digit."""
    return f"sha256:{letter * 64}"


def push(tag: str, *, seconds: float = 0, letter: str = "a", repository: str = "registry.example/shop/web") -> Push:
    """Return a push of a tag, so many seconds after the start of time."""
    return Push(
        key=f"test:{repository}:{tag}:{letter}:{seconds}",
        repository=Repository.parse(repository),
        tag=tag,
        digest=digest(letter),
        pushed_at=START + timedelta(seconds=seconds),
        actor="ci",
        sender="test",
    )


def queued(of: Push, *, id_: int = 1, attempts: int = 0) -> QueuedPush:
    """Return the push as a worker claims it."""
    return QueuedPush(id=id_, push=of, received_at=of.pushed_at, attempts=attempts)


def workload(name: str, rules: Mapping[str, str] | None = None, **images: str) -> Workload:
    """Return a workload with a container for each keyword; its policy is minor unless `rules` say otherwise."""
    refs = {container: ImageRef.parse(image) for container, image in images.items()}
    return Workload(
        ref=WorkloadRef(backend="memory", kind="Deployment", namespace="shop", name=name, uid=name),
        rules=rules if rules is not None else {"argoos.io/policy": "minor"},
        containers=tuple(
            Container(name=container, image=ref, index=index, digest=ref.digest)
            for index, (container, ref) in enumerate(refs.items())
        ),
    )
