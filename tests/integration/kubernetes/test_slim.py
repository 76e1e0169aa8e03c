"""What is kept of a raw object."""

from argoos.backends.kubernetes.kinds import KINDS
from argoos.backends.kubernetes.slim import slim
from argoos.core.workload import Workload
from tests.contracts.backends.harness import Spec
from tests.contracts.backends.kubernetes_deployment import deployment
from tests.contracts.backends.suite import LOG, WEB


def kept(spec: Spec) -> Workload:
    """Return what is kept of the Deployment as the API server has it."""
    raw = deployment(spec, "team-a")
    raw["metadata"] |= {"uid": "1", "resourceVersion": "1"}
    workload = slim(raw, KINDS["Deployment"], "test")
    assert workload is not None
    return workload


def test_a_container_whose_image_is_none_keeps_its_name() -> None:
    """An image that no reference can be read from is left out by name; the others keep their places."""
    spec = Spec(name="shop", init={"migrate": "$(IMAGE)"}, containers={"web": "", "log": f"{LOG}:1.0"})
    workload = kept(spec)
    assert [(one.name, one.index) for one in workload.containers] == [("log", 1)]
    assert workload.left_out == ("migrate", "web")
    assert workload.container_names() == {"migrate", "web", "log"}


def test_nothing_is_left_out_of_an_ordinary_workload() -> None:
    """Where every image is a reference, every container is kept."""
    assert kept(Spec(name="shop", containers={"web": f"{WEB}:1.0"})).left_out == ()
