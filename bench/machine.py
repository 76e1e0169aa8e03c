"""The machine that was measured on, in one line: figures mean nothing without it."""

import os
import platform
import time
from pathlib import Path
from statistics import median

SYNCS = 50


def described(directory: Path) -> str:
    """Say what the machine is, how busy it was, and what a sync of a small write to `directory` takes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, a synced 4 KiB write {_sync_milliseconds(directory):.2f} ms, "
        f"load average at the start {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return " ".join(value.split())
    return platform.machine()


def _sync_milliseconds(directory: Path) -> float:
    """Return the median of what every commit pays at least."""
    taken: list[float] = []
    with (directory / "synced").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return 1000 * median(taken)
