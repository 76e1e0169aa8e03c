"""`argoos pushes`: the history, from the database or from a running daemon."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from argoos.commands import history, options
from argoos.commands.terminal import print_json
from argoos.core.image import Repository
from argoos.core.record import PushState
from argoos.errors import NotFound
from argoos.ports import PushQuery

if TYPE_CHECKING:
    from argoos.commands.daemon import Daemon
    from argoos.settings import Settings

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
    from argoos import app, logs  # pydantic, SQLAlchemy: half a second that --help should not pay
    from argoos.settings import Need, load

    loaded = load(options.flags(config, assignments), need=Need.NOTHING)
    logs.configure(loaded.settings.log_format, verbose=loaded.settings.verbose, quiet=True)  # on standard error
    names = app.registry_names(loaded.settings)
    canonical = str(names.canonical(Repository.parse(repository))) if repository else None
    query = PushQuery(
        repository=canonical,
        tag=tag,
        state=state,
        include_ignored=ignored,
        before_id=before,
        limit=limit,
    )
    found = _ask(loaded.settings, Question(push_id=push_id, query=query), url=url, token=token)
    if json:
        print_json(found if push_id is None else found[0])
    elif push_id is None and not steps:
        history.print_list(found)
    else:
        history.print_whole(found)


def _ask(settings: "Settings", question: Question, *, url: str | None, token: str | None) -> list[history.Json]:
    """Return the pushes in the form of the API, which is the form of ``--json``, too."""
    if url is None:
        return asyncio.run(_local(settings, question))
    from argoos.commands.daemon import daemon  # aiohttp: a third of a second

    return asyncio.run(_remote(daemon(settings, url=url, token=token, for_api=True), question))


async def _remote(daemon: "Daemon", question: Question) -> list[history.Json]:
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
    found: list[history.Json] = answer["pushes"]
    return found


async def _local(settings: "Settings", question: Question) -> list[history.Json]:
    import orjson

    from argoos import app
    from argoos.web import shape

    async with app.history_for(settings) as kept:
        if question.push_id is None:
            records = await kept.pushes(question.query)
        else:
            record = await kept.push(question.push_id)
            if record is None:
                raise NotFound(f"there is no push {question.push_id} in {settings.database}; it may have been pruned")
            records = [record]
    found: list[history.Json] = orjson.loads(shape.to_json([shape.push(record) for record in records]))
    return found
