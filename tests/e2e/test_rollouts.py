"""A push to a real registry moves real workloads: what is moved, what is left alone, and what is told of it."""

import json

import pytest

from tests.e2e.conftest import Stage, workload
from tests.e2e.daemon import TOKEN, actions
from tests.servers.images import chart, image, push, retag, upload
from tests.servers.registry import VERSIONS, Endpoint, Options

pytestmark = pytest.mark.e2e

PULLED = "registry.example.com"
"""The name by which the cluster knows the registry; pushes go to another."""


def known_as(host: str, aliases: list[str]) -> list[dict[str, object]]:
    """Return the settings of a registry with several names."""
    return [{"name": host, "aliases": aliases}]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_push_rolls_out_a_deployment(stage: Stage, version: str) -> None:
    """A push by skopeo to either release rolls a new ReplicaSet of the very digest, told of and kept."""
    daemon = await stage.daemon(started=False)
    registry = await stage.registry(version, Endpoint(url=daemon.event_url, token=TOKEN))
    await push(stage.binaries, registry, image("old"), "shop/web:1.4.2")
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.4.2"}, replicas=2))
    await stage.plane.rolled_out("deployment/web", stage.namespace)
    await daemon.server.start()
    await daemon.ready()

    digest = await push(stage.binaries, registry, image("new"), "shop/web:1.4.3")

    settled = await daemon.settled("1.4.3")
    assert (settled["state"], settled["outcome"], settled["digest"]) == ("done", "updated", digest)
    assert actions(settled) == {"web/web": "update applied"}
    assert await stage.images("deployment/web") == {"web": f"{registry.host}/shop/web:1.4.3@{digest}"}
    await stage.plane.rolled_out("deployment/web", stage.namespace)
    sets = (await stage.get("replicasets"))["items"]
    assert sorted(each["spec"]["replicas"] for each in sets) == [0, 2]
    events = (await stage.get("events"))["items"]
    (told,) = [event for event in events if event["reason"] == "ImageUpdated"]
    assert "1.4.3" in told["message"]
    assert told["involvedObject"]["name"] == "web"
    annotations = (await stage.get("deployment/web"))["metadata"]["annotations"]
    assert json.loads(annotations["argoos.io/last-push"])["push"] == str(settled["id"])


async def test_only_what_matches_is_moved(stage: Stage) -> None:
    """Of two containers the one that runs the repository, the init container with it, and no unlabelled workload."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    web, proxy = f"{registry.host}/shop/web", "proxy.example.com/envoy:1.30.0"
    await stage.apply(
        workload("Deployment", "shop", {"proxy": proxy, "web": f"{web}:1.4.2"}, init={"migrate": f"{web}:1.4.2"}),
        workload("Deployment", "by-hand", {"web": f"{web}:1.4.2"}, rules={}),
        workload(
            "Deployment",
            "kept",
            {"web": f"{web}:1.4.2", "reference": f"{web}:1.4.2"},
            rules={"argoos.io/policy": "minor", "argoos.io/policy.reference": "never"},
        ),
        workload("Deployment", "typo", {"web": f"{web}:1.4.2"}, rules={"argoos.io/policy": "mayor"}),
    )
    digest = await push(stage.binaries, registry, image("new"), "shop/web:1.5.0")
    new = f"{web}:1.5.0@{digest}"

    settled = await daemon.settled("1.5.0")
    assert actions(settled) == {
        "shop/migrate": "update applied",
        "shop/web": "update applied",
        "kept/web": "update applied",
        "kept/reference": "never",
        "typo/web": "invalid-policy",
    }
    assert await stage.images("deployment/shop") == {"migrate": new, "proxy": proxy, "web": new}
    assert await stage.images("deployment/kept") == {"web": new, "reference": f"{web}:1.4.2"}
    assert await stage.images("deployment/by-hand") == {"web": f"{web}:1.4.2"}
    events = (await stage.get("events"))["items"]
    (warned,) = [event for event in events if event["reason"] == "InvalidPolicy"]
    assert warned["type"] == "Warning"
    assert "mayor" in warned["message"]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "CronJob"])
async def test_every_other_kind_is_moved(stage: Stage, kind: str) -> None:
    """StatefulSets, DaemonSets and CronJobs move as Deployments do."""
    daemon = await stage.daemon()
    registry = await stage.registry("2.8.2", Endpoint(url=daemon.event_url, token=TOKEN))
    await stage.apply(workload(kind, "shop", {"web": f"{registry.host}/shop/web:1.4.2"}))
    digest = await push(stage.binaries, registry, image("new"), "shop/web:1.4.3", docker=True)
    assert actions(await daemon.settled("1.4.3")) == {"shop/web": "update applied"}
    assert await stage.images(f"{kind}/shop") == {"web": f"{registry.host}/shop/web:1.4.3@{digest}"}


async def test_a_re_push_of_latest_rolls_out_and_the_same_image_again_does_not(stage: Stage) -> None:
    """Another image under `latest` is rolled out, pinned or by a note in the template; the same one is not."""
    daemon = await stage.daemon()
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    latest = f"{registry.host}/shop/blog:latest"
    by_tag = {"argoos.io/policy": "all", "argoos.io/pin": "tag"}
    await stage.apply(
        workload("Deployment", "pinned", {"web": latest}, rules={"argoos.io/policy": "digest"}),
        workload("Deployment", "tagged", {"web": latest}, rules=by_tag),
    )
    first = await push(stage.binaries, registry, image("first"), "shop/blog:latest")
    await daemon.settled("latest")
    second = await push(stage.binaries, registry, image("second"), "shop/blog:latest")
    assert first != second
    settled = await daemon.settled("latest", count=2)
    assert actions(settled) == {"pinned/web": "update applied", "tagged/web": "update applied"}
    assert await stage.images("deployment/pinned") == {"web": f"{latest}@{second}"}
    assert await stage.images("deployment/tagged") == {"web": latest}
    assert (await stage.get("deployment/tagged"))["metadata"]["generation"] == 3

    await push(stage.binaries, registry, image("second"), "shop/blog:latest")
    again = await daemon.settled("latest", count=3)
    assert again["outcome"] == "skipped"
    assert set(actions(again).values()) == {"already-running"}
    assert (await stage.get("deployment/tagged"))["metadata"]["generation"] == 3


async def test_the_host_pushed_to_need_not_be_the_host_pulled_from(stage: Stage) -> None:
    """The alias table, and the header that names the registry, join a push with workloads that know another host."""
    daemon = await stage.daemon(started=False, registries=known_as(PULLED, ["127.0.0.1:1"]))
    named = await stage.registry(
        "2.8.2", Endpoint(url=daemon.event_url, token=TOKEN, registry_name="Registry.example.com:443")
    )
    aliased = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN))
    settings = daemon.directory / "argoos.yaml"
    settings.write_text(settings.read_text().replace('127.0.0.1:1"', f'{aliased.host}"'))
    await daemon.server.start()
    await daemon.ready()
    await stage.apply(workload("Deployment", "web", {"web": f"{PULLED}/shop/web:1.0.0"}))

    digest = await push(stage.binaries, aliased, image("one"), "shop/web:1.1.0")
    await daemon.settled("1.1.0")
    assert await stage.images("deployment/web") == {"web": f"{PULLED}/shop/web:1.1.0@{digest}"}
    digest = await push(stage.binaries, named, image("two"), "shop/web:1.2.0")
    await daemon.settled("1.2.0")
    assert await stage.images("deployment/web") == {"web": f"{PULLED}/shop/web:1.2.0@{digest}"}


async def test_an_index_moves_what_runs_and_noise_does_not(stage: Stage) -> None:
    """An index is taken under its own digest; its platforms, a chart and a signature are kept with their words."""
    daemon = await stage.daemon()
    registry = await stage.registry(
        "3.1.2", Endpoint(url=daemon.event_url, token=TOKEN), Options(include_references=True)
    )
    everything = {"argoos.io/policy": "all"}
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.0.0"}, rules=everything))
    platforms = ("linux/amd64", "linux/arm64")
    digest = await push(stage.binaries, registry, image("both", platforms), "shop/web:1.1.0")
    await daemon.settled("1.1.0")
    await upload(registry, chart("web", "9.0.0"), "shop/web:9.0.0")
    signature = f"sha256-{digest.removeprefix('sha256:')}.sig"
    await retag(registry, "shop/web:1.1.0", signature)
    await push(stage.binaries, registry, image("last"), "shop/web:1.2.0")
    await daemon.settled("1.2.0")

    ignored = [one for one in await daemon.pushes(ignored="true", limit="500") if one["outcome"] == "ignored"]
    words = {one["tag"]: one["reason"] for one in ignored if one["tag"]}
    assert words["9.0.0"] == "not-an-image"
    assert words[signature] == "signature"
    assert sum(one["reason"] == "no-tag" for one in ignored) == len(platforms)
    assert {push["tag"] for push in await daemon.pushes()} == {"1.1.0", "1.2.0"}


async def test_ten_pushes_make_one_rollout(stage: Stage) -> None:
    """Pushes that wait together are decided together: the best one is rolled out, once."""
    daemon = await stage.daemon(started=False)
    registry = await stage.registry("3.1.2", Endpoint(url=daemon.event_url, token=TOKEN, backoff_seconds=0.2))
    await stage.apply(workload("Deployment", "web", {"web": f"{registry.host}/shop/web:1.0.0"}))
    for number in range(1, 10):
        await upload(registry, image(str(number)), f"shop/web:1.{number}.0")
    # All of them wait in the registry; the daemon takes them while it cannot yet reach the API server.
    stage.plane.apiserver.freeze()
    try:
        await daemon.server.start()
        await daemon.accepted(9)
    finally:
        stage.plane.apiserver.thaw()
    settled = await daemon.settled("1.9.0")
    assert actions(settled) == {"web/web": "update applied"}
    assert actions(await daemon.settled("1.5.0")) == {"web/web": "superseded"}
    assert (await stage.get("deployment/web"))["metadata"]["generation"] == 2
