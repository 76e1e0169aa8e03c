"""The table of adapters that the `Backend` contract suite runs over without a real server.

To add one: write `<adapter>_harness.py` beside this file and add a line here.
"""

from collections.abc import Mapping

from tests.contracts.backends.harness import Opener
from tests.contracts.backends.kubernetes_harness import open_fake
from tests.contracts.backends.manifests_harness import open_folder, open_git_folder

HARNESSES: Mapping[str, Opener] = {
    "kubernetes": open_fake,
    "manifests": open_folder,
    "manifests-git": open_git_folder,
}
