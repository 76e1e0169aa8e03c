"""Argoos and the registry beside it understand each other as they are delivered."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from argoos.app import registry_names
from argoos.backends.kubernetes.kinds import DEPLOYMENT
from argoos.backends.kubernetes.slim import slim
from argoos.core.image import RegistryNames, Repository
from argoos.core.plan import plan
from argoos.core.push import Push
from argoos.core.reason import Reason
from argoos.core.step import Skip, Update
from argoos.core.workload import Workload
from argoos.receivers import RECEIVERS
from argoos.settings import Settings, Surroundings, Tokens, load
from tests.core.builders import at, digest
from tests.install.tree import MANIFESTS, container_of, one, pod_of, read, token_env

HEADERS = "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_HEADERS"
RECORDED = MANIFESTS.parent / "tests" / "fixtures" / "events" / "3.1.2" / "01-single-oci" / "04.json"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Load argoos.yaml as the pod does, with its volumes laid out below a folder."""
    for mount in container_of("argoos")["volumeMounts"]:
        (tmp_path / mount["mountPath"][1:]).mkdir(parents=True)
    (tmp_path / "run/secrets/argoos/token").write_text(token_env()["token"])
    text = (MANIFESTS / "base" / "argoos.yaml").read_text()
    config = tmp_path / "etc/argoos/argoos.yaml"
    config.write_text(text.replace("/run/", f"{tmp_path}/run/").replace(":////var", f":///{tmp_path}/var"))
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("of the pod")
    (path,) = (entry["value"] for entry in container_of("argoos")["env"] if entry["name"] == "ARGOOS_CONFIG")
    environ = {"ARGOOS_CONFIG": f"{tmp_path}{path}", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    loaded = load(surroundings=Surroundings(environ=environ, directory=tmp_path, service_account=account))
    assert loaded.notes == ()
    return loaded.settings


def _secret(name: str, variable: str) -> dict[str, object]:
    (found,) = (entry for entry in container_of(name)["env"] if entry["name"] == variable)
    reference: dict[str, object] = found["valueFrom"]["secretKeyRef"]
    return reference


def _registry_headers() -> dict[str, list[str]]:
    """Return the headers as the registry gets them: Kubernetes replaces $(NAME) by the variable before."""
    names = [entry["name"] for entry in container_of("registry")["env"]]
    assert names.index("ARGOOS_TOKEN") < names.index(HEADERS), "only variables above are replaced"
    assert _secret("registry", "ARGOOS_TOKEN") == {"name": "argoos-token", "key": "token"}
    (text,) = (entry["value"] for entry in container_of("registry")["env"] if entry["name"] == HEADERS)
    headers: dict[str, list[str]] = yaml.safe_load(text.replace("$(ARGOOS_TOKEN)", token_env()["token"]))
    return headers


def test_the_settings_are_accepted(settings: Settings) -> None:
    """What the ConfigMap holds can be loaded with the volumes that there are, and the data go to the one that stays."""
    assert [backend.kind for backend in settings.backends] == ["kubernetes"]
    (claim,) = (volume["name"] for volume in pod_of("argoos")["volumes"] if "persistentVolumeClaim" in volume)
    (mount,) = (mount["mountPath"] for mount in container_of("argoos")["volumeMounts"] if mount["name"] == claim)
    assert settings.database.sqlite_path
    assert f"{settings.database.sqlite_path.parent}".endswith(mount)


def test_the_registry_shows_the_token_that_argoos_asks_for(settings: Settings) -> None:
    """Both take it from the same key of the same Secret; the registry sends it as a list."""
    assert _registry_headers() == {"X-Argoos-Token": [token_env()["token"]]}
    tokens = Tokens(settings.tokens, settings.tokens_file)
    assert tokens() == (token_env()["token"],)
    (volume,) = (volume["secret"] for volume in pod_of("argoos")["volumes"] if "secret" in volume)
    assert (volume["secretName"], volume["items"]) == ("argoos-token", [{"key": "token", "path": "token"}])


def test_an_old_token_may_stay_for_a_while() -> None:
    """A line `previous=` in the Secret is a token more; without it nothing is missing."""
    assert _secret("argoos", "ARGOOS_TOKENS") == {"name": "argoos-token", "key": "previous", "optional": True}


def test_the_token_says_that_it_must_be_replaced() -> None:
    """Nobody takes the example for a secret, and the file says how to make one."""
    assert token_env() == {"token": "example-token-replace-me"}
    assert "openssl rand -hex 32" in (MANIFESTS / "base" / "token.env").read_text()


def test_the_registry_tells_argoos() -> None:
    """The first endpoint is Argoos's Service, its headers are lists, and only what cannot be an image is left out."""
    config = read("registry/config.yml")
    (endpoint,) = config["notifications"]["endpoints"]
    url, service = urlsplit(endpoint["url"]), one("Service", "argoos")
    assert url.hostname == f"{service['metadata']['name']}.argoos.svc"
    assert (url.scheme, url.port or 80, url.path) == ("http", service["spec"]["ports"][0]["port"], "/event")
    assert all(isinstance(value, list) for value in endpoint["headers"].values())
    assert endpoint["headers"].keys() == _registry_headers().keys(), "the variable replaces all of them"
    pushed = json.loads(RECORDED.read_text())["events"][0]
    assert pushed["target"]["mediaType"] not in endpoint["ignore"]["mediatypes"]
    assert pushed["action"] not in endpoint["ignore"]["actions"]


def test_the_registry_is_configured_where_it_looks_and_writes_where_it_may() -> None:
    """Its arguments name the mounted file, and its images go to the volume; its port is the one that is probed."""
    container, config = container_of("registry"), read("registry/config.yml")
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert container["args"] == ["serve", f"{mounts['config']}/config.yml"]
    assert config["storage"]["filesystem"]["rootdirectory"] == mounts["data"]
    (port,) = container["ports"]
    assert config["http"]["addr"] == f":{port['containerPort']}"
    assert one("Service", "registry")["spec"]["ports"][0]["targetPort"] == port["name"]


def _hosts() -> list[str]:
    (registry,) = read("base/argoos.yaml")["registries"]
    return [registry["name"], *registry["aliases"]]


def _sample() -> Workload:
    raw = one("Deployment", "web")
    metadata = {**raw["metadata"], "namespace": "argoos-sample", "uid": "1", "resourceVersion": "1"}
    workload = slim({**raw, "metadata": metadata}, DEPLOYMENT, "kubernetes")
    assert workload
    return workload


def _pushed(host: str, tag: str) -> Push:
    """Return the push that a notification of this registry announces, pushed by this host."""
    body = json.loads(RECORDED.read_text())
    body["events"][0]["request"]["host"] = host
    body["events"][0]["target"] |= {"repository": "sample/web", "tag": tag, "digest": digest(1)}
    (push,) = RECEIVERS["distribution"].parse(json.dumps(body).encode(), {}, received_at=at(0))
    assert isinstance(push, Push)
    return push


@pytest.mark.parametrize("host", _hosts())
def test_a_push_by_any_name_moves_the_sample(settings: Settings, host: str) -> None:
    """One of the two containers is moved, and the other one says why not."""
    names = registry_names(settings)
    push = _pushed(host, "1.1.0")
    steps = plan([push], [_sample()], names=names, pushed_at={}, settle=timedelta(seconds=30))
    moved, left = steps
    assert isinstance(moved, Update)
    assert str(moved.image) == f"localhost:30500/sample/web:1.1.0@{digest(1)}"
    assert isinstance(left, Skip)
    assert left.reason is Reason.NEVER


def test_the_registry_has_the_name_that_nodes_pull_by() -> None:
    """The host in the sample is the node's port of the registry's Service, and Argoos's name for it."""
    port = one("Service", "registry")["spec"]["ports"][0]["nodePort"]
    (registry,) = read("base/argoos.yaml")["registries"]
    assert registry["name"] == f"localhost:{port}"
    names = RegistryNames({registry["name"]: registry["aliases"]})
    (repository,) = {container.image.repository for container in _sample().containers}
    assert names.canonical(repository) == Repository.parse(f"localhost:{port}/sample/web")
    service = one("Service", "registry")
    inside = f"registry.argoos.svc:{service['spec']['ports'][0]['port']}"
    assert inside in registry["aliases"]
