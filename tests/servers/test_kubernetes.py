import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.servers.binaries import Binaries
from tests.servers.kubernetes import ControlPlane, Options
from tests.servers.process import ServerError

pytestmark = pytest.mark.e2e

WATCH_LIST = {
    "watch": "true",
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
    "timeoutSeconds": "2",
}


def workload(kind: str, name: str, image: str = "registry.example.com/team/app:1.4.2") -> dict[str, object]:
    """Make a workload of `kind` whose pods run one container."""
    pods = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": image}]}}
    spec: dict[str, object] = {"selector": {"matchLabels": {"app": name}}, "template": pods}
    version = "apps/v1"
    match kind:
        case "Deployment":
            spec |= {"replicas": 2, "progressDeadlineSeconds": 3}
        case "StatefulSet":
            spec |= {"replicas": 2, "serviceName": name}
        case "CronJob":
            version = "batch/v1"
            job = {"spec": {"containers": [{"name": "app", "image": image}], "restartPolicy": "Never"}}
            spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": job}}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


@asynccontextmanager
async def api(plane: ControlPlane) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session of the administrator that checks the server's certificate."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=plane.access.ca_file))
    headers = {"Authorization": f"Bearer {plane.admin_token}"}
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(plane.url, connector=connector, headers=headers, timeout=timeout) as session:
        yield session


async def newest_version(session: aiohttp.ClientSession) -> str:
    """Read at which resource version the API server is."""
    async with session.get("/apis/apps/v1/deployments?limit=1") as response:
        return str((await response.json())["metadata"]["resourceVersion"])


async def first_watch_line(session: aiohttp.ClientSession, **query: str) -> dict[str, object]:
    """Watch Deployments and return the first thing that the server says."""
    async with session.get("/apis/apps/v1/deployments", params={"watch": "true", **query}) as response:
        assert response.status == 200
        line: dict[str, object] = json.loads(await response.content.readline())
        return line


async def test_the_release_is_the_pinned_one_and_the_nodes_are_ready(control_plane: ControlPlane) -> None:
    """Client and server say 1.36.3, and kwok has made both nodes ready."""
    versions = json.loads(await control_plane.kubectl("version", "-o", "json"))
    assert versions["serverVersion"]["gitVersion"] == versions["clientVersion"]["gitVersion"] == "v1.36.3"
    await control_plane.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=10s")
    assert (await control_plane.kubectl("get", "nodes", "-o", "name")).split() == ["node/node-1", "node/node-2"]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
async def test_a_new_image_rolls_out(control_plane: ControlPlane, kind: str) -> None:
    """The real controllers make pods, kwok makes them ready, and a changed image reaches every pod."""
    name = f"rolls-{kind.lower()}"
    await control_plane.apply(workload(kind, name))
    await control_plane.rolled_out(f"{kind}/{name}")
    await control_plane.kubectl("set", "image", f"{kind}/{name}", "app=registry.example.com/team/app:1.4.3")
    await control_plane.rolled_out(f"{kind}/{name}")
    pods = json.loads(await control_plane.kubectl("get", "pods", "-l", f"app={name}", "-o", "json"))["items"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    images = [pod["spec"]["containers"][0]["image"] for pod in running]
    assert images == ["registry.example.com/team/app:1.4.3"] * 2
    if kind == "Deployment":
        sets = (await control_plane.kubectl("get", "replicasets", "-l", f"app={name}", "-o", "name")).split()
        assert len(sets) == 2


async def test_a_job_of_a_cron_job_completes(control_plane: ControlPlane) -> None:
    """A job started from the cron job's template ends well."""
    await control_plane.apply(workload("CronJob", "nightly"))
    await control_plane.kubectl("create", "job", "tonight", "--from=cronjob/nightly")
    await control_plane.kubectl("wait", "job/tonight", "--for=condition=Complete", "--timeout=20s")


async def test_an_image_can_be_made_to_fail(control_plane: ControlPlane) -> None:
    """A Deployment of an image named never-ready misses its deadline, and is well again with the old image."""
    await control_plane.apply(workload("Deployment", "fails"))
    await control_plane.rolled_out("deployment/fails")
    await control_plane.kubectl("set", "image", "deployment/fails", "app=registry.example.com/never-ready:1.4.3")
    with pytest.raises(ServerError, match="exceeded its progress deadline"):
        await control_plane.rolled_out("deployment/fails")
    await control_plane.kubectl("set", "image", "deployment/fails", "app=registry.example.com/team/app:1.4.2")
    await control_plane.rolled_out("deployment/fails")


async def test_a_killed_api_server_comes_back_with_its_data(control_plane: ControlPlane) -> None:
    """Same port, same objects, and the controllers go on by themselves."""
    await control_plane.apply(workload("Deployment", "survives"))
    await control_plane.rolled_out("deployment/survives")
    await control_plane.apiserver.kill()
    with pytest.raises(ServerError, match="refused"):
        await control_plane.kubectl("get", "deployment/survives")
    await control_plane.apiserver.start()
    await control_plane.kubectl("scale", "deployment/survives", "--replicas=3")
    await control_plane.rolled_out("deployment/survives")


async def test_a_frozen_api_server_hangs_until_it_is_thawed(control_plane: ControlPlane) -> None:
    """A request on an open connection gets no answer while the server is frozen, and one afterwards."""
    async with api(control_plane) as session:
        await newest_version(session)
        control_plane.apiserver.freeze()
        try:
            with pytest.raises(TimeoutError):
                await session.get("/version", timeout=aiohttp.ClientTimeout(total=1))
        finally:
            control_plane.apiserver.thaw()
        async with session.get("/version") as response:
            assert response.status == 200


async def test_an_expired_version_is_410_gone(control_plane: ControlPlane) -> None:
    """A watch from before `expire_history` is answered with an ERROR of code 410."""
    async with api(control_plane) as session:
        before = await newest_version(session)
        await control_plane.kubectl("create", "configmap", "some-change")
        await control_plane.expire_history()
        line = await first_watch_line(session, resourceVersion=before)
    assert line["type"] == "ERROR"
    assert isinstance(line["object"], dict)
    assert (line["object"]["code"], line["object"]["reason"]) == (410, "Expired")


async def test_a_token_may_do_what_rbac_says(control_plane: ControlPlane) -> None:
    """The user robin is refused until a role is bound to his group."""
    robin = control_plane.kubeconfig_for("robin")
    with pytest.raises(ServerError, match=r'Forbidden.*User "robin" cannot list resource "deployments"'):
        await control_plane.kubectl("get", "deployments", kubeconfig=robin)
    await control_plane.kubectl("create", "clusterrolebinding", "builders", "--clusterrole=view", "--group=builders")
    await control_plane.kubectl("get", "deployments", kubeconfig=robin)


async def test_a_service_account_and_a_certificate_are_known_by_name(control_plane: ControlPlane) -> None:
    """Both kinds of credentials are accepted, and the server knows whose they are."""
    await control_plane.kubectl("create", "serviceaccount", "argoos")
    by_token = await control_plane.kubeconfig_for_service_account("argoos")
    by_certificate = control_plane.kubeconfig_with_certificate("alex", "testers")
    who = ("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert await control_plane.kubectl(*who, kubeconfig=by_token) == "system:serviceaccount:default:argoos"
    assert await control_plane.kubectl(*who, kubeconfig=by_certificate) == "alex"


async def test_the_etcd_of_debian_knows_no_watch_list(binaries: Binaries, tmp_path: Path) -> None:
    """With etcd 3.4 a watch list is refused, and with the new one it sends the objects."""
    async with (
        ControlPlane(binaries, tmp_path, Options(nodes=0, controllers=False, old_etcd=True)) as plane,
        api(plane) as session,
    ):
        await plane.apply(workload("Deployment", "any"))
        line = await first_watch_line(session, **WATCH_LIST)
    assert line["type"] == "ERROR"
    assert "RequestWatchProgress" in json.dumps(line["object"])


async def test_a_watch_list_sends_what_is_there(control_plane: ControlPlane) -> None:
    """With the etcd that belongs to the release, the first line of a watch list is an object."""
    await control_plane.apply(workload("Deployment", "any"))
    async with api(control_plane) as session:
        assert (await first_watch_line(session, **WATCH_LIST))["type"] == "ADDED"


async def test_without_the_watch_cache_a_compaction_alone_expires(binaries: Binaries, tmp_path: Path) -> None:
    """The API server need not stop for a 410 when each watch reads etcd."""
    async with (
        ControlPlane(binaries, tmp_path, Options(nodes=0, controllers=False, watch_cache=False)) as plane,
        api(plane) as session,
    ):
        before = await newest_version(session)
        await plane.apply(workload("Deployment", "any"))
        await plane.etcd.compact()
        line = await first_watch_line(session, resourceVersion=before)
    assert line["type"] == "ERROR"
    assert isinstance(line["object"], dict)
    assert line["object"]["code"] == 410
