"""The ground that benchmarks run on: a scratch directory, a Kubernetes API server, Deployments, daemons."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import orjson

from bench import daemon
from bench.cluster import NAMESPACE, Cluster
from bench.daemon import Daemon
from bench.population import Population
from tests.servers.binaries import Binaries
from tests.servers.kubernetes import ControlPlane, Options
from tests.servers.process import ServerError, free_port

RBAC = Path(__file__).parent.parent / "manifests" / "base" / "rbac.yaml"
ACCOUNT = "argoos"
TOKEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a benchmark finds.

    Attributes:
        directory: for files; gone afterwards.
        plane: etcd and an API server, no controllers: nothing moves but what is moved here.
        cluster: a bare client with the very rights of Argoos, for baselines.
        population: the Deployments that there are.
        pushes: how many pushes the benchmark of memory sends.
    """

    directory: Path
    plane: ControlPlane
    cluster: Cluster
    population: Population
    kubeconfig: Path
    pushes: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def argoos(self, *, waits_for: str | None = "/readyz") -> Daemon:
        """Make a daemon with a new database, not started."""
        return daemon.argoos(self._new_directory(), self.kubeconfig, waits_for=waits_for)

    def argoos_alone(self) -> Daemon:
        """Make a daemon whose API server is away: it takes pushes and cannot work on them."""
        directory = self._new_directory()
        url = f"https://127.0.0.1:{free_port()}"
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(self.kubeconfig.read_text().replace(self.plane.url, url))
        return daemon.argoos(directory, kubeconfig, waits_for="/healthz")

    def bare(self, *, waits_for: str | None = "/readyz") -> Daemon:
        """Make the bare aiohttp server, not started."""
        return daemon.bare(self._new_directory(), waits_for=waits_for)

    def _new_directory(self) -> Path:
        directory = self.directory / f"daemon-{next(self._numbers)}"
        directory.mkdir()
        return directory


@asynccontextmanager
async def prepared(directory: Path, *, pushes: int) -> AsyncIterator[Ground]:
    """Start an API server, without a Deployment, on which Argoos has the rights of `manifests/`."""
    async with ControlPlane(Binaries(_missing), directory, Options(nodes=0, controllers=False)) as plane:
        await plane.kubectl("create", "namespace", ACCOUNT)
        await plane.kubectl("apply", "-n", ACCOUNT, "-f", str(RBAC))
        token = await plane.service_account_token(ACCOUNT, ACCOUNT, TOKEN_SECONDS)
        async with (
            Cluster.opened(plane.url, plane.admin_token) as administrator,
            Cluster.opened(plane.url, token) as cluster,
        ):
            namespace = orjson.dumps({"metadata": {"name": NAMESPACE}})
            await administrator.call("POST", "/api/v1/namespaces", namespace)
            yield Ground(
                directory=directory,
                plane=plane,
                cluster=cluster,
                population=Population(administrator),
                kubeconfig=plane.access.with_token(plane.url, ACCOUNT, token),
                pushes=pushes,
            )


def _missing(why: str) -> NoReturn:
    raise ServerError(why)
