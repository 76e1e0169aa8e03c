"""Tiny container images, and the ways in which they reach a registry.

The images are made byte by byte (https://github.com/opencontainers/image-spec), the same content always with the
same digest. `push` lets skopeo do it, as a person or a pipeline would; `upload` speaks the distribution API itself,
which is quicker and can send what skopeo would not.
"""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers.binaries import Binaries
from tests.servers.process import ServerError, run
from tests.servers.registry import PASSWORD, USERNAME, Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes with their media type, named by their digest."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> str:
        """The name of the bytes: `sha256:` and 64 hexadecimal digits."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    def descriptor(self) -> dict[str, object]:
        """Return what another blob says to point to this one."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a tag points to (`top`: a manifest or an index), the manifests below an index, and the blobs."""

    top: Blob
    children: tuple[Blob, ...] = ()
    blobs: tuple[Blob, ...]

    @property
    def digest(self) -> str:
        """The digest that a push of this image announces."""
        return self.top.digest


def image(content: str, platforms: tuple[str, ...] = ("linux/amd64",)) -> Image:
    """Make an image of two small layers, the upper one holding `content`.

    With several `platforms`, each written like `linux/arm64`, it is an index of one image for each.
    """
    singles = [_single(content, platform) for platform in platforms]
    if len(singles) == 1:
        return singles[0]
    entries = []
    for single, platform in zip(singles, platforms, strict=True):
        system, _, architecture = platform.partition("/")
        entries.append({**single.top.descriptor(), "platform": {"os": system, "architecture": architecture}})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return Image(
        top=_json(INDEX, index),
        children=tuple(single.top for single in singles),
        blobs=tuple(blob for single in singles for blob in single.blobs),
    )


def chart(name: str, version: str) -> Image:
    """Make a Helm chart, which a registry announces as if it were an image."""
    meta = {"apiVersion": "v2", "name": name, "version": version}
    archive = Blob(media_type=CHART_LAYER, data=_tar_gz(f"{name}/Chart.yaml", json.dumps(meta)))
    return _manifest(_json(CHART_CONFIG, meta), (archive,))


def write_layout(made: Image, directory: Path, tag: str) -> Path:
    """Write `made` as an OCI image layout, the form that tools exchange as `oci:<directory>:<tag>`."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for blob in (*made.blobs, *made.children, made.top):
        (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.data)
    entry = {**made.top.descriptor(), "annotations": {"org.opencontainers.image.ref.name": tag}}
    (directory / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return directory


async def push(binaries: Binaries, registry: Registry, made: Image, name: str, *, docker: bool = False) -> str:
    """Push with skopeo to `name` (`team/app:1.4.2`) and return the digest that the registry has for it.

    With `docker` it is sent as `docker push` does, in Docker's own manifest format, so with another digest.

    Raises:
        ServerError: skopeo failed.
    """
    target = f"docker://{registry.host}/{name}"
    trust = f"--dest-cert-dir={registry.certificates}" if registry.options.tls else "--dest-tls-verify=false"
    flags = [trust]
    if registry.options.password:
        flags.append(f"--dest-creds={USERNAME}:{PASSWORD}")
    if docker:
        flags.append("--format=v2s2")
    with tempfile.TemporaryDirectory() as folder:
        layout = write_layout(made, Path(folder), "image")
        await run(
            str(binaries.skopeo()),
            "--insecure-policy",
            "copy",
            "--all",
            "--quiet",
            *flags,
            f"oci:{layout}:image",
            target,
        )
    return await digest_of(registry, name)


async def upload(registry: Registry, made: Image, name: str) -> str:
    """Send `made` to `name` (`team/app:1.4.2`) by the distribution API and return its digest.

    Raises:
        ServerError: the registry refused a part.
    """
    repository, tag = _split(name)
    async with registry.session() as session:
        for blob in made.blobs:
            async with session.post(f"/v2/{repository}/blobs/uploads/") as response:
                if response.status != 202:
                    raise ServerError(f"{registry.url} answered {response.status} to an upload for {repository}")
                where = response.headers["Location"]
            separator = "&" if "?" in where else "?"
            async with session.put(f"{where}{separator}digest={blob.digest}", data=blob.data) as response:
                if response.status != 201:
                    raise ServerError(f"{registry.url} answered {response.status}: {await response.text()}")
    for child in made.children:
        await put_manifest(registry, child, f"{repository}@{child.digest}")
    await put_manifest(registry, made.top, f"{repository}:{tag}")
    return made.digest


async def put_manifest(registry: Registry, manifest: Blob, name: str) -> None:
    """Store a manifest under a tag (`team/app:1`) or its digest (`team/app@sha256:…`); its blobs must be there.

    Raises:
        ServerError: the registry refused it.
    """
    repository, reference = _split(name)
    headers = {"Content-Type": manifest.media_type}
    async with (
        registry.session() as session,
        session.put(f"/v2/{repository}/manifests/{reference}", data=manifest.data, headers=headers) as response,
    ):
        if response.status != 201:
            raise ServerError(f"{registry.url} answered {response.status} to {name}: {await response.text()}")


async def get_manifest(registry: Registry, name: str) -> Blob:
    """Read the manifest that `name` points to.

    Raises:
        ServerError: there is none.
    """
    repository, reference = _split(name)
    headers = {"Accept": f"{MANIFEST}, {INDEX}, {DOCKER_MANIFEST}, {DOCKER_INDEX}"}
    async with (
        registry.session() as session,
        session.get(f"/v2/{repository}/manifests/{reference}", headers=headers) as response,
    ):
        if response.status != 200:
            raise ServerError(f"{registry.url} answered {response.status} to {name}: {await response.text()}")
        return Blob(media_type=response.content_type, data=await response.read())


async def digest_of(registry: Registry, name: str) -> str:
    """Return the digest that `name` (`team/app:1.4.2`) points to."""
    return (await get_manifest(registry, name)).digest


async def retag(registry: Registry, name: str, tag: str) -> str:
    """Let another tag of its repository point to what `name` points to, and return the digest."""
    manifest = await get_manifest(registry, name)
    await put_manifest(registry, manifest, f"{_split(name)[0]}:{tag}")
    return manifest.digest


def _split(name: str) -> tuple[str, str]:
    repository, at, digest = name.partition("@")
    if at:
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    if not colon:
        raise ValueError(f"{name} names no tag; write it like team/app:1.4.2")
    return repository, tag


def _single(content: str, platform: str) -> Image:
    system, _, architecture = platform.partition("/")
    files = (("etc/os-release", f"ID=tiny\nPLATFORM={platform}\n"), ("app/content.txt", content))
    layers = tuple(Blob(media_type=LAYER, data=_tar_gz(path, text)) for path, text in files)
    unpacked = [hashlib.sha256(gzip.decompress(layer.data)).hexdigest() for layer in layers]
    config = {
        "architecture": architecture,
        "os": system,
        "config": {"Cmd": ["/app/content.txt"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in unpacked]},
    }
    return _manifest(_json(CONFIG, config), layers)


def _manifest(config: Blob, layers: tuple[Blob, ...]) -> Image:
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    return Image(top=_json(MANIFEST, manifest), blobs=(*layers, config))


def _json(media_type: str, value: object) -> Blob:
    return Blob(media_type=media_type, data=json.dumps(value, indent=2).encode())


def _tar_gz(path: str, text: str) -> bytes:
    """Pack one file, with no time in it, so that the digest depends on the content alone."""
    data = text.encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(path)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)
