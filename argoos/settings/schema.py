"""Every setting: its key, meaning, unit, default, and why that default. docs/reference/settings is made from this file.

Only keys that have an effect are here; any other key is an error, so a misspelt one is never silently ignored.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from argoos.settings.fields import (
    Address,
    AnyAddress,
    Author,
    BackendName,
    Database,
    DatabaseUrl,
    DirectoryPath,
    FilePath,
    HttpUrl,
    NamespacePattern,
    PositiveInt,
    Seconds,
    Token,
)


class Section(BaseModel):
    """A part of the settings: immutable, without unknown keys, its values never printed by an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


class NamespaceSettings(Section):
    """Which Kubernetes namespaces Argoos may change."""

    allow: list[NamespacePattern] = ["*"]
    """Patterns (``*``, ``?``, ``[…]``) of the namespaces whose workloads may be changed. Default: all of them, since a
    workload is only touched when it carries the label."""

    deny: list[NamespacePattern] = []
    """Patterns of the namespaces whose workloads are never changed, even when `allow` admits them. Default: none."""


class KubernetesSettings(Section):
    """A Kubernetes cluster: by kubeconfig, by master, or the one that Argoos runs in."""

    kind: Literal["kubernetes"]
    """Says that this backend is a Kubernetes cluster."""

    name: BackendName = "kubernetes"
    """How steps, metrics and messages call this backend. Must be unique. Default: the kind."""

    kubeconfig: FilePath | None = None
    """A kubeconfig file. Default: what kubectl would take, unless Argoos runs in a cluster."""

    context: str | None = None
    """The context of the kubeconfig. Default: its current one."""

    master: HttpUrl | None = None
    """The address of the API server, in place of the kubeconfig's or without one. The original's KUBE_MASTER_URL."""

    in_cluster: bool = False
    """Use the service account of the pod that Argoos runs in. Default: yes in a pod that has one, when neither
    `kubeconfig` nor `context` nor `master` is given."""

    ca_file: FilePath | None = None
    """PEM file of the authorities that may have signed the API server's certificate. Default: what the kubeconfig or
    the service account names, else the system's."""

    cert_file: FilePath | None = None
    """PEM file of the client certificate to present; needs `key_file`."""

    key_file: FilePath | None = None
    """PEM file of the key of `cert_file`."""

    token_file: FilePath | None = None
    """File with a bearer token, read again when it changes, so that a token can be rotated without a restart."""

    skip_ssl_verification: bool = False
    """Do not check the API server's certificate. Default: no, since whoever sits between could then read the
    credentials; give `ca_file` instead."""

    namespaces: NamespaceSettings = NamespaceSettings()
    """Which namespaces may be changed."""

    kinds: list[Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob"]] = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "CronJob",
    ]
    """Which kinds are watched. Default: all four. A kind that is left out needs no right; one that is watched and may
    not be listed holds up every push, since a workload of that kind might run it."""

    parallel: PositiveInt = 16
    """How many workloads are patched at the same time. Default: 16, beyond which an API server gets no faster."""


class GitSettings(Section):
    """What to do with changed files in a git work tree."""

    push: bool = False
    """Push each commit to `remote`, re-basing when somebody else was faster. Default: no; commit only."""

    author: Author = "Argoos <argoos@localhost>"
    """Author and committer of the commits, as ``Name <mail>``."""

    remote: str = "origin"
    """The remote to push to."""

    pull_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    """With `push`: seconds between looks at the remote for the commits of others. It is also looked at before each
    change. Default: 60."""

    branch: str | None = None
    """The branch to commit to and push; it must be the one checked out. Default: the one that is checked out."""


class ManifestsSettings(Section):
    """A directory of Kubernetes manifests and stack files, whose image lines are edited in place."""

    kind: Literal["manifests"]
    """Says that this backend is a directory of files."""

    name: BackendName = "manifests"
    """How steps, metrics and messages call this backend. Must be unique. Default: the kind."""

    path: DirectoryPath
    """The directory; all ``*.yaml`` and ``*.yml`` files below it are read. Must exist."""

    git: GitSettings | None = None
    """Commit each change; the directory must be in a git work tree. ``git: {}`` takes every default. Default: files
    are changed and not committed."""

    rescan_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
    """Seconds between looks at the files for changes by others. Default: 5, so that an edit counts at once for a
    person, and a large tree costs little."""


BackendSettings = Annotated[KubernetesSettings | ManifestsSettings, Field(discriminator="kind")]
"""One place that Argoos changes, told by its `kind`."""


class RegistrySettings(Section):
    """A registry that is known by several names."""

    name: str
    """The host, with a port if it has one, by which workloads name the registry: ``registry.example.com``."""

    aliases: list[str] = []
    """Other hosts for the same registry: those that pushes go to, ``localhost:5000`` or ``registry.svc:5000``."""


class Settings(Section):
    """Everything that can be set."""

    listen: AnyAddress = Address(host="0.0.0.0", port=3000)  # noqa: S104 - a registry elsewhere must reach it
    """Where to accept deliveries and serve the API: ``host:port``, ``:port`` for every interface. Default:
    0.0.0.0:3000, as in the original, since the registry usually runs on another machine."""

    metrics_listen: AnyAddress | None = None
    """Where to serve ``/metrics`` instead of on `listen`, to keep them from those who may deliver. Default: on
    `listen`."""

    tokens: list[Token] = []
    """Tokens, one of which a delivery must carry in ``X-Argoos-Token``; several, so that one can be replaced without a
    gap. Default: none, and then anybody who reaches the port may deliver."""

    tokens_file: FilePath | None = None
    """File with more tokens, one on each line or a YAML list; read again when it changes, without a restart."""

    api_tokens: list[Token] = []
    """Tokens for ``/api/`` in place of the delivery tokens. Default: the delivery tokens open the API, too."""

    api_tokens_file: FilePath | None = None
    """File with more tokens for ``/api/``, in the same form as `tokens_file`."""

    database: Database = DatabaseUrl("sqlite:///argoos.db")
    """Where accepted pushes and the history are kept: ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.
    Default: argoos.db in the working directory. Put it on a disk that survives a restart: it holds what was answered
    2xx."""

    backends: list[BackendSettings] = []
    """What to change. Default: the Kubernetes cluster that Argoos runs in; elsewhere there must be one."""

    registries: list[RegistrySettings] = []
    """Registries that are known by several names. Default: each host stands for itself."""

    server_cert: FilePath | None = None
    """PEM file of the certificate to serve HTTPS with, the intermediate ones after it; read again when it changes.
    Needs `server_key`. Default: plain HTTP."""

    server_key: FilePath | None = None
    """PEM file of the key of `server_cert`."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """Bytes that a delivery may have; a larger one is answered 413. Default: 1 MiB, a thousand times what a registry
    sends, and little enough to be held in memory."""

    settle_seconds: Seconds = 30.0
    """Seconds after a push of a tag within which another digest of the same tag still belongs to it. Default: 30,
    since some builders push each platform under the tag first and the index last."""

    parallel: PositiveInt = 128
    """How many repositories are worked on at the same time. Default: 128, so that a push does not wait behind many that
    nobody runs; how many workloads are patched at once is bounded by the backend's own `parallel`."""

    lease_seconds: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 60.0
    """Seconds for which a worker owns what it claimed unless it renews; after a crash, claimed pushes wait that long.
    Default: 60. Shorter recovers faster from a crash, and writes more often."""

    give_up_seconds: Seconds = 259_200.0
    """Seconds after receipt for which a push that meets a passing hindrance is tried again; then it is failed.
    Default: three days, so that a weekend without the API server loses nothing."""

    retention_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 90.0
    """Days for which settled pushes stay in the history."""

    ignored_retention_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 24.0
    """Hours for which what was no candidate (layers, pulls, signatures …) stays in the history. Default: a day, since
    there are many times more of them than of pushes."""

    shutdown_seconds: Annotated[float, Field(gt=0, le=10)] = 8.0
    """Seconds to finish what is claimed after SIGTERM; what is not finished then returns to the queue. At most 10, and
    8 by default, so that the whole stop takes less than 10."""

    log_format: Literal["auto", "console", "json"] = "auto"
    """``console`` for people, ``json`` for machines (one object on each line), ``auto``: console on a terminal, else
    json."""

    verbose: bool = False
    """Log what happens inside, and print a traceback with an error."""
