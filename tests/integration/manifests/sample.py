"""Manifests and changes as the tests of the manifests backend want them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from argoos.core.image import ImageRef
from argoos.core.push import Push
from argoos.core.step import Update
from argoos.core.workload import Workload
from argoos.ports import Change

WEB = "registry.example.com/team/web"
LOG = "registry.example.com/team/log"
DIGEST = "sha256:" + "1" * 64
NEW = f"{WEB}:1.1@{DIGEST}"
AT = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)

DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    argoos.io/policy: minor
spec:
  template:
    spec:
      containers:
        - name: web
          image: {WEB}:1.0
"""
"""A labelled Deployment that runs version 1.0."""

MOVED = DEPLOYMENT.replace(f"{WEB}:1.0", NEW)
"""The same once it was moved."""


def deployment(name: str = "web", image: str = f"{WEB}:1.0", policy: str = "minor") -> str:
    """Return a labelled Deployment with one container."""
    text = DEPLOYMENT.replace("name: web", f"name: {name}").replace(f"{WEB}:1.0", image)
    return text.replace("argoos.io/policy: minor", f"argoos.io/policy: {policy}")


def change(workload: Workload, image: str = NEW, *, push_id: str = "7", actor: str = "robin") -> Change:
    """Return a change that gives `image` to every container of the workload that runs its repository."""
    new = ImageRef.parse(image)
    push = Push(
        key=f"key-{push_id}",
        repository=new.repository,
        tag=new.tag or "",
        digest=new.digest or DIGEST,
        pushed_at=AT,
        actor=actor,
    )
    updates = tuple(
        Update(
            push=push,
            workload=workload,
            container=container,
            policy="minor",
            image=new,
            record_digest=new.digest is None,
        )
        for container in workload.containers
        if container.image.repository == new.repository
    )
    return Change(workload=workload, updates=updates, push_id=push_id, at=AT)


def changes(workloads: Iterable[Workload], image: str = NEW) -> Sequence[Change]:
    """Return a change for each workload that runs the image's repository."""
    return [each for each in (change(workload, image) for workload in workloads) if each.updates]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until the backend has noticed something."""
    async with asyncio.timeout(10):
        while not holds():  # a backend tells nobody what it has seen
            await asyncio.sleep(0.01)
