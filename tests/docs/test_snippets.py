"""Every settings file and every registry configuration that a page shows is one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argoos.settings import Need, Settings, Surroundings, load
from argoos.settings.flags import Flags
from tests.docs.pages import Block, blocks

SETTINGS = blocks("yaml", "argoos.yaml")
FILES = {"tokens_file", "api_tokens_file", "server_cert", "server_key"}
BACKEND_FILES = {"kubeconfig", "ca_file", "cert_file", "key_file", "token_file"}


def test_every_settings_file_is_marked() -> None:
    """A YAML block whose keys are settings says `argoos.yaml`, so that it is loaded below."""
    for block in blocks("yaml"):
        value = yaml.safe_load(block.text)
        looks = isinstance(value, dict) and set(value) <= set(Settings.model_fields)
        assert looks == ("argoos.yaml" in block.words), f"{block} is a settings file: {looks}"
    assert len(SETTINGS) > 5


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_settings_are_accepted(block: Block, tmp_path: Path) -> None:
    """What a page shows as `argoos.yaml` is loaded without a complaint, once the files that it names are there."""
    values = yaml.safe_load(block.text)
    _move(values, FILES, tmp_path)
    for backend in values.get("backends", []):
        _move(backend, BACKEND_FILES, tmp_path)
        if "path" in backend:
            place = tmp_path / backend["path"].lstrip("/")
            place.mkdir(parents=True)
            backend["path"] = str(place)
    (tmp_path / "argoos.yaml").write_text(yaml.safe_dump(values))
    around = Surroundings(environ={}, directory=tmp_path, service_account=tmp_path / "none")
    loaded = load(Flags(), need=Need.NOTHING, surroundings=around)
    assert loaded.file == tmp_path / "argoos.yaml"
    assert loaded.notes == ()


def _move(values: dict[str, Any], keys: set[str], root: Path) -> None:
    """Let the keys that name files name files that exist, below `root`."""
    for key in keys & set(values):
        path = root / values[key].lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a-token\n")
        values[key] = str(path)


@pytest.mark.parametrize("block", [b for b in blocks("yaml") if b.text.startswith("notifications:")], ids=str)
def test_registry_headers_are_lists(block: Block) -> None:
    """Each header in a registry's configuration is a list, or the registry would not start."""
    for endpoint in yaml.safe_load(block.text)["notifications"]["endpoints"]:
        assert endpoint["url"].endswith("/event")
        assert all(isinstance(value, list) for value in endpoint["headers"].values())


@pytest.mark.parametrize("block", [b for b in blocks() if b.language in ("yaml", "json")], ids=str)
def test_yaml_and_json_can_be_read(block: Block) -> None:
    """Whatever else is shown as YAML or JSON is that."""
    assert yaml.safe_load(block.text)
