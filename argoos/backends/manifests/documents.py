"""What a file holds that Argoos may change: labelled workloads, and where each of their images stands. Pure.

Two kinds of documents are read.

- Kubernetes: Deployment, StatefulSet, DaemonSet and CronJob, alone, one of many documents, or an item of a ``List``
  (also ``DeploymentList`` and the like). The rules are the labels and annotations of the workload itself.
- Stack and compose files: each service with the policy among its ``deploy.labels`` (a mapping or a list) is a workload
  of the kind ``StackService`` with one container of its own name. Its namespace is the file's ``name``, else the
  file's stem; for ``compose.yaml`` and ``docker-compose.yml`` below the top the name of their folder.

A workload's uid is ``<path>#<document>``, for an item of a list ``<path>#<document>/<item>``, for a service
``<path>#<document>/<service>``: equal names in two files are two workloads.

Nothing but images is ever written, so a manifest gets no annotations: the history is in the store, and in git. With
``argoos.io/pin: tag`` the file says what it should once it names the tag, and a re-push of that tag changes nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import structlog
from yaml import Node, ScalarNode

from argoos.backends.manifests.nodes import Source, at, check, compose, fields, items, scalar, string, texts
from argoos.core.image import ImageRef
from argoos.core.workload import LABEL_PREFIX, POLICY_LABEL, Container, Workload, WorkloadRef
from argoos.errors import InvalidReference, PermanentError

STACK_SERVICE = "StackService"
"""The kind of a service of a stack or compose file, so called because a Kubernetes Service is something else."""

Path = tuple[str | int, ...]
"""Keys and positions that lead from a document's root to a value, merge keys followed."""

_POD_SPEC: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_GROUPS = frozenset({"apps", "extensions", "batch"})
_WRITTEN_BY_ARGOOS = frozenset({f"{LABEL_PREFIX}last-push", f"{LABEL_PREFIX}digests"})  # in an export of a cluster
MARKER = b"argoos.io"
"""A file without these bytes holds nothing labelled: it need only be YAML."""

_LISTS = {"initContainers": True, "containers": False}  # whether they are init containers
_SERVICE_NAME = re.compile(r"[a-zA-Z0-9._-]+")
_COMPOSE_FILE = re.compile(r"(?:docker-)?compose(?:\.override)?")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a container's image stands: the path to it, and the node that holds it (others may share it)."""

    container: Container
    path: Path
    node: ScalarNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A labelled workload, the number of its document, and its images, in the order of its containers."""

    workload: Workload
    document: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A file that was read: `path` is relative to the folder, with slashes."""

    path: str
    source: Source
    found: tuple[Found, ...]


def read(data: bytes, path: str, backend: str) -> Manifest:
    """Find the labelled workloads in the bytes of the file at `path`.

    Raises:
        PermanentError: it cannot be read; the text starts with ``path:line:column:`` and tells the cause.
    """
    try:
        if MARKER not in data:
            return Manifest(path=path, source=check(data), found=())
        source = compose(data)
        found = tuple(_workloads(source, _Reader(path=path, backend=backend)))
    except PermanentError as exc:
        raise PermanentError(f"{path}:{exc}") from exc
    return Manifest(path=path, source=source, found=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Makes references for what stands in one file."""

    path: str
    backend: str

    def ref(self, kind: str, namespace: str, name: str, position: str) -> WorkloadRef:
        uid = f"{self.path}#{position}"
        return WorkloadRef(backend=self.backend, kind=kind, namespace=namespace, name=name, uid=uid)

    def stack(self, root: Node) -> str:
        """Return the name of the stack that this file describes."""
        path = PurePosixPath(self.path)
        of_folder = path.parent.name if _COMPOSE_FILE.fullmatch(path.stem) else ""
        return scalar(at(root, "name")) or of_folder or path.stem


def _workloads(source: Source, reader: _Reader) -> Iterator[Found]:
    for number, root in enumerate(source.roots):
        top = fields(root)
        if root is None or not top:
            continue
        kind = scalar(top.get("kind"))
        if not kind and "apiVersion" not in top:
            yield from _services(root, reader, number)
        elif kind.endswith("List"):
            for index, item in enumerate(items(top.get("items"))):
                found = _kubernetes(item, reader, number, (index, kind, scalar(top.get("apiVersion"))))
                if found:
                    yield found
        else:
            found = _kubernetes(root, reader, number, None)
            if found:
                yield found


def _kubernetes(node: Node, reader: _Reader, document: int, item: tuple[int, str, str] | None) -> Found | None:
    """Read one Kubernetes object; items of a typed list may leave their kind to it, as `kubectl` lets them."""
    index, list_kind, list_version = item or (0, "", "")
    kind = scalar(at(node, "kind")) or list_kind.removesuffix("List")
    version = scalar(at(node, "apiVersion")) or list_version
    metadata = at(node, "metadata")
    labels, name = texts(at(metadata, "labels")), scalar(at(metadata, "name"))
    if kind not in _POD_SPEC or version.partition("/")[0] not in _GROUPS or POLICY_LABEL not in labels or not name:
        return None
    base: Path = ("items", index) if item else ()
    ref = reader.ref(kind, scalar(at(metadata, "namespace")), name, f"{document}/{index}" if item else f"{document}")
    spec = at(node, *_POD_SPEC[kind])
    slots = tuple(_pod_slots(spec, (*base, *_POD_SPEC[kind]), ref))
    names = [scalar(at(one, "name")) for key in _LISTS for one in items(at(spec, key))]
    workload = _workload(ref, {**texts(at(metadata, "annotations")), **labels}, slots, names)
    return Found(workload=workload, document=document, slots=slots)


def _pod_slots(spec: Node | None, base: Path, ref: WorkloadRef) -> Iterator[Slot]:
    for key, init in _LISTS.items():
        for index, node in enumerate(items(at(spec, key))):
            path = (*base, key, index, "image")
            slot = _slot(at(node, "image"), path, ref, name=scalar(at(node, "name")), index=index, init=init)
            if slot:
                yield slot


def _services(root: Node, reader: _Reader, document: int) -> Iterator[Found]:
    for name, service in fields(at(root, "services")).items():
        labels = _deploy_labels(at(service, "deploy", "labels"))
        if POLICY_LABEL not in labels or not _SERVICE_NAME.fullmatch(name):
            continue
        ref = reader.ref(STACK_SERVICE, reader.stack(root), name, f"{document}/{name}")
        path: Path = ("services", name, "image")
        slot = _slot(at(service, "image"), path, ref, name=name, index=0, init=False)
        slots = (slot,) if slot else ()
        yield Found(workload=_workload(ref, labels, slots, [name]), document=document, slots=slots)


def _deploy_labels(node: Node | None) -> Mapping[str, str]:
    """Read labels in either form: a mapping, or a list of ``key=value``."""
    pairs = (scalar(item).partition("=") for item in items(node))
    return {key: value for key, _, value in pairs} or texts(node)


def _slot(  # noqa: PLR0913 - the fields of a container and where it was found
    node: Node | None, path: Path, ref: WorkloadRef, *, name: str, index: int, init: bool
) -> Slot | None:
    text = string(node)
    try:
        image = ImageRef.parse(text.value if text else "")
    except InvalidReference:
        image = None
    if text is None or image is None or not name:
        log.debug("image left alone", workload=str(ref), uid=ref.uid, container=name, image=scalar(node))
        return None
    container = Container(name=name, image=image, index=index, init=init, digest=image.digest)
    return Slot(container=container, path=path, node=text)


def _workload(ref: WorkloadRef, labels: Mapping[str, str], slots: Sequence[Slot], names: Iterable[str]) -> Workload:
    """Return the workload of these slots; `names` are all its containers, those without a slot included."""
    rules = {
        key: text for key, text in labels.items() if key.startswith(LABEL_PREFIX) and key not in _WRITTEN_BY_ARGOOS
    }
    containers = tuple(slot.container for slot in slots)
    left_out = sorted(set(names).difference(container.name for container in containers))
    return Workload(ref=ref, rules=rules, containers=containers, left_out=tuple(left_out))
