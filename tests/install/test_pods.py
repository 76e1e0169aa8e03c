from typing import Any

import pytest

from argoos import __version__
from argoos.settings import Settings
from argoos.web.server import site
from tests.install.tree import (
    MANIFESTS,
    Object,
    applied,
    container_of,
    documents,
    kustomizations,
    megabytes,
    one,
    pod_of,
    read,
)
from tests.web.conftest import World

DEPLOYMENTS = [raw["metadata"]["name"] for raw in applied() if raw["kind"] == "Deployment"]
CONTAINERS = [(name, container) for name in DEPLOYMENTS for container in pod_of(name)["containers"]]
by_name = pytest.mark.parametrize("name", DEPLOYMENTS)
by_container = pytest.mark.parametrize(
    ("name", "container"), CONTAINERS, ids=[f"{name}-{container['name']}" for name, container in CONTAINERS]
)


def test_every_file_is_applied_or_read() -> None:
    """No file of the folder is forgotten by its kustomization, and none is named that is not there."""
    for folder, kustomization in kustomizations().items():
        named = {*kustomization.get("resources", ()), *kustomization.get("components", ())}
        for generator in kustomization.get("configMapGenerator", ()):
            named |= set(generator["files"])
        for generator in kustomization.get("secretGenerator", ()):
            named |= set(generator["envs"])
        there = {path.name for path in folder.iterdir()} - {"kustomization.yaml", "README.md"}
        optional = {"network-policy"} if folder == MANIFESTS else set()
        assert named == there - optional, folder


def test_the_whole_is_argoos_a_registry_and_a_sample() -> None:
    """`kubectl apply -k manifests/` makes these objects, beside the generated ConfigMaps and the Secret."""
    assert sorted(f"{raw['kind']} {raw['metadata']['name']}" for raw in applied()) == [
        "ClusterRole argoos",
        "ClusterRoleBinding argoos",
        "Deployment argoos",
        "Deployment registry",
        "Deployment web",
        "Namespace argoos",
        "Namespace argoos-sample",
        "PersistentVolumeClaim argoos",
        "PersistentVolumeClaim registry",
        "Service argoos",
        "Service registry",
        "ServiceAccount argoos",
    ]


@by_name
def test_pods_meet_the_restricted_standard(name: str) -> None:
    """What the restricted Pod Security Standard asks of a pod is said by each."""
    pod = pod_of(name)
    security = pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    kinds = {key for volume in pod.get("volumes", ()) for key in volume if key != "name"}
    assert kinds <= {"configMap", "secret", "persistentVolumeClaim", "emptyDir"}


@by_container
def test_containers_can_do_little(name: str, container: Object) -> None:
    """No container gains rights, writes to its image, or takes all memory of its node."""
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"].keys() == {"memory"}, "a CPU limit would slow down the answer to a registry"
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@by_name
def test_only_argoos_has_a_token_of_the_api_server(name: str) -> None:
    """A pod that has nothing to ask of the API server is given nothing to ask with."""
    assert pod_of(name)["automountServiceAccountToken"] is (name == "argoos")


@pytest.mark.parametrize("name", ["argoos", "registry"])
def test_what_is_written_survives(name: str) -> None:
    """The data lie in a claim that the pod's group may write, /tmp is writable, and no two pods share the claim."""
    deployment, pod = one("Deployment", name)["spec"], pod_of(name)
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    writable = {
        mount["mountPath"]: volumes[mount["name"]]
        for mount in container_of(name)["volumeMounts"]
        if not mount.get("readOnly")
    }
    data = writable.pop(f"/var/lib/{name}")
    assert data["persistentVolumeClaim"]["claimName"] == one("PersistentVolumeClaim", name)["metadata"]["name"]
    assert writable.keys() == {"/tmp"}
    assert pod["enableServiceLinks"] is False, "ARGOOS_PORT and REGISTRY_PORT would be taken for settings"


def test_memory_leaves_room() -> None:
    """The limit of Argoos has room for its peak of 120 MB and for a command in the same pod, and for little more."""
    limit = megabytes(container_of("argoos")["resources"]["limits"]["memory"])
    assert 120 * 2 < limit < 120 * 2.5


def test_probes_ask_what_the_daemon_answers() -> None:
    """Each probe asks a path that the site serves, at the port that it listens on by default and by its settings."""
    container = container_of("argoos")
    probes = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe: got["path"] for probe, got in probes.items()} == {
        "startupProbe": "/healtz",
        "livenessProbe": "/healtz",
        "readinessProbe": "/readyz",
    }
    annotations = one("Deployment", "argoos")["spec"]["template"]["metadata"]["annotations"]
    served = {route.resource.canonical for route in site(World().collaborators()).router.routes() if route.resource}
    assert {"/healtz", "/readyz", annotations["prometheus.io/path"]} <= served
    (port,) = container["ports"]
    assert {got["port"] for got in probes.values()} == {port["name"]}
    assert port["containerPort"] == Settings().listen.port == int(annotations["prometheus.io/port"])
    assert str(port["containerPort"]) == read("base/argoos.yaml")["listen"].rpartition(":")[2]


def test_the_service_leads_to_a_pod_that_is_not_ready() -> None:
    """Port 80 leads to Argoos even while /readyz is 503: it queues what it cannot apply yet."""
    service = one("Service", "argoos")["spec"]
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": container_of("argoos")["ports"][0]["name"]}]
    assert service["publishNotReadyAddresses"] is True


@pytest.mark.parametrize("name", ["argoos", "registry"])
def test_selectors_select(name: str) -> None:
    """Deployment, Service and network policy mean the pods that there are."""
    labels = one("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    wanted: Any = {"app.kubernetes.io/name": name}
    assert wanted.items() <= labels.items()
    assert one("Deployment", name)["spec"]["selector"]["matchLabels"] == wanted
    assert one("Service", name)["spec"]["selector"] == wanted


def test_the_network_policy_means_these_pods() -> None:
    """The optional policy selects Argoos, admits the registry, and opens Argoos's port."""
    spec = read("network-policy/network-policy.yaml")["spec"]
    (rule,) = spec["ingress"]
    assert spec["podSelector"]["matchLabels"] == one("Service", "argoos")["spec"]["selector"]
    assert rule["from"][0]["podSelector"]["matchLabels"] == one("Service", "registry")["spec"]["selector"]
    assert rule["ports"] == [{"port": container_of("argoos")["ports"][0]["name"]}]


def test_kubernetes_waits_longer_than_argoos_takes_to_stop() -> None:
    """The pod is not killed while it finishes what it has claimed."""
    assert pod_of("argoos")["terminationGracePeriodSeconds"] > 10 > Settings().shutdown_seconds


def test_versions_agree() -> None:
    """The image and the labels name the version of the package."""
    deployment = one("Deployment", "argoos")
    key = "app.kubernetes.io/version"
    assert deployment["metadata"]["labels"][key] == __version__
    assert deployment["spec"]["template"]["metadata"]["labels"][key] == __version__
    assert read("base/kustomization.yaml")["images"] == [{"name": "argoos", "newTag": __version__}]


def test_all_yaml_is_readable() -> None:
    """Every YAML file parses, and every object of it has a kind and a name."""
    for path in MANIFESTS.rglob("*.yaml"):
        if path.name not in {"kustomization.yaml", "argoos.yaml"}:
            for document in documents(path):
                assert {"apiVersion", "kind", "metadata"} <= document.keys(), path.name
