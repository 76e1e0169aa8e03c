import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.servers.binaries import Binaries
from tests.servers.images import INDEX, MANIFEST, chart, digest_of, image, push, retag, upload
from tests.servers.process import ServerError, free_port
from tests.servers.registry import VERSIONS, Endpoint, Options, Registry

pytestmark = pytest.mark.e2e

TOKEN = "example-token"


@dataclass(kw_only=True)
class Receiver:
    """Writes down every notification, with its headers, and the address to send them to."""

    url: str
    posts: asyncio.Queue[tuple[dict[str, str], dict[str, object]]] = field(default_factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one notification, as Argoos would."""
        event = json.loads(await request.read())["events"][0]
        await self.posts.put((dict(request.headers), event))
        return web.Response(status=202)

    async def tagged_push(self) -> tuple[dict[str, str], dict[str, object], str]:
        """Wait for the next push of a tag; return its headers, its target and who pushed."""
        async with asyncio.timeout(10):
            while True:
                headers, event = await self.posts.get()
                target = event["target"]
                assert isinstance(target, dict)
                if event["action"] == "push" and target.get("tag"):
                    actor = event["actor"]
                    assert isinstance(actor, dict)
                    return headers, target, actor.get("name", "")


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Run a receiver of notifications."""
    port = free_port()
    found = Receiver(url=f"http://127.0.0.1:{port}/event")
    app = web.Application()
    app.router.add_post("/event", found.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield found
    await runner.cleanup()


@pytest_asyncio.fixture(params=VERSIONS)
async def registry(
    request: pytest.FixtureRequest, binaries: Binaries, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[Registry]:
    """Run a registry of each release that notifies the receiver."""
    endpoint = Endpoint(url=receiver.url, token=TOKEN, registry_name="registry.example.com")
    async with Registry(request.param, binaries, tmp_path, endpoint) as found:
        yield found


async def test_a_push_is_announced(registry: Registry, receiver: Receiver, binaries: Binaries) -> None:
    """The notification carries both headers, and names the digest that the registry answers for the tag."""
    made = image("shop 1.4.2")
    digest = await push(binaries, registry, made, "shop/web:1.4.2")
    headers, target, actor = await receiver.tagged_push()
    assert (headers["X-Argoos-Token"], headers["X-Argoos-Registry-Name"]) == (TOKEN, "registry.example.com")
    assert (target["repository"], target["tag"], target["digest"]) == ("shop/web", "1.4.2", digest)
    assert target["mediaType"] == MANIFEST
    assert digest == made.digest
    assert actor == ""


async def test_the_content_type_tells_the_releases_apart(registry: Registry, receiver: Receiver) -> None:
    """2.8.2 sends version 1 of the notification, 3.1.2 version 2."""
    await upload(registry, image("any"), "shop/web:1.4.2")
    headers, _, _ = await receiver.tagged_push()
    version = "v1" if registry.version == "2.8.2" else "v2"
    assert headers["Content-Type"] == f"application/vnd.docker.distribution.events.{version}+json"


async def test_skopeo_and_an_upload_make_the_same_index(
    registry: Registry, receiver: Receiver, binaries: Binaries
) -> None:
    """An image for two platforms is announced once with its tag, as an index, whoever pushed it."""
    made = image("shop 2.0.0", ("linux/amd64", "linux/arm64"))
    assert await push(binaries, registry, made, "shop/api:2.0.0") == await upload(registry, made, "shop/api:2.0.1")
    for tag in ("2.0.0", "2.0.1"):
        _, target, _ = await receiver.tagged_push()
        assert (target["tag"], target["mediaType"], target["digest"]) == (tag, INDEX, made.digest)


async def test_a_docker_manifest_has_its_own_digest(registry: Registry, binaries: Binaries) -> None:
    """What `docker push` would send differs from the OCI image of the same layers."""
    made = image("shop 1.4.2")
    assert await push(binaries, registry, made, "shop/web:1.4.2", docker=True) != made.digest


async def test_a_retag_is_a_push_of_the_same_digest(registry: Registry, receiver: Receiver) -> None:
    """Another tag for the same manifest is announced with the digest of the first."""
    made = image("shop 1.4.2")
    await upload(registry, made, "shop/web:1.4.2")
    await receiver.tagged_push()
    assert await retag(registry, "shop/web:1.4.2", "stable") == made.digest
    _, target, _ = await receiver.tagged_push()
    assert (target["tag"], target["digest"]) == ("stable", made.digest)


async def test_a_chart_is_announced_like_an_image(registry: Registry, receiver: Receiver) -> None:
    """Nothing in the notification tells a Helm chart from an image."""
    await upload(registry, chart("shop", "0.1.0"), "charts/shop:0.1.0")
    _, target, _ = await receiver.tagged_push()
    assert (target["tag"], target["mediaType"]) == ("0.1.0", MANIFEST)
    assert "references" not in target


async def test_images_outlive_a_kill(registry: Registry) -> None:
    """After a kill and a start the tag is there, at the same address."""
    made = image("shop 1.4.2")
    await upload(registry, made, "shop/web:1.4.2")
    await registry.server.kill()
    await registry.server.start()
    assert await digest_of(registry, "shop/web:1.4.2") == made.digest


@pytest.mark.parametrize("version", VERSIONS)
async def test_tls_and_a_password(version: str, binaries: Binaries, tmp_path: Path, receiver: Receiver) -> None:
    """A guarded registry takes pushes from who trusts it and knows the password, and names the pusher."""
    options = Options(tls=True, password=True, include_references=True)
    async with Registry(version, binaries, tmp_path, Endpoint(url=receiver.url), options) as registry:
        made = image("shop 1.4.2")
        assert await push(binaries, registry, made, "shop/web:1.4.2") == made.digest
        headers, target, actor = await receiver.tagged_push()
        assert "X-Argoos-Token" not in headers
        assert actor == "pusher"
        assert isinstance(target["references"], list)
        async with aiohttp.ClientSession() as stranger, stranger.get(f"{registry.url}/v2/", ssl=False) as response:
            assert response.status == 401
        with pytest.raises(ServerError, match="404"):
            await digest_of(registry, "shop/web:9.9.9")


def test_the_same_content_makes_the_same_image() -> None:
    """Digests depend on content and platforms alone, so a test may compare them across runs."""
    assert image("one").digest == image("one").digest
    assert image("one").digest != image("two").digest
    assert image("one", ("linux/arm64",)).digest != image("one").digest
