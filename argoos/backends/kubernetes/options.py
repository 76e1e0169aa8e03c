"""What an operator can say about the Kubernetes backend."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from argoos.backends.kubernetes.kinds import KINDS

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """Which namespaces are looked at: those that match a glob of `allow` (empty: all) and none of `deny`."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def admits(self, namespace: str) -> bool:
        """Tell whether workloads of the namespace are looked at."""
        allowed = not self.allow or any(fnmatchcase(namespace, glob) for glob in self.allow)
        return allowed and not any(fnmatchcase(namespace, glob) for glob in self.deny)

    def scopes(self) -> tuple[str | None, ...]:
        """Return what to list and watch: each namespace by itself where all are named in full, else None for all.

        Namespace by namespace needs no right beyond a Role in each of them; cluster-wide needs a ClusterRole.
        """
        if not self.allow or any(_GLOB & set(glob) for glob in self.allow):
            return (None,)
        return tuple(sorted({name for name in self.allow if self.admits(name)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesOptions:
    """How to reach the API server, and what to look at there.

    With `in_cluster`, the service account of the pod is used. Else, with a `kubeconfig` (one path, or several joined
    by ``:``) or a `context`, or without a `master`: that file, or the one that the environment names (``KUBECONFIG``,
    ``~/.kube/config``). Else the bare `master` address. `master`, `ca_file`, `cert_file` and `key_file` (a client
    certificate), `token` or `token_file` (read again when it changes), `proxy_url` and `skip_ssl_verification` replace
    what these say.

    `kinds` leaves some of the four kinds out, so that no right is needed for them. `parallel` is how many writes are
    under way at once. `request_timeout_seconds` bounds every call but a watch; `watch_timeout_seconds` is after how
    long a watch is ended and resumed (lengthened by up to a fifth, so that many do not end together).
    """

    kubeconfig: str | None = None
    context: str | None = None
    in_cluster: bool = False
    master: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    skip_ssl_verification: bool = False
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    proxy_url: str | None = None
    namespaces: Namespaces = Namespaces()
    kinds: tuple[str, ...] = tuple(KINDS)
    parallel: int = 16
    request_timeout_seconds: float = 30
    watch_timeout_seconds: int = 300
