"""`argoos plan`: what a push of these images would change now, and why not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from argoos.commands import options
from argoos.commands.policy import PENDING
from argoos.commands.terminal import print_json, print_table, say
from argoos.core.image import ImageRef, Repository
from argoos.core.record import StepRecord

if TYPE_CHECKING:
    from argoos.settings import Settings


@dataclass(slots=True, kw_only=True)
class Answer:
    """All steps, the repositories that nothing runs with the nearest that something does, and the backends away."""

    steps: list[StepRecord] = field(default_factory=list)
    unmatched: dict[Repository, Repository | None] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


def command(
    *,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="registry/repository:tag, with or without @digest.")
    ],
    json: options.Json = False,
    exit_code: options.ExitCode = False,
    config: options.Config = None,
    assignments: options.Assignments = None,
    manifests: options.Manifests = None,
) -> None:
    """Tell what a push would change, and why not.

    Nothing is changed: for each container that runs one of the repositories, the step that the daemon would take.
    Several images of one repository are candidates together, as when they are pushed at once, in this order.
    """
    # pydantic: 0.1 s that --help should not pay
    from argoos import logs
    from argoos.settings import Need, load

    for image in images:
        ImageRef.parse(image)  # a bad one is told before any backend is asked
    loaded = load(options.flags(config, assignments, manifests), need=Need.BACKENDS)
    logs.configure(loaded.settings.log_format, verbose=loaded.settings.verbose, quiet=True)  # on standard error
    for note in loaded.notes:
        say(note)
    answer = asyncio.run(_ask(loaded.settings, images))
    _print(answer, json=json)
    if answer.unavailable:
        raise typer.Exit(1)
    pending = any(step.action == "update" for step in answer.steps)
    raise typer.Exit(PENDING if exit_code and pending else 0)


async def _ask(settings: "Settings", images: Sequence[str]) -> Answer:
    from argoos import app  # the backends' libraries: half a second
    from argoos.web.asked import pushes_asked_for

    answer = Answer()
    asked = pushes_asked_for(images, names=app.registry_names(settings), now=app.utc_now())
    async with app.planner_for(settings) as planner:
        for repository, pushes in asked.items():
            planned = await planner.plan(pushes)
            answer.steps += [StepRecord.of(step) for step in planned.steps]
            answer.unavailable |= {name: str(error) for name, error in planned.unavailable.items()}
            if not planned.steps and not planned.unavailable:
                answer.unmatched[repository] = await planner.nearest(repository)
    return answer


def _print(answer: Answer, *, json: bool) -> None:
    if json:
        from argoos.web import shape

        print_json([shape.plan_step(step) for step in answer.steps])
    elif answer.steps:
        headers, rows = step_table(answer.steps)
        print_table(headers, rows)
    for repository, nearest in answer.unmatched.items():
        hint = f"; the nearest that one runs is {nearest}" if nearest else ""
        say(f"no labelled workload runs {repository}{hint}")
    for name, error in answer.unavailable.items():
        say(f"the backend {name} could not be asked: {error}")


def step_table(steps: Sequence[StepRecord]) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows for steps; the backend is shown when there is more than one."""
    with_backend = len({step.backend for step in steps}) > 1
    headers = ["workload", "container", "current", "candidate", "action", "reason", "detail"]
    rows = [
        [
            f"{step.kind} {step.namespace}/{step.workload}" if step.namespace else f"{step.kind} {step.workload}",
            step.container,
            step.current or "-",
            step.candidate or "-",
            step.action,
            step.reason or "-",
            step.detail,
        ]
        for step in steps
    ]
    if with_backend:
        return ["backend", *headers], [[step.backend, *row] for step, row in zip(steps, rows, strict=True)]
    return headers, rows
