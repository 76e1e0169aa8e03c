"""A raw object of the API server, narrowed to the few values that Argoos keeps of it.

A Deployment is 9 KB of JSON, a slim one well under 2 KB, and many of its parts are shared: at 10,000 workloads that
is the difference between 20 and 900 MB.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson

from argoos.backends.kubernetes.answers import Json
from argoos.backends.kubernetes.kinds import Kind
from argoos.core.image import ImageRef
from argoos.core.workload import LABEL_PREFIX, POLICY_LABEL, Container, Workload, WorkloadRef
from argoos.errors import InvalidReference

LAST_PUSH = f"{LABEL_PREFIX}last-push"
"""Annotation of the workload: which push moved it last, when, whose, and what it replaced; JSON."""

DIGESTS = f"{LABEL_PREFIX}digests"
"""Annotation of the pod template, for ``argoos.io/pin: tag``: JSON, container name to ``image:tag@digest``.

It names the tag too, so that a digest is not believed any more once a person has written another tag.
"""

_OWN = frozenset({LAST_PUSH, DIGESTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Workload):
    """A workload together with what a patch of it must know, all from one and the same state of the object.

    `version` is its resourceVersion. `annotated` and `template_annotated` tell whether the object and its pod template
    have annotations at all; `digests` is the text of the annotation `DIGESTS`, or None.
    """

    version: str = field(compare=False)
    annotated: bool
    template_annotated: bool
    digests: str | None


def slim(raw: Json, kind: Kind, backend: str) -> Observed | None:
    """Return the workload that `raw` describes; None when it has no policy label or is being deleted."""
    metadata = raw["metadata"]
    labels: Json = metadata.get("labels") or {}
    if POLICY_LABEL not in labels or metadata.get("deletionTimestamp"):
        return None
    annotations: Json = metadata.get("annotations") or {}
    template = _template(raw, kind)
    template_annotations: Json = (template.get("metadata") or {}).get("annotations") or {}
    digests = template_annotations.get(DIGESTS)
    spec: Json = template.get("spec") or {}
    containers = tuple(_containers(spec, recorded(digests)))
    return Observed(
        ref=WorkloadRef(
            backend=backend,
            kind=kind.name,
            namespace=sys.intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
        ),
        rules=_shared(tuple(sorted(_rules(annotations, labels)))),
        containers=containers,
        left_out=_left_out(spec, containers),
        last_push=_last_push(annotations.get(LAST_PUSH)),
        version=metadata["resourceVersion"],
        annotated=bool(annotations),
        template_annotated=bool(template_annotations),
        digests=digests,
    )


def recorded(digests: str | None) -> Mapping[str, ImageRef]:
    """Read the annotation `DIGESTS`: container name to image with digest. What cannot be read is left out."""
    refs: dict[str, ImageRef] = {}
    for name, text in _json_object(digests).items():
        try:
            refs[name] = ImageRef.parse(text if isinstance(text, str) else "")
        except InvalidReference:
            continue  # a person wrote it: as good as not there
    return refs


def _template(raw: Json, kind: Kind) -> Json:
    node: Any = raw
    for key in kind.template:
        node = node.get(key) or {}
    return node  # type: ignore[no-any-return]  # an object by the schema that the API server enforces


def _rules(*sources: Json) -> Iterator[tuple[str, str]]:
    """Yield the rules of annotations and labels; of a key that is in both, the last one counts."""
    merged = {key: value for source in sources for key, value in source.items() if key.startswith(LABEL_PREFIX)}
    return ((key, value) for key, value in merged.items() if key not in _OWN)


@lru_cache(maxsize=4096)
def _shared(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Return one mapping for all workloads with the same rules: there are few different ones."""
    return MappingProxyType({sys.intern(key): sys.intern(value) for key, value in items})


def _containers(spec: Json, digests: Mapping[str, ImageRef]) -> Iterator[Container]:
    for field_name, init in (("initContainers", True), ("containers", False)):
        for index, raw in enumerate(spec.get(field_name) or ()):
            name = sys.intern(raw["name"])
            try:
                image = ImageRef.parse(raw.get("image") or "")
            except InvalidReference:
                continue  # a template that somebody else fills in; the others keep their places
            digest = image.digest or _digest(image, digests.get(name))
            yield Container(name=name, image=image, index=index, init=init, digest=digest)


def _left_out(spec: Json, containers: tuple[Container, ...]) -> tuple[str, ...]:
    """Return the names of the containers whose image is no reference; nearly always none."""
    raws = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    if len(raws) == len(containers):
        return ()
    return tuple(sorted({raw["name"] for raw in raws}.difference(one.name for one in containers)))


def _digest(image: ImageRef, record: ImageRef | None) -> str | None:
    same = record is not None and record.moved(tag=record.tag or "", digest=None) == image
    return record.digest if record is not None and same else None


def _last_push(annotation: str | None) -> str:
    push = _json_object(annotation).get("push")
    return push if isinstance(push, str) else ""


def _json_object(text: str | None) -> Json:
    """Parse an annotation that Argoos wrote; a person may have changed it, then it counts as empty."""
    if not text:
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
