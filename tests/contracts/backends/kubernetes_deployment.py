"""A `Spec` as the raw Deployment of the Kubernetes API, and what of it no change may alter."""

import copy
from typing import Any

from tests.contracts.backends.harness import Spec

Raw = dict[str, Any]
_OWN = frozenset({"argoos.io/last-push", "argoos.io/digests"})
_COUNTED = ("resourceVersion", "generation", "managedFields")


def deployment(spec: Spec, namespace: str) -> Raw:
    """Return the Deployment that a person would write: rules with a value that no label can hold are annotations."""
    labels = {key: value for key, value in spec.rules.items() if key == "argoos.io/policy"}
    annotations = {key: value for key, value in spec.rules.items() if key not in labels}
    metadata: Raw = {"name": spec.name, "namespace": namespace, "labels": {"app": spec.name, **labels}}
    if annotations:
        metadata["annotations"] = annotations
    pod: Raw = {"containers": _containers(spec.containers)}
    if spec.init:
        pod["initContainers"] = _containers(spec.init)
    template = {"metadata": {"labels": {"app": spec.name}}, "spec": pod}
    selector = {"matchLabels": {"app": spec.name}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 2, "paused": True, "selector": selector, "template": template},
    }


def images(raw: Raw) -> dict[str, str]:
    """Return the images by container name, init containers first."""
    pod = raw["spec"]["template"]["spec"]
    return {each["name"]: each["image"] for each in [*pod.get("initContainers", []), *pod["containers"]]}


def rest(raw: Raw) -> Raw:
    """Return the Deployment without its images, Argoos's annotations and what the server counts up."""
    raw = copy.deepcopy(raw)
    for key in _COUNTED:
        raw["metadata"].pop(key, None)
    template = raw["spec"]["template"]
    for metadata in (raw["metadata"], template["metadata"]):
        annotations = metadata.get("annotations", {})
        metadata["annotations"] = {key: value for key, value in annotations.items() if key not in _OWN}
    for each in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]:
        del each["image"]
    return raw


def _containers(named: Any) -> list[Raw]:
    return [{"name": name, "image": image, "env": [{"name": "A", "value": "b"}]} for name, image in named.items()]
