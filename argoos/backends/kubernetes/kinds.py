"""The kinds of workload that Argoos moves, and where each keeps its containers."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of workload. `template` is the way from the object to its pod template."""

    name: str
    group: str
    version: str
    plural: str
    template: tuple[str, ...] = ("spec", "template")

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the URL path of one object, of all in a namespace, or of all there are."""
        place = f"/namespaces/{namespace}" if namespace else ""
        return f"/apis/{self.group}/{self.version}{place}/{self.plural}" + (f"/{name}" if name else "")


DEPLOYMENT = Kind(name="Deployment", group="apps", version="v1", plural="deployments")
STATEFUL_SET = Kind(name="StatefulSet", group="apps", version="v1", plural="statefulsets")
DAEMON_SET = Kind(name="DaemonSet", group="apps", version="v1", plural="daemonsets")
CRON_JOB = Kind(
    name="CronJob",
    group="batch",
    version="v1",
    plural="cronjobs",
    template=("spec", "jobTemplate", "spec", "template"),  # what has run cannot be changed; the next Job can
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB)}
