"""Statements over many rows at once, made once for each size.

One statement for a whole batch is the point of it: SQLite gives up Python's lock for each statement it runs, and a
busy event loop hands it back only after milliseconds. The statements come in sizes that are powers of two, so a batch
of 23 rows takes those of 16, 4, 2 and 1, and no more than `_LARGEST`'s handful is ever kept.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from sqlalchemy import BindParameter, Connection, Dialect, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

_LARGEST = 32  # rows; the time to make a statement grows with its size: 12 ms for 32 rows of 16 columns, once

Cell = str | int | None
Row = Sequence[Cell]
Parameters = Sequence[BindParameter[Cell]]
Build = Callable[[Parameters, Sequence[Parameters]], ClauseElement]


class Sized:
    """One statement in all its sizes.

    Args:
        width: how many values each row has.
        build: makes the statement, given the parameters that come first, once, and those of each row; it must use each
            once, in order.
        first: how many come first.
    """

    def __init__(self, width: int, build: Build, *, first: int = 0) -> None:
        self._width = width
        self._build = build
        self._first = first
        self._made: dict[tuple[str, int], str] = {}

    def run(self, connection: Connection, rows: Sequence[Row], *, first: Row = ()) -> None:
        """Run the statement over all rows. The values go to the driver as they are: times are microseconds."""
        for part in _parts(rows):
            statement = self._of_size(connection.dialect, len(part))
            connection.exec_driver_sql(statement, (*first, *chain.from_iterable(part)))

    def _of_size(self, dialect: Dialect, size: int) -> str:
        if (dialect.name, size) not in self._made:
            names = [f"p{number}" for number in range(self._first + size * self._width)]
            parameters: Parameters = [bindparam(name) for name in names]
            starts = range(self._first, len(parameters), self._width)
            rows = [parameters[start : start + self._width] for start in starts]
            compiled = self._build(parameters[: self._first], rows).compile(dialect=dialect)
            if not isinstance(compiled, SQLCompiler) or compiled.positiontup != names:
                raise TypeError(f"not a statement with its parameters in order: {compiled}")
            self._made[dialect.name, size] = str(compiled)
        return self._made[dialect.name, size]


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    while left := len(rows) - start:
        size = min(_LARGEST, 1 << (left.bit_length() - 1))
        yield rows[start : start + size]
        start += size
