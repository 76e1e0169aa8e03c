"""The schema documents itself: every setting has a meaning, and every section is in the reference."""

from argoos.settings.reference import entries, required_sections
from argoos.settings.report import SECTIONS


def test_every_section_is_in_the_table() -> None:
    """A section that is added to the schema must be added to the table of sections."""
    assert set(SECTIONS.values()) == required_sections()


def test_every_setting_has_a_meaning() -> None:
    """Every setting says what it means, in whole sentences, and what it takes."""
    for entry in entries():
        assert len(entry.meaning) > 20, entry
        assert entry.meaning.endswith("."), entry
        assert entry.takes, entry


def test_original_names_are_listed() -> None:
    """Each of the original's variables is shown with the setting that it sets."""
    listed = {name for entry in entries() for name in entry.variables}
    originals = "TOKEN LISTEN KUBE_MASTER_URL INCLUSTER SKIP_SSL_VERIFICATION VERBOSE CA_FILE CERT_FILE KEY_FILE"
    assert listed >= {*originals.split(), "SERVER_CERT", "SERVER_KEY", "ARGOOS_BACKENDS"}
