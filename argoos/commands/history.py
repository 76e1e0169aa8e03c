"""How pushes of the history are printed: in a list, or each in full with its steps."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from argoos.commands.terminal import print_table, printable

Json = dict[str, Any]
"""A push in the form of the API."""

HEADERS = ("id", "received", "image", "by", "outcome", "steps")


def print_list(pushes: Sequence[Json]) -> None:
    """Print a row for each push."""
    print_table(HEADERS, [_row(push) for push in pushes])


def print_whole(pushes: Sequence[Json]) -> None:
    """Print everything about each push."""
    for position, push in enumerate(pushes):
        if position:
            print()
        _print_one(push)


def _row(push: Json) -> list[str]:
    return [
        str(push["id"]),
        _seconds(push["received_at"]),
        _image(push),
        push["actor"] or "-",
        _outcome(push),
        _summary(push),
    ]


def _image(push: Json) -> str:
    tag = f":{push['tag']}" if push["tag"] else ""
    digest = f"@{push['digest'][:19]}" if push["digest"] and not tag else ""
    return f"{push['repository'] or '-'}{tag}{digest}"


def _outcome(push: Json) -> str:
    if push["state"] in ("queued", "running"):
        return str(push["state"]) if push["outcome"] is None else f"{push['state']} ({push['outcome']})"
    return f"{push['outcome']} ({push['reason']})" if push["reason"] else str(push["outcome"] or push["state"])


def _summary(push: Json) -> str:
    """Return the steps in a few words: ``2 applied, 3 skipped (never 2, not-newer 1)``."""
    if not push["steps"]:
        return printable(push["error"]) or "-"
    results = Counter(step["result"] or "planned" for step in push["steps"] if step["action"] == "update")
    reasons = Counter(step["reason"] for step in push["steps"] if step["action"] == "skip")
    parts = [f"{count} {result}" for result, count in results.items()]
    if reasons:
        words = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
        parts.append(f"{reasons.total()} skipped ({words})")
    return ", ".join(parts)


def _print_one(push: Json) -> None:
    lines = {
        "push": str(push["id"]),
        "image": f"{push['repository']}:{push['tag']}@{push['digest']}" if push["tag"] else _image(push),
        "by": push["actor"],
        "pushed": _seconds(push["pushed_at"]),
        "received": _seconds(push["received_at"]),
        "settled": _seconds(push["settled_at"]),
        "outcome": _outcome(push),
        "attempts": str(push["attempts"]),
        "next try": _seconds(push["due_at"]),
        "error": push["error"],
    }
    for name, value in lines.items():
        if value:
            print(f"{name + ':':<10}{printable(value)}")
    if push["steps"]:
        print_table(STEP_HEADERS, [_step_row(step) for step in push["steps"]])


STEP_HEADERS = ("workload", "container", "current", "candidate", "result", "detail")


def _step_row(step: Json) -> list[str]:
    place = f"{step['namespace']}/{step['workload']}" if step["namespace"] else step["workload"]
    result = step["result"] or "planned" if step["action"] == "update" else f"skip: {step['reason']}"
    return [
        f"{step['kind']} {place}",
        step["container"],
        step["current"] or "-",
        step["candidate"] or "-",
        result,
        step["error"] or step["detail"],
    ]


def _seconds(at: str | None) -> str:
    """Return a time of the API without its fraction."""
    return f"{at[:19]}Z" if at else ""
