"""Steps: what a plan says of one push and one container."""

from dataclasses import dataclass

from argoos.core.image import ImageRef
from argoos.core.push import Push
from argoos.core.reason import Reason
from argoos.core.workload import Container, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """`container` of `workload` is to run `image`, because of `push`.

    `policy` is the policy that allowed it, as the label spells it. `detail` says in words why, where that is not
    plain (a re-push, the rest of a multi-architecture push). `record_digest`: the image names the tag alone
    (``argoos.io/pin: tag``), so the backend must record the push's digest beside it, in a place whose change makes
    the orchestrator roll out.
    """

    push: Push
    workload: Workload
    container: Container
    policy: str
    image: ImageRef
    record_digest: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """`container` of `workload` is not moved by `push`, for `reason`; `detail` says it for this very case."""

    push: Push
    workload: Workload
    container: Container
    policy: str
    reason: Reason
    detail: str = ""


Step = Update | Skip
