"""The distribution receiver, given anything at all."""

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from argoos.core.push import Push
from argoos.errors import BadDelivery
from tests.receivers.events import DIGEST, OCI, OCI_CONFIG, event, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TEXTS = JSON | st.sampled_from(["push", OCI, "1.4.2", DIGEST, "shop/web", "registry.example.com"])
EVENTS = JSON | st.fixed_dictionaries(
    {},
    optional={
        "id": TEXTS,
        "action": TEXTS | st.just("push"),
        "timestamp": TEXTS,
        "target": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "mediaType": TEXTS | st.just(OCI),
                "digest": TEXTS | st.just(DIGEST),
                "repository": TEXTS,
                "tag": TEXTS,
                "url": TEXTS,
                "references": JSON | st.lists(JSON | st.just(OCI_CONFIG)),
            },
        ),
        "request": JSON | st.fixed_dictionaries({"host": TEXTS}),
        "actor": JSON,
    },
)


@given(st.lists(EVENTS, max_size=4), st.text(max_size=20))
def test_no_json_raises_anything_but_bad_delivery(events: list[Any], header: str) -> None:
    """Whatever stands in the envelope, the good push beside it comes out, and all texts can be stored."""
    body = json.dumps({"events": [*events, event(id="good")]}).encode()
    parts = parse(body, {"x-argoos-registry-name": header if header.isalnum() and header.isascii() else ""})
    assert isinstance(next(part for part in parts if part.key == "distribution:good"), Push)
    for part in parts:
        for value in (part.key, str(part.repository), part.tag, part.digest, part.actor, part.media_type):
            assert b"\x00" not in value.encode()


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_bad_delivery(body: bytes) -> None:
    """Arbitrary bytes are read or refused."""
    with contextlib.suppress(BadDelivery):
        assert isinstance(parse(body), list)
