"""The Kubernetes backend: watch the labelled workloads, patch their images, tell their owners."""

import asyncio
from collections.abc import Sequence
from typing import Never

from argoos.backends.kubernetes.answers import Json, Target
from argoos.backends.kubernetes.client import JSON_PATCH, Call, Client
from argoos.backends.kubernetes.events import EventWriter
from argoos.backends.kubernetes.index import Index, Scope
from argoos.backends.kubernetes.kinds import KINDS, Kind
from argoos.backends.kubernetes.options import KubernetesOptions
from argoos.backends.kubernetes.patch import is_there, operations
from argoos.backends.kubernetes.slim import Observed, slim
from argoos.backends.kubernetes.watch import Watcher
from argoos.core.image import RegistryNames, Repository
from argoos.core.workload import WorkloadRef
from argoos.errors import BackendUnavailable, Conflict, PermanentError, TemporaryError
from argoos.ports import Applied, Attempt, BackendStatus, Change, Notice

FIELD_MANAGER = "argoos"
"""Who owns the images in ``managedFields``: https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers"""

_NAMED_PROBLEMS = 3


class KubernetesBackend:
    """Implements `argoos.ports.Backend` for one Kubernetes API server.

    `find` raises `BackendUnavailable` unless every kind is listed and watched at that moment: also when the
    connection was lost a second ago, and also when a single kind may not be listed. A list that is slightly old would
    do no harm to the containers that are in it, since a patch tests what it replaces. But a push could be settled as
    run by nobody while a workload that is not in the list runs it, and a push must never be lost; so it waits. A kind
    that needs no looking after is left out by `KubernetesOptions.kinds`.
    """

    def __init__(self, *, name: str, options: KubernetesOptions, names: RegistryNames) -> None:
        self.name = name
        self._options = options
        self._client = Client(options)
        self._index = Index(names)
        self._events = EventWriter()
        self._writing = asyncio.Semaphore(options.parallel)
        self._watchers = tuple(
            Watcher(backend=name, kind=KINDS[kind], namespace=namespace, options=options, index=self._index)
            for kind in options.kinds
            for namespace in options.namespaces.scopes()
        )

    async def run(self) -> Never:
        """See `Backend.run`."""
        try:
            async with asyncio.TaskGroup() as group:
                for watcher in self._watchers:
                    group.create_task(watcher.run(self._client))
                group.create_task(self._events.run(self._client))
        finally:
            for watcher in self._watchers:
                watcher.stopped()
            await self._client.close()
        raise AssertionError("its tasks never return")

    def status(self) -> BackendStatus:
        """See `Backend.status`. The detail names what is not watched, why, and since when."""
        problems = [
            f"{problem.text} (since {problem.since_at:%Y-%m-%dT%H:%M:%SZ})"
            for problem in (watcher.problem for watcher in self._watchers)
            if problem is not None
        ]
        more = len(problems) - _NAMED_PROBLEMS
        shown = problems[:_NAMED_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        return BackendStatus(synced=not problems, detail="; ".join(shown))

    async def find(self, repository: Repository | None = None) -> Sequence[Observed]:
        """See `Backend.find`; the class says when it raises."""
        status = self.status()
        if not status.synced:
            raise BackendUnavailable(f"backend {self.name} does not know all workloads now: {status.detail}")
        return self._index.find(repository)

    async def reread(self, ref: WorkloadRef) -> Observed | None:
        """See `Backend.reread`."""
        kind = KINDS[ref.kind]
        call = Call(method="GET", path=kind.path(ref.namespace, ref.name), target=_target("get", kind, ref))
        try:
            raw = await self._client.call(call)
        except Conflict:  # 404
            return None
        workload = self._seen(raw, kind)
        return workload if workload is not None and workload.ref == ref else None

    async def apply(self, changes: Sequence[Change]) -> Sequence[Attempt]:
        """See `Backend.apply`."""
        return await asyncio.gather(*map(self._attempt, changes))

    async def report(self, notice: Notice) -> None:
        """Write an Event on the workload, soon."""
        self._events.put(notice)

    async def _attempt(self, change: Change) -> Attempt:
        try:
            async with self._writing:
                return await self._write(change)
        except (Conflict, TemporaryError, PermanentError) as error:
            return error

    async def _write(self, change: Change) -> Applied:
        workload = change.workload
        if not isinstance(workload, Observed):
            raise TypeError(f"{workload.ref} was not read by this backend")
        ref, kind = workload.ref, KINDS[workload.ref.kind]
        call = Call(
            method="PATCH",
            path=kind.path(ref.namespace, ref.name),
            query=(("fieldManager", FIELD_MANAGER),),
            body=operations(change, workload, kind),
            content_type=JSON_PATCH,
            target=_target("patch", kind, ref),
        )
        try:
            self._seen(await self._client.call(call), kind)
        except Conflict:
            # Perhaps it is this very change that stands there, written by a call whose answer was lost.
            current = await self.reread(ref)
            if current is None or not is_there(change, current):
                raise
        return Applied()

    def _seen(self, raw: Json, kind: Kind) -> Observed | None:
        """Keep what an answer of the API server shows of a workload, at once: the watch tells it later."""
        workload = slim(raw, kind, self.name)
        if workload is None or not self._options.namespaces.admits(workload.ref.namespace):
            return None
        namespaces = self._options.namespaces.scopes()
        scope: Scope = (kind.name, None if None in namespaces else workload.ref.namespace)
        self._index.put_answer(workload, scope)
        return workload


def _target(verb: str, kind: Kind, ref: WorkloadRef) -> Target:
    return Target(verb=verb, resource=kind.plural, group=kind.group, namespace=ref.namespace, name=ref.name)
