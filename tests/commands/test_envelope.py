"""The body that `argoos push` posts is what a registry posts, as our own receiver reads it."""

from datetime import UTC, datetime

import pytest

from argoos.commands.push import envelope
from argoos.core.image import ImageRef
from argoos.core.push import Push
from argoos.receivers import RECEIVERS

NOW = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize("name", ["localhost:5000/shop/web", "registry.example.com/team/backend/api", "redis"])
def test_the_receiver_reads_it_back(name: str) -> None:
    """Repository, tag, digest, time and actor come out as they went in."""
    ref = ImageRef.parse(f"{name}:1.4.3@{DIGEST}")
    (push,) = RECEIVERS["distribution"].parse(envelope(ref, actor="me", now=NOW), {}, received_at=NOW)
    assert isinstance(push, Push)
    assert (push.repository, push.tag, push.digest) == (ref.repository, "1.4.3", DIGEST)
    assert (push.actor, push.pushed_at) == ("me", NOW)


def test_each_is_a_push_of_its_own() -> None:
    """Pushing the same image again is another push, not the same one delivered again."""
    ref = ImageRef.parse(f"a/b:1@{DIGEST}")
    keys = {
        received.key
        for _ in range(2)
        for received in RECEIVERS["distribution"].parse(envelope(ref, actor="", now=NOW), {}, received_at=NOW)
    }
    assert len(keys) == 2
