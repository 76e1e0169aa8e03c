"""What was answered 2xx happens: through kills, stops, an absent API server, and people who edit at the same time."""

import asyncio
import json

import pytest

from tests.e2e.conftest import Stage, workload
from tests.e2e.daemon import TOKEN, actions
from tests.servers.images import image, push, upload
from tests.servers.registry import VERSIONS, Endpoint, Registry

pytestmark = pytest.mark.e2e


async def test_a_kill_between_the_answer_and_the_patch_loses_nothing(stage: Stage) -> None:
    """A daemon killed after it answered 202 and before it could patch does so when it is started again."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}))
    stage.plane.apiserver.freeze()
    try:
        digest = await upload(registry, image("new"), "shop/web:1.4.3")
        (accepted,) = await daemon.accepted(1)
        assert accepted["state"] in ("queued", "running")
        await daemon.server.kill()
    finally:
        stage.plane.apiserver.thaw()
    assert await stage.images("deployment/web") == {"web": f"{registry.host}/shop/web:1.4.2"}

    await daemon.server.start()
    assert actions(await daemon.settled("1.4.3")) == {"web/web": "update applied"}
    assert await stage.images("deployment/web") == {"web": f"{registry.host}/shop/web:1.4.3@{digest}"}


async def test_kills_at_random_moments_lose_nothing_and_do_nothing_twice(stage: Stage) -> None:
    """Of many pushes to many repositories, each is rolled out once, however often the daemon is killed meanwhile."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN, backoff_seconds=0.1))
    count = 20
    shops = [f"shop-{number}" for number in range(count)]
    await stage.apply(
        *(workload("Deployment", shop, {"web": f"{registry.host}/{shop}/web:1.0.0"}, replicas=0) for shop in shops)
    )
    pushing = asyncio.create_task(_upload_all(registry, [f"{shop}/web:1.1.0" for shop in shops]))
    for pause in (0.15, 0.4, 0.3):
        await asyncio.sleep(pause)
        await daemon.server.kill()
        await daemon.server.start()
    await pushing
    settled = await daemon.settled("1.1.0", count=count, seconds=60)
    assert settled["outcome"] == "updated"
    for push_ in await daemon.pushes(tag="1.1.0", limit="100"):
        assert push_["outcome"] == "updated", push_
    for shop in shops:
        found = await stage.get(f"deployment/{shop}")
        assert found["metadata"]["generation"] == 2, "moved just once"
        assert "1.1.0@sha256:" in found["spec"]["template"]["spec"]["containers"][0]["image"]


async def _upload_all(registry: Registry, names: list[str]) -> None:
    for name in names:
        await upload(registry, image("new"), name)


async def test_an_api_server_that_is_away_is_waited_for(stage: Stage) -> None:
    """While the API server is down pushes are kept and readiness says so; they are applied when it is back."""
    daemon = await stage.daemon()
    registry = await stage.registry("2.8.2", Endpoint(url=daemon.event_url, token=TOKEN))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}))
    await stage.plane.apiserver.kill()
    try:
        digest = await upload(registry, image("new"), "shop/web:1.4.3")
        (accepted,) = await daemon.accepted(1)
        assert accepted["state"] == "queued"
        assert await daemon.status("/readyz") == 503
        assert await daemon.status("/healthz") == 200
    finally:
        await stage.plane.apiserver.start()
    assert actions(await daemon.settled("1.4.3", seconds=60)) == {"web/web": "update applied"}
    assert await stage.images("deployment/web") == {"web": f"{registry.host}/shop/web:1.4.3@{digest}"}
    assert await daemon.status("/readyz") == 200


async def test_a_daemon_started_before_the_api_server_catches_up(stage: Stage) -> None:
    """A push in the first second of a daemon that cannot read its list yet is kept, and applied when it can."""
    daemon = await stage.daemon(started=False)
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN, backoff_seconds=0.1))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}))
    await stage.plane.apiserver.kill()
    try:
        await daemon.server.start()
        await upload(registry, image("new"), "shop/web:1.4.3")
        await daemon.accepted(1)
    finally:
        await stage.plane.apiserver.start()
    assert actions(await daemon.settled("1.4.3", seconds=60)) == {"web/web": "update applied"}


async def test_a_forgotten_history_is_listed_again(stage: Stage) -> None:
    """When the API server answers 410 Gone to the watch, the list is read again, with what was changed meanwhile."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    await stage.apply(workload("Deployment", "old", {"web": f"{registry.host}/shop/web:1.4.2"}))
    await stage.plane.expire_history()
    await stage.apply(workload("Deployment", "new", {"web": f"{registry.host}/shop/web:1.4.2"}))
    await daemon.ready()
    await upload(registry, image("new"), "shop/web:1.4.3")
    settled = await daemon.settled("1.4.3", seconds=60)
    assert actions(settled) == {"old/web": "update applied", "new/web": "update applied"}


async def test_people_may_edit_the_workload_at_the_same_time(stage: Stage) -> None:
    """Edits that race with rollouts are all kept, and so is every rollout."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.0.0"}, replicas=0))
    edits = 12

    async def edit() -> None:
        for number in range(edits):
            await stage.kubectl("set", "env", "deployment/web", f"EDIT_{number}=yes")

    async def roll() -> str:
        digest = ""
        for number in range(1, 5):
            digest = await upload(registry, image(str(number)), f"shop/web:1.{number}.0")
            await daemon.settled(f"1.{number}.0")
        return digest

    _, digest = await asyncio.gather(edit(), roll())
    (container,) = (await stage.get("deployment/web"))["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{registry.host}/shop/web:1.4.0@{digest}"
    assert {entry["name"] for entry in container["env"]} == {f"EDIT_{number}" for number in range(edits)}


async def test_what_a_person_changed_meanwhile_is_decided_on_anew(stage: Stage) -> None:
    """Containers reordered and an image set by hand while the daemon's watch is held back: nothing goes astray."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    web, side = f"{registry.host}/shop/web", "side.example.com/car:1.0.0"
    await stage.apply(workload("Deployment", "web", {"web": f"{web}:1.0.0", "side": side}, replicas=0))
    await asyncio.sleep(0.5)  # the daemon knows this order
    daemon.server.freeze()
    swapped = [{"op": "replace", "path": "/spec/template/spec/containers", "value": [
        {"name": "side", "image": side}, {"name": "web", "image": f"{web}:1.0.1"},
    ]}]  # fmt: skip
    await stage.kubectl("patch", "deployment/web", "--type=json", "-p", json.dumps(swapped))
    daemon.server.thaw()
    digest = await upload(registry, image("new"), "shop/web:1.1.0")
    assert actions(await daemon.settled("1.1.0")) == {"web/web": "update applied"}
    assert await stage.images("deployment/web") == {"side": side, "web": f"{web}:1.1.0@{digest}"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_wrong_token_is_refused_until_it_is_made_valid(stage: Stage, version: str) -> None:
    """A registry with an unknown token is answered 401 and keeps the event; once the token is valid, it arrives."""
    tokens = stage.directory / "tokens"
    tokens.write_text("another-token\n")
    daemon = await stage.daemon(started=False, tokens=[], tokens_file=str(tokens))
    daemon.token = "another-token"
    await daemon.server.start()
    await daemon.ready()
    registry = await stage.registry(version, Endpoint(url=daemon.event_url, token=TOKEN, backoff_seconds=0.2))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}))
    await push(stage.binaries, registry, image("new"), "shop/web:1.4.3")
    async with asyncio.timeout(10):
        while 'argoos_deliveries_total{status="401"}' not in await daemon.text("/metrics"):
            await asyncio.sleep(0.05)
    assert await daemon.pushes() == []
    assert await stage.images("deployment/web") == {"web": f"{registry.host}/shop/web:1.4.2"}
    tokens.write_text(f"another-token\n{TOKEN}\n")
    assert actions(await daemon.settled("1.4.3")) == {"web/web": "update applied"}


async def test_a_stop_is_orderly(stage: Stage) -> None:
    """SIGTERM in the middle of rollouts ends with status 0 within ten seconds; the next start does what was left."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN, backoff_seconds=0.1))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}))
    stage.plane.apiserver.freeze()
    try:
        await upload(registry, image("new"), "shop/web:1.4.3")
        await daemon.accepted(1)
        assert await daemon.server.terminated(10) == 0
    finally:
        stage.plane.apiserver.thaw()
    await daemon.server.start()
    assert actions(await daemon.settled("1.4.3")) == {"web/web": "update applied"}


async def test_what_may_not_be_patched_is_failed_with_the_missing_right(stage: Stage) -> None:
    """A workload that Argoos may not patch fails with the verb named; others of the same push are moved."""
    rules = [{"apiGroups": ["apps", "batch"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    patch = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"], "resourceNames": ["allowed"]}
    group = "rbac.authorization.k8s.io"
    await stage.apply(
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "argoos"}, "rules": [*rules, patch]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "argoos"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "argoos"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "robin"}],
        },
    )
    as_robin = stage.kubernetes(kubeconfig=str(stage.plane.kubeconfig_for("robin")))
    daemon = await stage.daemon(backends=[as_robin])
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    for name in ("allowed", "refused"):
        await stage.apply(workload("Deployment", name, {"web": f"{registry.host}/shop/web:1.4.2"}))
    await upload(registry, image("new"), "shop/web:1.4.3")
    settled = await daemon.settled("1.4.3")
    assert settled["state"] == "failed"
    assert actions(settled) == {"allowed/web": "update applied", "refused/web": "update failed"}
    (error,) = [step["error"] for step in settled["steps"] if step["error"]]
    assert "patch" in error
    assert "deployments" in error
    assert stage.namespace in error


async def test_one_push_moves_a_cluster_and_a_git_work_tree(stage: Stage) -> None:
    """Two backends in one daemon: the Deployment is patched and the manifest's change is committed and pushed."""
    origin, tree = stage.directory / "origin.git", stage.directory / "tree"
    await _git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    await _git("clone", "--quiet", str(origin), str(tree))
    files = {"kind": "manifests", "path": str(tree), "git": {"push": True, "author": "Argoos <argoos@example.com>"}}
    daemon = await stage.daemon(started=False, backends=[stage.kubernetes(), files])
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    document = workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"})
    (tree / "web.yaml").write_text(json.dumps(document, indent=2) + "\n")
    await _git("-C", str(tree), "add", "--all")
    await _git("-C", str(tree), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=Begin")
    await _git("-C", str(tree), "push", "--quiet", "--set-upstream", "origin", "main")
    await stage.apply(document)
    await daemon.server.start()
    await daemon.ready()
    digest = await push(stage.binaries, registry, image("new"), "shop/web:1.4.3")
    settled = await daemon.settled("1.4.3")
    assert {(step["backend"], step["result"]) for step in settled["steps"]} == {
        ("kubernetes", "applied"),
        ("manifests", "applied"),
    }
    new = f"{registry.host}/shop/web:1.4.3@{digest}"
    assert await stage.images("deployment/web") == {"web": new}
    assert new in await _git("-C", str(origin), "show", "main:web.yaml")
    assert "Argoos <argoos@example.com>" in await _git("-C", str(origin), "log", "-1", "--format=%an <%ae>", "main")


async def _git(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec("git", *arguments, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0, arguments
    return out.decode()
