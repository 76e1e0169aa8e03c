"""A work tree for the tests of files under git."""

from pathlib import Path

import pytest

from tests.integration.manifests.repository import Repository, repository_with_remote
from tests.integration.manifests.sample import DEPLOYMENT


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a clone that holds one labelled Deployment in the folder `deploy`, pushed."""
    repository = repository_with_remote(tmp_path)
    (repository.folder / "deploy").mkdir()
    repository.manifest().write_text(DEPLOYMENT)
    repository.commit("Write web")
    repository.git("push", "--quiet")
    return repository
