"""The rows as a table for people, as Markdown for the documentation, and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from bench.benchmark import AtMost, RatioAtLeast, RatioAtMost, Row, Target, Within

HEAD = ("what", "figure", "baseline", "ratio", "target", "met", "spread", "Keel")
_RIGHT = {"figure", "baseline", "ratio", "Keel"}


def table(rows: Sequence[Row]) -> Table:
    """Return the table to print."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in HEAD:
        made.add_column(head, justify="right" if head in _RIGHT else "left", no_wrap=head in _RIGHT)
    for row in rows:
        made.add_row(*_cells(row), style="bold red" if row.met is False else "")
    return made


def show(rows: Sequence[Row], baselines: bool = True) -> None:
    """Print the table on standard output, as wide as it needs to be when that is no terminal."""
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table(rows))
    if baselines:
        for against in dict.fromkeys((row.unit, row.against) for row in rows):
            console.print("baseline", f"({against[0]}):", against[1], highlight=False)
    missed = sum(row.met is False for row in rows)
    console.print(f"{missed} of {sum(row.met is not None for row in rows)} targets missed", highlight=False)


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [HEAD, tuple("--:" if head in _RIGHT else "---" for head in HEAD), *map(_cells, rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def to_json(rows: Sequence[Row], machine: str) -> bytes:
    """Return everything that was measured, with where."""
    values = [{**asdict(row), "target": _words(row.target), "ratio": row.ratio, "met": row.met} for row in rows]
    return orjson.dumps({"machine": machine, "rows": values}, option=orjson.OPT_INDENT_2)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "NO", None: ""}[row.met]
    figures = (_number(row.figure, row.unit), _number(row.baseline, row.unit))
    return (row.what, *figures, ratio, _words(row.target, row.unit), met, row.spread, row.keel)


def _number(value: float, unit: str) -> str:
    decimals = {"s": 2, "ms": 1, "MB": 1}.get(unit, 0)
    return f"{value:,.{decimals}f}" + (unit if unit.startswith("/") else f" {unit}")


def _words(target: Target | None, unit: str = "") -> str:
    match target:
        case None:
            return ""
        case AtMost(figure=figure):
            return f"<= {figure:g} {unit}".rstrip()
        case Within(more=more):
            return f"<= baseline + {more:g} {unit}".rstrip()
        case RatioAtMost(ratio=ratio):
            return f"ratio <= {ratio:g}"
        case RatioAtLeast(ratio=ratio):
            return f"ratio >= {ratio:g}"
        case _:
            assert_never(target)
