"""The JSON of pushes, steps and workloads: one place for the API and for the command line's ``--json``."""

from collections.abc import Mapping, Sequence

import orjson

from argoos.core.record import PushRecord, StepRecord
from argoos.core.workload import Workload
from argoos.errors import ArgoosError

PLAN_KEYS = (
    "backend",
    "kind",
    "namespace",
    "workload",
    "container",
    "policy",
    "current",
    "candidate",
    "image",
    "action",
    "reason",
    "detail",
)
"""The keys of a planned step, as `StepRecord` explains them."""

STEP_KEYS = (*PLAN_KEYS, "result", "error")
"""The keys of a step in the history: what became of it stands beside what was planned."""

PUSH_KEYS = (
    "id",
    "key",
    "repository",
    "tag",
    "digest",
    "actor",
    "media_type",
    "sender",
    "pushed_at",
    "received_at",
    "state",
    "outcome",
    "reason",
    "error",
    "attempts",
    "due_at",
    "settled_at",
)
"""The keys of a push, as `PushRecord` explains them; ``steps`` stands beside them."""

Json = dict[str, object]


def plan_step(step: StepRecord) -> Json:
    """Return a step that is planned."""
    return {key: getattr(step, key) for key in PLAN_KEYS}


def kept_step(step: StepRecord) -> Json:
    """Return a step of the history."""
    return {key: getattr(step, key) for key in STEP_KEYS}


def push(record: PushRecord) -> Json:
    """Return a push of the history with its steps."""
    document: Json = {key: getattr(record, key) for key in PUSH_KEYS}
    document["steps"] = [kept_step(step) for step in record.steps]
    return document


def workload(found: Workload) -> Json:
    """Return a labelled workload: what it is, its rules, and what its containers run."""
    ref = found.ref
    return {
        "backend": ref.backend,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "workload": ref.name,
        "rules": dict(found.rules),
        "last_push": found.last_push,
        "containers": [
            {
                "container": container.name,
                "init": container.init,
                "image": str(container.image),
                "digest": container.digest,
            }
            for container in found.containers
        ],
    }


def unavailable(errors: Mapping[str, ArgoosError]) -> Sequence[Json]:
    """Return the backends that could not be asked, each with the reason."""
    return [{"backend": backend, "error": str(error)} for backend, error in errors.items()]


def to_json(document: object) -> bytes:
    """Return a document as JSON: times in UTC with a Z, words of enumerations as texts."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
