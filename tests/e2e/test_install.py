"""`manifests/` on a real API server: admitted under the restricted standard, with rights that suffice and end there.

The daemon and the registry run outside of the cluster, since its nodes are simulated; they get what their pods would
get: the files of the ConfigMaps, the token of the Secret, the variables of the Deployments, the account of the pod.
"""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from tests.e2e.conftest import Stage
from tests.e2e.daemon import Daemon, actions
from tests.servers.binaries import Binaries
from tests.servers.images import image, push
from tests.servers.kubernetes import ControlPlane
from tests.servers.process import Command, Server, ServerError, http_ok
from tests.servers.registry import Endpoint, Registry

pytestmark = pytest.mark.e2e

MANIFESTS = Path(__file__).parents[2] / "manifests"
HEADERS = "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_HEADERS"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installed(control_plane: ControlPlane) -> AsyncIterator[ControlPlane]:
    """Apply the folder as a user does; a warning of the server, as of the Pod Security admission, is an error."""
    await control_plane.kubectl("apply", "--warnings-as-errors", "-k", str(MANIFESTS))
    yield control_plane
    await control_plane.kubectl("delete", "--wait=false", "-k", str(MANIFESTS))


async def get(plane: ControlPlane, namespace: str, *what: str) -> dict[str, Any]:
    """Return what the API server has."""
    found: dict[str, Any] = json.loads(await plane.kubectl("get", "-n", namespace, *what, "-o", "json"))
    return found


async def mounted(plane: ControlPlane, deployment: str) -> dict[str, dict[str, str]]:
    """Return the ConfigMaps and Secrets that a Deployment of the namespace mounts: volume name to its files."""
    found: dict[str, dict[str, str]] = {}
    for volume in (await get(plane, "argoos", "deployment", deployment))["spec"]["template"]["spec"]["volumes"]:
        if "configMap" in volume:
            found[volume["name"]] = (await get(plane, "argoos", "configmap", volume["configMap"]["name"]))["data"]
        if "secret" in volume:
            found[volume["name"]] = await secret(plane, volume["secret"]["secretName"])
    return found


async def secret(plane: ControlPlane, name: str) -> dict[str, str]:
    """Return the texts in a Secret."""
    data = (await get(plane, "argoos", "secret", name))["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


async def test_applying_again_changes_nothing(installed: ControlPlane) -> None:
    """The server accepts every object, finds all of them as they were, and server-side apply agrees."""
    again = await installed.kubectl("apply", "--warnings-as-errors", "-k", str(MANIFESTS))
    assert len(again.splitlines()) == 15
    assert all(line.endswith(" unchanged") for line in again.splitlines()), again
    await installed.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", str(MANIFESTS))


@pytest.mark.parametrize(
    ("namespace", "name"), [("argoos", "argoos"), ("argoos", "registry"), ("argoos-sample", "web")]
)
async def test_pods_are_admitted(installed: ControlPlane, namespace: str, name: str) -> None:
    """The restricted Pod Security Standard is enforced, and each Deployment gets its pod all the same."""
    reckless = {"containers": [{"name": "x", "image": "x"}], "hostNetwork": True}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reckless", "namespace": namespace}}
    with pytest.raises(ServerError, match="violates PodSecurity"):
        await installed.apply({**pod, "spec": reckless})
    selector = f"--selector=app.kubernetes.io/name={name}"
    await installed.kubectl("wait", "-n", namespace, "--for=create", "pod", selector, "--timeout=30s")
    (made,) = (await get(installed, namespace, "pods", selector))["items"]
    assert made["spec"]["securityContext"]["runAsNonRoot"] is True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account(installed: ControlPlane) -> Path:
    """Return a kubeconfig with a token of the account that the pod runs under."""
    return await installed.kubeconfig_for_service_account("argoos", "argoos")


REVIEW = {
    "apiVersion": "authorization.k8s.io/v1",
    "kind": "SelfSubjectRulesReview",
    "spec": {"namespace": "argoos-sample"},
}


async def test_argoos_may_do_this_and_nothing_else(installed: ControlPlane, account: Path) -> None:
    """The rights of the account, as the API server counts them, are those of the table."""
    ask = ("create", "--validate=false", "-f", "-", "-o", "json")
    answer = await installed.kubectl(*ask, stdin=json.dumps(REVIEW), kubeconfig=account)
    rules = json.loads(answer)["status"]["resourceRules"]
    granted = {
        (group, resource): sorted(rule["verbs"])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if not resource.startswith("selfsubject")  # what every account may ask about itself
    }
    read_and_patch = ["get", "list", "patch", "watch"]
    assert granted == {
        ("apps", "deployments"): read_and_patch,
        ("apps", "statefulsets"): read_and_patch,
        ("apps", "daemonsets"): read_and_patch,
        ("batch", "cronjobs"): read_and_patch,
        ("", "events"): ["create"],
    }


IMAGE_PATCH = '[{"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "web"}]'


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        ("get deployments.apps --all-namespaces", True),
        ("get statefulsets.apps --all-namespaces", True),
        ("get daemonsets.apps --all-namespaces", True),
        ("get cronjobs.batch --all-namespaces", True),
        (f"patch deployment web -n argoos-sample --type=json --patch={IMAGE_PATCH}", True),
        ("get secrets -n argoos", False),
        ("get configmaps -n argoos", False),
        ("get pods -n argoos-sample", False),
        ("get replicasets.apps -n argoos-sample", False),
        ("get events -n argoos-sample", False),
        ("get namespaces", False),
        ("create deployment new --image=new -n argoos-sample", False),
        ("delete deployment web -n argoos-sample", False),
        ("scale deployment web --replicas=2 -n argoos-sample", False),
        ("patch clusterrole argoos --type=json --patch=[]", False),
        ("create token argoos -n argoos", False),
    ],
)
async def test_the_account_is_obeyed_or_refused(
    installed: ControlPlane, account: Path, command: str, allowed: bool
) -> None:
    """With the account's own token, what the worker needs is answered, and all else is 403."""
    verb, _, patch = command.partition(" --patch=")
    arguments = [*verb.split(), *([f"--patch={patch}"] if patch else [])]
    if allowed:
        await installed.kubectl(*arguments, kubeconfig=account)
    else:
        with pytest.raises(ServerError, match="is forbidden: User"):
            await installed.kubectl(*arguments, kubeconfig=account)


async def daemon_of_the_pod(installed: ControlPlane, stage: Stage, registry_host: str) -> Daemon:
    """Return a daemon with the ConfigMap's settings, the Secret's token and the account of the pod."""
    directory = stage.directory / "argoos"
    directory.mkdir()
    files = await mounted(installed, "argoos")
    settings = yaml.safe_load(files["config"]["argoos.yaml"])
    (directory / "argoos.yaml").write_text(files["config"]["argoos.yaml"])
    (directory / "token").write_text(files["token"]["token"])
    (cluster,) = settings["backends"]
    account = await installed.kubeconfig_for_service_account("argoos", "argoos")
    outside = {**cluster, "in_cluster": False, "kubeconfig": str(account)}
    (registry,) = settings["registries"]
    reached = {**registry, "aliases": [*registry["aliases"], registry_host]}  # the registry listens on a free port
    daemon = Daemon(directory=directory, settings={}, flags=("serve",), token=files["token"]["token"])
    environment = {
        "ARGOOS_CONFIG": str(directory / "argoos.yaml"),
        "ARGOOS_LISTEN": f"127.0.0.1:{daemon.port}",
        "ARGOOS_TOKENS_FILE": str(directory / "token"),
        "ARGOOS_DATABASE": f"sqlite:///{directory}/argoos.db",
        "ARGOOS_BACKENDS": json.dumps([outside]),
        "ARGOOS_REGISTRIES": json.dumps([reached]),
    }
    command = Command(argv=daemon.server.command.argv, ready=daemon.server.command.ready, environment=environment)
    daemon.server = await stage.stack.enter_async_context(Server("argoos", command, directory))
    await daemon.ready()
    return daemon


async def registry_of_the_pod(installed: ControlPlane, registry: Registry, directory: Path, event_url: str) -> Server:
    """Return the registry's process with the ConfigMap's file and the Deployment's variables."""
    deployment = await get(installed, "argoos", "deployment", "registry")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry for entry in container["env"]}
    reference = variables["ARGOOS_TOKEN"]["valueFrom"]["secretKeyRef"]
    token = (await secret(installed, reference["name"]))[reference["key"]]
    config = directory / "config.yml"
    config.write_text((await mounted(installed, "registry"))["config"]["config.yml"])
    environment = {
        HEADERS: variables[HEADERS]["value"].replace("$(ARGOOS_TOKEN)", token),
        "OTEL_TRACES_EXPORTER": variables["OTEL_TRACES_EXPORTER"]["value"],
        "REGISTRY_HTTP_ADDR": registry.host,
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(directory / "images"),
        "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL": event_url,
    }
    probe = container["livenessProbe"]["httpGet"]["path"]
    argv = (registry.server.command.argv[0], "serve", str(config))
    command = Command(argv=argv, ready=http_ok(f"{registry.url}{probe}"), environment=environment)
    return Server("registry", command, directory)


async def test_the_pair_moves_the_sample(
    installed: ControlPlane, stage: Stage, binaries: Binaries, tmp_path: Path
) -> None:
    """A push to the registry rolls out the sample: one container moved, the other left alone, the owner told."""
    await installed.rolled_out("deployment/web", "argoos-sample")
    registry = Registry("3.1.2", binaries, tmp_path / "registry", Endpoint(url="http://127.0.0.1/"))
    daemon = await daemon_of_the_pod(installed, stage, registry.host)
    registry.server = await registry_of_the_pod(installed, registry, tmp_path / "registry", daemon.event_url)
    await stage.stack.enter_async_context(registry.server)

    await push(binaries, registry, image("first"), "sample/web:1.0.0")
    digest = await push(binaries, registry, image("second"), "sample/web:1.1.0")

    settled = await daemon.settled("1.1.0")
    assert settled["outcome"] == "updated", daemon.server.tail()
    assert actions(settled) == {"web/web": "update applied", "web/pinned": "never"}
    await installed.rolled_out("deployment/web", "argoos-sample")
    web = await get(installed, "argoos-sample", "deployment", "web")
    assert {each["name"]: each["image"] for each in web["spec"]["template"]["spec"]["containers"]} == {
        "web": f"localhost:30500/sample/web:1.1.0@{digest}",
        "pinned": "localhost:30500/sample/web:1.0.0",
    }
    events = (await get(installed, "argoos-sample", "events"))["items"]
    assert [event["message"] for event in events if event["reason"] == "ImageUpdated"]
    history = await daemon.get("/api/v1/pushes", ignored="true")
    assert {one["tag"] for one in history["pushes"]} == {"1.0.0", "1.1.0"}, "layers and pulls are not even sent"


async def test_it_can_be_confined_to_a_namespace(installed: ControlPlane, stage: Stage) -> None:
    """With a RoleBinding instead of the ClusterRoleBinding it is ready where it is told of that namespace alone."""
    await installed.kubectl("create", "serviceaccount", "confined", "-n", stage.namespace)
    await stage.kubectl(
        "create", "rolebinding", "argoos", "--clusterrole=argoos", f"--serviceaccount={stage.namespace}:confined"
    )
    confined = await installed.kubeconfig_for_service_account("confined", stage.namespace)
    daemon = await stage.daemon(backends=[stage.kubernetes(kubeconfig=str(confined))])
    everywhere = stage.kubernetes(kubeconfig=str(confined), namespaces={"allow": ["*"]})
    curious = await stage.daemon(backends=[everywhere], started=False)
    await curious.server.start()
    assert await daemon.status("/readyz") == 200
    async with asyncio.timeout(30):
        while "forbidden" not in (told := await curious.text("/readyz")):  # what it may not do, as the server says
            await asyncio.sleep(0.1)
    assert '"ready":false' in told


async def test_base_alone_and_the_network_policy(installed: ControlPlane, tmp_path: Path) -> None:
    """Those who have a registry apply `base`; the optional policy is switched on by its line."""
    await installed.kubectl("apply", "--warnings-as-errors", "--dry-run=server", "-k", str(MANIFESTS / "base"))
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    top = tmp_path / "manifests" / "kustomization.yaml"
    top.write_text(top.read_text().replace("# - network-policy", "  - network-policy"))
    applied = await installed.kubectl("apply", "--dry-run=server", "-k", str(top.parent))
    assert "networkpolicy.networking.k8s.io/argoos created (server dry run)" in applied


async def test_a_new_token_reaches_both(installed: ControlPlane, tmp_path: Path) -> None:
    """Replacing the line in token.env gives the Secret another name, which restarts Argoos and the registry."""
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    env = tmp_path / "manifests" / "base" / "token.env"
    env.write_text("token=new\nprevious=old\n")
    changed = await installed.kubectl("apply", "--dry-run=server", "-k", str(tmp_path / "manifests"))
    made = {line.partition("-")[0] for line in changed.splitlines() if " created " in line}
    assert made == {"secret/argoos"}, "a Secret of another name, and nothing else"
    for name in ("argoos", "registry"):
        assert f"deployment.apps/{name} configured (server dry run)" in changed.splitlines()
