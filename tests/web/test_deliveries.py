"""``POST /event``: every answer of the contract with a registry, over a real socket."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from argoos.core.push import NoCandidate
from argoos.core.record import Outcome, PushState
from argoos.errors import StoreUnavailable
from tests.web.conftest import BLOB, PUSH, Client, Start, World

V1 = "application/vnd.docker.distribution.events.v1+json"
V2 = "application/vnd.docker.distribution.events.v2+json"


async def in_pieces(body: bytes, size: int = 300) -> AsyncIterator[bytes]:
    """Make aiohttp send a body chunked."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def raw(client: Client, head: str, body: bytes = b"", *, end: bool = False) -> bytes:
    """Send bytes as they are, and return what comes back until the server closes."""
    address = urlsplit(str(client._base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
    if end:
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("path", ["/event", "/event/"])
@pytest.mark.parametrize("content_type", [V1, V2, "application/json", "text/plain", ""])
async def test_a_push_is_kept_answered_and_the_worker_woken(
    client: Client, world: World, path: str, content_type: str
) -> None:
    """Any content type will do, a slash at the end as well, and the answer has no body."""
    answer = await client.post(path, data=PUSH, headers={"Content-Type": content_type}, allow_redirects=False)
    assert (answer.status, await answer.read()) == (202, b"")
    (record,) = world.store.records.values()
    assert (record.repository, record.tag, record.state) == ("registry.example.com/shop/web", "1.4.2", PushState.QUEUED)
    assert world.wakes == 1


async def test_the_same_delivery_again_is_taken_and_changes_nothing(client: Client, world: World) -> None:
    """A registry that was not answered in time sends the same bytes again."""
    for _ in range(3):
        assert (await client.post("/event", data=PUSH)).status == 202
    assert len(world.store.records) == 1


async def test_noise_is_kept_and_counted_and_wakes_nobody(client: Client, world: World) -> None:
    """A layer is answered like a push and kept with its word, under the registry's own name."""
    assert (await client.post("/event", data=BLOB)).status == 202
    (record,) = world.store.records.values()
    assert (record.outcome, record.reason) == (Outcome.IGNORED, NoCandidate.NOT_AN_IMAGE)
    assert record.repository == "registry.example.com/shop/web"
    assert world.wakes == 0
    assert 'argoos_pushes_total{outcome="ignored",reason="not-an-image"} 1.0' in await metrics(client)


async def test_an_empty_envelope_needs_no_store(client: Client, world: World) -> None:
    """Nothing to keep is nothing to write."""
    world.store.failure = "the disk is full"
    assert (await client.post("/event", data=b'{"events": []}')).status == 202


async def test_the_header_names_the_registry(client: Client, world: World) -> None:
    """X-Argoos-Registry-Name is stronger than what the event says."""
    await client.post("/event", data=PUSH, headers={"X-Argoos-Registry-Name": "other.example.com"})
    assert world.store.records[1].repository == "other.example.com/shop/web"


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (["first"], 202),
        (["second"], 202),
        (["wrong", "second"], 202),
        (["wrong"], 401),
        (["firs"], 401),
        (["first "], 202),
        (["first, second"], 401),
        ([""], 401),
        (["fürst"], 401),
        ([], 401),
    ],
)
async def test_one_of_the_valid_tokens_is_needed(client: Client, world: World, shown: list[str], status: int) -> None:
    """Each of several tokens opens, and nothing else does; the refusal is the original's two words."""
    world.tokens = ["first", "second"]
    answer = await client.post("/event", data=PUSH, headers=[("X-Argoos-Token", token) for token in shown])
    assert answer.status == status
    assert await answer.read() == (b"" if status == 202 else b"Bad Token")
    assert len(world.store.records) == (status == 202)


async def test_a_bearer_is_no_token_of_a_delivery(client: Client, world: World) -> None:
    """Registries send X-Argoos-Token; nothing else opens."""
    world.tokens = ["first"]
    assert (await client.post("/event", data=PUSH, headers={"Authorization": "Bearer first"})).status == 401


async def test_a_token_of_bytes_that_are_no_text_is_refused(client: Client, world: World) -> None:
    """Header bytes beyond UTF-8 are compared like any others."""
    world.tokens = ["first"]
    head = f"POST /event HTTP/1.1\nHost: a\nConnection: close\nContent-Length: {len(PUSH)}\nX-Argoos-Token: \udcff\n"
    address = urlsplit(str(client._base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n" + PUSH)
    assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    await writer.wait_closed()


async def test_tokens_may_change_while_serving(client: Client, world: World) -> None:
    """A rotation counts from the next request on."""
    world.tokens = ["old"]
    assert (await client.post("/event", data=PUSH, headers={"X-Argoos-Token": "new"})).status == 401
    world.tokens = ["new"]
    assert (await client.post("/event", data=PUSH, headers={"X-Argoos-Token": "new"})).status == 202
    assert (await client.post("/event", data=PUSH, headers={"X-Argoos-Token": "old"})).status == 401


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b'{"events": 3}', b"\xff\xfe", b"[" * 3000])
async def test_what_is_no_notification_is_400_and_says_what_was_expected(client: Client, body: bytes) -> None:
    """The answer is a problem document with an example."""
    answer = await client.post("/event", data=body)
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    problem = json.loads(await answer.read())
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert '{"events": [...]}' in problem["detail"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_cap_is_413_and_the_cap_itself_is_fine(start: Start, world: World, chunked: bool) -> None:
    """The cap counts what arrives, announced or not."""
    client = await start(max_body_bytes=2000)
    for size, status in ((2000, 202), (2001, 413), (500_000, 413)):
        body = PUSH + b" " * (size - len(PUSH))
        answer = await client.post("/event", data=in_pieces(body) if chunked else body)
        assert answer.status == status
    assert len(world.store.records) == 1


async def test_a_length_that_announces_too_much_is_refused_at_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body itself is not waited for."""
    monkeypatch.setattr("argoos.web.server.LINGER_SECONDS", 0.05)
    client = await start(max_body_bytes=2000)
    answer = await raw(client, "POST /event HTTP/1.1\nHost: a\nContent-Length: 99999999\n", b"{}")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_breaks_off_keeps_nothing(client: Client, world: World) -> None:
    """A connection that ends before the announced length is no delivery, and no error of ours."""
    head = "POST /event HTTP/1.1\nHost: a\nContent-Length: 5000\n"
    assert b"500" not in await raw(client, head, PUSH, end=True)
    assert not world.store.records
    assert (await client.post("/event", data=PUSH)).status == 202


async def test_a_body_that_never_ends_is_408(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that hangs does not hold its connection for ever."""
    monkeypatch.setattr("argoos.web.body.BODY_SECONDS", 0.05)
    monkeypatch.setattr("argoos.web.server.LINGER_SECONDS", 0.05)
    answer = await raw(client, f"POST /event HTTP/1.1\nHost: a\nContent-Length: {len(PUSH) + 1}\n", PUSH)
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(PUSH), 202),
        ("GZIP", gzip.compress(PUSH), 202),
        ("deflate", zlib.compress(PUSH), 202),
        ("identity", PUSH, 202),
        ("gzip", PUSH, 400),
        ("gzip", gzip.compress(PUSH)[:-9], 400),
        ("gzip", gzip.compress(PUSH) + b"x", 400),
        ("gzip", b"", 400),
        ("gzip", gzip.compress(PUSH + b" " * 2_000_000), 413),
        ("br", b"x", 415),
        ("gzip, gzip", gzip.compress(gzip.compress(PUSH)), 415),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_packed_bodies_are_unpacked_up_to_the_cap(
    client: Client, encoding: str, body: bytes, status: int, chunked: bool
) -> None:
    """A proxy may pack what it forwards; a bomb is refused, not unpacked."""
    headers = {"Content-Encoding": encoding}
    answer = await client.post(
        "/event", data=in_pieces(body) if chunked and body else body, headers=headers, compress=False
    )
    assert answer.status == status, await answer.text()


async def test_a_store_that_cannot_commit_is_503_and_says_when_to_come_again(client: Client, world: World) -> None:
    """The sender keeps the delivery and sends it again; then it is taken."""
    world.store.failure = "the disk is full"
    answer = await client.post("/event", data=PUSH)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "the disk is full" in await answer.text()
    assert world.wakes == 0
    world.store.failure = ""
    assert (await client.post("/event", data=PUSH)).status == 202


async def test_the_stores_own_wish_decides_when_to_come_again(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delay that the store names is passed on, in whole seconds."""

    async def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("away", delay_seconds=2.2)

    monkeypatch.setattr(world.store, "add", refuse)
    answer = await client.post("/event", data=PUSH)
    assert (answer.status, answer.headers.get("Retry-After")) == (503, "3")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/event", "/event/"])
async def test_other_methods_are_405(client: Client, method: str, path: str) -> None:
    """And say which one is right."""
    answer = await client.request(method, path, allow_redirects=False)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_every_answer_is_counted_by_its_status(client: Client, world: World) -> None:
    """Deliveries appear in the metrics with the status that their sender saw."""
    await client.post("/event", data=PUSH)
    await client.post("/event", data=b"x")
    world.tokens = ["t"]
    await client.post("/event", data=PUSH)
    shown = await metrics(client)
    for status in (202, 400, 401):
        assert f'argoos_deliveries_total{{status="{status}"}} 1.0' in shown


async def metrics(client: Client) -> str:
    """Return what /metrics shows."""
    return await (await client.get("/metrics")).text()
