"""The Kubernetes backend against a real API server, without controllers: nothing moves but what is moved here."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from argoos.backends.kubernetes import KubernetesBackend, KubernetesOptions, Namespaces
from argoos.core.image import RegistryNames, Repository
from argoos.errors import BackendUnavailable, Forbidden, PermanentError
from argoos.ports import Applied, Notice, NoticeKind
from tests.contracts.backends.harness import Harness, Spec
from tests.contracts.backends.kubernetes_deployment import deployment
from tests.contracts.backends.kubernetes_harness import running
from tests.contracts.backends.real_kubernetes_harness import Api, administrator, open_real
from tests.contracts.backends.suite import NEW_DIGEST, WEB, BackendContract, change, eventually, images_of, one
from tests.servers.access import User
from tests.servers.binaries import Binaries
from tests.servers.kubernetes import ControlPlane, Options

pytestmark = pytest.mark.e2e

IMAGE = f"{WEB}:1.1@{NEW_DIGEST}"
ROBIN = User(name="robin")
PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """Run an API server for all tests of this file."""
    options = Options(nodes=0, controllers=False, users=(ROBIN,))
    async with ControlPlane(Binaries(), tmp_path_factory.mktemp("plane"), options) as plane:
        yield plane


@pytest.fixture
async def api(plane: ControlPlane) -> AsyncIterator[Api]:
    """Open an administrator's connection."""
    async with administrator(plane) as api:
        yield api


@pytest.fixture
async def namespace(api: Api) -> str:
    """Create a namespace for one test."""
    name = f"test-{next(_numbers)}"
    await api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return name


def backend(plane: ControlPlane, namespace: str, **settings: Any) -> KubernetesBackend:
    """Return a backend that looks at one namespace."""
    settings.setdefault("kubeconfig", str(plane.kubeconfig))
    options = KubernetesOptions(namespaces=Namespaces(allow=(namespace,)), **settings)
    return KubernetesBackend(name="test", options=options, names=RegistryNames())


def of_kind(kind: str, namespace: str) -> dict[str, Any]:
    """Return a labelled workload of a kind that runs web:1.0, with no annotation anywhere."""
    pod = {"containers": [{"name": "web", "image": f"{WEB}:1.0"}]}
    template: dict[str, Any] = {"metadata": {"labels": {"app": "x"}}, "spec": pod}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    if kind == "CronJob":
        job = {"spec": {"template": {"spec": {**pod, "restartPolicy": "Never"}}}}
        spec = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job}
    labels = {"argoos.io/policy": "all"}
    version = "batch/v1" if kind == "CronJob" else "apps/v1"
    metadata = {"name": "shop", "namespace": namespace, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


async def grant(api: Api, namespace: str, *rules: dict[str, Any]) -> None:
    """Give the user robin a Role in the namespace."""
    base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    await api.call("POST", f"{base}/roles", {"metadata": {"name": "argoos"}, "rules": list(rules)})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "argoos"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "robin"}]
    body = {"metadata": {"name": "argoos"}, "roleRef": role, "subjects": subjects}
    await api.call("POST", f"{base}/rolebindings", body)


def rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    """Return one rule of a Role."""
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


class TestContract(BackendContract):
    """The backend keeps the port's promises on a real API server."""

    @pytest.fixture
    async def world(self, plane: ControlPlane) -> AsyncIterator[Harness]:
        """Open the harness in a namespace of its own."""
        async with open_real(plane) as harness:
            yield harness


@pytest.mark.parametrize("kind", sorted(PATHS))
async def test_every_kind_is_found_and_moved(plane: ControlPlane, api: Api, namespace: str, kind: str) -> None:
    """Each of the four kinds is found and patched, with no annotation to begin with, digest record included."""
    path = PATHS[kind].format(namespace)
    await api.call("POST", path, of_kind(kind, namespace))
    async with running(backend(plane, namespace)) as argoos:
        workload = await one(argoos)
        assert workload.ref.kind == kind
        assert await argoos.apply([change(workload, {"web": IMAGE})]) == [Applied()]
        workload = await one(argoos)
        assert images_of(workload) == {"web": IMAGE}
        assert await argoos.apply([change(workload, {"web": f"{WEB}:latest"})]) == [Applied()]
        assert (await one(argoos)).containers[0].digest == NEW_DIGEST
    fields = (await api.call("GET", f"{path}/shop"))["metadata"]["managedFields"]
    assert "argoos" in {entry["manager"] for entry in fields}


async def test_an_invalid_image_is_a_permanent_error(plane: ControlPlane, api: Api, namespace: str) -> None:
    """What the server refuses for good is not tried again, and the message names the field."""
    raw = of_kind("DaemonSet", namespace)
    await api.call("POST", PATHS["DaemonSet"].format(namespace), raw)
    async with running(backend(plane, namespace)) as argoos:
        workload = await one(argoos)
        # No image that Argoos writes is refused by the server, so the annotation is: it has a limit of 256 KiB.
        (outcome,) = await argoos.apply([change(workload, {"web": IMAGE}, push_id="7" * 300_000)])
        assert isinstance(outcome, PermanentError), outcome
        assert "metadata.annotations" in str(outcome)
        assert images_of(await one(argoos)) == {"web": f"{WEB}:1.0"}


async def test_without_the_right_to_patch(plane: ControlPlane, api: Api, namespace: str) -> None:
    """A Role per namespace is enough; where it lacks a verb, the error names verb, resource and namespace."""
    spec = Spec(name="shop", containers={"web": f"{WEB}:1.0"})
    await api.call("POST", PATHS["Deployment"].format(namespace), deployment(spec, namespace))
    await api.call("POST", PATHS["StatefulSet"].format(namespace), of_kind("StatefulSet", namespace))
    await grant(
        api,
        namespace,
        rule("apps", ["deployments", "statefulsets", "daemonsets"], ["get", "list", "watch"]),
        rule("apps", ["statefulsets"], ["patch"]),
        rule("batch", ["cronjobs"], ["get", "list", "watch"]),
    )
    robin = str(plane.kubeconfig_for("robin"))
    async with running(backend(plane, namespace, kubeconfig=robin)) as argoos:
        workloads = await argoos.find(Repository.parse(WEB))
        assert [workload.ref.kind for workload in workloads] == ["Deployment", "StatefulSet"]
        refused, applied = await argoos.apply([change(each, {"web": IMAGE}) for each in workloads])
        assert isinstance(refused, Forbidden), refused
        for word in ('"patch"', '"deployments"', '"apps"', f'Role in namespace "{namespace}"'):
            assert word in str(refused)
        assert applied == Applied()


async def test_without_the_right_to_list_one_kind(plane: ControlPlane, api: Api, namespace: str) -> None:
    """A kind that may not be listed is named in the status; the right is used as soon as it is given."""
    await grant(api, namespace, rule("apps", ["deployments", "statefulsets", "daemonsets"], ["list", "watch"]))
    argoos = backend(plane, namespace, kubeconfig=str(plane.kubeconfig_for("robin")))
    async with running(argoos, synced=False):
        await eventually(lambda: _detail_has(argoos, '"cronjobs" of API group "batch"'))
        assert "deployments" not in argoos.status().detail
        with pytest.raises(BackendUnavailable, match="cronjobs"):
            await argoos.find()
        roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/argoos"
        rules = [rule("apps", ["*"], ["list", "watch"]), rule("batch", ["cronjobs"], ["list", "watch"])]
        await api.call("PUT", roles, {"metadata": {"name": "argoos"}, "rules": rules})
        await eventually(lambda: _synced(argoos))


async def test_a_client_certificate_logs_in(plane: ControlPlane, api: Api, namespace: str) -> None:
    """A kubeconfig with a client certificate and the cluster's own authority is enough."""
    await api.call("POST", PATHS["Deployment"].format(namespace), of_kind("Deployment", namespace))
    kubeconfig = str(plane.kubeconfig_with_certificate("carla", group="system:masters"))
    async with running(backend(plane, namespace, kubeconfig=kubeconfig)) as argoos:
        assert await argoos.apply([change(await one(argoos), {"web": IMAGE})]) == [Applied()]


async def test_certificates_are_verified_unless_told_not_to(
    plane: ControlPlane, api: Api, namespace: str, tmp_path: Path
) -> None:
    """An unknown authority is refused with a hint; its file, or skip_ssl_verification, makes it work."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{plane.admin_token}\n")
    bare = {"kubeconfig": None, "master": plane.url, "token_file": token_file}
    argoos = backend(plane, namespace, **bare)
    async with running(argoos, synced=False):
        await eventually(lambda: _detail_has(argoos, "ca_file"))
    async with running(backend(plane, namespace, ca_file=plane.access.ca_file, **bare)):
        pass
    async with running(backend(plane, namespace, skip_ssl_verification=True, **bare)):
        pass


async def test_an_api_server_that_comes_back(plane: ControlPlane, api: Api, namespace: str) -> None:
    """While the server is away nothing is answered; when it is back, with a history it has forgotten, all is known."""
    await api.call("POST", PATHS["Deployment"].format(namespace), of_kind("Deployment", namespace))
    async with running(backend(plane, namespace)) as argoos:
        workload = await one(argoos)
        await plane.apiserver.kill()
        await eventually(lambda: _not_synced(argoos))
        with pytest.raises(BackendUnavailable, match=r"does not know all workloads now: .* cannot watch"):
            await argoos.find()
        (outcome,) = await argoos.apply([change(workload, {"web": IMAGE})])
        assert isinstance(outcome, BackendUnavailable), outcome
        await plane.apiserver.start()
        await plane.expire_history()
        await api.call("POST", PATHS["CronJob"].format(namespace), of_kind("CronJob", namespace))
        await eventually(lambda: _synced(argoos))
        await eventually(lambda: _count(argoos, 2))
        assert await argoos.apply([change(workload, {"web": IMAGE})]) == [Applied()]


async def test_a_frozen_server_does_not_hold_writes(plane: ControlPlane, api: Api, namespace: str) -> None:
    """A server that accepts and never answers costs a change the timeout, and no more."""
    await api.call("POST", PATHS["Deployment"].format(namespace), of_kind("Deployment", namespace))
    async with running(backend(plane, namespace, request_timeout_seconds=1)) as argoos:
        workload = await one(argoos)
        plane.apiserver.freeze()
        await asyncio.sleep(0.3)  # threads that run on another processor stop a moment later
        try:
            (outcome,) = await argoos.apply([change(workload, {"web": IMAGE})])
        finally:
            plane.apiserver.thaw()
        assert isinstance(outcome, BackendUnavailable), outcome
        assert "in time" in str(outcome)


async def test_an_old_etcd_is_listed_in_pages(tmp_path: Path) -> None:
    """Where etcd cannot do a watch list, pages do: nothing is missed between two of them or afterwards."""
    options = Options(nodes=0, controllers=False, old_etcd=True)
    async with ControlPlane(Binaries(), tmp_path, options) as plane, administrator(plane) as api:
        path = PATHS["Deployment"].format("default")
        for number in range(260):
            raw = deployment(Spec(name=f"shop-{number}", containers={"web": f"{WEB}:1.0"}), "default")
            await api.call("POST", path, raw)
        async with running(backend(plane, "default")) as argoos:
            workloads = await argoos.find(Repository.parse(WEB))
            assert len(workloads) == 260
            await api.call("DELETE", f"{path}/shop-7")
            await eventually(lambda: _count(argoos, 259))
            outcomes = await argoos.apply([change(each, {"web": IMAGE}) for each in await argoos.find()])
            assert outcomes == [Applied()] * 259


async def test_events_tell_the_owner(plane: ControlPlane, api: Api, namespace: str) -> None:
    """A notice becomes an Event on the workload; the same again is said once."""
    await api.call("POST", PATHS["Deployment"].format(namespace), of_kind("Deployment", namespace))
    events = f"/api/v1/namespaces/{namespace}/events"
    async with running(backend(plane, namespace)) as argoos:
        ref = (await one(argoos)).ref
        for _ in range(3):
            await argoos.report(Notice(workload=ref, kind=NoticeKind.INVALID_POLICY, text="no such policy"))
        await argoos.report(Notice(workload=ref, kind=NoticeKind.IMAGE_UPDATED, text="web: 1.0 -> 1.1"))
        await eventually(lambda: _events(api, events, {("Warning", "InvalidPolicy", 1), ("Normal", "ImageUpdated", 1)}))
    described = await plane.kubectl("describe", "deployment", "shop", "-n", namespace)
    assert "no such policy" in described


async def test_a_huge_workload_is_read(plane: ControlPlane, api: Api, namespace: str) -> None:
    """A Deployment of a megabyte of characters that JSON escapes is one line of five megabytes, and is read."""
    raw = deployment(Spec(name="huge", containers={"web": f"{WEB}:1.0"}), namespace)
    raw["spec"]["template"]["metadata"]["annotations"] = {"note": "<" * 200_000}
    raw["spec"]["template"]["spec"]["containers"][0]["args"] = ['<&"' * 1000 for _ in range(250)]
    async with running(backend(plane, namespace)) as argoos:
        await api.call("POST", PATHS["Deployment"].format(namespace), raw)
        await eventually(lambda: _count(argoos, 1))
        assert argoos.status().synced
        assert await argoos.apply([change(await one(argoos), {"web": IMAGE})]) == [Applied()]


async def _synced(backend: KubernetesBackend) -> bool:
    return backend.status().synced


async def _not_synced(backend: KubernetesBackend) -> bool:
    return not backend.status().synced


async def _detail_has(backend: KubernetesBackend, text: str) -> bool:
    return text in backend.status().detail


async def _count(backend: KubernetesBackend, count: int) -> bool:
    return len(await backend.find()) == count


async def _events(api: Api, path: str, expected: set[tuple[str, str, int]]) -> bool:
    items = (await api.call("GET", path))["items"]
    return {(each["type"], each["reason"], each["count"]) for each in items} == expected
