"""Changes as JSON Patch operations, and what is read back."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from argoos.backends.kubernetes.kinds import CRON_JOB, DEPLOYMENT
from argoos.backends.kubernetes.patch import is_there, operations
from argoos.backends.kubernetes.slim import Observed, slim
from tests.contracts.backends.suite import LOG, NEW_DIGEST, OLD_DIGEST, WEB, change
from tests.fakes.json_patch import apply_patch
from tests.integration.kubernetes.objects import web_app

IMAGE = f"{WEB}:1.1@{NEW_DIGEST}"


def raw_object(**annotations: dict[str, str]) -> dict[str, Any]:
    """Return a Deployment as the API server tells of it, with annotations on `metadata` and `template`."""
    raw = web_app()
    raw["metadata"] |= {"uid": "u-1", "resourceVersion": "5"}
    raw["spec"]["template"]["spec"]["containers"].append({"name": "log", "image": f"{LOG}:2.0"})
    for place, values in annotations.items():
        metadata = raw["metadata"] if place == "metadata" else raw["spec"]["template"]["metadata"]
        metadata["annotations"] = values
    return raw


def seen(raw: dict[str, Any]) -> Observed:
    """Return it slim."""
    workload = slim(raw, DEPLOYMENT, "test")
    assert workload is not None
    return workload


def test_the_operations() -> None:
    """Name, image and identity are tested, the image replaced, the push noted: nothing else is in the patch."""
    workload = seen(raw_object(metadata={"a": "b"}))
    patch = operations(change(workload, {"web": IMAGE}), workload, DEPLOYMENT)
    slot = "/spec/template/spec/containers/0"
    assert patch[:-1] == [
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": f"{slot}/name", "value": "web"},
        {"op": "test", "path": f"{slot}/image", "value": f"{WEB}:1.0"},
        {"op": "replace", "path": f"{slot}/image", "value": IMAGE},
    ]
    note = patch[-1]
    assert (note["op"], note["path"]) == ("add", "/metadata/annotations/argoos.io~1last-push")
    assert json.loads(note["value"]) == {
        "push": "7",
        "at": "2026-05-04T12:30:00+00:00",
        "by": "robin",
        "containers": {"web": {"from": f"{WEB}:1.0", "to": IMAGE}},
    }


def test_a_cron_job_is_changed_in_its_job_template() -> None:
    """The containers of a CronJob are two levels further down."""
    pod = {"containers": [{"name": "web", "image": f"{WEB}:1.0"}]}
    metadata = {
        "name": "n",
        "namespace": "a",
        "uid": "u",
        "resourceVersion": "1",
        "labels": {"argoos.io/policy": "all"},
    }
    raw = {"metadata": metadata, "spec": {"jobTemplate": {"spec": {"template": {"metadata": {}, "spec": pod}}}}}
    workload = slim(raw, CRON_JOB, "test")
    assert workload is not None
    patch = operations(change(workload, {"web": f"{WEB}:latest"}), workload, CRON_JOB)
    changed = apply_patch(raw, [dict(operation) for operation in patch])
    template = changed["spec"]["jobTemplate"]["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == f"{WEB}:latest"
    assert "argoos.io/digests" in template["metadata"]["annotations"]


ANNOTATIONS = st.dictionaries(st.sampled_from(["a", "b/c", "d~e"]), st.text(max_size=3), max_size=2)


@given(metadata=ANNOTATIONS, template=ANNOTATIONS, image=st.sampled_from([IMAGE, f"{WEB}:latest"]))
def test_a_patch_changes_what_it_should(metadata: dict[str, str], template: dict[str, str], image: str) -> None:
    """Whatever annotations there are (none is a case of its own), they stay; read back, the change is there."""
    # The API server keeps no empty map.
    raw = raw_object(**{place: each for place, each in (("metadata", metadata), ("template", template)) if each})
    workload = seen(raw)
    planned = change(workload, {"web": image})
    assert not is_there(planned, workload)
    changed = apply_patch(raw, [dict(operation) for operation in operations(planned, workload, DEPLOYMENT)])
    assert is_there(planned, seen(changed))
    assert seen(changed).last_push == "7"
    for place, each in ((changed["metadata"], metadata), (changed["spec"]["template"]["metadata"], template)):
        kept = {key: value for key, value in place.get("annotations", {}).items() if not key.startswith("argoos.io/")}
        assert kept == each


def test_a_recorded_digest_is_of_its_tag() -> None:
    """Once a person writes another tag, the digest recorded for the one before says nothing about it."""
    digests = {"argoos.io/digests": json.dumps({"web": f"{WEB}:1.0@{OLD_DIGEST}", "log": f"{LOG}:1.9@{OLD_DIGEST}"})}
    web, log = seen(raw_object(template=digests)).containers
    assert (web.digest, log.digest) == (OLD_DIGEST, None)


def test_broken_annotations_count_as_none() -> None:
    """What a person made of Argoos's annotations hides no workload."""
    for text in ("", "{", "[]", '{"web": 7}', '{"web": "::"}', '{"push": 7}'):
        workload = seen(raw_object(metadata={"argoos.io/last-push": text}, template={"argoos.io/digests": text}))
        assert workload.last_push == ""
        assert [container.digest for container in workload.containers] == [None, None]
        assert set(workload.rules) == {"argoos.io/policy"}


def test_a_label_beats_an_annotation() -> None:
    """The same key as a label and as an annotation: the label is what the API server selected by."""
    workload = seen(raw_object(metadata={"argoos.io/policy": "never", "argoos.io/pin": "tag", "other": "x"}))
    assert workload.rules == {"argoos.io/policy": "all", "argoos.io/pin": "tag"}
