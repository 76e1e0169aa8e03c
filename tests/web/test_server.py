"""How the site is served: addresses, a stop in good order, and HTTPS whose certificate follows its files."""

import asyncio
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives import serialization

from argoos.errors import PermanentError, SettingsError
from argoos.web.server import Listening, serve
from argoos.web.tls import Certificate


def slow_site(begun: asyncio.Event, go_on: asyncio.Event) -> web.Application:
    """Return a site whose only page waits."""

    async def page(_: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="done")

    application = web.Application()
    application.router.add_get("/", page)
    return application


def quick_site() -> web.Application:
    """Return a site that answers at once."""
    go_on = asyncio.Event()
    go_on.set()
    return slow_site(asyncio.Event(), go_on)


async def fetch(url: str, trust: ssl.SSLContext | bool = True) -> str:
    """Fetch a page over a connection of its own."""
    async with aiohttp.ClientSession() as session, session.get(url, ssl=trust) as answer:
        return await answer.text()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_a_site_is_served_on_one_address(host: str) -> None:
    """Names and both families; the URL says where."""
    async with serve(quick_site(), Listening(host=host, port=0)) as url:
        assert url.startswith("http://[::1]:" if host == "::1" else "http://")
        assert await fetch(url) == "done"


async def test_no_host_means_both_families() -> None:
    """One port for IPv4 and IPv6."""
    async with serve(quick_site(), Listening(host="", port=0)) as url:
        port = url.rpartition(":")[2]
        assert await fetch(f"http://127.0.0.1:{port}") == "done"
        assert await fetch(f"http://[::1]:{port}") == "done"


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
async def test_a_port_that_is_taken_is_said_so(host: str) -> None:
    """The message names the address and what to do."""
    with socket.create_server((host, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PermanentError, match=rf"cannot listen on {host}:{port}: another process listens there"):
            async with serve(quick_site(), Listening(host=host, port=port)):
                pass


@pytest.mark.parametrize(
    ("host", "said"), [("192.0.2.7", "this machine has no such address"), ("no.such.host.invalid", "unknown")]
)
async def test_an_address_that_cannot_be_is_said_so(host: str, said: str) -> None:
    """An address of another machine, and a name that means nothing."""
    with pytest.raises(PermanentError, match=said):
        async with serve(quick_site(), Listening(host=host, port=0)):
            pass


async def test_a_stop_accepts_nothing_new_and_finishes_what_is_open() -> None:
    """The open request gets its answer while new connections are refused already."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    serving = serve(slow_site(begun, go_on), Listening(host="127.0.0.1", port=0, grace_seconds=10))
    url = await serving.__aenter__()
    open_request = asyncio.create_task(fetch(url))
    await begun.wait()
    stopping = asyncio.create_task(serving.__aexit__(None, None, None))
    await asyncio.sleep(0.05)
    with pytest.raises(aiohttp.ClientConnectionError):
        await fetch(url)
    go_on.set()
    assert await open_request == "done"
    await stopping


async def test_a_stop_does_not_wait_for_ever() -> None:
    """A request that outlasts the grace is broken off."""
    begun, loop = asyncio.Event(), asyncio.get_running_loop()
    async with serve(slow_site(begun, asyncio.Event()), Listening(host="127.0.0.1", port=0, grace_seconds=0.1)) as url:
        hanging = asyncio.create_task(fetch(url))
        await begun.wait()
        stop_begun_at = loop.time()
    assert loop.time() - stop_begun_at < 2
    with pytest.raises(aiohttp.ClientConnectionError):
        await hanging


class Pair:
    """A certificate and its key in two files, and who trusts it."""

    def __init__(self, folder: Path) -> None:
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.renew()

    def renew(self) -> None:
        """Write a new pair, of a new authority."""
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        replaced(self.cert, issued.cert_chain_pems[0].bytes())
        replaced(self.key, issued.private_key_pem.bytes())
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)


def replaced(path: Path, content: bytes) -> None:
    """Write a file as those do who renew certificates: a new one takes its place."""
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").replace(path)


async def test_https_follows_its_files(tmp_path: Path) -> None:
    """After a renewal new connections get the new certificate; who trusts the old one alone is turned away."""
    pair = Pair(tmp_path)
    certificate = Certificate(pair.cert, pair.key)
    async with serve(quick_site(), Listening(host="127.0.0.1", port=0, tls=certificate.context)) as url:
        before = pair.trust
        assert await fetch(url, before) == "done"
        assert not certificate.refresh()
        pair.renew()
        assert await fetch(url, before) == "done"
        assert certificate.refresh()
        assert await fetch(url, pair.trust) == "done"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await fetch(url, before)


@pytest.mark.parametrize("broken", ["key of another", "no PEM", "gone", "locked key"])
async def test_a_broken_new_pair_leaves_the_old_one(tmp_path: Path, broken: str) -> None:
    """Whatever is wrong with the new files, the old certificate serves on; once they are whole, the new one does."""
    pair = Pair(tmp_path)
    certificate = Certificate(pair.cert, pair.key)
    before, key = pair.trust, pair.key.read_bytes()
    async with serve(quick_site(), Listening(host="127.0.0.1", port=0, tls=certificate.context)) as url:
        pair.renew()
        whole = pair.key.read_bytes()
        spoil(pair.key, broken, key)
        assert not certificate.refresh()
        assert await fetch(url, before) == "done"
        replaced(pair.key, whole)
        assert certificate.refresh()
        assert await fetch(url, pair.trust) == "done"


async def test_the_files_are_looked_at_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`follow` does what `refresh` does, without being asked."""
    monkeypatch.setattr("argoos.web.tls.LOOK_SECONDS", 0.01)
    pair = Pair(tmp_path)
    certificate = Certificate(pair.cert, pair.key)
    async with serve(quick_site(), Listening(host="127.0.0.1", port=0, tls=certificate.context)) as url:
        following = asyncio.create_task(certificate.follow())
        pair.renew()
        await asyncio.sleep(0.2)
        assert await fetch(url, pair.trust) == "done"
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following


@pytest.mark.parametrize("broken", ["key of another", "no PEM", "gone", "locked key"])
def test_a_pair_that_is_broken_at_the_start_is_an_error_of_the_settings(tmp_path: Path, broken: str) -> None:
    """The message names both settings and both files."""
    pair = Pair(tmp_path)
    key = pair.key.read_bytes()
    pair.renew()
    spoil(pair.key, broken, key)
    with pytest.raises(SettingsError, match=rf"server_cert {pair.cert} and server_key {pair.key} cannot be used"):
        Certificate(pair.cert, pair.key)


def spoil(path: Path, how: str, other_key: bytes) -> None:
    """Make a key file unusable."""
    match how:
        case "key of another":
            replaced(path, other_key)
        case "no PEM":
            replaced(path, b"no PEM")
        case "locked key":
            replaced(path, locked(path.read_bytes()))
        case _:
            path.unlink()


def locked(key: bytes) -> bytes:
    """Return the key under a password."""
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
