"""Listing and watching, and what can go wrong with it."""

import asyncio

import pytest
from aiohttp import web

from argoos.backends.kubernetes import KubernetesBackend, Namespaces, watch
from argoos.errors import BackendUnavailable
from tests.contracts.backends.kubernetes_harness import running
from tests.contracts.backends.suite import WEB, change, eventually, images_of, one
from tests.fakes.kube_api import FakeKubeApi, serving
from tests.fakes.kube_status import status
from tests.integration.kubernetes.conftest import MakeBackend
from tests.integration.kubernetes.objects import names, opened, web_app


async def test_one_request_lists_and_watches(api: FakeKubeApi, make: MakeBackend) -> None:
    """Where the server can do it, the list comes as a watch that goes on: one request for each kind."""
    await api.put(web_app())
    async with running(make()) as backend:
        await api.put(web_app("late"))
        await eventually(lambda: _knows(backend, ["late", "shop"]))
        (query,) = opened(api)
        assert query["sendInitialEvents"] == "true"
        assert query["labelSelector"] == "argoos.io/policy"


@pytest.mark.parametrize("refusal", ["watch_list", "watch_list_known"])
async def test_pages_where_there_is_no_watch_list(
    api: FakeKubeApi, make: MakeBackend, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    """A server that refuses the watch list, in either way, is listed in pages and watched from there."""
    setattr(api, refusal, False)
    monkeypatch.setattr(watch, "_PAGE", 2)
    for number in range(5):
        await api.put(web_app(f"shop-{number}"))
    async with running(make()) as backend:
        assert len(await names(backend)) == 5
        await api.put(web_app("shop-9"))
        await api.remove("Deployment", "team-a", "shop-0")
        await eventually(lambda: _knows(backend, ["shop-1", "shop-2", "shop-3", "shop-4", "shop-9"]))
        queries = opened(api)
        assert [query.get("continue") for query in queries] == [None, "", "2", "4", None]
        assert all("resourceVersion" not in query for query in queries[:-1])


async def test_pages_where_the_watch_list_breaks_off(api: FakeKubeApi, make: MakeBackend) -> None:
    """A watch list that ends before it is complete proves nothing: the pages do."""
    await api.put(web_app())
    api.trouble = lambda request: web.Response(text="") if "sendInitialEvents" in request.query else None
    async with running(make()) as backend:
        assert await names(backend) == ["shop"]


async def test_a_watch_that_ends_is_resumed(api: FakeKubeApi, make: MakeBackend) -> None:
    """When its time is over, a watch goes on from the last version, bookmarks included, and nothing is listed."""
    await api.put(web_app())
    async with running(make(watch_timeout_seconds=1)) as backend:
        await api.bookmark()
        latest = str(api.objects["deployments", "team-a", "shop"]["metadata"]["resourceVersion"])
        await eventually(lambda: _opened_times(api, 2))
        assert backend.status().synced
        await api.put(web_app("late"))
        await eventually(lambda: _knows(backend, ["late", "shop"]))
        resumed = opened(api)[1]
        assert "sendInitialEvents" not in resumed
        assert int(resumed["resourceVersion"]) > int(latest)


async def test_a_broken_watch_is_resumed(api: FakeKubeApi, make: MakeBackend) -> None:
    """A connection that breaks while the server is up costs no new list."""
    await api.put(web_app())
    async with running(make()) as backend:
        api.cut()
        await api.put(web_app("late"))
        await eventually(lambda: _knows(backend, ["late", "shop"]))
        assert "sendInitialEvents" not in opened(api)[-1]


async def test_a_forgotten_version_is_listed_anew(api: FakeKubeApi, make: MakeBackend) -> None:
    """410 Gone, which comes as an event after HTTP 200, makes a new list; what vanished meanwhile is forgotten."""
    await api.put(web_app("old"))
    await api.put(web_app("shop"))
    async with running(make(watch_timeout_seconds=1)) as backend:
        del api.objects["deployments", "team-a", "old"]  # without an event: it is one of those that are forgotten
        await api.put(web_app("shop", image=f"{WEB}:1.1"))
        api.forget()
        api.forgotten += 1
        await eventually(lambda: _knows(backend, ["shop"]))
        assert ["sendInitialEvents" in query for query in opened(api)][:3] == [True, False, True]


async def test_after_an_outage_the_list_is_read_anew(api: FakeKubeApi, make: MakeBackend) -> None:
    """While the server is away nothing is answered, and why and since when is said; then all is known."""
    async with serving(api) as url:
        port = int(url.rpartition(":")[2])
        backend = make(master=url)
        await api.put(web_app())
        task = running(backend)
        await task.__aenter__()
    try:
        await eventually(lambda: _detail_has(backend, "watch deployments in all namespaces: Cannot connect"))
        assert not backend.status().synced
        with pytest.raises(BackendUnavailable, match=r"cannot watch deployments in all namespaces: .* \(since 20"):
            await backend.find()
        await api.put(web_app("late"))
        async with serving(api, port):
            await eventually(lambda: _knows(backend, ["late", "shop"]))
            assert opened(api)[-1]["sendInitialEvents"] == "true"
    finally:
        await task.__aexit__(None, None, None)


async def test_nothing_is_answered_before_the_list_is_complete(api: FakeKubeApi, make: MakeBackend) -> None:
    """A backend that does not run, or has not heard the end of its first list, raises."""
    backend = make()
    with pytest.raises(BackendUnavailable, match="deployments in all namespaces has not been read yet"):
        await backend.find()
    async with running(backend):
        assert await backend.find() == []
    with pytest.raises(BackendUnavailable, match="deployments in all namespaces has not been read yet"):
        await backend.find()


async def test_a_kind_that_may_not_be_listed(api: FakeKubeApi, make: MakeBackend) -> None:
    """The missing verb is named, the other kinds are listed, and the right is used once it is there."""
    message = 'cronjobs.batch is forbidden: User "argoos" cannot watch resource "cronjobs" in API group "batch"'
    api.trouble = lambda request: status(403, message) if "cronjobs" in request.path else None
    async with running(make(), synced=False) as backend:
        await eventually(lambda: _detail_has(backend, 'grant the verb "watch" on "cronjobs"'))
        await eventually(lambda: _open_watches(api, 3))
        assert "deployments" not in backend.status().detail
        api.trouble = None
        await eventually(lambda: _knows(backend, []))


async def test_a_kind_that_is_left_out_needs_no_right(api: FakeKubeApi, make: MakeBackend) -> None:
    """Kinds that the options leave out are not asked for."""
    api.trouble = lambda request: status(403, "no") if "cronjobs" in request.path else None
    async with running(make(kinds=("Deployment", "StatefulSet"))) as backend:
        assert await names(backend) == []
        assert opened(api, "cronjobs") == opened(api, "daemonsets") == []


async def test_named_namespaces_are_watched_one_by_one(api: FakeKubeApi, make: MakeBackend) -> None:
    """With namespaces named in full, nothing is asked cluster-wide."""
    for namespace in ("team-a", "team-b", "team-c"):
        await api.put(web_app(namespace, namespace))
    options = {"namespaces": Namespaces(allow=("team-a", "team-b", "team-c"), deny=("team-c",))}
    async with running(make(**options)) as backend:
        assert await names(backend) == ["team-a", "team-b"]
        assert all("/namespaces/" in request.path for request in api.requests)
        await backend.apply([change(each, {"web": f"{WEB}:2.0"}) for each in await backend.find()])
        assert [images_of(each)["web"] for each in await backend.find()] == [f"{WEB}:2.0"] * 2


async def test_namespaces_by_pattern(api: FakeKubeApi, make: MakeBackend) -> None:
    """Patterns are matched here, for lists, events and single reads alike."""
    for namespace in ("team-a", "team-b", "other"):
        await api.put(web_app(namespace, namespace))
    async with running(make(namespaces=Namespaces(allow=("team-*",), deny=("*-b",)))) as backend:
        await api.put(web_app("late", "team-b"))
        await api.put(web_app("late", "team-a"))
        await eventually(lambda: _knows(backend, ["late", "team-a"]))
    async with running(make()) as everywhere:
        refs = {workload.ref.namespace: workload.ref for workload in await everywhere.find()}
    async with running(make(namespaces=Namespaces(deny=("other",)))) as backend:
        assert await backend.reread(refs["other"]) is None
        assert await backend.reread(refs["team-b"]) is not None


async def test_what_is_being_deleted_is_gone(api: FakeKubeApi, make: MakeBackend) -> None:
    """A workload that waits for its finalizers to run is not moved any more."""
    await api.put(web_app())
    async with running(make()) as backend:
        ref = (await one(backend)).ref
        raw = web_app()
        raw["metadata"]["deletionTimestamp"] = "2026-05-04T12:30:00Z"
        await api.put(raw)
        await eventually(lambda: _knows(backend, []))
        assert await backend.reread(ref) is None


async def test_an_object_that_was_made_again_is_another(api: FakeKubeApi, make: MakeBackend) -> None:
    """Same kind, namespace and name, but another UID: what was decided on is gone."""
    await api.put(web_app())
    async with running(make()) as backend:
        old = await one(backend)
        await api.remove("Deployment", "team-a", "shop")
        await api.put(web_app())
        assert await backend.reread(old.ref) is None
        (outcome,) = await backend.apply([change(old, {"web": f"{WEB}:2.0"})])
        assert "422" in str(outcome)
        assert api.writes == 0


async def test_what_answers_is_no_api_server(make: MakeBackend, api: FakeKubeApi) -> None:
    """A page of something else at that address is a problem that is told, not a crash."""
    api.trouble = lambda _: web.Response(text="<html>Welcome</html>", content_type="text/html")
    async with running(make(), synced=False) as backend:
        await eventually(lambda: _detail_has(backend, "no JSON"))
    api.trouble = lambda _: web.json_response({"hello": "world"})
    async with running(make(), synced=False) as backend:
        await eventually(lambda: _detail_has(backend, "no event of a watch"))


async def test_retry_after_is_waited_for(api: FakeKubeApi, make: MakeBackend) -> None:
    """A server that asks for a pause gets it, before the next try."""
    refused: list[float] = []

    def trouble(request: web.Request) -> web.Response | None:
        if "deployments" not in request.path or len(refused) > 1:
            return None
        refused.append(asyncio.get_running_loop().time())
        return web.Response(status=429, text="Too many requests", headers={"Retry-After": "1"})

    api.trouble = trouble
    async with running(make()):
        first, second = refused
        assert 1 <= second - first < 3


async def _knows(backend: KubernetesBackend, expected: list[str]) -> bool:
    try:
        return await names(backend) == expected
    except BackendUnavailable:
        return False


async def _detail_has(backend: KubernetesBackend, text: str) -> bool:
    return text in backend.status().detail


async def _opened_times(api: FakeKubeApi, count: int) -> bool:
    return len(opened(api)) >= count


async def _open_watches(api: FakeKubeApi, count: int) -> bool:
    return api.watches == count
