"""A change as the operations of a JSON Patch (RFC 6902). Pure.

The server applies all of them or none. Each `test` pins what the decision was made on; without those on name and
index, a list of containers that somebody reordered would get the image in the wrong place.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from argoos.backends.kubernetes.kinds import Kind
from argoos.backends.kubernetes.slim import DIGESTS, LAST_PUSH, Observed, recorded
from argoos.core.step import Update
from argoos.ports import Change

Operation = Mapping[str, Any]


def operations(change: Change, workload: Observed, kind: Kind) -> list[Operation]:
    """Return the patch that writes `change` to the object that `workload` was read from."""
    template = "/" + "/".join(kind.template)
    patch: list[Operation] = [_test("/metadata/uid", workload.ref.uid)]
    for update in change.updates:
        patch += _image(update, template)
    patch += _annotation("/metadata", LAST_PUSH, last_push(change), annotated=workload.annotated)
    if any(update.record_digest for update in change.updates):
        place = f"{template}/metadata"
        if workload.template_annotated:
            # After a re-push of a tag the image reads as before. A test for null passes where there is no such key.
            patch.append(_test(f"{place}/annotations/{_escaped(DIGESTS)}", workload.digests))
        patch += _annotation(place, DIGESTS, digests(change, workload), annotated=workload.template_annotated)
    return patch


def is_there(change: Change, workload: Observed) -> bool:
    """Tell whether all of `change` is written in `workload` already."""
    slots = {(container.init, container.index): container for container in workload.containers}
    for update in change.updates:
        found = slots.get((update.container.init, update.container.index))
        if found is None or found.name != update.container.name or found.image != update.image:
            return False
        if update.record_digest and found.digest != update.push.digest:
            return False
    return True


def last_push(change: Change) -> str:
    """Return the text of the annotation `LAST_PUSH`."""
    record = {
        "push": change.push_id,
        "at": change.at.isoformat(timespec="seconds"),
        "by": change.updates[-1].push.actor,
        "containers": {
            update.container.name: {"from": str(update.container.image), "to": str(update.image)}
            for update in change.updates
        },
    }
    return orjson.dumps(record).decode()


def digests(change: Change, workload: Observed) -> str:
    """Return the text of the annotation `DIGESTS`: what was recorded before, and the digests of this change."""
    records = {name: str(image) for name, image in recorded(workload.digests).items()}
    for update in change.updates:
        if update.record_digest:
            pinned = update.image.moved(tag=update.push.tag, digest=update.push.digest)
            records[update.container.name] = str(pinned)
    return orjson.dumps(records, option=orjson.OPT_SORT_KEYS).decode()


def _image(update: Update, template: str) -> Iterator[Operation]:
    field = "initContainers" if update.container.init else "containers"
    slot = f"{template}/spec/{field}/{update.container.index}"
    yield _test(f"{slot}/name", update.container.name)
    yield _test(f"{slot}/image", str(update.container.image))
    yield {"op": "replace", "path": f"{slot}/image", "value": str(update.image)}


def _annotation(place: str, key: str, value: str, *, annotated: bool) -> Sequence[Operation]:
    """Set one annotation. Where there are none at all, there is no map to add it to (a `test` for null says so)."""
    path = f"{place}/annotations"
    if annotated:
        return [_add(f"{path}/{_escaped(key)}", value)]
    return [_test(path, None), _add(path, {key: value})]


def _test(path: str, value: object) -> Operation:
    return {"op": "test", "path": path, "value": value}


def _add(path: str, value: object) -> Operation:
    return {"op": "add", "path": path, "value": value}


def _escaped(key: str) -> str:
    """Escape a key for a JSON Pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")
