"""Adds pushes without end and prints the key of each that is on disk, for a test that kills it. Usage: URL PREFIX."""

import asyncio
import sys
from datetime import UTC, datetime
from itertools import count

from argoos.core.image import Repository
from argoos.core.push import Push
from argoos.store import open_store

_CALLERS = 8


def _push(key: str, number: int) -> Push:
    repository = Repository(registry="r.example", path=f"app{number % 5}")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Push(key=key, repository=repository, tag=str(number), digest=f"sha256:{number:064x}", pushed_at=at)


async def main(url: str, prefix: str) -> None:
    """Add until killed."""
    numbers = count()
    async with open_store(url) as store, asyncio.TaskGroup() as callers:

        async def call() -> None:
            for number in numbers:
                key = f"{prefix}-{number}"
                await store.add([_push(key, number)], received_at=datetime.now(UTC))
                sys.stdout.write(key + "\n")
                sys.stdout.flush()

        for _ in range(_CALLERS):
            callers.create_task(call())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
