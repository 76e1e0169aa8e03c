"""What each refusal of the API server becomes, and what a change costs when answers are lost."""

import pytest
from aiohttp import web

from argoos.errors import ArgoosError, BackendUnavailable, Conflict, Forbidden, PermanentError, TemporaryError
from argoos.ports import Applied
from tests.contracts.backends.kubernetes_harness import running
from tests.contracts.backends.suite import NEW_DIGEST, OLD_DIGEST, WEB, change, images_of, one
from tests.fakes.kube_api import FakeKubeApi
from tests.fakes.kube_status import failure
from tests.integration.kubernetes.conftest import MakeBackend
from tests.integration.kubernetes.objects import is_write, web_app

IMAGE = f"{WEB}:1.1@{NEW_DIGEST}"
RBAC = 'deployments.apps "shop" is forbidden: User "x" cannot patch resource "deployments" in API group "apps"'


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        (400, "bad", PermanentError, ["400", "bad"]),
        (403, RBAC, Forbidden, ['verb "patch"', '"deployments"', 'group "apps"', 'Role in namespace "team-a"']),
        (403, "admission webhook says no", PermanentError, ["webhook says no"]),
        (404, "not found", Conflict, ['patch deployments "shop" in namespace "team-a"']),
        (409, "modified", Conflict, ["409"]),
        (415, "unknown type", PermanentError, ["415"]),
        (422, "rejected", Conflict, ["422"]),
        (429, "slow down", TemporaryError, ["429"]),
        (500, "oops", TemporaryError, ["500", "oops"]),
        (503, "starting", TemporaryError, ["503"]),
        (504, "too late", TemporaryError, ["504"]),
    ],
)
async def test_refusals(
    api: FakeKubeApi, make: MakeBackend, code: int, message: str, kind: type[ArgoosError], words: list[str]
) -> None:
    """Each status is an error of the class that says what helps; the message says what happened, to what."""
    await api.put(web_app())
    async with running(make()) as backend:
        api.trouble = lambda request: (
            web.json_response(failure(code, message), status=code) if is_write(request) else None
        )
        (outcome,) = await backend.apply([change(await one(backend), {"web": IMAGE})])
        assert type(outcome) is kind, outcome
        assert all(word in str(outcome) for word in words), outcome


async def test_an_invalid_object_names_the_field(api: FakeKubeApi, make: MakeBackend) -> None:
    """A 422 with causes does not pass by itself, other than one from a failed test."""
    await api.put(web_app())
    causes = [{"field": "spec.template.spec.containers[0].image", "reason": "FieldValueRequired"}]
    async with running(make()) as backend:
        api.trouble = lambda request: (
            web.json_response(failure(422, "invalid", causes), status=422) if is_write(request) else None
        )
        (outcome,) = await backend.apply([change(await one(backend), {"web": IMAGE})])
        assert isinstance(outcome, PermanentError)
        assert "spec.template.spec.containers[0].image" in str(outcome)


async def test_too_many_requests_in_plain_text(api: FakeKubeApi, make: MakeBackend) -> None:
    """The limit's answer is no Status object; its Retry-After is handed on."""
    await api.put(web_app())
    async with running(make()) as backend:
        api.trouble = lambda request: (
            web.Response(status=429, text="Too many requests", headers={"Retry-After": "3"})
            if is_write(request)
            else None
        )
        (outcome,) = await backend.apply([change(await one(backend), {"web": IMAGE})])
        assert isinstance(outcome, TemporaryError)
        assert outcome.delay_seconds == 3
        assert "Too many requests" in str(outcome)


async def test_a_long_answer_is_cut(api: FakeKubeApi, make: MakeBackend) -> None:
    """A message quotes no more of an answer than a person reads."""
    await api.put(web_app())
    async with running(make()) as backend:
        api.trouble = lambda request: web.Response(status=500, text="x" * 10_000) if is_write(request) else None
        (outcome,) = await backend.apply([change(await one(backend), {"web": IMAGE})])
        assert len(str(outcome)) < 800


async def test_a_lost_answer_is_not_a_second_write(api: FakeKubeApi, make: MakeBackend) -> None:
    """When the connection dies after the write, trying again finds the change there and writes nothing."""
    await api.put(web_app())
    async with running(make()) as backend:
        same = change(await one(backend), {"web": IMAGE})
        api.hang_up_after_write = True
        (outcome,) = await backend.apply([same])
        assert isinstance(outcome, BackendUnavailable), outcome
        assert await backend.apply([same]) == [Applied()]
        assert api.writes == 1


async def test_a_half_applied_change_is_a_conflict(api: FakeKubeApi, make: MakeBackend) -> None:
    """When only one of two containers has its image already, the whole must be decided again."""
    raw = web_app()
    template = raw["spec"]["template"]["spec"]
    template["containers"].append({"name": "two", "image": f"{WEB}:1.0"})
    await api.put(raw)
    async with running(make()) as backend:
        both = change(await one(backend), {"web": IMAGE, "two": IMAGE})
        template["containers"][0]["image"] = IMAGE
        await api.put(raw)
        (outcome,) = await backend.apply([both])
        assert isinstance(outcome, Conflict)
        assert api.writes == 0


async def test_another_digest_of_the_same_tag_is_a_conflict(api: FakeKubeApi, make: MakeBackend) -> None:
    """With `pin: tag` the image reads the same after a re-push; what was recorded meanwhile is not overwritten."""
    await api.put(web_app(image=f"{WEB}:latest", pin="tag"))
    async with running(make()) as backend:
        workload = await one(backend)
        later, earlier = (
            change(workload, {"web": f"{WEB}:latest"}, digest=digest) for digest in (NEW_DIGEST, OLD_DIGEST)
        )
        assert await backend.apply([later]) == [Applied()]
        (outcome,) = await backend.apply([earlier])
        assert isinstance(outcome, Conflict), outcome
        assert (await one(backend)).containers[0].digest == NEW_DIGEST


async def test_a_server_that_does_not_answer(api: FakeKubeApi, make: MakeBackend) -> None:
    """A refused connection is an error of the change, and of a single read, too."""
    await api.put(web_app())
    async with running(make()) as backend:
        workload = await one(backend)
        api.away = True
        (outcome,) = await backend.apply([change(workload, {"web": IMAGE})])
        assert isinstance(outcome, BackendUnavailable)
        with pytest.raises(BackendUnavailable, match='get deployments "shop" in namespace "team-a"'):
            await backend.reread(workload.ref)


async def test_writes_are_bounded(api: FakeKubeApi, make: MakeBackend) -> None:
    """No more changes are under way at once than the options allow."""
    for number in range(12):
        await api.put(web_app(f"shop-{number}"))
    async with running(make(parallel=3)) as backend:
        workloads = await backend.find()
        api.delay_seconds = 0.02
        outcomes = await backend.apply([change(each, {"web": IMAGE}) for each in workloads])
        assert outcomes == [Applied()] * 12
        assert api.most_at_once == 3


async def test_an_older_event_does_not_overwrite(api: FakeKubeApi, make: MakeBackend) -> None:
    """An event from before our own write, which comes after its answer, is not believed."""
    await api.put(web_app())
    async with running(make()) as backend:
        api.hold_events = True
        edited = web_app()
        edited["metadata"]["annotations"] = {"note": "edited"}
        await api.put(edited)
        current = await backend.reread((await one(backend)).ref)
        assert current is not None
        assert await backend.apply([change(current, {"web": IMAGE})]) == [Applied()]
        await api.release_events(limit=1)
        assert images_of(await one(backend)) == {"web": IMAGE}
