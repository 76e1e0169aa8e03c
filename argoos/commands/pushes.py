"""`argoos pushes`: the history, from the database or from a running daemon."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from argoos.commands import options
from argoos.commands.terminal import print_json, print_table, printable
from argoos.core.image import Repository
from argoos.core.record import PushState
from argoos.errors import NotFound
from argoos.ports import PushQuery

if TYPE_CHECKING:
    from argoos.commands.daemon import Daemon
    from argoos.settings import Settings

Json = dict[str, Any]
"""A push in the form of the API, which is the form of ``--json``, too."""

API = "/api/v1/pushes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: one push by its number, or those that match."""

    push_id: int | None
    query: PushQuery


def command(
    *,
    push_id: Annotated[int | None, typer.Argument(metavar="ID", min=1, help="Show this one push in full.")] = None,
    repository: Annotated[str | None, typer.Option(metavar="NAME", help="Pushes of this repository alone.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Pushes of this tag alone.")] = None,
    state: Annotated[PushState | None, typer.Option(help="Pushes in this state alone.")] = None,
    ignored: Annotated[
        bool, typer.Option("--ignored", help="Also what was no candidate: layers, pulls, signatures.")
    ] = False,
    before: Annotated[
        int | None, typer.Option(metavar="ID", min=1, help="Pushes older than this one, to page on.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, max=1000, help="How many at most.")] = 20,
    steps: Annotated[bool, typer.Option("--steps", help="Print each push with its steps in full.")] = False,
    json: options.Json = False,
    url: options.Url = None,
    token: options.Token = None,
    config: options.Config = None,
    assignments: options.Assignments = None,
) -> None:
    """List pushes and what became of them.

    The newest first, with what was updated, and why not. Reads the database of the settings, also while the daemon
    runs; with --url asks a daemon.
    """
    from argoos import app  # pydantic, SQLAlchemy: half a second that --help should not pay
    from argoos.settings import Need, load

    loaded = load(options.flags(config, assignments), need=Need.NOTHING)
    names = app.registry_names(loaded.settings)
    canonical = str(names.canonical(Repository.parse(repository))) if repository else None
    question = Question(
        push_id=push_id,
        query=PushQuery(
            repository=canonical, tag=tag, state=state, include_ignored=ignored, before_id=before, limit=limit
        ),
    )
    if url:
        from argoos.commands.daemon import daemon  # aiohttp: a third of a second

        found = asyncio.run(_remote(daemon(loaded.settings, url=url, token=token, for_api=True), question))
    else:
        found = asyncio.run(_local(loaded.settings, question))
    if json:
        print_json(found if push_id is None else found[0])
    elif push_id is None and not steps:
        print_table(HEADERS, [_row(push) for push in found])
    else:
        for position, push in enumerate(found):
            print(*([""] if position else []), sep="", end="\n" if position else "")
            _print_whole(push)


async def _remote(daemon: "Daemon", question: Question) -> list[Json]:
    if question.push_id is not None:
        return [await daemon.get(f"{API}/{question.push_id}")]
    query = question.query
    given = {
        "repository": query.repository,
        "tag": query.tag,
        "state": query.state,
        "ignored": "true" if query.include_ignored else None,
        "before": query.before_id,
        "limit": query.limit,
    }
    answer = await daemon.get(API, [(key, str(value)) for key, value in given.items() if value is not None])
    found: list[Json] = answer["pushes"]
    return found


async def _local(settings: "Settings", question: Question) -> list[Json]:
    import orjson

    from argoos import app
    from argoos.web import shape

    async with app.history_for(settings) as history:
        if question.push_id is None:
            records = await history.pushes(question.query)
        else:
            record = await history.push(question.push_id)
            if record is None:
                raise NotFound(f"there is no push {question.push_id} in {settings.database}; it may have been pruned")
            records = [record]
    found: list[Json] = orjson.loads(shape.to_json([shape.push(record) for record in records]))
    return found


HEADERS = ("id", "received", "image", "by", "outcome", "steps")


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


def _print_whole(push: Json) -> None:
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
