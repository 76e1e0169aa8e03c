"""Events on workloads: written in the background, once for each thing said."""

import asyncio

from aiohttp import web

from argoos.backends.kubernetes.events import EventWriter
from argoos.core.workload import WorkloadRef
from argoos.ports import Notice, NoticeKind
from tests.contracts.backends.kubernetes_harness import running
from tests.contracts.backends.suite import eventually
from tests.fakes.kube_api import FakeKubeApi
from tests.integration.kubernetes.conftest import MakeBackend

REF = WorkloadRef(backend="test", kind="CronJob", namespace="team-a", name="shop", uid="u-1")


def notice(text: str = "no such policy", kind: NoticeKind = NoticeKind.INVALID_POLICY) -> Notice:
    """Return a notice on the workload."""
    return Notice(workload=REF, kind=kind, text=text)


async def test_an_event_says_what_and_on_what(api: FakeKubeApi, make: MakeBackend) -> None:
    """An Event names the object, in its namespace; good news is Normal, the rest a Warning."""
    async with running(make()) as backend:
        await backend.report(notice())
        await backend.report(notice("web: 1.0 -> 1.1", NoticeKind.IMAGE_UPDATED))
        await eventually(lambda: _counts(api, [1, 1]))
    bad, good = sorted(api.events.values(), key=lambda each: each["type"], reverse=True)
    assert (bad["type"], bad["reason"], bad["message"]) == ("Warning", "InvalidPolicy", "no such policy")
    assert (good["type"], good["reason"]) == ("Normal", "ImageUpdated")
    involved = {"apiVersion": "batch/v1", "kind": "CronJob", "namespace": "team-a", "name": "shop", "uid": "u-1"}
    assert bad["involvedObject"] == good["involvedObject"] == involved


async def test_the_same_again_is_said_once(api: FakeKubeApi, make: MakeBackend) -> None:
    """The same words about the same object are one Event, whichever process wrote it; Events are never patched."""
    for process in ("the first", "the next"):
        async with running(make()) as backend:
            await backend.report(notice())
            await backend.report(notice())
            await backend.report(notice(f"said by {process}"))
            await eventually(lambda process=process: _said(api, f"said by {process}"))  # type: ignore[misc]
    assert [event["count"] for event in api.events.values()] == [1, 1, 1]
    assert not any(request.method == "PATCH" for request in api.requests)


async def test_a_long_text_is_cut(api: FakeKubeApi, make: MakeBackend) -> None:
    """The message stays within what the server takes."""
    async with running(make()) as backend:
        await backend.report(notice("x" * 5000))
        await eventually(lambda: _counts(api, [1]))
    (event,) = api.events.values()
    assert len(event["message"]) == 1024


async def test_report_does_not_wait_for_a_server_that_is_slow(api: FakeKubeApi, make: MakeBackend) -> None:
    """Notices queue up while the server asks for patience, and are written afterwards."""
    refused: list[str] = []

    def trouble(request: web.Request) -> web.Response | None:
        if "/events" not in request.path or refused:
            return None
        refused.append(request.path)
        return web.Response(status=429, headers={"Retry-After": "1"})

    api.trouble = trouble
    async with running(make()) as backend:
        started = asyncio.get_running_loop().time()
        for number in range(3):
            await backend.report(notice(str(number)))
        assert asyncio.get_running_loop().time() - started < 0.5
        await eventually(lambda: _counts(api, [1, 1, 1]))
        assert asyncio.get_running_loop().time() - started >= 1
    assert len(refused) == 1


def test_what_is_too_much_is_counted() -> None:
    """The queue is bounded: what does not fit is dropped, and how many were is known."""
    writer = EventWriter()
    for number in range(1003):
        writer.put(notice(str(number)))
    assert writer.dropped == 3


async def _counts(api: FakeKubeApi, expected: list[int]) -> bool:
    return sorted(event["count"] for event in api.events.values()) == expected


async def _said(api: FakeKubeApi, text: str) -> bool:
    return any(event["message"] == text for event in api.events.values())
