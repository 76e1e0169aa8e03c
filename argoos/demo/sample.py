"""What the demo works on: a folder of workloads, and recorded deliveries with the headers they came with."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree

TOKEN = "demo-token"  # noqa: S105 - the sample's, written in its argoos.yaml, too
_LISTEN = "listen: 127.0.0.1:3000"

_TYPES = {
    "2.8.2": "application/vnd.docker.distribution.events.v1+json",
    "3.1.2": "application/vnd.docker.distribution.events.v2+json",
}
"""The content type that each release of the registry sends."""

_RECORDED = (
    ("2.8.2/02-single-schema2/01", "a layer of shop/cart"),
    ("2.8.2/02-single-schema2/04", "shop/cart:1.4.2"),
    ("3.1.2/01-single-oci/01", "a layer of shop/web"),
    ("3.1.2/01-single-oci/04", "shop/web:1.4.2"),
    ("3.1.2/04-retag/01", "shop/web:1.4.3"),
    ("3.1.2/03-multi-arch-index/03", "one platform of shop/api, without a tag"),
    ("3.1.2/03-multi-arch-index/07", "shop/api:2.0.0"),
    ("3.1.2/05-latest-twice/04", "shop/blog:latest"),
    ("3.1.2/05-latest-twice/08", "shop/blog:latest, another image"),
    ("3.1.2/06-pull/01", "somebody pulls shop/web:1.4.2"),
    ("2.8.2/11-nested-repository/04", "team/backend/api:1.0.0-rc.1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recorded body, byte for byte, with its content type, the registry's release and what it tells."""

    body: bytes
    content_type: str
    release: str
    tells: str


def deliveries() -> Iterator[Delivery]:
    """Yield the recorded deliveries in the order in which the demo sends them."""
    folder = files("argoos.demo").joinpath("deliveries")
    for name, tells in _RECORDED:
        release = name.partition("/")[0]
        body = folder.joinpath(f"{name}.json").read_bytes()
        yield Delivery(body=body, content_type=_TYPES[release], release=release, tells=tells)


def lay_out(directory: Path, *, port: int) -> Path:
    """Copy the sample into `directory`, to be served on `port`; return its settings file."""
    with as_file(files("argoos.demo").joinpath("sample")) as source:
        copytree(source, directory, dirs_exist_ok=True)
    config = directory / "argoos.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(_LISTEN, f"listen: 127.0.0.1:{port}"), encoding="utf-8")
    return config


def texts(directory: Path) -> Mapping[str, str]:
    """Return the text of each manifest, by its path below `directory`."""
    return {
        str(path.relative_to(directory)): path.read_text(encoding="utf-8")
        for path in sorted((directory / "deploy").rglob("*.yaml"))
    }


def diff(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a unified diff, with one line around each change."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ""), after.get(name, "")
        yield from difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{name}", f"b/{name}", n=1, lineterm="")
