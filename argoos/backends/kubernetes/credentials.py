"""From what the operator said to a `Configuration` of the Kubernetes client: address, certificates, token, proxy.

The client's own loader reads kubeconfig files (plugins, certificates, contexts) and the pod's service account. What it
gets wrong is mended here; each place says what.
"""

import ipaddress
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import yaml

from argoos.backends.kubernetes.options import KubernetesOptions
from argoos.errors import BackendUnavailable, excerpt

if TYPE_CHECKING:  # the client costs 20 MB and 0.2 s: only a backend that runs pays
    from kubernetes.aio.client import Configuration

SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api"""

_TOKEN = "BearerToken"  # noqa: S105  # the name of the setting, not a secret
_REREAD_SECONDS = 30


async def load(options: KubernetesOptions) -> "Configuration":
    """Read the files that `options` name, now, and run the kubeconfig's login plugin if it has one.

    Raises:
        BackendUnavailable: a file is missing or broken, or gives nothing to log in with.
    """
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException

    config = Configuration()
    try:
        await _load_base(config, options)
        _replace(config, options)
    except (ConfigException, OSError, yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError) as exc:
        # The loader lets whatever a broken file causes through: it indexes before it looks.
        raise BackendUnavailable(f"cannot log in to Kubernetes with {_source(options)}: {excerpt(str(exc))}") from exc
    if config.host.startswith("https://") and not (config.api_key.get(_TOKEN) or config.cert_file):
        # A login plugin that fails is only logged, and the client would go on as system:anonymous.
        message = f"{_source(options)} gives neither a token nor a client certificate; does its login plugin work?"
        raise BackendUnavailable(f"cannot log in to Kubernetes: {message}")
    config.proxy = options.proxy_url or config.proxy or _environment_proxy(config.host)
    config.connection_pool_maxsize = 0  # no limit: each watch holds a connection, and writes must not wait for one
    # Proxies are settled above. Left to the session, each request would also read ~/.netrc in a thread, and fail if
    # that had an entry for the API server.
    config.client_session_kwargs = {"trust_env": False}
    return config


async def _load_base(config: "Configuration", options: KubernetesOptions) -> None:
    from kubernetes.aio.config import load_incluster_config, load_kube_config

    if options.in_cluster:
        load_incluster_config(config)  # type: ignore[no-untyped-call]  # the client is typed in part
        # The client's own hook keeps the newline that may end the file, which no header can hold, and looks only once
        # a minute.
        _use_token_file(config, SERVICE_ACCOUNT_TOKEN)
    elif options.kubeconfig or options.context or not options.master:
        await load_kube_config(  # type: ignore[no-untyped-call]
            config_file=options.kubeconfig,
            context=options.context,
            client_configuration=config,
            persist_config=False,
        )
        if token := config.api_key.get(_TOKEN):  # a token file may end in a newline, which no header can hold
            config.api_key[_TOKEN] = token.strip()


def _replace(config: "Configuration", options: KubernetesOptions) -> None:
    """Let single options replace what the files said."""
    if options.master:
        config.host = options.master.rstrip("/")
    if options.ca_file:
        config.ssl_ca_cert = str(options.ca_file)
    if options.cert_file:
        config.cert_file = str(options.cert_file)
        config.key_file = str(options.key_file) if options.key_file else None
    if options.skip_ssl_verification:
        config.verify_ssl = False
    # Python 3.13 asks of certificates what neither Go nor kubectl does (RFC 5280 key identifiers, in every CA).
    config.disable_strict_ssl_verification = True
    if options.token_file:
        _use_token_file(config, options.token_file)
    elif options.token:
        config.refresh_api_key_hook = None
        config.api_key[_TOKEN] = f"Bearer {options.token.strip()}"


def _use_token_file(config: "Configuration", path: Path) -> None:
    """Send the token in the file, read again every `_REREAD_SECONDS`: kubelets replace it long before it expires."""
    read_at = 0.0

    def refresh(target: "Configuration") -> None:
        nonlocal read_at
        if time.monotonic() - read_at < _REREAD_SECONDS:
            return
        with suppress(OSError):  # being replaced just now: the token we have is still good
            target.api_key[_TOKEN] = f"Bearer {path.read_text().strip()}"
            read_at = time.monotonic()

    config.api_key[_TOKEN] = f"Bearer {path.read_text().strip()}"
    read_at = time.monotonic()
    config.refresh_api_key_hook = refresh  # type: ignore[assignment]  # typed as None by its default


def _source(options: KubernetesOptions) -> str:
    if options.in_cluster:
        return "the service account of this pod"
    if options.master and not (options.kubeconfig or options.context):
        return f"the settings for {options.master}"
    return f"the kubeconfig {options.kubeconfig or '(KUBECONFIG or ~/.kube/config)'}"


def _environment_proxy(host: str) -> str | None:
    """Return the proxy that ``HTTPS_PROXY`` and ``NO_PROXY`` mean for an address, as Go's and curl's rules have it."""
    url = urlsplit(host)
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(url.scheme)
    if proxy is None or url.hostname is None or _in_no_proxy_range(url.hostname, proxies.get("no", "")):
        return None
    bypassed = cast("bool", urllib.request.proxy_bypass_environment(url.netloc, proxies))  # type: ignore[attr-defined]  # not in typeshed
    return None if bypassed else proxy


def _in_no_proxy_range(host: str, no_proxy: str) -> bool:
    """Tell whether the host is an address in one of the ranges of ``NO_PROXY``; Python's own rules know no ranges."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for part in no_proxy.split(","):
        with suppress(ValueError):  # a name
            if address in ipaddress.ip_network(part.strip(), strict=False):
                return True
    return False
