"""``/api/v1``: pushes, workloads and plans, to read."""

from collections.abc import Sequence

from aiohttp import web

from argoos.core.image import Repository
from argoos.core.record import PushState, StepRecord
from argoos.core.workload import Workload
from argoos.errors import (
    ArgoosError,
    BackendUnavailable,
    BadToken,
    CallerError,
    InvalidReference,
    NotFound,
    TemporaryError,
)
from argoos.ports import PushQuery
from argoos.web import shape
from argoos.web.asked import pushes_asked_for
from argoos.web.collaborators import Collaborators
from argoos.web.gate import TOKEN_HEADER, Gate
from argoos.web.problems import Handler, boundary
from argoos.web.query import Query, positive

PUSHES_MOST = 1000
IMAGES_MOST = 100


class Api:
    """Answers what others want to know.

    Args:
        given: the collaborators.
    """

    def __init__(self, given: Collaborators) -> None:
        self._history = given.history
        self._planner = given.planner
        self._backends = tuple(given.backends)
        self._names = given.names
        self._now = given.now

    async def pushes(self, request: web.Request) -> web.Response:
        """List pushes, the newest first; ``next`` is what to give as ``before`` for those that follow, or null."""
        query = Query(request, ("repository", "tag", "state", "ignored", "before", "limit"))
        wanted = PushQuery(
            repository=self._repository(query.text("repository")),
            tag=query.text("tag"),
            state=query.choice("state", PushState),
            include_ignored=query.flag("ignored"),
            before_id=query.number("before"),
            limit=query.number("limit", most=PUSHES_MOST) or PushQuery().limit,
        )
        records = await self._history.pushes(wanted)
        more = records[-1].id if len(records) == wanted.limit else None
        return _json({"pushes": [shape.push(record) for record in records], "next": more})

    async def push(self, request: web.Request) -> web.Response:
        """Return one push with its steps."""
        Query(request, ())
        text = request.match_info["id"]
        number = positive(text)
        record = None if number is None else await self._history.push(number)
        if record is None:
            raise NotFound(
                f"there is no push {text!r}; it may have been pruned, and GET /api/v1/pushes lists what there is"
            )
        return _json(shape.push(record))

    async def workloads(self, request: web.Request) -> web.Response:
        """List the labelled workloads of all backends, or those that run one repository."""
        query = Query(request, ("repository",))
        name = query.text("repository")
        repository = None if name is None else self._canonical(name)
        found: list[Workload] = []
        missing: dict[str, ArgoosError] = {}
        for backend in self._backends:
            try:
                found += await backend.find(repository)
            except TemporaryError as error:
                missing[backend.name] = error
        self._refuse_if_nobody_answered(missing)
        return _json({"workloads": [shape.workload(one) for one in found], "unavailable": shape.unavailable(missing)})

    async def plan(self, request: web.Request) -> web.Response:
        """Say what pushes of the given images would change now, and why not; nothing is changed."""
        images = Query(request, ("image",)).texts("image")
        if not 1 <= len(images) <= IMAGES_MOST:
            raise CallerError(
                f"the query parameter image is given {len(images)} times; give it once for each image, up to "
                f"{IMAGES_MOST} times: ?image=registry.example.com/team/app:1.4.3"
            )
        steps: list[StepRecord] = []
        missing: dict[str, ArgoosError] = {}
        unmatched: list[shape.Json] = []
        for repository, pushes in pushes_asked_for(images, names=self._names, now=self._now()).items():
            planned = await self._planner.plan(pushes)
            missing |= planned.unavailable
            steps += [StepRecord.of(step) for step in planned.steps]
            if not planned.steps and not planned.unavailable:
                nearest = await self._planner.nearest(repository)
                unmatched.append({"repository": str(repository), "nearest": nearest and str(nearest)})
        self._refuse_if_nobody_answered(missing)
        return _json(
            {
                "steps": [shape.plan_step(step) for step in steps],
                "unmatched": unmatched,
                "unavailable": shape.unavailable(missing),
            }
        )

    def _canonical(self, name: str) -> Repository:
        """Return the repository that the query names, under its registry's own name.

        Raises:
            CallerError: it is no repository.
        """
        try:
            return self._names.canonical(Repository.parse(name))
        except InvalidReference as error:
            raise CallerError(f"the query parameter repository is {name!r}: {error}") from error

    def _repository(self, name: str | None) -> str | None:
        return None if name is None else str(self._canonical(name))

    def _refuse_if_nobody_answered(self, missing: dict[str, ArgoosError]) -> None:
        """Do not pass off as "nothing there" what nobody could look at.

        Raises:
            BackendUnavailable: every backend is away.
        """
        if missing and len(missing) == len(self._backends):
            said = "; ".join(f"{backend}: {error}" for backend, error in missing.items())
            raise BackendUnavailable(f"no backend can be asked now: {said}")


def api_application(given: Collaborators) -> web.Application:
    """Return the part of the site that stands under ``/api``, with its own error boundary and token check."""
    gate = Gate(given.api_tokens)

    @web.middleware
    async def check_token(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not gate.admits(_shown_tokens(request)):
            raise BadToken(f"no valid token; send one as {TOKEN_HEADER}: … or Authorization: Bearer …")
        return await handler(request)

    api = Api(given)
    application = web.Application(middlewares=[boundary, check_token])
    application.router.add_get("/v1/pushes", api.pushes)
    application.router.add_get("/v1/pushes/{id}", api.push)
    application.router.add_get("/v1/workloads", api.workloads)
    application.router.add_get("/v1/plan", api.plan)
    return application


def _shown_tokens(request: web.Request) -> Sequence[str]:
    """Return every token that the request shows."""
    bearers = (value.partition(" ") for value in request.headers.getall("Authorization", ()))
    return [
        *request.headers.getall(TOKEN_HEADER, ()),
        *(token.strip() for scheme, _, token in bearers if scheme.lower() == "bearer"),
    ]


def _json(document: object) -> web.Response:
    return web.Response(body=shape.to_json(document), content_type="application/json")
