"""The benchmarks, one module each. To add one, write its class and put it into the table."""

from collections.abc import Sequence

from bench.benchmark import Benchmark
from bench.benchmarks.at_once import ManyPushes, OnePush
from bench.benchmarks.behind import Behind
from bench.benchmarks.deliveries import Deliveries
from bench.benchmarks.lost import Lost
from bench.benchmarks.memory import Memory
from bench.benchmarks.patched import Patched
from bench.benchmarks.start import Start

BENCHMARKS: Sequence[Benchmark] = (
    Deliveries(),
    Patched(),
    ManyPushes(),
    OnePush(),
    Behind(),
    Memory(),
    Start(),
    Lost(),
)
"""In the order of the table. They run in this order for each number of Deployments, the smallest number first."""
