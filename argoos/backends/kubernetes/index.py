"""The labelled workloads, by key and by the repositories they run: a push costs what matches it."""

from collections.abc import Iterable, Sequence, Set

from argoos.backends.kubernetes.slim import Observed
from argoos.core.image import RegistryNames, Repository

Key = tuple[str, str, str]
"""Kind, namespace and name."""

Scope = tuple[str, str | None]
"""What one list and watch covers: a kind, in one namespace or (None) in all."""


class Index:
    """Knows every labelled workload, in the newest state that anybody has told of.

    Both the watch and the answers to Argoos's own writes feed it, in any order. An API server's resourceVersions
    grow, so the newer state stays.
    """

    def __init__(self, names: RegistryNames) -> None:
        self._names = names
        self._workloads: dict[Key, Observed] = {}
        self._running: dict[Repository, Key | set[Key]] = {}  # a set of one would cost as much as a workload
        self._reached: dict[Scope, str] = {}

    def find(self, repository: Repository | None) -> Sequence[Observed]:
        """Return the workloads that run an image of the repository (or all), by kind, namespace and name."""
        keys = self._workloads if repository is None else self._keys(self._names.canonical(repository))
        return [self._workloads[key] for key in sorted(keys)]

    def put(self, workload: Observed, *, listed: bool = False) -> None:
        """Take over a state of a workload, unless a newer one is known.

        With `listed` it is taken in any case: after a restored backup of etcd, versions start again lower.
        """
        key = key_of(workload)
        known = self._workloads.get(key)
        if known is not None:
            if not listed and is_older(workload.version, known.version):
                return
            if known.containers != workload.containers:
                self._unlink(key, known)
        self._workloads[key] = workload
        for repository in self._repositories(workload):
            self._link(key, repository)

    def put_answer(self, workload: Observed, scope: Scope) -> None:
        """Take over a state from the answer to a call of our own.

        What the watch has passed already it has told of, and a workload that is gone by now must not come back.
        """
        reached = self._reached.get(scope)
        if reached is None or is_older(reached, workload.version):
            self.put(workload)

    def drop(self, key: Key, version: str) -> None:
        """Forget a workload that was gone at `version`, unless it is known to have come back since."""
        known = self._workloads.get(key)
        if known is not None and not is_older(version, known.version):
            del self._workloads[key]
            self._unlink(key, known)

    def reach(self, scope: Scope, version: str) -> None:
        """Note that the watch of the scope has told of everything up to `version`."""
        self._reached[scope] = version

    def keep_only(self, scope: Scope, keys: Set[Key]) -> None:
        """Forget the workloads of a scope that a complete list did not show."""
        kind, namespace = scope
        gone = [key for key in self._workloads if key[0] == kind and namespace in {None, key[1]} and key not in keys]
        for key in gone:
            self._unlink(key, self._workloads.pop(key))

    def __len__(self) -> int:
        return len(self._workloads)

    def _repositories(self, workload: Observed) -> Iterable[Repository]:
        return map(self._names.canonical, workload.repositories())

    def _keys(self, repository: Repository) -> Iterable[Key]:
        match self._running.get(repository):
            case None:
                return ()
            case set() as keys:
                return keys
            case key:
                return (key,)

    def _link(self, key: Key, repository: Repository) -> None:
        match self._running.get(repository):
            case set() as keys:
                keys.add(key)
            case None:
                self._running[repository] = key
            case other if other != key:
                self._running[repository] = {other, key}

    def _unlink(self, key: Key, workload: Observed) -> None:
        for repository in self._repositories(workload):
            match self._running[repository]:
                case set() as keys if len(keys) > 1:
                    keys.discard(key)
                case _:
                    del self._running[repository]


def key_of(workload: Observed) -> Key:
    """Return the key of a workload."""
    return (workload.ref.kind, workload.ref.namespace, workload.ref.name)


def is_older(version: str, than: str) -> bool:
    """Tell whether a resourceVersion is older than another one of the same kind; unreadable ones never are.

    They are decimal numbers that grow:
    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)
