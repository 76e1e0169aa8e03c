"""What the end-to-end tests share: one whole control plane, and for each test a namespace, registries and daemons."""

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.daemon import Daemon
from tests.servers.access import User
from tests.servers.binaries import Binaries
from tests.servers.kubernetes import ControlPlane, Options
from tests.servers.registry import Endpoint, Registry
from tests.servers.registry import Options as RegistryOptions

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """Return what finds the programs, or skips the test, or fails it where `CI` is set."""
    return Binaries()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """Run one whole control plane, with a token for the user `robin`."""
    options = Options(users=(User(name="robin"),))
    async with ControlPlane(binaries, tmp_path_factory.mktemp("control-plane"), options) as plane:
        yield plane


@dataclass
class Stage:
    """A namespace of the control plane, and what a test puts around it. Everything ends with the test."""

    plane: ControlPlane
    binaries: Binaries
    namespace: str
    directory: Path
    stack: AsyncExitStack
    _count: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def kubernetes(self, **more: Any) -> dict[str, Any]:
        """Return the settings of a backend that looks at this namespace alone, as an administrator unless told."""
        return {
            "kind": "kubernetes",
            "kubeconfig": str(self.plane.kubeconfig),
            "namespaces": {"allow": [self.namespace]},
            **more,
        }

    async def daemon(self, *, started: bool = True, **settings: Any) -> Daemon:
        """Return a daemon over the namespace (or over other backends), started and synced unless told."""
        directory = self.directory / f"argoos-{next(self._count)}"
        daemon = Daemon(directory=directory, settings={"backends": [self.kubernetes()], **settings})
        self.stack.push_async_callback(daemon.server.stop)
        if started:
            await daemon.server.start()
            await daemon.ready()
        return daemon

    async def registry(self, version: str, endpoint: Endpoint, options: RegistryOptions | None = None) -> Registry:
        """Return a registry, running."""
        directory = self.directory / f"registry-{next(self._count)}"
        return await self.stack.enter_async_context(Registry(version, self.binaries, directory, endpoint, options))

    async def apply(self, *documents: dict[str, Any]) -> None:
        """Create or change objects in the namespace."""
        for document in documents:
            document["metadata"]["namespace"] = self.namespace
        await self.plane.apply(*documents)

    async def kubectl(self, *args: str) -> str:
        """Run kubectl in the namespace."""
        return (await self.plane.kubectl("-n", self.namespace, *args)).strip()

    async def get(self, workload: str) -> dict[str, Any]:
        """Return ``kind/name`` as the API server has it."""
        found: dict[str, Any] = json.loads(await self.kubectl("get", workload, "-o", "json"))
        return found

    async def images(self, workload: str) -> dict[str, str]:
        """Return the images of ``kind/name`` by container name, init containers included."""
        spec = (await self.get(workload))["spec"]
        pod = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
        return {each["name"]: each["image"] for each in [*pod.get("initContainers", []), *pod["containers"]]}


@pytest.fixture
async def stage(control_plane: ControlPlane, binaries: Binaries, tmp_path: Path) -> AsyncIterator[Stage]:
    """Make a namespace for one test."""
    namespace = f"e2e-{next(_numbers)}"
    await control_plane.kubectl("create", "namespace", namespace)
    async with AsyncExitStack() as stack:
        yield Stage(plane=control_plane, binaries=binaries, namespace=namespace, directory=tmp_path, stack=stack)


def workload(
    kind: str, name: str, containers: Mapping[str, str], *, rules: Mapping[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Return a workload as a person would write it; without `rules`, its policy is minor.

    `more` may hold `init` (init containers), `replicas` and `spec` (added to the workload's own spec).
    """
    rules = {"argoos.io/policy": "minor"} if rules is None else rules
    labels = {key: value for key, value in rules.items() if key == "argoos.io/policy"}
    pod: dict[str, Any] = {"containers": [{"name": each, "image": image} for each, image in containers.items()]}
    if init := more.get("init"):
        pod["initContainers"] = [{"name": each, "image": image} for each, image in init.items()]
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": name}}, "template": template, **more.get("spec", {})}
    if kind in ("Deployment", "StatefulSet"):
        spec["replicas"] = more.get("replicas", 1)
    if kind == "CronJob":
        pod["restartPolicy"] = "Never"
        spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    annotations = {key: value for key, value in rules.items() if key not in labels}
    metadata = {"name": name, "labels": {"app": name, **labels}, "annotations": annotations}
    version = "batch/v1" if kind == "CronJob" else "apps/v1"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
