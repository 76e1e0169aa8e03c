"""What the demo tells: what was sent, what was updated, what was not and why, and how the files changed."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typer import echo

from argoos.commands.daemon import Daemon
from argoos.commands.terminal import print_table
from argoos.core.reason import Reason
from argoos.demo import sample
from argoos.errors import PermanentError

Json = dict[str, Any]

SETTLE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


async def tell(daemon: Daemon, directory: Path) -> None:
    """Send everything, wait until all of it is settled, and print what came of it.

    Raises:
        ArgoosError: the daemon refused a delivery, or did not settle one.
    """
    before = sample.texts(directory)
    echo("\n== Sending what registries of releases 2.8.2 and 3.1.2 really posted\n")
    for delivery in sample.deliveries():
        await daemon.deliver(delivery.body, {"Content-Type": delivery.content_type})
        echo(f"  accepted  registry {delivery.release}: {delivery.tells}")
    pushes = await _settled(daemon)
    steps = _last_steps(pushes)
    echo("\n== Updated\n")
    updated = [step for step in steps if step["action"] == "update"]
    print_table(
        ("workload", "container", "from", "to", "policy"),
        [[*_place(step), step["current"], step["candidate"], step["policy"]] for step in updated],
    )
    echo("\n== Not updated, and why\n")
    print_table(
        ("workload", "container", "current", "candidate", "reason", "detail"),
        [
            [*_place(step), step["current"], step["candidate"], step["reason"], step["detail"] or _meaning(step)]
            for step in steps
            if step["action"] == "skip"
        ],
    )
    echo("\nweb-by-hand has no label argoos.io/policy, so it was not even looked at.")
    ignored = [push for push in pushes if push["reason"]]
    words = sorted({push["reason"] for push in ignored})
    echo(f"{len(ignored)} deliveries were no candidates ({', '.join(words)}): normal noise, kept in the history.")
    echo("\n== What changed in the files\n")
    for line in sample.diff(before, sample.texts(directory)):
        echo(line)


async def _settled(daemon: Daemon) -> list[Json]:
    """Return all pushes, oldest first, once none waits any more.

    Raises:
        PermanentError: some still wait after `SETTLE_SECONDS`.
    """
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                answer = await daemon.get("/api/v1/pushes", [("ignored", "true"), ("limit", "1000")])
                pushes: list[Json] = answer["pushes"]
                if all(push["state"] in ("done", "failed") for push in pushes):
                    return pushes[::-1]
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise PermanentError(f"some pushes still wait after {SETTLE_SECONDS:g} s") from error


def _last_steps(pushes: list[Json]) -> list[Json]:
    """Return one step for each container: its last update, or else what was said of it last."""
    last: dict[tuple[str, ...], Json] = {}
    for push in pushes:
        for step in push["steps"]:
            key = (step["kind"], step["namespace"], step["workload"], step["container"])
            known = last.get(key)
            if known is None or step["action"] == "update" or known["action"] == "skip":
                current = known["current"] if known and known["action"] == "update" else step["current"]
                last[key] = {**step, "current": current}
    return list(last.values())


def _place(step: Json) -> tuple[str, str]:
    return f"{step['kind']} {step['namespace']}/{step['workload']}", step["container"]


def _meaning(step: Json) -> str:
    return next(reason.meaning for reason in Reason if reason == step["reason"])


def what_next(url: str, directory: Path, command: str) -> Iterator[str]:
    """Yield lines that say what to try while the daemon runs. Each of them works as it stands."""
    tries: Mapping[str, str] = {
        f"{command} plan registry.example.com/shop/web:1.4.4": "what would a push of it do?",
        f"{command} push registry.example.com/shop/web:1.4.4": "do it",
        f"{command} pushes": "the history; with a number, one push in full",
        f"curl -s -H 'X-Argoos-Token: {sample.TOKEN}' {url}/api/v1/workloads": "what Argoos looks at",
        f"curl -s {url}/metrics | grep argoos_": "what Prometheus reads",
    }
    yield "The daemon stays up until Ctrl-C. In another terminal:"
    yield f"  cd {directory}"
    for line, meaning in tries.items():
        yield f"  {line}   # {meaning}"
    yield f"Files: {directory}/deploy, settings: argoos.yaml, log: argoos.log"
