"""Values of the core, each in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from argoos.core.image import ImageRef, RegistryNames, Repository
from argoos.core.plan import plan
from argoos.core.push import Push
from argoos.core.record import PushedAt
from argoos.core.step import Skip, Step, Update
from argoos.core.workload import LABEL_PREFIX, Container, Workload, WorkloadRef

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE_SECONDS = 30
REPOSITORY = "registry.example.com/team/app"
NO_ALIASES = RegistryNames()


def at(seconds: float) -> datetime:
    """Return a time, so many seconds after the start of all tests."""
    return START + timedelta(seconds=seconds)


def digest(number: int) -> str:
    """Return the digest of that number; 0 is the digest that a sender did not name."""
    return f"sha256:{number:064x}" if number else ""


def push(tag: str, *, seconds: float = 0, number: int = 1, repository: str = REPOSITORY, key: str = "") -> Push:
    """Return a push of `tag` with digest `number`, so many seconds after the start."""
    return Push(
        key=key or f"{repository}:{tag}@{number}+{seconds}",
        repository=Repository.parse(repository),
        tag=tag,
        digest=digest(number),
        pushed_at=at(seconds),
    )


def container(image: str, *, name: str = "app", number: int = 0, init: bool = False, index: int = 0) -> Container:
    """Return a container; an image that starts with a colon or an @ is one of `REPOSITORY`.

    With a `number`, that digest is known to run; `image` need not name it (as with ``argoos.io/pin: tag``).
    """
    ref = ImageRef.parse(f"{REPOSITORY}{image}" if image[:1] in {":", "@"} else image)
    return Container(name=name, image=ref, index=index, init=init, digest=digest(number) or ref.digest)


def workload(*containers: Container | str, name: str = "web", **rules: str) -> Workload:
    """Return a workload; ``policy="minor"`` is its label ``argoos.io/policy``, ``policy_app`` is for container app."""
    return Workload(
        ref=WorkloadRef(backend="test", kind="Deployment", namespace="shop", name=name, uid=name),
        rules=labels(**rules),
        containers=tuple(container(one) if isinstance(one, str) else one for one in containers),
    )


def labels(**rules: str) -> Mapping[str, str]:
    """Return labels as a workload carries them; an underscore stands for the dot before a container's name."""
    return {LABEL_PREFIX + key.replace("_", "."): value for key, value in rules.items()}


def planned(
    pushes: Sequence[Push],
    *workloads: Workload,
    names: RegistryNames = NO_ALIASES,
    pushed_at: PushedAt | None = None,
) -> tuple[Step, ...]:
    """Plan with the settle window of `SETTLE_SECONDS`."""
    settle = timedelta(seconds=SETTLE_SECONDS)
    return plan(pushes, workloads, names=names, pushed_at=pushed_at or {}, settle=settle)


def said(step: Step) -> str:
    """Return what a step comes to: the image that is written, shorn of `REPOSITORY`, or the reason for none."""
    match step:
        case Update(image=image):
            return str(image).removeprefix(REPOSITORY)
        case Skip(reason=reason):
            return reason.value


def answers(pushes: Sequence[Push], *workloads: Workload, pushed_at: PushedAt | None = None) -> list[str]:
    """Plan and return what each step comes to."""
    return [said(step) for step in planned(pushes, *workloads, pushed_at=pushed_at)]


def detail(pushes: Sequence[Push], *workloads: Workload, pushed_at: PushedAt | None = None) -> str:
    """Return the detail of the only step of a plan."""
    (step,) = planned(pushes, *workloads, pushed_at=pushed_at)
    return step.detail


def applied(workloads: Sequence[Workload], steps: Sequence[Step]) -> tuple[Workload, ...]:
    """Return the workloads as they are once every update is written."""
    updates = {(step.workload.ref, step.container.name): step for step in steps if isinstance(step, Update)}
    return tuple(
        replace(one, containers=tuple(_moved(slot, updates.get((one.ref, slot.name))) for slot in one.containers))
        for one in workloads
    )


def _moved(slot: Container, update: Update | None) -> Container:
    if update is None:
        return slot
    recorded = update.push.digest if update.record_digest else ""
    return replace(slot, image=update.image, digest=update.image.digest or recorded or None)
