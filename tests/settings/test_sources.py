"""Every source, and which of them wins."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argoos.settings import Address, DatabaseUrl, Flags, KubernetesSettings, Loaded, ManifestsSettings, Need, Settings
from argoos.settings.shown import rows


def test_defaults(read: Callable[..., Loaded]) -> None:
    """Without any source there are the defaults, and every value says so."""
    loaded = read()
    assert loaded.settings == Settings()
    assert {row.source for row in rows(loaded)} == {"default"}


def test_each_source_covers_the_one_before(read: Callable[..., Loaded]) -> None:
    """Default < file < ARGOOS_* < the original's names < flags."""
    text = "listen: :1"
    assert read(text).settings.listen == Address(host="", port=1)
    assert read(text, ARGOOS_LISTEN=":2").settings.listen.port == 2
    assert read(text, ARGOOS_LISTEN=":2", LISTEN=":3").settings.listen.port == 3
    flags = Flags(values={"listen": ":4"})
    assert read(text, ARGOOS_LISTEN=":2", LISTEN=":3", flags=flags).settings.listen.port == 4


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_a_flag_that_is_not_given_covers_nothing(read: Callable[..., Loaded], nothing: object) -> None:
    """A repeatable flag that was not given leaves the tokens of the file in force."""
    loaded = read("tokens: [abc]", flags=Flags(values={"tokens": nothing}))
    assert [token.get_secret_value() for token in loaded.settings.tokens] == ["abc"]
    given = read("tokens: [abc]", flags=Flags(values={"tokens": ("one", "two")}))
    assert [token.get_secret_value() for token in given.settings.tokens] == ["one", "two"]


def test_each_value_names_its_source(read: Callable[..., Loaded]) -> None:
    """The place of each value is kept: file and line, variable or flag."""
    loaded = read(
        "listen: :1\nregistries:\n- name: a.example\n  aliases:\n  - b.example\n",
        flags=Flags(values={"verbose": True}, assignments=["parallel=3"]),
        ARGOOS_SETTLE_SECONDS="5",
        TOKEN="abc",
    )
    found = {row.key: (row.value, row.source) for row in rows(loaded)}
    assert found["listen"] == (":1", "argoos.yaml:1")
    assert found["registries[0].name"] == ("a.example", "argoos.yaml:3")
    assert found["registries[0].aliases"] == (["b.example"], "argoos.yaml:4")
    assert found["settle_seconds"] == (5.0, "environment ARGOOS_SETTLE_SECONDS")
    assert found["tokens"] == (["***"], "environment TOKEN")
    assert found["verbose"] == (True, "flag --verbose")
    assert found["parallel"] == (3, "flag --set parallel")
    assert found["retention_days"] == (90.0, "default")


def test_a_covered_list_leaves_no_trace(read: Callable[..., Loaded]) -> None:
    """A list is replaced whole; lines of the list below are not shown for the one above."""
    loaded = read("registries:\n- {name: a.example}\n- {name: b.example}", ARGOOS_REGISTRIES="[{name: c.example}]")
    assert [registry.name for registry in loaded.settings.registries] == ["c.example"]
    assert {row.source for row in rows(loaded) if row.key.startswith("registries")} == {"environment ARGOOS_REGISTRIES"}


def test_secrets_are_masked_everywhere(read: Callable[..., Loaded]) -> None:
    """Neither repr nor the shown rows hold a token or a password."""
    loaded = read("tokens: [s3cret]\napi_tokens: [s3cret]", TOKEN="s3cret")
    assert "s3cret" not in repr(loaded)
    assert "s3cret" not in str(loaded.settings)
    assert "s3cret" not in loaded.settings.model_dump_json()
    assert "s3cret" not in repr(rows(loaded))
    assert [token.get_secret_value() for token in loaded.settings.tokens] == ["s3cret"]


def test_a_database_password_is_masked() -> None:
    """A password in a database URL is shown as stars and revealed to the store alone."""
    url = DatabaseUrl("postgresql://me:s3cret@db/argoos")
    assert str(url) == "postgresql://me:***@db/argoos"
    assert "s3cret" not in repr(url)
    assert url.url == "postgresql://me:s3cret@db/argoos"


def test_paths_start_where_they_are_written(read: Callable[..., Loaded], tmp_path: Path) -> None:
    """A path in a file is relative to the file; one in the environment or a flag to the working directory."""
    (tmp_path / "etc").mkdir()
    for name in ("etc/tokens", "tokens"):
        (tmp_path / name).write_text("abc")
    (tmp_path / "etc/argoos.yaml").write_text("tokens_file: tokens\ndatabase: sqlite:///a.db")
    loaded = read(flags=Flags(config=Path("etc/argoos.yaml")), ARGOOS_API_TOKENS_FILE="tokens")
    assert loaded.settings.tokens_file == tmp_path / "etc/tokens"
    assert loaded.settings.api_tokens_file == tmp_path / "tokens"
    assert loaded.settings.database.sqlite_path == tmp_path / "etc/a.db"
    assert loaded.file == tmp_path / "etc/argoos.yaml"


def test_structured_variables_are_yaml_or_json(read: Callable[..., Loaded], tmp_path: Path) -> None:
    """Lists of sections come as JSON or YAML; a list of tokens may be one plain token."""
    loaded = read(
        ARGOOS_BACKENDS='[{"kind": "manifests", "path": "."}]',
        ARGOOS_REGISTRIES="[{name: a.example, aliases: [b.example]}]",
        ARGOOS_TOKENS="1234",
        ARGOOS_API_TOKENS='["a", "b"]',
    )
    assert loaded.settings.backends == [ManifestsSettings(kind="manifests", path=tmp_path)]
    assert loaded.settings.registries[0].aliases == ["b.example"]
    assert [token.get_secret_value() for token in loaded.settings.tokens] == ["1234"]
    assert [token.get_secret_value() for token in loaded.settings.api_tokens] == ["a", "b"]


def test_anchors_and_merge_keys(read: Callable[..., Loaded]) -> None:
    """Anchors, aliases and merge keys of YAML work, and what is merged in may be overridden."""
    loaded = read(
        "backends:\n- &one {kind: kubernetes, parallel: 4, context: a}\n- {<<: *one, name: two, context: b}",
        need=Need.BACKENDS,
    )
    first, second = loaded.settings.backends
    assert isinstance(first, KubernetesSettings)
    assert isinstance(second, KubernetesSettings)
    assert (second.parallel, second.context, second.name) == (4, "b", "two")
    assert first.context == "a"


def test_some_variables_are_not_for_us(read: Callable[..., Loaded]) -> None:
    """What Kubernetes sets for Services called argoos… is ignored, and so is an empty variable."""
    read(
        ARGOOS_SERVICE_HOST="10.0.0.1",
        ARGOOS_SERVICE_PORT_HTTP="80",
        ARGOOS_PORT="tcp://10.0.0.1:80",
        ARGOOS_PORT_80_TCP_ADDR="10.0.0.1",
        ARGOOS_REGISTRY_SERVICE_PORT="5000",
        ARGOOS_REGISTRY_PORT_5000_TCP="tcp://10.0.0.2:5000",
        ARGOOS_E2E_BIN="/somewhere",
        ARGOOS_LISTEN="",
        TOKEN="",
    )


def test_original_names_make_a_kubernetes_backend(read: Callable[..., Loaded], tmp_path: Path) -> None:
    """The original's variables alone configure its one cluster."""
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text("x")
    loaded = read(
        need=Need.BACKENDS,
        KUBE_MASTER_URL="https://kube:6443",
        INCLUSTER="no",
        SKIP_SSL_VERIFICATION="TRUE",
        CA_FILE="ca",
        CERT_FILE="cert",
        KEY_FILE="key",
        VERBOSE="yes",
        TOKEN=" abc ",
    )
    assert loaded.settings.backends == [
        KubernetesSettings(
            kind="kubernetes",
            master="https://kube:6443",
            in_cluster=False,
            skip_ssl_verification=True,
            ca_file=tmp_path / "ca",
            cert_file=tmp_path / "cert",
            key_file=tmp_path / "key",
        )
    ]
    assert loaded.settings.verbose
    assert loaded.settings.tokens[0].get_secret_value() == "abc"
    assert loaded.notes == ()


def test_incluster_wins_over_a_master(read: Callable[..., Loaded]) -> None:
    """As in the original, INCLUSTER makes KUBE_MASTER_URL moot; here it is said."""
    loaded = read(need=Need.BACKENDS, INCLUSTER="true", KUBE_MASTER_URL="http://kube")
    assert loaded.settings.backends == [KubernetesSettings(kind="kubernetes", in_cluster=True)]
    assert loaded.notes == (
        "environment KUBE_MASTER_URL has no effect: environment INCLUSTER says to use the pod's account",
    )


def test_original_flags_cover_the_file(read: Callable[..., Loaded]) -> None:
    """The original's flags and variables set single fields of the one Kubernetes backend that the file has."""
    text = "backends:\n- {kind: kubernetes, name: prod, master: 'https://a'}"
    flags = Flags(values={"skip_ssl_verification": True})
    loaded = read(text, flags=flags, KUBE_MASTER_URL="https://b")
    (backend,) = loaded.settings.backends
    assert backend == KubernetesSettings(kind="kubernetes", name="prod", master="https://b", skip_ssl_verification=True)
    found = {row.key: row.source for row in rows(loaded)}
    assert found["backends[0].name"] == "argoos.yaml:2"
    assert found["backends[0].master"] == "environment KUBE_MASTER_URL"
    assert found["backends[0].skip_ssl_verification"] == "flag --skip-ssl-verification"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("backends: [{kind: manifests, path: .}]", "no Kubernetes backend is"),
        ("backends: [{kind: kubernetes}, {kind: kubernetes, name: b}]", "2 Kubernetes backends are"),
    ],
)
def test_original_names_without_a_place(read: Callable[..., Loaded], text: str, count: str) -> None:
    """Where there is not just one Kubernetes backend, the original's names have no effect, and that is said."""
    assert read(text, CA_FILE="away").notes == (f"environment CA_FILE has no effect: {count} configured",)


def test_in_a_pod_the_cluster_is_the_default(read: Callable[..., Loaded], tmp_path: Path) -> None:
    """With a service account mounted, no backend need be written; one that is written is taken instead."""
    (tmp_path / "account").mkdir()
    (tmp_path / "account/token").write_text("x")
    loaded = read(need=Need.BACKENDS, KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert loaded.settings.backends == [KubernetesSettings(kind="kubernetes", in_cluster=True)]
    assert str(loaded.origin(("backends", 0, "kind"))) == "found: this is a pod with a service account"
    written = read("backends: [{kind: kubernetes, parallel: 2}]", KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert written.settings.backends == [KubernetesSettings(kind="kubernetes", in_cluster=True, parallel=2)]
    other = read("backends: [{kind: kubernetes, context: prod}]", KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert other.settings.backends == [KubernetesSettings(kind="kubernetes", context="prod")]
    written = read("backends: [{kind: manifests, path: .}]", KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert [backend.kind for backend in written.settings.backends] == ["manifests"]


def test_directories_by_flag(read: Callable[..., Loaded], tmp_path: Path) -> None:
    """Directories on the command line become the only backends, with names of their own where they are several."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    text = "backends: [{kind: kubernetes}]"
    (one,) = read(text, flags=Flags(manifests=["a"])).settings.backends
    assert one == ManifestsSettings(kind="manifests", path=tmp_path / "a")
    first, second = read(text, flags=Flags(manifests=["a", "b"])).settings.backends
    assert (first.name, second.name) == ("manifests-1", "manifests-2")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [(":3000", "", 3000), ("0.0.0.0:80", "0.0.0.0", 80), ("[::1]:0", "::1", 0), ("localhost:3000", "localhost", 3000)],
)
def test_addresses(text: str, host: str, port: int) -> None:
    """Addresses are parsed and written back as they were."""
    assert Address.parse(text) == Address(host=host, port=port)
    assert str(Address.parse(text)) == text
