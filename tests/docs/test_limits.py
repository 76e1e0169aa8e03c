"""The numbers that pages name are those of the code."""

import pytest

from argoos.backends.kubernetes import events
from argoos.backends.manifests import files, nodes, remote
from argoos.core.workload import LABEL_PREFIX
from argoos.receivers import field
from argoos.settings import ManifestsSettings, Settings
from argoos.settings.schema import GitSettings
from argoos.store.claiming import CLAIM_LIMIT
from argoos.store.reading import PUSHED_AT_LIMIT
from argoos.web import body, tls
from argoos.web.api import IMAGES_MOST
from tests.docs.pages import page

LIMITS, MONITORING, GIT = "docs/limits.md", "docs/how-to/monitoring.md", "docs/how-to/git.md"
KEY_LIMIT = 63
"""Characters of the name in a label's key: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"""

SETTINGS = {name: info.default for name, info in Settings.model_fields.items()}
DAY_SECONDS = 86_400


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (LIMITS, f"Up to {CLAIM_LIMIT} waiting pushes"),
        (LIMITS, f"more than {PUSHED_AT_LIMIT:,} different images"),
        (LIMITS, f"names of up to {KEY_LIMIT - len('policy.')} characters"),
        (LIMITS, f"up to {KEY_LIMIT - len('tags.')}."),
        (LIMITS, f"takes {IMAGES_MOST} images"),
        (LIMITS, f"more than {events._WAITING:,} wait"),
        (LIMITS, f"more than {files.SIZE_LIMIT // 2**20} MiB"),
        (LIMITS, f"deeper than {nodes.DEPTH_LIMIT} levels"),
        (LIMITS, f"within these {SETTINGS['settle_seconds']:g} seconds"),
        ("docs/reference/api.md", f"within {body.BODY_SECONDS:g} seconds"),
        ("docs/how-to/upgrade-and-backup.md", f"`retention_days` ({SETTINGS['retention_days']:g})"),
        ("docs/how-to/upgrade-and-backup.md", f"`ignored_retention_hours` ({SETTINGS['ignored_retention_hours']:g})"),
    ],
)
def test_a_number_is_that_of_the_code(name: str, sentence: str) -> None:
    """The page says the number that the code has."""
    assert sentence in page(name).text


def test_numbers_in_words_are_those_of_the_code() -> None:
    """Where a page writes a number as a word, the code has it."""
    assert field._CLOCK_SLACK.total_seconds() == DAY_SECONDS
    assert "ahead by up to a day" in page(LIMITS).text
    assert SETTINGS["give_up_seconds"] == 3 * DAY_SECONDS
    assert "For three days (`give_up_seconds`)" in page(MONITORING).text
    assert "`give_up_seconds`, three days" in page(LIMITS).text
    assert SETTINGS["ignored_retention_hours"] == 24
    assert "`ignored_retention_hours`, a day" in page(LIMITS).text
    assert remote._ROUNDS == 6
    assert "up to six times" in page(GIT).text
    assert GitSettings.model_fields["pull_seconds"].default == 60
    assert "every minute (`pull_seconds`)" in page(GIT).text
    assert tls.LOOK_SECONDS == 5
    assert "looked at every five seconds" in page("docs/how-to/private-ca.md").text
    assert ManifestsSettings.model_fields["git"].default is None
    assert LABEL_PREFIX == "argoos.io/"
