"""``/api/v1``: what is shown, and how every mistake is answered."""

import json
from dataclasses import replace
from typing import Any

import pytest

from argoos.core.record import Outcome, PushState, StepRecord, StepResult
from argoos.web import shape
from tests.web.conftest import BLOB, NOW, PUSH, Client, Start, World

DIGEST = "sha256:" + "ab" * 32
WEB = "registry.example.com/shop/web"


async def get(client: Client, path: str, status: int = 200, **headers: str) -> Any:
    """Fetch a document that must have this status."""
    answer = await client.get(path, headers=headers)
    text = await answer.text()
    assert answer.status == status, text
    assert answer.content_type == ("application/json" if status == 200 else "application/problem+json")
    return json.loads(text)


async def refusal(client: Client, path: str, status: int) -> str:
    """Fetch something that must be refused, check the form of the refusal and return its detail."""
    problem = await get(client, path, status)
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    return str(problem["detail"])


def deliver(tag: str) -> bytes:
    """Return a delivery of shop/web:tag with an id of its own."""
    return PUSH.replace(b'"1.4.2"', f'"{tag}"'.encode()).replace(b'"id": "0', f'"id": "{tag}-'.encode())


async def test_pushes_are_listed_newest_first_and_paged(client: Client) -> None:
    """`next` leads through all of them and is null at the end."""
    for tag in ("1", "2", "3"):
        assert (await client.post("/event", data=deliver(tag))).status == 202
    first = await get(client, "/api/v1/pushes?limit=2")
    assert [one["tag"] for one in first["pushes"]] == ["3", "2"]
    rest = await get(client, f"/api/v1/pushes?limit=2&before={first['next']}")
    assert ([one["tag"] for one in rest["pushes"]], rest["next"]) == (["1"], None)


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("", ["1.4.3", "1.4.2"]),
        ("tag=1.4.2", ["1.4.2"]),
        ("tag=", ["1.4.3", "1.4.2"]),
        ("state=queued", ["1.4.3", "1.4.2"]),
        ("state=done", []),
        ("state=done&ignored=true", [""]),
        ("ignored=true", ["1.4.3", "", "1.4.2"]),
        ("ignored=false", ["1.4.3", "1.4.2"]),
        ("repository=registry.example.com/shop/web", ["1.4.3", "1.4.2"]),
        ("repository=127.0.0.1:5002/shop/web", ["1.4.3", "1.4.2"]),
        ("repository=shop/web", []),
        ("repository=registry.example.com/shop/web&ignored=true", ["1.4.3", "", "1.4.2"]),
    ],
)
async def test_pushes_are_filtered(client: Client, query: str, tags: list[str]) -> None:
    """Every filter by itself; a repository may be named by any of its registry's names."""
    for body in (deliver("1.4.2"), BLOB, deliver("1.4.3")):
        await client.post("/event", data=body)
    assert [one["tag"] for one in (await get(client, f"/api/v1/pushes?{query}"))["pushes"]] == tags


async def test_a_push_is_shown_with_its_steps(client: Client, world: World) -> None:
    """All of its keys, times in UTC, and each step with what became of it."""
    await client.post("/event", data=PUSH)
    step = StepRecord(
        backend="memory", kind="Deployment", namespace="shop", workload="web", container="c0", policy="minor",
        current="1.4.1", candidate="1.4.2", image=f"{WEB}:1.4.2@{DIGEST}", action="update", reason=None, detail="",
        result=StepResult.APPLIED,
    )  # fmt: skip
    done: dict[str, Any] = {
        "state": PushState.DONE,
        "outcome": Outcome.UPDATED,
        "due_at": None,
        "settled_at": NOW,
        "steps": (step,),
    }
    world.store.records[1] = replace(world.store.records[1], **done)
    shown = await get(client, "/api/v1/pushes/1")
    assert list(shown) == [*shape.PUSH_KEYS, "steps"]
    assert (shown["state"], shown["outcome"], shown["settled_at"]) == ("done", "updated", "2026-11-21T14:00:00Z")
    assert list(shown["steps"][0]) == list(shape.STEP_KEYS)
    assert shown["steps"][0]["result"] == "applied"
    assert (await get(client, "/api/v1/pushes"))["pushes"] == [shown]


@pytest.mark.parametrize("number", ["2", "0", "-1", "x", "9" * 19, "9" * 40, "%00", "1.0", "٣"])
async def test_a_push_that_is_not_there_is_404(client: Client, number: str) -> None:
    """Whatever stands in its place."""
    await client.post("/event", data=PUSH)
    assert "there is no push" in await refusal(client, f"/api/v1/pushes/{number}", 404)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("pushes?state=finished", ["state", "'finished'", "queued, running, done, failed"]),
        ("pushes?limit=0", ["limit", "from 1 to 1000"]),
        ("pushes?limit=1001", ["limit", "from 1 to 1000"]),
        ("pushes?limit=ten", ["limit", "'ten'"]),
        ("pushes?before=-3", ["before", "'-3'"]),
        ("pushes?before=99999999999999999999", ["before"]),
        ("pushes?ignored=yes", ["ignored", "true, false"]),
        ("pushes?repository=Shop/", ["repository", "'Shop/'"]),
        ("pushes?repo=x", ["'repo'", "repository, tag, state"]),
        ("pushes?tag=1&tag=2", ["tag", "2 times"]),
        ("pushes?tag=a%00b", ["tag", "printed"]),
        ("pushes/1?x=1", ["'x'", "none"]),
        ("workloads?namespace=x", ["'namespace'", "repository"]),
        ("plan", ["image", "?image="]),
        ("plan?image=", ["image", "0 times"]),
        ("plan?" + "&".join(["image=a:1"] * 101), ["image", "101 times", "up to 100"]),
        ("plan?image=web:", ["'web:'"]),
        ("plan?image=UPPER:1", ["lower case"]),
        (f"plan?image=web@{DIGEST}", ["no tag", "repository:tag@digest"]),
    ],
)
async def test_a_bad_parameter_is_named_with_what_it_may_be(client: Client, path: str, names: list[str]) -> None:
    """Each mistake is 400 and tells how to mend it."""
    detail = await refusal(client, f"/api/v1/{path}", 400)
    assert all(name in detail for name in names), detail


async def test_workloads_are_listed_with_their_containers(client: Client, world: World) -> None:
    """All of them, or those that run one repository."""
    world.run("web", f"{WEB}:1.4.1@{DIGEST}", "nginx:1.27", policy="patch")
    world.run("db", "postgres:17")
    every = await get(client, "/api/v1/workloads")
    assert [one["workload"] for one in every["workloads"]] == ["web", "db"]
    assert every["unavailable"] == []
    (web,) = (await get(client, "/api/v1/workloads?repository=127.0.0.1:5002/shop/web"))["workloads"]
    assert web == {
        "backend": "memory", "kind": "Deployment", "namespace": "shop", "workload": "web",
        "rules": {"argoos.io/policy": "patch"}, "last_push": "",
        "containers": [
            {"container": "c0", "init": False, "image": f"{WEB}:1.4.1@{DIGEST}", "digest": None},
            {"container": "c1", "init": False, "image": "nginx:1.27", "digest": None},
        ],
    }  # fmt: skip


async def test_a_plan_says_what_would_change_and_what_not(client: Client, world: World) -> None:
    """Exactly the documented keys; the digest is written where it was given."""
    world.run("web", f"{WEB}:1.4.1", policy="minor")
    world.run("old", f"{WEB}:0.9.0", policy="minor")
    plan = await get(client, f"/api/v1/plan?image=127.0.0.1:5002/shop/web:1.4.2@{DIGEST}")
    update, skip = sorted(plan["steps"], key=lambda step: str(step["action"]), reverse=True)
    assert list(update) == list(shape.PLAN_KEYS) == list(skip)
    assert (update["workload"], update["action"], update["reason"]) == ("web", "update", None)
    assert update["image"] == f"{WEB}:1.4.2@{DIGEST}"
    assert (skip["workload"], skip["action"], skip["reason"], skip["image"]) == ("old", "skip", "beyond-policy", None)
    assert (plan["unmatched"], plan["unavailable"]) == ([], [])


async def test_a_plan_without_a_digest_writes_the_bare_tag(client: Client, world: World) -> None:
    """Nobody can pin what nobody told."""
    world.run("web", f"{WEB}:1.4.1")
    (step,) = (await get(client, f"/api/v1/plan?image={WEB}:1.4.2"))["steps"]
    assert step["image"] == f"{WEB}:1.4.2"


async def test_images_of_one_repository_are_candidates_together(client: Client, world: World) -> None:
    """The best one is taken, the others are superseded; another repository is planned by itself."""
    world.run("web", f"{WEB}:1.4.1")
    world.run("app", "shop/app:1.0.0")
    query = f"image={WEB}:1.4.2&image=shop/app:1.1.0&image=127.0.0.1:5002/shop/web:1.5.0"
    steps = (await get(client, f"/api/v1/plan?{query}"))["steps"]
    assert {(step["candidate"], step["reason"]) for step in steps} == {
        ("1.5.0", None), ("1.4.2", "superseded"), ("1.1.0", None),
    }  # fmt: skip


async def test_an_image_that_nobody_runs_names_the_nearest_that_is_run(client: Client, world: World) -> None:
    """A slip of the pen is found at once."""
    world.run("web", f"{WEB}:1.4.1")
    plan = await get(client, "/api/v1/plan?image=registry.example.com/shop/wep:1.4.2")
    assert plan["steps"] == []
    assert plan["unmatched"] == [{"repository": "registry.example.com/shop/wep", "nearest": WEB}]


@pytest.mark.parametrize("path", ["workloads", "plan?image=a:1"])
async def test_nothing_is_not_answered_for_a_backend_that_is_away(client: Client, world: World, path: str) -> None:
    """With no backend to ask, there is no answer but 503."""
    world.backend.synced = False
    assert "switched off by the test" in await refusal(client, f"/api/v1/{path}", 503)


@pytest.mark.parametrize("path", ["pushes", "pushes/1"])
async def test_a_store_that_is_away_is_503(client: Client, world: World, path: str) -> None:
    """With the reason, and when to try again."""
    world.store.failure = "the database is locked"
    answer = await client.get(f"/api/v1/{path}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert (await answer.json(content_type=None))["detail"] == "the database is locked"


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/", "/api/v2/pushes", "/api/v1/pushes/", "/api/v1/x"])
async def test_an_unknown_path_is_a_problem_document(client: Client, path: str) -> None:
    """404 has the form of every other error under /api."""
    assert "GET / lists" in await refusal(client, path, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["pushes", "pushes/1", "workloads", "plan"])
async def test_other_methods_are_405_with_a_problem_document(client: Client, method: str, path: str) -> None:
    """The API is to read; Allow says so."""
    answer = await client.request(method, f"/api/v1/{path}")
    assert (answer.status, answer.content_type) == (405, "application/problem+json")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Argoos-Token": "wrong"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic right"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"X-Argoos-Token": "right"}, 200),
        ({"Authorization": "Bearer right"}, 200),
        ({"authorization": "bearer  right "}, 200),
        ({"X-Argoos-Token": "wrong", "Authorization": "Bearer right"}, 200),
    ],
)
async def test_the_api_wants_a_token_when_some_are_set(
    client: Client, world: World, headers: dict[str, str], status: int
) -> None:
    """As X-Argoos-Token or as a bearer; a delivery's token is not looked at here."""
    world.api_tokens, world.tokens = ["other", "right"], ["wrong"]
    answer = await client.get("/api/v1/pushes", headers=headers)
    assert answer.status == status
    if status == 401:
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("/healthz", "/healtz", "/readyz", "/metrics", "/"):
        assert (await client.get(path)).status == 200


async def test_the_token_comes_before_everything_else(client: Client, world: World) -> None:
    """Without it nobody learns which paths there are."""
    world.api_tokens = ["right"]
    for method, path in (("GET", "/api/v1/x"), ("POST", "/api/v1/pushes"), ("GET", "/api/v1/pushes?state=x")):
        assert (await client.request(method, path)).status == 401


async def test_a_mistake_of_ours_is_500_without_its_traceback(start: Start) -> None:
    """The boundary answers, the log has the rest."""

    class Broken:
        async def pushes(self, _: object) -> object:
            raise ZeroDivisionError("secret")

    client = await start(history=Broken())
    assert "secret" not in await refusal(client, "/api/v1/pushes", 500)
