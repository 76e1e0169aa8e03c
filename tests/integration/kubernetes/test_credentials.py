"""Logging in: kubeconfig files, tokens that are replaced, certificates, proxies, the service account of a pod."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from kubernetes.aio.config import incluster_config

from argoos.backends.kubernetes import KubernetesBackend, KubernetesOptions, client, credentials
from argoos.core.image import RegistryNames
from argoos.errors import BackendUnavailable, TemporaryError
from argoos.ports import Applied
from tests.contracts.backends.kubernetes_harness import running
from tests.contracts.backends.suite import WEB, change, eventually, one
from tests.fakes.kube_api import FakeKubeApi, serving
from tests.integration.kubernetes.conftest import MakeBackend
from tests.integration.kubernetes.objects import names, web_app

AUTHORITY = trustme.CA()
TROUBLE = "cannot log in to Kubernetes"


@pytest.fixture
async def tls_url(api: FakeKubeApi) -> AsyncIterator[str]:
    """Serve with a certificate of a private authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    async with serving(api, tls=context) as url:
        yield url


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    """Return the file of that authority."""
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    return path


def kubeconfig(path: Path, url: str, user: dict[str, Any], **cluster: Any) -> str:
    """Write a kubeconfig and return its path."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("one", "two")],
        "current-context": "one",
    }
    (path / "kubeconfig").write_text(json.dumps(config))
    return str(path / "kubeconfig")


async def problem(options: KubernetesOptions) -> str:
    """Return why these options do not log in."""
    with pytest.raises(BackendUnavailable) as raised:
        await credentials.load(options)
    return str(raised.value)


async def test_a_replaced_token_file_is_read_after_a_401(
    api: FakeKubeApi, url: str, make: MakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kubeconfig's token file is read again when the token is refused; not one change fails over it."""
    monkeypatch.setattr(client, "_RELOAD_SECONDS", 0)
    await api.put(web_app())
    token = tmp_path / "token"
    token.write_text("first\n")
    api.token = "first"
    async with running(make(master=None, kubeconfig=kubeconfig(tmp_path, url, {"tokenFile": "token"}))) as backend:
        workload = await one(backend)
        token.write_text("second\n")
        api.token = "second"
        assert await backend.apply([change(workload, {"web": f"{WEB}:2.0"})]) == [Applied()]
        api.cut()
        await api.put(web_app("late"))
        await eventually(lambda: _knows(backend, ["late", "shop"]))


async def test_a_token_that_stays_refused(api: FakeKubeApi, make: MakeBackend, tmp_path: Path) -> None:
    """When no file holds a better token, the change waits; the message says whose doing it is."""
    await api.put(web_app())
    token = tmp_path / "token"
    token.write_text("first")
    api.token = "first"
    async with running(make(token_file=token)) as backend:
        workload = await one(backend)
        api.token = "second"
        (outcome,) = await backend.apply([change(workload, {"web": f"{WEB}:2.0"})])
        assert isinstance(outcome, TemporaryError), outcome
        assert "credentials" in str(outcome)
        assert "first" not in str(outcome)


async def test_a_token_in_the_settings(api: FakeKubeApi, make: MakeBackend) -> None:
    """A token given as such is sent, and never shown."""
    api.token = "s3cret"
    async with running(make(token="s3cret")):
        pass
    assert "s3cret" not in repr(KubernetesOptions(token="s3cret"))


async def test_the_service_account_of_a_pod(
    api: FakeKubeApi, tls_url: str, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a cluster the mounted token, authority and address are used; a new token is seen, a newline harmless."""
    monkeypatch.setattr(client, "_RELOAD_SECONDS", 0)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", tls_url.rpartition(":")[2])
    token = tmp_path / "token"
    token.write_text("first\n")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(ca_file))
    monkeypatch.setattr(credentials, "SERVICE_ACCOUNT_TOKEN", token)
    await api.put(web_app())
    api.token = "first"
    options = KubernetesOptions(in_cluster=True)
    async with running(KubernetesBackend(name="test", options=options, names=RegistryNames())) as backend:
        token.write_text("second\n")
        api.token = "second"
        assert await backend.apply([change(await one(backend), {"web": f"{WEB}:2.0"})]) == [Applied()]


async def test_own_authority_and_skipping(
    api: FakeKubeApi, tls_url: str, ca_file: Path, make: MakeBackend, tmp_path: Path
) -> None:
    """A private authority is refused until its file is given, or verification is skipped, also over a kubeconfig."""
    path = kubeconfig(tmp_path, tls_url, {"token": "t"})
    async with running(make(master=None, kubeconfig=path), synced=False) as backend:
        await eventually(lambda: _detail_has(backend, "name that one's ca_file"))
    for options in ({"ca_file": ca_file}, {"skip_ssl_verification": True}):
        async with running(make(master=None, kubeconfig=path, **options)):
            pass


async def test_what_is_wrong_with_a_kubeconfig(tmp_path: Path) -> None:
    """A missing or broken file, an unknown context, a login plugin that fails: each is told, none goes on without."""
    missing = str(tmp_path / "none")
    assert missing in await problem(KubernetesOptions(kubeconfig=missing))
    broken = tmp_path / "broken"
    for text in ("{", "a: b", "[]", "clusters: 7"):
        broken.write_text(text)
        assert (await problem(KubernetesOptions(kubeconfig=str(broken)))).startswith(TROUBLE)
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "argoos-no-such-plugin"}}
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", plugin)
    assert "login plugin" in await problem(KubernetesOptions(kubeconfig=path))
    assert "three" in await problem(KubernetesOptions(kubeconfig=path, context="three"))


async def test_a_login_plugin_that_hangs(make: MakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that does not end holds the backend up for a while, and is named."""
    monkeypatch.setattr(client, "_LOGIN_SECONDS", 0.2)
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["0.6"]}}
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", plugin)
    async with running(make(master=None, kubeconfig=path), synced=False) as backend:
        await eventually(lambda: _detail_has(backend, "login plugin did not end"))
    await asyncio.sleep(1)  # until the last one that was started has ended


async def test_missing_files(tmp_path: Path, make: MakeBackend) -> None:
    """A certificate or token file that is not there is named in the status."""
    missing = tmp_path / "none.pem"
    assert "none.pem" in await problem(KubernetesOptions(master="https://127.0.0.1:1", token_file=missing))
    async with running(make(master="https://127.0.0.1:1", token="t", ca_file=missing), synced=False) as backend:
        await eventually(lambda: _detail_has(backend, "certificates"))


async def test_options_replace_what_the_kubeconfig_says(tmp_path: Path) -> None:
    """Address and token of the options win; the context chooses among those of the file."""
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", {"token": "t"})
    options = KubernetesOptions(kubeconfig=path, context="two", master="https://127.0.0.1:2/", token="u")
    config = await credentials.load(options)
    assert config.host == "https://127.0.0.1:2"
    assert config.api_key == {"BearerToken": "Bearer u"}


@pytest.mark.parametrize(
    ("no_proxy", "host", "used"),
    [
        ("", "https://10.0.0.1:443", True),
        ("10.0.0.1", "https://10.0.0.1:443", False),
        ("192.0.2.1,10.0.0.0/8", "https://10.0.0.1:443", False),
        ("10.1.0.0/16", "https://10.0.0.1:443", True),
        (".svc", "https://kubernetes.default.svc", False),
        ("10.0.0.0/8", "https://kubernetes.default.svc", True),
        ("*", "https://10.0.0.1:443", False),
        ("", "http://10.0.0.1", False),
    ],
)
async def test_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, *, used: bool
) -> None:
    """HTTPS_PROXY is used, unless NO_PROXY names the address, a domain it is in, or a range."""
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    config = await credentials.load(KubernetesOptions(master=host, token="t"))
    assert config.proxy == ("http://proxy.example.com:3128" if used else None)


async def test_the_proxy_of_the_options_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the operator names is used, whatever the environment says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example.com")
    options = KubernetesOptions(master="https://10.0.0.1", token="t", proxy_url="http://proxy.example.com")
    assert (await credentials.load(options)).proxy == "http://proxy.example.com"


async def _knows(backend: KubernetesBackend, expected: list[str]) -> bool:
    return backend.status().synced and await names(backend) == expected


async def _detail_has(backend: KubernetesBackend, text: str) -> bool:
    return text in backend.status().detail
