"""The plan: pushes of one repository and what runs it now, in; a step for each push and container, out.

Pure: the same function answers the worker, `argoos plan` and the API. Planning what is already applied plans nothing,
and the order in which pushes are handed in does not matter, but among equals: there the latest push is taken.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from argoos.core.image import RegistryNames
from argoos.core.judge import Admitted, Case, Memory, Refused, Verdict, judge, ranks
from argoos.core.policy import Pin, read_policy, read_rule
from argoos.core.push import Push
from argoos.core.reason import Reason
from argoos.core.record import PushedAt
from argoos.core.step import Skip, Step, Update
from argoos.core.workload import Container, Workload
from argoos.errors import InvalidRule


def plan(
    pushes: Sequence[Push],
    workloads: Sequence[Workload],
    *,
    names: RegistryNames,
    pushed_at: PushedAt,
    settle: timedelta,
) -> tuple[Step, ...]:
    """Decide what the pushes do to the workloads.

    Args:
        pushes: candidates, all of one repository, in the order of arrival.
        workloads: what runs now; containers of other repositories get no step.
        names: the alias table by which repositories are compared.
        pushed_at: when each (tag, digest) of the repository was pushed last.
        settle: how long another digest of the same tag still belongs to the same push.

    Returns:
        One step for each push and each container that runs the repository, workload by workload.
    """
    if not pushes:
        return ()
    repository = names.canonical(pushes[0].repository)
    memory = Memory.of(pushes, pushed_at, settle)
    return tuple(
        step
        for workload in workloads
        for container in workload.containers
        if names.canonical(container.image.repository) == repository
        for step in _plan_container(pushes, workload, container, memory)
    )


def _plan_container(pushes: Sequence[Push], workload: Workload, container: Container, memory: Memory) -> Iterator[Step]:
    policy = read_policy(workload.rules, container.name)
    try:
        rule = read_rule(workload.rules, container.name, workload.container_names())
    except InvalidRule as error:
        for push in pushes:
            yield _skip(push, workload, container, policy, Refused(reason=Reason.INVALID_POLICY, detail=str(error)))
        return
    tags = (*(push.tag for push in pushes), container.image.running_tag)
    case = Case(container=container, rule=rule, memory=memory, ranks=ranks(rule, tags))
    verdicts = [judge(push, case) for push in pushes]
    best = _best(pushes, verdicts)
    for position, (push, verdict) in enumerate(zip(pushes, verdicts, strict=True)):
        match verdict:
            case Admitted(detail=detail) if position == best:
                yield Update(
                    push=push,
                    workload=workload,
                    container=container,
                    policy=policy,
                    image=container.image.moved(
                        tag=push.tag, digest=push.digest or None if rule.pin is Pin.DIGEST else None
                    ),
                    record_digest=rule.pin is Pin.TAG,
                    detail=detail,
                )
            case Admitted():
                yield _skip(push, workload, container, policy, _superseded(push, pushes[best]))
            case Refused():
                yield _skip(push, workload, container, policy, verdict)


def _best(pushes: Sequence[Push], verdicts: Sequence[Verdict]) -> int:
    """Return the position of the push to take, or -1 when none was admitted."""
    admitted = [
        (verdict.rank, push.pushed_at, position)
        for position, (push, verdict) in enumerate(zip(pushes, verdicts, strict=True))
        if isinstance(verdict, Admitted)
    ]
    return max(admitted)[2] if admitted else -1


def _superseded(push: Push, taken: Push) -> Refused:
    if push.tag != taken.tag:
        detail = f"{taken.tag} is taken instead"
    elif push.digest != taken.digest:
        detail = f"{taken.tag} was pushed again with another digest, which is taken instead"
    else:
        detail = "the same image was pushed again; that push is taken"
    return Refused(reason=Reason.SUPERSEDED, detail=detail)


def _skip(push: Push, workload: Workload, container: Container, policy: str, refused: Refused) -> Skip:
    return Skip(
        push=push,
        workload=workload,
        container=container,
        policy=policy,
        reason=refused.reason,
        detail=refused.detail,
    )
