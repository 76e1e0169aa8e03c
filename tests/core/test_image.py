"""Image references, repositories and the alias table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argoos.core.image import ImageRef, RegistryNames, Repository, is_digest, is_tag, normal_host
from argoos.errors import InvalidReference

SHA256 = "sha256:" + "0123456789abcdef" * 4
SHA512 = "sha512:" + "f" * 128

GOOD = [
    # text, registry, path, tag
    ("app", "docker.io", "library/app", None),
    ("app:1.4", "docker.io", "library/app", "1.4"),
    ("team/app:1.4", "docker.io", "team/app", "1.4"),
    ("docker.io/app", "docker.io", "library/app", None),
    ("docker.io/library/app", "docker.io", "library/app", None),
    ("docker.io/team/app", "docker.io", "team/app", None),
    ("index.docker.io/app:1", "docker.io", "library/app", "1"),
    ("registry-1.docker.io/team/app", "docker.io", "team/app", None),
    ("docker.io:443/app", "docker.io", "library/app", None),
    ("test_com", "docker.io", "library/test_com", None),
    ("test.com:5000", "docker.io", "library/test.com", "5000"),
    ("localhost:5000", "docker.io", "library/localhost", "5000"),
    ("localhost", "docker.io", "library/localhost", None),
    ("localhost/app:1", "localhost", "app", "1"),
    ("localhost:5000/app:1", "localhost:5000", "app", "1"),
    ("LOCALHOST/app", "localhost", "app", None),
    ("registry.example.com/app", "registry.example.com", "app", None),
    ("Registry.Example.COM/team/app:V1", "registry.example.com", "team/app", "V1"),
    ("Registry/app", "registry", "app", None),
    ("registry:5000/app", "registry:5000", "app", None),
    ("registry/app", "docker.io", "registry/app", None),
    ("registry.example.com:443/app", "registry.example.com", "app", None),
    ("registry.example.com:80/app", "registry.example.com", "app", None),
    ("registry.example.com:8080/app", "registry.example.com:8080", "app", None),
    ("registry.example.com:8443/app", "registry.example.com:8443", "app", None),
    ("sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux", "some-long-tag"),
    ("b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app", "test.example.com"),
    ("xn--n3h.com/my_image:xn--n3h.com", "xn--n3h.com", "my_image", "xn--n3h.com"),
    ("192.168.1.1/repo:tag", "192.168.1.1", "repo", "tag"),
    ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050"),
    ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", None),
    ("[2001:DB8::1]:5000/repo:tag", "[2001:db8::1]:5000", "repo", "tag"),
    ("[::1]:443/a/b:1", "[::1]", "a/b", "1"),
    ("[fe80::443]/a", "[fe80::443]", "a", None),
    ("a.b/c__d/e---f/g.h_i:_x", "a.b", "c__d/e---f/g.h_i", "_x"),
    ("lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase"),
    (f"a.b/{'a/' * 127}a", "a.b", "a/" * 127 + "a", None),
    (f"app:{'t' * 128}", "docker.io", "library/app", "t" * 128),
]


@pytest.mark.parametrize("digest", [None, SHA256, SHA512])
@pytest.mark.parametrize(("text", "registry", "path", "tag"), GOOD)
def test_a_reference_has_these_parts(text: str, registry: str, path: str, tag: str | None, digest: str | None) -> None:
    """Each reference is read as Docker reads it, with a digest or without, and printed as it was written."""
    whole = f"{text}@{digest}" if digest else text
    ref = ImageRef.parse(whole)
    assert (ref.repository, ref.tag, ref.digest) == (Repository(registry=registry, path=path), tag, digest)
    assert str(ref) == whole


BAD = [
    ("", "'' is not a repository path"),
    (":tag", "'' is not a repository path"),
    (f"@{SHA256}", "'' is not a repository path"),
    ("app:", "'' is no tag"),
    (f"app:{'t' * 129}", "is no tag (letters, digits, '_', '.', '-'; at most 128)"),
    ("app:-1", "'-1' is no tag"),
    ("app:a+b", "'a+b' is no tag"),
    ("app:1\n", "is no tag"),
    ("app@", "'' is no digest"),
    ("app@sha256:abc", "'sha256:abc' is no digest (such as sha256:<64 hex digits>)"),
    ("app@sha256:" + "f" * 34, "a sha256 digest has 64 lower-case hex digits"),
    ("app@sha256:" + "F" * 64, "a sha256 digest has 64 lower-case hex digits"),
    (f"app@{SHA256}@{SHA256}", "is no digest"),
    (f"app@{SHA256}:1", "is no digest"),
    ("App", "'App' is not a repository path; repository names are lower case"),
    ("registry.example.com/Team/app", "'Team/app' is not a repository path; repository names are lower case"),
    ("registry.example.com/app/", "'app/' is not a repository path"),
    ("registry.example.com//app", "'/app' is not a repository path"),
    ("/app", "'/app' is not a repository path"),
    (" app", "' app' is not a repository path"),
    ("team/a..b", "is not a repository path"),
    ("team/a___b", "is not a repository path"),
    ("team/-a", "is not a repository path"),
    ("team/äpp", "is not a repository path"),
    ("-host.example.com/app", "'-host.example.com' is no host name with an optional port"),
    ("host_name.example.com/app", "'host_name.example.com' is no host name"),
    ("registry.example.com./app", "'registry.example.com.' is no host name"),
    ("registry.example.com:/app", "'registry.example.com:' is no host name"),
    ("registry.example.com:port/app", "'registry.example.com:port' is no host name"),
    ("https://registry.example.com/app", "'https:' is no host name"),
    ("::1/app", "'::1' is no host name"),
    ("[::1/app", "'[::1' is no host name"),
    ("[fe80::1%eth0]:5000/app", "'[fe80::1%eth0]:5000' is no host name"),
    ("[2001:db8::1]", "is not a repository path"),
    ("[2001:db8::1]:5000", "is not a repository path"),
    (f"a.b/{'a/' * 128}a", "is longer than 255 characters"),
    ("${IMAGE}:1", "is not a repository path"),
    ("f" * 64, "64 hex digits are an image id, not a name"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_no_reference_is_refused_with_the_part_that_is_wrong(text: str, message: str) -> None:
    """The message quotes the part that cannot stand there."""
    with pytest.raises(InvalidReference) as caught:
        ImageRef.parse(text)
    assert message in str(caught.value)


_words = st.text(alphabet="a0z9", min_size=1, max_size=3)
_parts = st.builds("".join, st.tuples(_words, st.sampled_from([".", "_", "__", "-", "---"]), _words)) | _words
_paths = st.lists(_parts, min_size=1, max_size=3).map("/".join)
_ports = st.just("") | st.integers(1, 65535).map(":{}".format)
_hosts = st.one_of(
    st.just(""),
    st.builds(
        "{}.{}{}/".format, st.text(alphabet="aZ0", min_size=1, max_size=3), st.sampled_from(["eu", "X0"]), _ports
    ),
    st.builds("[{}]{}/".format, st.ip_addresses(v=6), _ports),
    st.sampled_from(["localhost/", "localhost:5000/", "Docker.io/", "index.docker.io/"]),
)
_tags = st.just("") | st.builds(":{}{}".format, st.sampled_from("aZ0_"), st.text(alphabet="aZ0_.-", max_size=8))
_digests = st.sampled_from(["", f"@{SHA256}", f"@{SHA512}"])
references = st.tuples(_hosts, _paths, _tags, _digests).map("".join)


@given(text=references)
def test_a_reference_survives_the_round_trip(text: str) -> None:
    """What was parsed prints as it was written, and parses to the same value again."""
    ref = ImageRef.parse(text)
    assert str(ref) == text
    assert ImageRef.parse(str(ref)) == ref
    assert Repository.parse(str(ref.repository)) == ref.repository
    assert Repository.parse(ref.name) == ref.repository


@given(text=st.text(max_size=40) | st.text(alphabet="aA0:/@.-_[]", max_size=20))
def test_any_text_is_a_reference_or_is_refused(text: str) -> None:
    """No text brings the parser down, and what it takes it gives back."""
    try:
        ref = ImageRef.parse(text)
    except InvalidReference:
        return
    assert str(ref) == text


def test_a_moved_reference_keeps_its_spelling() -> None:
    """Only tag and digest change: a short name stays short, a host keeps its capitals and its default port."""
    for name in ("app", "Registry.Example.COM:443/team/app", "index.docker.io/app"):
        moved = ImageRef.parse(f"{name}:1@{SHA256}").moved(tag="2", digest=SHA512)
        assert str(moved) == f"{name}:2@{SHA512}"
        assert moved == ImageRef.parse(str(moved))
        assert str(moved.moved(tag="3", digest=None)) == f"{name}:3"


@pytest.mark.parametrize(
    ("text", "tag"),
    [("app", "latest"), ("app:1.4", "1.4"), (f"app:1.4@{SHA256}", "1.4"), (f"app@{SHA256}", None)],
)
def test_the_tag_that_runs(text: str, tag: str | None) -> None:
    """Without a tag `latest` runs; with a digest alone no tag does."""
    assert ImageRef.parse(text).running_tag == tag


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("Registry.Example.com", "registry.example.com"),
        ("registry.example.com:443", "registry.example.com"),
        ("registry.example.com:80", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("registry.example.com:4430", "registry.example.com:4430"),
        ("Index.Docker.IO:443", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("[::1]:443", "[::1]"),
        ("[fe80::80]", "[fe80::80]"),
    ],
)
def test_a_host_has_one_spelling(host: str, normal: str) -> None:
    """Hosts are compared in lower case, without a default port, and Docker Hub by its short name."""
    assert normal_host(host) == normal


NAMES = RegistryNames(
    {
        "registry.example.com": ["localhost:5000", "Registry.SVC:5000", "mirror.example.com:443"],
        "docker.io": ["hub-mirror.example.com"],
    }
)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("registry.example.com/app", "registry.example.com/app"),
        ("localhost:5000/team/app", "registry.example.com/team/app"),
        ("registry.svc:5000/app", "registry.example.com/app"),
        ("REGISTRY.svc:5000/app", "registry.example.com/app"),
        ("mirror.example.com/app", "registry.example.com/app"),
        ("registry.example.com:443/app", "registry.example.com/app"),
        ("localhost:5001/app", "localhost:5001/app"),
        ("other.example.com/app", "other.example.com/app"),
        ("hub-mirror.example.com/app", "docker.io/library/app"),
        ("app", "docker.io/library/app"),
    ],
)
def test_a_registry_is_known_by_all_its_names(name: str, canonical: str) -> None:
    """A host of the alias table is replaced by its registry's own name, whatever its spelling; others stay."""
    assert str(NAMES.canonical(Repository.parse(name))) == canonical


def test_without_an_alias_table_only_spelling_is_normalised() -> None:
    """An empty table changes nothing."""
    repository = Repository.parse("localhost:5000/app")
    assert RegistryNames().canonical(repository) is repository


def test_the_host_of_a_delivery_need_not_be_a_name_that_dns_allows() -> None:
    """A reverse proxy sends its upstream's name as Host, underscores and all; the alias table knows what it means."""
    names = RegistryNames({"registry.example.com": ["docker_registry"]})
    assert str(names.canonical(Repository.of("docker_registry", "team/app"))) == "registry.example.com/team/app"


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (SHA256, True),
        (SHA512, True),
        ("sha256:" + "A" * 64, False),
        ("blake3:" + "a" * 32, True),
        ("blake3:" + "a" * 31, False),
        (SHA256[:-1], False),
        (SHA256 + "0", False),
        ("sha256-" + "a" * 64, False),
        ("", False),
    ],
)
def test_what_is_a_digest(text: str, digest: bool) -> None:
    """A sha256 digest has 64 lower-case hex digits; another algorithm's has 32 at least."""
    assert is_digest(text) is digest


@pytest.mark.parametrize(
    ("text", "tag"), [("1.4", True), ("_x", True), ("a" * 128, True), ("a" * 129, False), (".x", False), ("", False)]
)
def test_what_is_a_tag(text: str, tag: bool) -> None:
    """A tag starts with a letter, digit or underscore and has 128 characters at most."""
    assert is_tag(text) is tag
