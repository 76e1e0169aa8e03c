"""``python -m bench``: run benchmarks and print their table.

The exit code is 0 when everything asked for could be measured, whether or not the targets are met.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import docs, machine, report
from bench.benchmark import Benchmark, Row, Unmeasurable
from bench.benchmarks import BENCHMARKS
from bench.cluster import Refused
from bench.ground import Ground, prepared
from tests.servers.process import ServerError

SIZES = (100, 1_000, 10_000)
PUSHES = 20_000
MILLION = 1_000_000
FAILURES = (Unmeasurable, Refused, ServerError, TimeoutError, OSError)
"""What keeps a figure from being taken; the others are taken all the same."""


def main() -> int:
    """Run what the command line asks for and return the exit code."""
    given = _arguments()
    chosen = [one for one in BENCHMARKS if not given.names or one.name in given.names]
    with tempfile.TemporaryDirectory(prefix="argoos-bench-") as directory:
        where = machine.described(Path(directory))
        print(where, flush=True)
        rows, failed = asyncio.run(_run(chosen, given, Path(directory)))
    report.show(rows)
    if given.json:
        given.json.write_bytes(report.to_json(rows, where))
    if given.docs:
        docs.write(rows, where)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Argoos against baselines.")
    names = [one.name for one in BENCHMARKS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(names)}; without: all")
    parser.add_argument("--n", type=_sizes, default=SIZES, metavar="N,N", help="numbers of Deployments")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument(
        "--million", action="store_const", const=MILLION, default=PUSHES, dest="pushes", help="watch memory for so long"
    )
    given = parser.parse_args()
    unknown = set(given.names) - set(names)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return given


def _sizes(text: str) -> Sequence[int]:
    sizes = sorted({int(part) for part in text.split(",")})
    if sizes[0] < 2:
        raise argparse.ArgumentTypeError("2 Deployments are the least: one takes pushes, one the baseline's patches")
    return sizes


async def _run(chosen: Sequence[Benchmark], given: argparse.Namespace, directory: Path) -> tuple[list[Row], bool]:
    """Grow the Deployments step by step and run at each number what is to be run there."""
    rows: dict[str, list[Row]] = {one.name: [] for one in chosen}
    failed = False
    async with prepared(directory, pushes=given.pushes) as ground:
        for size in given.n:
            due = [one for one in chosen if size in one.sizes(given.n)]
            if due:
                await _grow(ground, size)
            for benchmark in due:
                failed |= not await _measure(benchmark, ground, rows[benchmark.name])
    return [row for each in rows.values() for row in each], failed


async def _grow(ground: Ground, size: int) -> None:
    start = time.perf_counter()
    await ground.population.grow(size)
    _progress(f"{size:,} Deployments", start)
    gc.collect()
    gc.freeze()  # a full collection of ours, amid a measurement, would count against what is measured


async def _measure(benchmark: Benchmark, ground: Ground, into: list[Row]) -> bool:
    start = time.perf_counter()
    try:
        into += await benchmark.run(ground)
    except FAILURES as error:
        _progress(f"{benchmark.name} could not be measured: {type(error).__name__}: {error}", start)
        return False
    _progress(benchmark.name, start)
    return True


def _progress(what: str, start: float) -> None:
    print(f"  {time.perf_counter() - start:6.1f} s  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
