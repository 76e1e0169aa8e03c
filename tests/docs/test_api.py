"""docs/reference/api.md against the application: the same routes, the same parameters, the same keys."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from argoos.core.image import ImageRef, RegistryNames
from argoos.core.record import Outcome, PushState, StepResult
from argoos.core.workload import Container, Workload, WorkloadRef
from argoos.metrics import Metrics
from argoos.planner import Planner
from argoos.receivers import RECEIVERS
from argoos.web import shape
from argoos.web.api import IMAGES_MOST, PUSHES_MOST
from argoos.web.collaborators import Collaborators
from argoos.web.server import Listening, serve, site
from tests.docs.pages import page
from tests.fakes.backend import MemoryBackend
from tests.fakes.store import MemoryStore

PAGE = page("docs/reference/api.md")
ROUTE = re.compile(r"`(GET|POST) (/\S*)`")
KEYS = re.compile(r"^\| ((?:`\w+` ?)+) \|", re.MULTILINE)


def application() -> web.Application:
    """Return the site over an empty store and an empty backend."""
    store, names = MemoryStore(), RegistryNames()
    backend = MemoryBackend(names=names)
    given = Collaborators(
        receiver=RECEIVERS["distribution"],
        store=store,
        history=store,
        planner=Planner(backends=[backend], history=store, names=names, settle_seconds=30),
        backends=[backend],
        names=names,
        metrics=Metrics(),
        wake=lambda: None,
        now=lambda: datetime.now(UTC),
        tokens=lambda: (),
        api_tokens=lambda: (),
    )
    return site(given)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Serve the site and open a session with it."""
    async with serve(application(), Listening(host="127.0.0.1", port=0)) as url, aiohttp.ClientSession(url) as session:
        yield session


def sections() -> dict[tuple[str, str], str]:
    """Return the text of the page below each route's heading."""
    found: dict[tuple[str, str], str] = {}
    for part in re.split(r"^## ", PAGE.text, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        for method, path in ROUTE.findall(heading):
            found[method, path] = text
    return found


def test_the_routes_are_those_of_the_application() -> None:
    """Every route has a heading, and every heading is a route; `/event/` is named below that of `/event`."""
    routes = {
        (route.method, route.resource.canonical)
        for route in application().router.routes()
        if route.method != "*" and route.resource is not None
    }
    for resource in application().router.resources():
        if isinstance(resource, web.PrefixedSubAppResource):
            routes |= {(r.method, r.resource.canonical) for r in resource if r.resource is not None}
    documented = {*sections(), *ROUTE.findall(sections()["POST", "/event"])}
    assert documented == {(method, path) for method, path in routes if method != "HEAD"}


@pytest.mark.parametrize("route", [key for key in sections() if key[1].startswith("/api/")])
async def test_the_parameters_are_those_of_the_code(client: aiohttp.ClientSession, route: tuple[str, str]) -> None:
    """What a route says it knows, when it is given something else, is what the page lists."""
    async with client.get(route[1].replace("{id}", "1"), params={"surely-unknown": "1"}) as answer:
        detail = (await answer.json())["detail"]
    known = detail.partition("known are ")[2].split(", ") if "known are" in detail else []
    table = sections()[route].partition("| parameter |")[2].partition("\n\n")[0]
    assert KEYS.findall(table) == [f"`{name}`" for name in known]


def example(name: str) -> Any:
    """Return the value of an example."""
    (block,) = (block for block in PAGE.blocks("json", "example") if name in block.words)
    return json.loads(block.text)


async def empty_answer(client: aiohttp.ClientSession, path: str) -> Any:
    """Return what the site says when there is nothing to say."""
    async with client.get(path) as answer:
        return await answer.json()


async def test_the_frames_have_the_keys_of_the_code(client: aiohttp.ClientSession) -> None:
    """The outer keys of the examples are those of real answers."""
    assert list(example("pushes")) == list(await empty_answer(client, "/api/v1/pushes"))
    assert list(example("workloads")) == list(await empty_answer(client, "/api/v1/workloads"))
    plan = await empty_answer(client, "/api/v1/plan?image=registry.example.com/web:1")
    assert list(example("plan")) == list(plan)
    assert list(example("plan")["unmatched"][0]) == list(plan["unmatched"][0])
    assert list(example("problem")) == list(await empty_answer(client, "/api/v1/plan"))
    ready, real = example("readyz"), await empty_answer(client, "/readyz")
    assert list(ready) == list(real)
    assert list(ready["store"]) == list(real["store"])
    assert list(ready["backends"][0]) == list(real["backends"][0])


def test_pushes_and_steps_have_the_keys_of_the_code() -> None:
    """The examples show every key, in the order in which it is sent, and the tables explain each."""
    (push,) = example("pushes")["pushes"]
    assert list(push) == [*shape.PUSH_KEYS, "steps"]
    assert all(list(step) == list(shape.STEP_KEYS) for step in push["steps"])
    assert all(list(step) == list(shape.PLAN_KEYS) for step in example("plan")["steps"])
    explained = [name for row in KEYS.findall(sections()["GET", "/api/v1/pushes"]) for name in re.findall(r"\w+", row)]
    parameters = ["repository", "tag", "state", "ignored", "before", "limit"]
    assert explained == [*parameters, *shape.PUSH_KEYS, *shape.STEP_KEYS]


def test_workloads_have_the_keys_of_the_code() -> None:
    """The example of a workload has the keys of `shape.workload`."""
    ref = WorkloadRef(backend="kubernetes", kind="Deployment", namespace="shop", name="web")
    container = Container(name="web", image=ImageRef.parse("web:1"), index=0)
    made = shape.workload(Workload(ref=ref, rules={}, containers=(container,)))
    (shown,) = example("workloads")["workloads"]
    assert list(shown) == list(made)
    assert isinstance(made["containers"], list)
    assert all(list(each) == list(made["containers"][0]) for each in shown["containers"])


def test_words_and_limits_are_those_of_the_code() -> None:
    """States, outcomes and results in the examples exist; the limits in the tables are the code's."""
    (push,) = example("pushes")["pushes"]
    assert PushState(push["state"])
    assert Outcome(push["outcome"])
    assert {step["result"] for step in push["steps"]} <= {*StepResult, None}
    pushes = sections()["GET", "/api/v1/pushes"]
    assert " ".join(f"`{state}`" for state in PushState) in pushes
    assert f"1 to {PUSHES_MOST}." in pushes
    assert f"1 to {IMAGES_MOST} times" in sections()["GET", "/api/v1/plan"]
