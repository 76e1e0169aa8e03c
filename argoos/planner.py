"""Gather and decide: what the given pushes would do to what runs now. Worker, `argoos plan` and API ask here."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from argoos.core.image import RegistryNames, Repository
from argoos.core.plan import plan
from argoos.core.push import Push
from argoos.core.step import Step
from argoos.core.workload import Workload
from argoos.errors import ArgoosError, TemporaryError
from argoos.ports import Backend, History

_ALIKE = 0.6
"""How alike two names must be for one to be a misspelling of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What would be done, and which backends could not be asked (their names, with the error)."""

    steps: tuple[Step, ...]
    unavailable: Mapping[str, ArgoosError]


class Planner:
    """Joins the pushes of one repository with the workloads that run it.

    Args:
        backends: where to look.
        history: knows earlier pushes; None when there is no history to ask (a dry run without a database).
        names: the alias table.
        settle_seconds: how long pushes of the same tag with another digest still belong to the first.
    """

    def __init__(
        self, *, backends: Sequence[Backend], history: History | None, names: RegistryNames, settle_seconds: float
    ) -> None:
        self._backends = tuple(backends)
        self._history = history
        self._names = names
        self._settle = timedelta(seconds=settle_seconds)

    async def plan(self, pushes: Sequence[Push]) -> Planned:
        """Plan pushes of ONE repository against all that runs it now."""
        repository = self._names.canonical(pushes[0].repository)
        workloads: list[Workload] = []
        unavailable: dict[str, ArgoosError] = {}
        for backend in self._backends:
            try:
                workloads += await backend.find(repository)
            except TemporaryError as error:
                unavailable[backend.name] = error
        steps = await self.plan_for(pushes, workloads)
        return Planned(steps=steps, unavailable=unavailable)

    async def plan_for(self, pushes: Sequence[Push], workloads: Sequence[Workload]) -> tuple[Step, ...]:
        """Plan pushes of ONE repository against the given workloads."""
        if not workloads:
            return ()
        repository = self._names.canonical(pushes[0].repository)
        pushed_at = await self._history.pushed_at(repository) if self._history else {}
        return plan(pushes, workloads, names=self._names, pushed_at=pushed_at, settle=self._settle)

    async def nearest(self, repository: Repository) -> Repository | None:
        """Return the repository among those that labelled workloads run whose name is most like `repository`."""
        known: dict[str, Repository] = {}
        for backend in self._backends:
            try:
                found = await backend.find()
            except TemporaryError:
                continue
            for workload in found:
                known |= {str(name): name for name in map(self._names.canonical, workload.repositories())}
        best = max(known.values(), key=lambda name: _likeness(repository, name), default=None)
        return best if best and _likeness(repository, best) >= _ALIKE else None


def _likeness(one: Repository, other: Repository) -> float:
    """Return how alike two repositories are, from 0 to 1; a wrong host is as likely a mistake as a wrong path."""
    paths = difflib.SequenceMatcher(None, one.path, other.path).ratio()
    wholes = difflib.SequenceMatcher(None, str(one), str(other)).ratio()
    return max(paths, wholes)
