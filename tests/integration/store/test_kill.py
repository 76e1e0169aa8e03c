"""A kill at any moment loses nothing that was acknowledged."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from argoos.store import open_store
from tests.contracts.store.making import ALL, at, done, push
from tests.integration.store.files import await_file

_ROOT = Path(__file__).parents[3]


@contextmanager
def _adding(url: str, prefix: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that adds pushes and prints their keys; it is killed at the end at the latest."""
    command = [sys.executable, str(Path(__file__).with_name("adder.py")), url, prefix]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env={"PYTHONPATH": "."}) as adder:
        try:
            yield adder
        finally:
            adder.send_signal(signal.SIGKILL)


def _acknowledged(url: str, prefix: str, seconds: float) -> list[str]:
    """Let a process add for a moment, kill it, and return the keys that it printed whole."""
    with _adding(url, prefix) as adder:
        assert adder.stdout is not None
        first = adder.stdout.readline()
        assert first, "the adder ended before its first push"
        time.sleep(seconds)
        adder.send_signal(signal.SIGKILL)
        printed = first + adder.stdout.read()
    return printed[: printed.rfind("\n")].split("\n")


@pytest.mark.parametrize("seed", range(3))
async def test_every_acknowledged_push_is_there_after_a_kill(url: str, seed: int) -> None:
    """Killed twice at random while eight callers add: each push that was answered is claimed afterwards."""
    chance = random.Random(seed)
    acknowledged = [key for prefix in "ab" for key in _acknowledged(url, prefix, chance.uniform(0, 0.2))]

    found: set[str] = set()
    async with open_store(url) as store:
        while claims := await store.claim(limit=10, now=at(10**9), lease_seconds=60):
            for claim in claims:
                found |= {queued.push.key for queued in claim.pushes}
                assert await store.settle(claim, [done(queued) for queued in claim.pushes], now=at(10**9))

    assert len(acknowledged) > 1
    assert set(acknowledged) <= found


@pytest.mark.parametrize("after_seconds", [0.002, 0.02])
async def test_a_kill_while_the_tables_are_made_leaves_a_file_that_opens(
    url: str, path: Path, after_seconds: float
) -> None:
    """A first start that is broken off is simply done again."""
    with _adding(url, "a"):
        await asyncio.to_thread(await_file, path)
        await asyncio.sleep(after_seconds)

    async with open_store(url) as store:
        await store.add([push("after")], received_at=at(0))
        assert "after" in {one.key for one in await store.pushes(ALL)}
