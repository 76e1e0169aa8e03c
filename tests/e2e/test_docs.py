"""The documentation, followed to the letter: its commands run, and what they print is what the page shows."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import page, pages
from tests.docs.transcript import follow, parts
from tests.e2e.conftest import Stage, workload
from tests.e2e.daemon import actions
from tests.servers.binaries import Binaries, skip_unless_ci
from tests.servers.images import image, push
from tests.servers.process import free_port
from tests.servers.registry import VERSIONS, Endpoint, Registry

pytestmark = pytest.mark.e2e

WITH_REGISTRY = ("docs/tutorial.md", "docs/how-to/private-ca.md")
WITHOUT = (
    "docs/how-to/aliases.md",
    "docs/how-to/from-the-original.md",
    "docs/how-to/git.md",
    "docs/how-to/monitoring.md",
    "docs/how-to/tokens.md",
    "docs/how-to/upgrade-and-backup.md",
)
TOOLS = ("bash", "curl", "git", "openssl", "python3", "sqlite3", "tar")


def path_of_a_reader(binaries: Binaries, directory: Path, version: str = VERSIONS[0]) -> str:
    """Return the PATH of somebody who has installed what the pages ask for: Argoos, a registry, the usual tools."""
    directory.mkdir()
    (directory / "docker-registry").symlink_to(binaries.registry(version))
    found = {tool: shutil.which(tool) for tool in TOOLS}
    if missing := [tool for tool, where in found.items() if where is None]:
        skip_unless_ci(f"not installed: {', '.join(missing)}; on Debian: apt-get install {' '.join(missing)}")
    places = [
        directory,
        Path(sys.executable).parent,
        binaries.skopeo().parent,
        *(Path(w).parent for w in found.values() if w),
    ]
    return os.pathsep.join(dict.fromkeys(map(str, places)))


def test_every_page_with_commands_to_run_is_followed() -> None:
    """A page whose blocks say `run` is in one of the lists of this file."""
    assert {each.name for each in pages() if parts(each)} == {*WITH_REGISTRY, *WITHOUT}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WITH_REGISTRY)
def test_a_page_with_a_registry(name: str, version: str, binaries: Binaries, tmp_path: Path) -> None:
    """A reader who pastes the commands sees what the page shows, whichever release of the registry he has."""
    place = tmp_path / "here"
    place.mkdir()
    ports = {5001: free_port(), 3000: free_port()}
    follow(page(name), place, path=path_of_a_reader(binaries, tmp_path / "bin", version), ports=ports)


@pytest.mark.parametrize("name", WITHOUT)
def test_a_page(name: str, binaries: Binaries, tmp_path: Path) -> None:
    """A reader who pastes the commands sees what the page shows."""
    place = tmp_path / "here"
    place.mkdir()
    follow(page(name), place, path=path_of_a_reader(binaries, tmp_path / "bin"), ports={3000: free_port()})


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_registry_configured_as_the_page_says_moves_a_deployment(stage: Stage, version: str) -> None:
    """The notifications of docs/how-to/existing-registry.md, but for the address, roll out a Deployment."""
    (block,) = page("docs/how-to/existing-registry.md").blocks("yaml", "registry")
    written = yaml.safe_load(block.text)
    (endpoint,) = written["notifications"]["endpoints"]
    (token,) = endpoint["headers"]["X-Argoos-Token"]
    daemon = await stage.daemon(tokens=[token])
    daemon.token = token
    endpoint["url"] = daemon.event_url
    registry = Registry(version, stage.binaries, stage.directory / "registry", Endpoint(url=daemon.event_url))
    config = stage.directory / "registry" / "config.yml"
    whole = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump({**whole, **written}))
    await stage.stack.enter_async_context(registry)
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}))

    digest = await push(stage.binaries, registry, image("new"), "shop/web:1.5.0")

    assert actions(await daemon.settled("1.5.0")) == {"web/web": "update applied"}
    assert await stage.images("deployment/web") == {"web": f"{registry.host}/shop/web:1.5.0@{digest}"}
    assert [one["tag"] for one in await daemon.pushes(ignored="true")] == ["1.5.0"], "layers are not even sent"
