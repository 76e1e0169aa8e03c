"""`argoos policy`: would a container that runs one tag take another? Answered without any backend."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from argoos.commands import options
from argoos.commands.terminal import print_json
from argoos.core.image import ImageRef, RegistryNames, is_tag
from argoos.core.plan import plan
from argoos.core.policy import read_rule
from argoos.core.push import Push
from argoos.core.reason import Reason
from argoos.core.step import Skip, Step
from argoos.core.workload import LABEL_PREFIX, Container, Workload, WorkloadRef
from argoos.errors import InvalidReference

PENDING = 3
"""The exit code that says: something would be updated."""


def command(
    *,
    current: Annotated[str, typer.Argument(metavar="CURRENT", help="The tag that runs.")],
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="The tag that is pushed.")],
    policy: Annotated[
        str, typer.Option("--policy", "-p", metavar="POLICY", help="patch, minor, major, all, digest or never.")
    ],
    tags: Annotated[
        str | None, typer.Option(metavar="FILTER", help="As in argoos.io/tags: range:, glob: or regexp:.")
    ] = None,
    prerelease: Annotated[
        str | None, typer.Option(metavar="STAGE", help="As in argoos.io/prerelease: true, alpha, beta or rc.")
    ] = None,
    json: options.Json = False,
    exit_code: options.ExitCode = False,
) -> None:
    """Tell whether a policy takes a tag, and why not.

    No backend is asked: the question is whether a container that runs CURRENT may be moved to CANDIDATE. A push of the
    tag that runs already counts as one with another digest.
    """
    given = {"policy": policy, "tags": tags, "prerelease": prerelease}
    rules = {f"{LABEL_PREFIX}{key}": value for key, value in given.items() if value is not None}
    read_rule(rules, "app", ["app"])  # a mistake in the options is an error here, not a skip
    (step,) = _steps(_tag(current), _tag(candidate), rules)
    reason = step.reason if isinstance(step, Skip) else None
    if json:
        action = "skip" if reason else "update"
        answer = {"policy": policy, "current": current, "candidate": candidate, "action": action, "reason": reason}
        print_json({**answer, "detail": step.detail or _meaning(reason)})
    elif reason:
        print(f"no: {candidate} does not replace {current} under {policy} ({reason})")
        print(step.detail or _meaning(reason))
    else:
        print(f"yes: {candidate} replaces {current} under {policy}")
        if step.detail:
            print(step.detail)
    raise typer.Exit(PENDING if exit_code and reason is None else 0)


def _meaning(reason: Reason | None) -> str:
    return reason.meaning if reason else ""


def _tag(text: str) -> str:
    if not is_tag(text):
        raise InvalidReference(
            f"{text!r} is no tag; write the tag alone, such as 1.4.2 (argoos plan takes whole images)"
        )
    return text


def _steps(current: str, candidate: str, rules: dict[str, str]) -> tuple[Step, ...]:
    """Plan one push against one made-up container, by the very function that the daemon uses."""
    image = ImageRef.parse(f"app:{current}")
    container = Container(name="app", image=image, index=0, digest=f"sha256:{'0' * 64}")
    ref = WorkloadRef(backend="none", kind="Workload", namespace="", name="app")
    push = Push(
        key="asked",
        repository=image.repository,
        tag=candidate,
        digest=f"sha256:{'1' * 64}",
        pushed_at=datetime.now(UTC),
    )
    workload = Workload(ref=ref, rules=rules, containers=(container,))
    return plan([push], [workload], names=RegistryNames(), pushed_at={}, settle=timedelta())
