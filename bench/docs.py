"""Puts the table into docs/benchmarks.md, between two marks; the words around it are written by hand."""

from collections.abc import Sequence
from pathlib import Path

from bench.benchmark import Row
from bench.report import markdown

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN = "<!-- measured: begin -->\n"
END = "<!-- measured: end -->\n"


def write(rows: Sequence[Row], machine: str) -> None:
    """Replace what stands between the marks."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(rows)}\nMeasured on: {machine}.\n\n{END}{after}")
