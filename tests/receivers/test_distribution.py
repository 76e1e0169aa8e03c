"""The distribution receiver: tables over hand-made events. What registries really sent is in test_recorded.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from argoos.core.push import Ignored, NoCandidate, Push
from argoos.errors import BadDelivery
from tests.receivers.events import (
    DIGEST,
    DOCKER_CONFIG,
    HELM_CONFIG,
    HEX,
    LAYER,
    OCI,
    OCI_CONFIG,
    OCI_INDEX,
    RECEIVED_AT,
    event,
    parse,
    parse_one,
    push_of,
)


def test_a_push_keeps_all_that_matters() -> None:
    """Repository, tag, digest, time, actor and media type come out as they were sent."""
    push = push_of(event())
    assert (str(push.repository), push.tag, push.digest) == ("registry.example.com/shop/web", "1.4.2", DIGEST)
    assert push.pushed_at == datetime(2026, 11, 21, 13, 12, 24, 351134, tzinfo=UTC)
    assert (push.key, push.actor, push.media_type, push.sender) == ("distribution:8c3a", "ci", OCI, "distribution")


@pytest.mark.parametrize(
    ("changed", "reason", "detail"),
    [
        (event(action="pull"), NoCandidate.NOT_A_PUSH, "pull"),
        (event(action="mount"), NoCandidate.NOT_A_PUSH, "mount"),
        (event(action="delete"), NoCandidate.NOT_A_PUSH, "delete"),
        (event(action=""), NoCandidate.NOT_A_PUSH, "''"),
        (event(action=["push"]), NoCandidate.NOT_A_PUSH, "''"),
        (event({"mediaType": "application/octet-stream"}), NoCandidate.NOT_AN_IMAGE, "octet-stream"),
        (event({"mediaType": ""}), NoCandidate.NOT_AN_IMAGE, "''"),
        (event({"mediaType": None}), NoCandidate.NOT_AN_IMAGE, "''"),
        (event({"tag": ""}), NoCandidate.NO_TAG, "digest alone"),
        (event({"tag": None}), NoCandidate.NO_TAG, "digest alone"),
        (event({"tag": 7}), NoCandidate.NO_TAG, "digest alone"),
        (event({"tag": DIGEST}), NoCandidate.NO_TAG, DIGEST),
        (event({"tag": "a:b"}), NoCandidate.NO_TAG, "a:b"),
        (event({"tag": "t" * 129}), NoCandidate.NO_TAG, "is no tag"),
        (event({"tag": "1.0\x00"}), NoCandidate.NO_TAG, "is no tag"),
        (event({"tag": f"sha256-{HEX}"}), NoCandidate.SIGNATURE, "another image"),
        (event({"tag": f"sha512-{HEX}"}), NoCandidate.SIGNATURE, "another image"),
        (event({"tag": f"sha256-{HEX}.sig"}), NoCandidate.SIGNATURE, "another image"),
        (event({"tag": f"sha256-{HEX}.att"}), NoCandidate.SIGNATURE, "another image"),
        (event({"tag": f"sha256-{HEX}.sbom"}), NoCandidate.SIGNATURE, "another image"),
        (event({"digest": ""}), NoCandidate.NOT_AN_IMAGE, "no digest"),
        (event({"digest": "sha256:12"}), NoCandidate.NOT_AN_IMAGE, "no digest"),
        (event({"repository": ""}), NoCandidate.NOT_AN_IMAGE, "repository"),
        (event({"repository": "Shop/Web"}), NoCandidate.NOT_AN_IMAGE, "lower case"),
        (event({"repository": "a/" * 140 + "b"}), NoCandidate.NOT_AN_IMAGE, "longer"),
        (event({"repository": {"name": "shop"}}), NoCandidate.NOT_AN_IMAGE, "repository"),
        (event({"url": ""}, request={}), NoCandidate.NOT_AN_IMAGE, "X-Argoos-Registry-Name"),
        (event(request={"host": "bad host/"}), NoCandidate.NOT_AN_IMAGE, "X-Argoos-Registry-Name"),
        (event({"references": [HELM_CONFIG, LAYER]}), NoCandidate.NOT_AN_IMAGE, "helm.config"),
        (event({"references": [LAYER, HELM_CONFIG]}), NoCandidate.NOT_AN_IMAGE, "no image config"),
        (event({"artifactType": "application/spdx+json"}), NoCandidate.NOT_AN_IMAGE, "spdx"),
    ],
)
def test_what_is_no_candidate_keeps_its_word(changed: Any, reason: NoCandidate, detail: str) -> None:
    """Every kind of noise is kept with the word for it and a sentence about this case."""
    part = parse_one(changed)
    assert isinstance(part, Ignored), part
    assert part.reason is reason
    assert detail in part.detail
    assert part.key == "distribution:8c3a"


@pytest.mark.parametrize(
    "changed",
    [
        event({"mediaType": OCI_INDEX}),
        event({"mediaType": "application/vnd.docker.distribution.manifest.v2+json"}),
        event({"mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"}),
        event({"mediaType": OCI.upper() + "; charset=utf-8"}),
        event({"references": [OCI_CONFIG, LAYER]}),
        event({"references": [LAYER, DOCKER_CONFIG]}),
        event({"references": []}),
        event({"references": "all"}),
        event({"references": [None, {"mediaType": 3}]}),
        event({"mediaType": OCI_INDEX, "references": [{"mediaType": OCI}]}),
        event({"artifactType": ""}),
        event({"tag": f"sha256-{HEX[:60]}"}),
        event({"tag": "_"}),
        event(actor=None, request=None),
        event(actor={"name": 4}, source=17, unknown={"x": []}),
    ],
)
def test_what_may_be_an_image_is_a_push(changed: Any) -> None:
    """Indexes, image configs among the references, unknown fields and odd side notes leave a push a push."""
    assert str(push_of(changed).repository) == "registry.example.com/shop/web"


@pytest.mark.parametrize(
    ("header", "request_host", "url", "registry"),
    [
        ("hub.example.com", "other:5000", "http://third/v2/", "hub.example.com"),
        ("HTTPS://Hub.Example.com:443/", "other:5000", "http://third/v2/", "hub.example.com"),
        ("hub.example.com/", "other:5000", "http://third/v2/", "hub.example.com"),
        ("", "Registry.Example.COM", "http://third/v2/", "registry.example.com"),
        ("", "registry.example.com:443", "", "registry.example.com"),
        ("", "127.0.0.1:5001", "", "127.0.0.1:5001"),
        ("", "[::1]:5000", "", "[::1]:5000"),
        ("", "registry", "", "registry"),
        ("", "my_registry:5000", "", "my_registry:5000"),
        ("", "index.docker.io", "", "docker.io"),
        ("", "", "https://user@third.example.com:5000/v2/shop/web", "third.example.com:5000"),
        ("", "", "http://[fd00::1]:5000/v2/shop/web", "[fd00::1]:5000"),
    ],
)
def test_the_registry_is_named_by_header_then_request_then_url(
    header: str, request_host: str, url: str, registry: str
) -> None:
    """The strongest of the three names counts, in its one spelling."""
    raw = event({"url": url}, request={"host": request_host})
    assert push_of(raw, {"x-argoos-registry-name": header}).repository.registry == registry


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        ("2026-11-21T13:12:24.281514725Z", 24.281514),
        ("2026-11-21T13:12:51.7313554Z", 51.731355),
        ("2026-11-21T13:12:24Z", 24.0),
        ("2026-11-21T18:42:24.5+05:30", 24.5),
        ("2026-11-20T23:12:24-14:00", 24.0),
    ],
)
def test_the_time_is_the_senders_in_utc(timestamp: str, seconds: float) -> None:
    """Nanoseconds and any offset are understood."""
    pushed_at = push_of(event(timestamp=timestamp)).pushed_at
    assert pushed_at == datetime(2026, 11, 21, 13, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    assert pushed_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        None,
        17,
        "yesterday",
        "2026-11-21T13:12:24",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:00",
        "2027-01-01T00:00:00Z",
    ],
)
def test_without_a_usable_time_the_receipt_counts(timestamp: Any) -> None:
    """Missing, local, impossible and far-future times are replaced by the time of receipt."""
    assert push_of(event(timestamp=timestamp)).pushed_at == RECEIVED_AT


def test_an_odd_event_rejects_no_other() -> None:
    """Around two good pushes stands everything that JSON can hold; the pushes come out, the rest is counted once."""
    odd: list[Any] = [None, 3, "push", [], {}, {"id": "x"}, {"target": "web"}, True]
    body = orjson.dumps({"events": [*odd, event(id="one"), *odd, event(id="two")]})
    parts = parse(body)
    assert [part.key for part in parts if isinstance(part, Push)] == ["distribution:one", "distribution:two"]
    (rest,) = (part for part in parts if isinstance(part, Ignored))
    assert (rest.reason, rest.detail) == (NoCandidate.NOT_A_PUSH, "events that are no object with a target: 16")
    assert parse(body) == parts


def test_the_key_without_an_id_comes_from_the_bytes() -> None:
    """A repeated delivery has the same keys, another delivery others, and two events of one delivery differ."""
    raw = event(id="")
    body = orjson.dumps({"events": [raw, raw]})
    first, second = parse(body)
    assert [part.key for part in parse(body)] == [first.key, second.key]
    assert first.key.startswith("distribution:sha256:")
    assert first.key != second.key
    assert push_of(event({"tag": "1.4.3"}, id="")).key not in {first.key, second.key}


def test_a_huge_id_is_hashed() -> None:
    """The key stays short enough for an index entry, and equal ids still give equal keys."""
    one, other = push_of(event(id="x" * 5000)), push_of(event({"tag": "2"}, id="x" * 5000))
    assert one.key == other.key
    assert len(one.key) < 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"17",
        b'{"event": []}',
        b'{"events": {}}',
        b'{"events": "x"}',
        b'{"events": [}',
        b'{"events": ["\xff"]}',
        b'{"events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"events": [' + b"9" * 5000 + b"]}",
    ],
)
def test_what_is_no_envelope_is_refused_with_what_was_expected(body: bytes) -> None:
    """The message tells the sender what a notification looks like."""
    with pytest.raises(BadDelivery, match=r'\{"events": \[\.\.\.\]\}'):
        parse(body)


@pytest.mark.parametrize("body", [b'{"events": []}', b'{"events": null}'])
def test_an_empty_envelope_is_fine(body: bytes) -> None:
    """Nothing happened, and that is no mistake."""
    assert parse(body) == []


def test_json_that_is_unusual_but_json_is_read() -> None:
    """Lone surrogates, a number beyond a double and a byte order mark hide no push; texts come out storable."""
    raw = orjson.dumps(event(actor={"name": "NAME"}, more="MORE")).replace(b'"MORE"', b"1e999")
    (part,) = parse(b'\xef\xbb\xbf{"events": [' + raw.replace(b"NAME", rb"a\ud800b\u0000c\nd") + b"]}")
    assert isinstance(part, Push)
    assert part.actor == "a\ufffdb\ufffdc\ufffdd"


def test_deep_nesting_beside_a_push_does_not_hide_it() -> None:
    """An unknown field may be nested as deeply as the reader goes."""
    deep = b'{"events": [' + orjson.dumps(event()) + b"," + b"[" * 900 + b"]" * 900 + b"]}"
    assert [type(part) for part in parse(deep)] == [Push, Ignored]
