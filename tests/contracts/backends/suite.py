"""What every `Backend` promises, asked of each adapter through its `Harness`.

An adapter's tests inherit from `BackendContract` and provide the fixture `world`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from argoos.core.image import ImageRef, RegistryNames, Repository
from argoos.core.push import Push
from argoos.core.step import Update
from argoos.core.workload import Workload, WorkloadRef
from argoos.errors import Conflict
from argoos.ports import Applied, Backend, BackendStatus, Change, Notice, NoticeKind
from tests.contracts.backends.harness import Harness, Spec

WEB = "registry.example.com/team/web"
LOG = "registry.example.com/team/log"
OLD_DIGEST = "sha256:" + "0" * 64
NEW_DIGEST = "sha256:" + "1" * 64
NAMES = RegistryNames({"registry.example.com": ["localhost:5000"]})
AT = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
PATIENCE_SECONDS = 10


def change(workload: Workload, images: Mapping[str, str], *, push_id: str = "7", digest: str = NEW_DIGEST) -> Change:
    """Return a change that gives the named containers these images; an image without digest is one to record."""
    updates = []
    for container in workload.containers:
        if container.name in images:
            image = ImageRef.parse(images[container.name])
            push = Push(
                key=push_id,
                repository=image.repository,
                tag=image.tag or "",
                digest=image.digest or digest,
                pushed_at=AT,
                actor="robin",
            )
            update = Update(
                push=push,
                workload=workload,
                container=container,
                policy="all",
                image=image,
                record_digest=image.digest is None,
            )
            updates.append(update)
    assert len(updates) == len(images), "the suite named a container that the workload does not have"
    return Change(workload=workload, updates=tuple(updates), push_id=push_id, at=AT)


async def one(backend: Backend, repository: str = WEB) -> Workload:
    """Return the only workload that runs the repository."""
    (workload,) = await backend.find(Repository.parse(repository))
    return workload


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the backend has seen what was changed behind its back."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # a backend tells nobody what it has seen
            await asyncio.sleep(0.02)


def images_of(workload: Workload) -> dict[str, str]:
    """Return what runs in the workload, as the backend sees it."""
    return {container.name: str(container.image) for container in workload.containers}


class BackendContract:
    """The tests. `world` is an opened `Harness` with nothing in it."""

    async def test_finds_what_runs_a_repository(self, world: Harness) -> None:
        """A workload is found by the repository of any of its containers, and says what each of them runs."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0", "log": f"{LOG}:2.0@{OLD_DIGEST}"}))
        async with world.started(NAMES) as backend:
            workload = await one(backend)
            assert workload == await one(backend, LOG)
            assert images_of(workload) == {"web": f"{WEB}:1.0", "log": f"{LOG}:2.0@{OLD_DIGEST}"}
            assert [container.digest for container in workload.containers] == [None, OLD_DIGEST]
            assert (workload.ref.backend, workload.ref.kind, workload.ref.name) == ("test", "Deployment", "shop")
            assert workload.rules == {"argoos.io/policy": "all"}
            assert await backend.find(Repository.parse("registry.example.com/team/other")) == []

    async def test_finds_under_any_name_of_the_registry(self, world: Harness) -> None:
        """A host known by several names is one host, in the workload and in the question."""
        await world.put(Spec(name="shop", containers={"web": "localhost:5000/team/web:1.0"}))
        await world.put(Spec(name="hub", containers={"web": "nginx:1.27"}))
        async with world.started(NAMES) as backend:
            assert (await one(backend)).ref.name == "shop"
            assert (await one(backend, "localhost:5000/team/web")).ref.name == "shop"
            assert (await one(backend, "docker.io/library/nginx")).ref.name == "hub"
            assert images_of(await one(backend)) == {"web": "localhost:5000/team/web:1.0"}

    async def test_finds_all(self, world: Harness) -> None:
        """Without a repository, every labelled workload is returned, once."""
        await world.put(Spec(name="b", containers={"web": f"{WEB}:1.0", "two": f"{WEB}:1.1"}))
        await world.put(Spec(name="a", containers={"log": f"{LOG}:1.0"}))
        async with world.started(NAMES) as backend:
            assert [workload.ref.name for workload in await backend.find()] == ["a", "b"]

    async def test_reads_all_rules(self, world: Harness) -> None:
        """Every `argoos.io/` label and annotation is a rule, whatever its value."""
        rules = {
            "argoos.io/policy": "minor",
            "argoos.io/policy.log": "never",
            "argoos.io/tags": r"regexp:^main-(?P<order>\d+)$",
            "argoos.io/pin": "tag",
        }
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}, rules=rules))
        async with world.started(NAMES) as backend:
            assert (await one(backend)).rules == rules

    async def test_unlabelled_is_invisible(self, world: Harness) -> None:
        """Without the policy label a workload is not there, whatever else is on it."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}, rules={}))
        await world.put(Spec(name="odd", containers={"web": f"{WEB}:1.0"}, rules={"argoos.io/pin": "tag"}))
        async with world.started(NAMES) as backend:
            assert await backend.find() == []

    async def test_label_comes_and_goes(self, world: Harness) -> None:
        """A label that a person sets or takes away counts within moments."""
        unlabelled = Spec(name="shop", containers={"web": f"{WEB}:1.0"}, rules={})
        await world.put(unlabelled)
        async with world.started(NAMES) as backend:
            await world.put(replace(unlabelled, rules={"argoos.io/policy": "patch"}))
            await eventually(lambda: self._names(backend, ["shop"]))
            ref = (await one(backend)).ref
            await world.put(unlabelled)
            await eventually(lambda: self._names(backend, []))
            assert await backend.reread(ref) is None

    async def test_sees_an_edit_and_a_deletion(self, world: Harness) -> None:
        """What a person writes or deletes is seen without asking."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            await world.put(Spec(name="shop", containers={"log": f"{LOG}:1.0"}))
            await eventually(lambda: self._names(backend, [], WEB))
            await eventually(lambda: self._names(backend, ["shop"], LOG))
            await world.remove("shop")
            await eventually(lambda: self._names(backend, []))

    async def test_an_image_that_is_none_is_left_out(self, world: Harness) -> None:
        """A placeholder in one container hides neither the workload nor the other containers, nor shifts them."""
        await world.put(Spec(name="shop", containers={"todo": "<to be filled in>", "web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            workload = await one(backend)
            assert images_of(workload) == {"web": f"{WEB}:1.0"}
            assert await backend.apply([change(workload, {"web": f"{WEB}:1.1@{NEW_DIGEST}"})]) == [Applied()]
            assert await world.images("shop") == {"todo": "<to be filled in>", "web": f"{WEB}:1.1@{NEW_DIGEST}"}

    async def test_changes_the_named_container_alone(self, world: Harness) -> None:
        """Of two containers, the one that the change names gets its image, and nothing else becomes different."""
        await world.put(Spec(name="shop", containers={"log": f"{LOG}:2.0", "web": f"{WEB}:1.0"}))
        rest = await world.rest("shop")
        async with world.started(NAMES) as backend:
            outcome = await backend.apply([change(await one(backend), {"web": f"{WEB}:1.1@{NEW_DIGEST}"})])
            assert outcome == [Applied()]
            assert await world.images("shop") == {"log": f"{LOG}:2.0", "web": f"{WEB}:1.1@{NEW_DIGEST}"}
            assert await world.rest("shop") == rest
            assert await world.writes() == 1

    async def test_the_new_state_is_known_at_once(self, world: Harness) -> None:
        """What was applied is found by the next question, without waiting for the orchestrator to tell."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            await backend.apply([change(await one(backend), {"web": f"{WEB}:1.1@{NEW_DIGEST}"})])
            workload = await one(backend)
            assert images_of(workload) == {"web": f"{WEB}:1.1@{NEW_DIGEST}"}
            assert workload.containers[0].digest == NEW_DIGEST
            assert await backend.reread(workload.ref) == workload

    async def test_changes_several_containers_in_one_write(self, world: Harness) -> None:
        """Init containers are containers; all that a change says is written together."""
        await world.put(
            Spec(name="shop", init={"migrate": f"{WEB}:1.0"}, containers={"log": f"{LOG}:2.0", "web": f"{WEB}:1.0"})
        )
        async with world.started(NAMES) as backend:
            image = f"{WEB}:1.1@{NEW_DIGEST}"
            assert await backend.apply([change(await one(backend), {"migrate": image, "web": image})]) == [Applied()]
            assert await world.images("shop") == {"migrate": image, "log": f"{LOG}:2.0", "web": image}
            assert await world.writes() == 1

    async def test_conflict_when_the_image_was_changed(self, world: Harness) -> None:
        """When a container is no longer what the decision was made on, nothing at all is written."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0", "log": f"{LOG}:2.0"}))
        async with world.started(NAMES) as backend:
            stale = await one(backend)
            edited = {"web": f"{WEB}:1.0", "log": f"{LOG}:2.1"}
            await world.put(Spec(name="shop", containers=edited))
            images = {"web": f"{WEB}:1.1@{NEW_DIGEST}", "log": f"{LOG}:2.2@{NEW_DIGEST}"}
            (outcome,) = await backend.apply([change(stale, images)])
            assert isinstance(outcome, Conflict), outcome
            assert await world.images("shop") == edited
            assert await world.writes() == 0
            current = await backend.reread(stale.ref)
            assert current is not None
            assert images_of(current) == edited
            assert await backend.apply([change(current, images)]) == [Applied()]

    async def test_conflict_when_containers_changed_places(self, world: Harness) -> None:
        """An image never lands in another container, even when their order was changed."""
        await world.put(Spec(name="shop", containers={"a": f"{WEB}:1.0", "b": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            stale = await one(backend)
            await world.put(Spec(name="shop", containers={"b": f"{WEB}:1.0", "a": f"{WEB}:1.0"}))
            (outcome,) = await backend.apply([change(stale, {"a": f"{WEB}:1.1@{NEW_DIGEST}"})])
            if outcome != Applied():  # an adapter may find the container by its name
                assert isinstance(outcome, Conflict), outcome
                assert await world.images("shop") == {"b": f"{WEB}:1.0", "a": f"{WEB}:1.0"}
            else:
                assert await world.images("shop") == {"b": f"{WEB}:1.0", "a": f"{WEB}:1.1@{NEW_DIGEST}"}

    async def test_applying_twice_is_one_write(self, world: Harness) -> None:
        """A change that is there already is applied, without another write."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            same = change(await one(backend), {"web": f"{WEB}:1.1@{NEW_DIGEST}"})
            assert await backend.apply([same]) == [Applied()]
            assert await backend.apply([same]) == [Applied()]
            assert await world.writes() == 1

    async def test_a_workload_that_is_gone(self, world: Harness) -> None:
        """A workload that was deleted is a conflict; read again, it is None."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            workload = await one(backend)
            await world.remove("shop")
            (outcome,) = await backend.apply([change(workload, {"web": f"{WEB}:1.1@{NEW_DIGEST}"})])
            assert isinstance(outcome, Conflict), outcome
            assert await backend.reread(workload.ref) is None

    async def test_records_the_digest_of_a_bare_tag(self, world: Harness) -> None:
        """With `pin: tag` the image stays a bare tag, the digest is recorded, and a re-push is one more write."""
        rules = {"argoos.io/policy": "all", "argoos.io/pin": "tag"}
        spec = Spec(name="shop", containers={"web": f"{WEB}:latest", "log": f"{LOG}:latest"}, rules=rules)
        await world.put(spec)
        rest = await world.rest("shop")
        async with world.started(NAMES) as backend:
            for number, digest in enumerate((OLD_DIGEST, NEW_DIGEST), start=1):
                same = change(await one(backend), {"web": f"{WEB}:latest"}, digest=digest)
                assert await backend.apply([same]) == [Applied()]
                assert await world.images("shop") == spec.containers
                if not world.keeps_digests:
                    return
                web, log = (await one(backend)).containers
                assert (web.digest, log.digest) == (digest, None)
                assert await backend.apply([replace(same, at=datetime.now(UTC))]) == [Applied()]
                assert await world.writes() == number
            await backend.apply([change(await one(backend), {"log": f"{LOG}:latest"}, digest=OLD_DIGEST)])
            web, log = (await one(backend)).containers
            assert (web.digest, log.digest) == (NEW_DIGEST, OLD_DIGEST)
            assert await world.rest("shop") == rest

    async def test_the_last_push_is_read_back(self, world: Harness) -> None:
        """The push that moved a workload last is known from the workload itself, where the adapter can keep it."""
        await world.put(Spec(name="shop", containers={"web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            workload = await one(backend)
            assert workload.last_push == ""
            await backend.apply([change(workload, {"web": f"{WEB}:1.1@{NEW_DIGEST}"}, push_id="42")])
            expected = "42" if world.keeps_last_push else ""
            assert (await one(backend)).last_push in {"42", expected}  # one that cannot keep it may remember it a while
        async with world.started(NAMES) as backend:
            assert (await one(backend)).last_push == expected

    async def test_each_change_has_its_own_outcome(self, world: Harness) -> None:
        """Of many changes, those that can be written are, and each outcome stands at the place of its change."""
        for number in range(20):
            await world.put(Spec(name=f"shop-{number:02}", containers={"web": f"{WEB}:1.0"}))
        async with world.started(NAMES) as backend:
            workloads = await backend.find(Repository.parse(WEB))
            await world.put(Spec(name="shop-03", containers={"web": f"{WEB}:0.9"}))
            await world.remove("shop-11")
            image = f"{WEB}:1.1@{NEW_DIGEST}"
            outcomes = await backend.apply([change(workload, {"web": image}) for workload in workloads])
            bad = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Conflict)]
            assert bad == [3, 11]
            assert [outcome for outcome in outcomes if not isinstance(outcome, Conflict)] == [Applied()] * 18
            assert await world.images("shop-19") == {"web": image}

    async def test_report_never_raises(self, world: Harness) -> None:
        """A notice is taken for any workload, one that is gone included."""
        async with world.started(NAMES) as backend:
            ref = WorkloadRef(backend="test", kind="Deployment", namespace="gone", name="gone", uid="0")
            for kind in NoticeKind:
                await backend.report(Notice(workload=ref, kind=kind, text="a sentence"))

    async def test_status_says_synced(self, world: Harness) -> None:
        """Once the list is complete the status says so, with nothing to add."""
        async with world.started(NAMES) as backend:
            assert backend.status() == BackendStatus(synced=True)

    async def _names(self, backend: Backend, names: list[str], repository: str | None = None) -> bool:
        wanted = Repository.parse(repository) if repository else None
        return [workload.ref.name for workload in await backend.find(wanted)] == names
