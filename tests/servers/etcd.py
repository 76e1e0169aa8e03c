"""A one-member etcd, which holds what a Kubernetes API server stores.

Uses etcd's JSON gateway: https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
"""

import base64
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from tests.servers.process import Command, Server, ServerError, free_port, http_ok


class Etcd:
    """An etcd on a free port of 127.0.0.1 with its data in `directory`; a restart keeps both.

    It does not sync to disk, so that tests are quick: a kill of the machine would lose data, a kill of etcd not.
    """

    def __init__(self, binary: Path, directory: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        peer_url = f"http://127.0.0.1:{free_port()}"
        argv = (
            str(binary),
            "--name=test",
            f"--data-dir={directory / 'etcd'}",
            f"--listen-client-urls={self.url}",
            f"--advertise-client-urls={self.url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=test={peer_url}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        self.server = Server("etcd", Command(argv=argv, ready=http_ok(f"{self.url}/health")), directory)

    async def compact(self) -> int:
        """Forget the past: who has missed a change gets 410 Gone. Return the revision that is the oldest now.

        A compaction keeps its own revision, so a key of no meaning is written first, to forget the last change too.
        """
        key = base64.b64encode(b"compaction").decode()
        answer = await self._post("/v3/kv/put", {"key": key, "value": key})
        header = answer.get("header")
        if not isinstance(header, dict):
            raise ServerError(f"etcd sent no header: {answer}")
        revision = int(header["revision"])
        await self._post("/v3/kv/compaction", {"revision": revision, "physical": True})
        return revision

    async def _post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        timeout = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self.url + path, json=body) as answer,
        ):
            if answer.status != 200:
                raise ServerError(f"etcd answered {answer.status} to {path}: {await answer.text()}")
            found: object = await answer.json()
        if not isinstance(found, dict):
            raise ServerError(f"etcd did not send an object for {path}: {found}")
        return found

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop()
