"""What two releases of the registry really posted (tests/fixtures/events): every scenario of both, as one table."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argoos.core.push import Ignored, Push, Received
from argoos.receivers import RECEIVERS

RECORDED = Path(__file__).parent.parent / "fixtures" / "events"
RECEIVED_AT = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
HOSTS = {"2.8.2": "127.0.0.1:5001", "3.1.2": "127.0.0.1:5002"}
BLOB, CHILD, PULL = "not-an-image", "no-tag", "not-a-push"

SCENARIOS = {
    "01-single-oci": [BLOB, BLOB, BLOB, "shop/web:1.4.2"],
    "02-single-schema2": [BLOB, BLOB, BLOB, "shop/cart:1.4.2"],
    "03-multi-arch-index": [BLOB, BLOB, CHILD, BLOB, BLOB, CHILD, "shop/api:2.0.0"],
    "04-retag": ["shop/web:1.4.3"],
    "05-latest-twice": [BLOB, BLOB, BLOB, "shop/blog:latest", BLOB, BLOB, BLOB, "shop/blog:latest"],
    "06-pull": [PULL, PULL, PULL, PULL, PULL, PULL],
    "07-cross-repo-mount": [PULL, PULL, PULL, PULL, PULL, PULL, BLOB, "mirror/web:1.4.2"],
    "10-helm-chart": [BLOB, BLOB, "charts/shop-chart:0.1.0"],
    "11-nested-repository": [BLOB, BLOB, BLOB, "team/backend/api:1.0.0-rc.1"],
}
"""For each scenario, what each post in its order is: a push (repository:tag) or the word for what it is instead."""


def read(release: str, scenario: str) -> Iterator[Received]:
    """Read the posts of a scenario in their order."""
    for path in sorted((RECORDED / release / scenario).glob("*.json")):
        yield from RECEIVERS["distribution"].parse(path.read_bytes(), {}, received_at=RECEIVED_AT)


def in_a_word(part: Received, host: str) -> str:
    """Return what the table says of a part."""
    match part:
        case Push():
            return f"{part.repository}:{part.tag}".removeprefix(f"{host}/")
        case Ignored():
            return part.reason.value


@pytest.mark.parametrize("release", HOSTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_recorded_post_is_read_as_what_it_is(release: str, scenario: str) -> None:
    """Both releases give the same table; nothing takes its time from the receipt."""
    parts = list(read(release, scenario))
    assert [in_a_word(part, HOSTS[release]) for part in parts] == SCENARIOS[scenario]
    assert all(part.pushed_at < RECEIVED_AT and part.pushed_at.tzinfo is UTC for part in parts)
    assert len({part.key for part in parts}) == len(parts)


@pytest.mark.parametrize("release", HOSTS)
def test_every_recorded_scenario_is_in_the_table(release: str) -> None:
    """A new recording without a line in the table fails here."""
    assert {path.name for path in (RECORDED / release).iterdir()} == set(SCENARIOS)


@pytest.mark.parametrize("release", HOSTS)
def test_the_tag_that_was_moved_has_two_digests(release: str) -> None:
    """The digest is the event's own, so a moved tag is told from a repeated push."""
    first, second = (part for part in read(release, "05-latest-twice") if isinstance(part, Push))
    assert first.digest != second.digest
    assert first.pushed_at < second.pushed_at
