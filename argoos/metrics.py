"""What is counted, as Prometheus reads it. Every name and label is here; no label holds a tag or a digest.

One object for one process, with a registry of its own: nothing global, so that tests and two daemons in one process do
not meet.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from argoos.core.push import NoCandidate
from argoos.core.record import Outcome, QueueDepth, StepRecord

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, math.inf)
"""Upper bounds in seconds: from one round trip to an API server up to half an hour of its absence."""

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

ENDS = (Outcome.UPDATED, Outcome.SKIPPED, Outcome.NO_WORKLOAD, Outcome.FAILED)
"""How a push can end that was a candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric, as the reference prints it."""

    name: str
    kind: str
    labels: tuple[str, ...] = ()
    meaning: str


DELIVERIES = Family(
    name="argoos_deliveries_total",
    kind="counter",
    labels=("status",),
    meaning="Requests to /event, by the HTTP status of the answer.",
)
PUSHES = Family(
    name="argoos_pushes_total",
    kind="counter",
    labels=("outcome", "reason"),
    meaning="Pushes that ended, by outcome. For the outcome ignored, the reason says why a part of a delivery is no "
    "candidate; it is counted each time it is delivered.",
)
STEPS = Family(
    name="argoos_steps_total",
    kind="counter",
    labels=("action", "reason"),
    meaning="Steps of the pushes that ended: for each container, update, or skip and the reason.",
)
PATCHED = Family(
    name="argoos_push_to_patch_seconds",
    kind="histogram",
    meaning="Seconds from the receipt of a push until the workloads were changed.",
)
DEPTH = Family(
    name="argoos_queue_depth",
    kind="gauge",
    meaning="Pushes that wait or are being worked on; NaN while the store cannot be read.",
)
OLDEST = Family(
    name="argoos_oldest_waiting_push_seconds",
    kind="gauge",
    meaning="Seconds since the oldest of these pushes was received; 0 when there is none.",
)
SYNCED = Family(
    name="argoos_backend_synced",
    kind="gauge",
    labels=("backend",),
    meaning="1 while the list of the backend's workloads is complete and current, else 0.",
)
FAMILIES = (DELIVERIES, PUSHES, STEPS, PATCHED, DEPTH, OLDEST, SYNCED)
"""Every metric of Argoos; beside them stand the usual ones of the process (``process_*``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What is looked at only when somebody asks for the metrics.

    `depth` is None when the store could not be asked; `synced` tells of each backend, by its name.
    """

    depth: QueueDepth | None
    synced: Mapping[str, bool]


class Metrics:
    """Counts what happens, and prints it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self._registry)
        self._deliveries = self._counter(DELIVERIES)
        self._accepted = self._deliveries.labels("202")  # looked up once, as below: this is the hot path
        self._pushes = self._counter(PUSHES)
        self._ignored = {reason: self._pushes.labels(Outcome.IGNORED.value, reason.value) for reason in NoCandidate}
        for outcome in ENDS:  # from 0: of a series that first appears with its 1, Prometheus sees no increase
            self._pushes.labels(outcome.value, "")
        self._steps = self._counter(STEPS)
        self._patched = Histogram(PATCHED.name, PATCHED.meaning, buckets=BUCKETS, registry=self._registry)
        self._depth = self._gauge(DEPTH)
        self._oldest = self._gauge(OLDEST)
        self._synced = self._gauge(SYNCED)

    def delivery(self, status: int) -> None:
        """Count a request to ``/event`` by its answer."""
        if status == 202:
            self._accepted.inc()
        else:
            self._deliveries.labels(str(status)).inc()

    def ignored(self, reason: NoCandidate) -> None:
        """Count a part of a delivery that is no candidate."""
        self._ignored[reason].inc()

    def settled(self, outcome: Outcome, steps: Sequence[StepRecord]) -> None:
        """Count a push that ended, and its steps."""
        self._pushes.labels(outcome.value, "").inc()
        for step in steps:
            self._steps.labels(step.action, step.reason or "").inc()

    def patched(self, seconds: float) -> None:
        """Note how long after the receipt of a push the workloads were changed."""
        self._patched.observe(max(0.0, seconds))

    def exposition(self, readings: Readings, *, now: datetime) -> bytes:
        """Return all metrics in the text form, whose content type is `CONTENT_TYPE`."""
        depth = readings.depth
        self._depth.set(math.nan if depth is None else depth.waiting)
        self._oldest.set(math.nan if depth is None else _age_seconds(depth, now))
        for backend, synced in readings.synced.items():
            self._synced.labels(backend).set(synced)
        return generate_latest(self._registry)

    def _counter(self, family: Family) -> Counter:
        return Counter(family.name, family.meaning, family.labels, registry=self._registry)

    def _gauge(self, family: Family) -> Gauge:
        return Gauge(family.name, family.meaning, family.labels, registry=self._registry)


def _age_seconds(depth: QueueDepth, now: datetime) -> float:
    """Return how long the oldest waiting push has been waiting."""
    oldest = depth.oldest_received_at
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
