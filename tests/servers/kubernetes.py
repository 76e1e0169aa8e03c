"""A Kubernetes control plane without a cluster: etcd, API server, controllers, scheduler, and nodes of kwok.

The API server and the controllers are the real ones; only the kubelets are simulated, by the stages in
`nodes.yaml`. A pod whose image name contains `never-ready` stays unready, so rollouts can be made to fail.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.access import ADMIN, Access, User
from tests.servers.binaries import Binaries
from tests.servers.etcd import Etcd
from tests.servers.process import Command, Server, ServerError, free_port, http_ok, run

STAGES = Path(__file__).with_name("nodes.yaml")
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "clusterrole-aggregation-controller",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a control plane differs from the usual one.

    `nodes`: how many nodes take pods; 0 leaves out the scheduler and kwok, and every pod stays pending.
    `controllers`: False leaves out the controller manager. With `nodes=0` as well there is nothing but an API server,
    the quickest to start and the quietest to measure.
    `old_etcd`: Debian's etcd 3.4, which knows no watch list.
    `watch_cache`: False makes each watch read etcd itself, so that a compaction alone is 410 Gone for it.
    `event_ttl_seconds`: how long Kubernetes Events live.
    `users`: who has a token besides `admin`.
    `flags`: more flags for the API server, for example `--max-requests-inflight=2`.
    """

    nodes: int = 2
    controllers: bool = True
    old_etcd: bool = False
    watch_cache: bool = True
    event_ttl_seconds: int = 3600
    users: tuple[User, ...] = ()
    flags: tuple[str, ...] = ()


class ControlPlane:
    """A control plane on free ports of 127.0.0.1, its data and logs in `directory`.

    `apiserver`, `etcd.server` and `others` are `Server`s: each can be stopped, killed, frozen and started again alone,
    on the same port with the same data.
    """

    def __init__(self, binaries: Binaries, directory: Path, options: Options | None = None) -> None:
        self.options = options or Options()
        self._binaries = binaries
        self._programs = binaries.control_plane()
        self._directory = directory
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.access = Access(directory / "access", self.options.users)
        self.etcd = Etcd(binaries.etcd_old() if self.options.old_etcd else self._programs / "etcd", directory)
        self.kubeconfig = self.kubeconfig_for(ADMIN)
        self.apiserver = self._server("kube-apiserver", self.port, self._apiserver_flags(), path="/readyz")
        self.others: list[Server] = []
        if self.options.controllers:
            self.others.append(self._client("kube-controller-manager", self._controller_flags()))
        if self.options.nodes:
            self.others += [self._client("kube-scheduler", ()), self._kwok()]

    @property
    def admin_token(self) -> str:
        """The bearer token of a cluster administrator (`system:masters`: no RBAC, no request limits)."""
        return self.access.tokens[ADMIN]

    async def start(self) -> None:
        """Start everything and wait until each part says that it is ready.

        Raises:
            ServerError: a part did not start; the others are stopped.
        """
        try:
            await self.etcd.server.start()
            await self.apiserver.start()
            async with asyncio.TaskGroup() as group:
                for server in self.others:
                    group.create_task(server.start())
                group.create_task(self._set_up())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, the clients of the API server first."""
        await asyncio.gather(*(server.kill() for server in self.others))
        await self.apiserver.kill()  # a graceful end waits for every open watch
        await self.etcd.server.kill()

    async def expire_history(self) -> None:
        """Make every resource version from before this call 410 Gone: compact etcd and restart the API server.

        Its watch cache holds what it has seen since it started; only a new one has forgotten the past.
        """
        await self.apiserver.kill()
        await self.etcd.compact()
        await self.apiserver.start()

    async def kubectl(self, *args: str, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """Run kubectl, as an administrator when no `kubeconfig` is given, and return its standard output.

        Raises:
            ServerError: kubectl failed; the message holds what it said.
        """
        command = (str(self._programs / "kubectl"), "--kubeconfig", str(kubeconfig or self.kubeconfig))
        # HOME: kubectl caches what the API server offers, by address, and another test had this address before.
        return await run(*command, *args, stdin=stdin, environment={"HOME": str(self._directory)})

    async def apply(self, *documents: object) -> None:
        """Create or change objects, given as the plain values of their JSON."""
        await self.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        )

    async def rolled_out(self, workload: str, namespace: str = "default", timeout_seconds: int = 30) -> None:
        """Wait until the rollout of `kind/name` is complete.

        Raises:
            ServerError: it is not, after `timeout_seconds`.
        """
        await self.kubectl("rollout", "status", workload, "-n", namespace, f"--timeout={timeout_seconds}s")

    def kubeconfig_for(self, user: str) -> Path:
        """Write a kubeconfig for `admin` or one of `Options.users`, who has a static token."""
        return self.access.with_token(self.url, user, self.access.tokens[user])

    def kubeconfig_with_certificate(self, user: str, group: str = "testers") -> Path:
        """Write a kubeconfig for any user, who has a client certificate."""
        return self.access.with_certificate(self.url, user, group)

    async def service_account_token(self, name: str, namespace: str = "default", seconds: int = 3600) -> str:
        """Ask for a token of an existing service account, as a pod would get it; 600 seconds is the least."""
        token = await self.kubectl("create", "token", name, "-n", namespace, f"--duration={seconds}s")
        return token.strip()

    async def kubeconfig_for_service_account(self, name: str, namespace: str = "default") -> Path:
        """Write a kubeconfig for an existing service account, with a token of an hour."""
        token = await self.service_account_token(name, namespace)
        return self.access.with_token(self.url, f"{namespace}-{name}", token)

    async def _set_up(self) -> None:
        """Wait for the namespace that nearly every test uses, and create the nodes."""
        await self.kubectl("wait", "--for=create", "namespace/default", "--timeout=30s")
        if self.options.nodes:
            await self.apply(*(_node(f"node-{number}") for number in range(1, self.options.nodes + 1)))

    def _server(self, name: str, port: int, flags: Sequence[str], *, path: str) -> Server:
        ready = http_ok(f"https://127.0.0.1:{port}{path}", token=self.admin_token)
        argv = (str(self._programs / name), "--bind-address=127.0.0.1", f"--secure-port={port}", *flags)
        return Server(name, Command(argv=argv, ready=ready), self._directory)

    def _client(self, name: str, flags: Sequence[str]) -> Server:
        certificate = (f"--tls-cert-file={self.access.server_cert}", f"--tls-private-key-file={self.access.server_key}")
        return self._server(
            name,
            free_port(),
            (f"--kubeconfig={self.kubeconfig}", *certificate, "--leader-elect=false", *flags),
            path="/healthz",
        )

    def _apiserver_flags(self) -> tuple[str, ...]:
        access = self.access
        return (
            f"--etcd-servers={self.etcd.url}",
            f"--tls-cert-file={access.server_cert}",
            f"--tls-private-key-file={access.server_key}",
            f"--client-ca-file={access.ca_file}",
            f"--token-auth-file={access.token_file}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={access.signing_key}",
            f"--service-account-signing-key-file={access.signing_key}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",  # it would publish 127.0.0.1, which is refused
            # They would refuse pods until a controller made their service account, and keep pods from new nodes
            # until another took a taint away.
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
            "--etcd-compaction-interval=0",  # history is forgotten when a test says so
            f"--watch-cache={str(self.options.watch_cache).lower()}",
            f"--event-ttl={self.options.event_ttl_seconds}s",
            *self.options.flags,
        )

    def _controller_flags(self) -> tuple[str, ...]:
        return (f"--controllers={','.join(CONTROLLERS)}", "--concurrent-deployment-syncs=5")

    def _kwok(self) -> Server:
        address = f"127.0.0.1:{free_port()}"
        argv = (
            str(self._programs / "kwok"),
            f"--kubeconfig={self.kubeconfig}",
            f"--config={STAGES}",
            "--manage-all-nodes",
            "--node-lease-duration-seconds=0",  # nothing here looks for the sign of life of a node
            f"--server-address={address}",
        )
        return Server("kwok", Command(argv=argv, ready=http_ok(f"http://{address}/healthz")), self._directory)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ServerError):
            await self.stop()


def _node(name: str) -> dict[str, object]:
    capacity = {"cpu": "64", "memory": "256Gi", "pods": "20000"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "status": {"capacity": capacity, "allocatable": capacity},
    }
