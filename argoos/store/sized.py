"""Statements over many rows at once, made once for each size.

One statement for a whole batch is the point of it: SQLite gives up Python's lock for each statement it runs, and a
busy event loop hands it back only after milliseconds. The statements come in sizes that are powers of two, so a batch
of 23 rows takes those of 16, 4, 2 and 1, and no more than `_LARGEST`'s handful is ever kept.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from sqlalchemy import BindParameter, Connection, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

_LARGEST = 128  # rows; with 16 columns these are 2,048 parameters, a sixteenth of what SQLite and PostgreSQL take

Cell = str | int | None
Row = Sequence[Cell]
Parameters = Sequence[BindParameter[Cell]]


class Sized:
    """One statement in all its sizes.

    Args:
        width: how many values each row has.
        build: makes the statement, given the parameters of each row; it must use each once, in order.
    """

    def __init__(self, width: int, build: Callable[[Sequence[Parameters]], ClauseElement]) -> None:
        self._width = width
        self._build = build
        self._made: dict[int, str] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run the statement over all rows. The values go to the driver as they are: times are microseconds."""
        for part in _parts(rows):
            connection.exec_driver_sql(self._of_size(connection, len(part)), tuple(chain.from_iterable(part)))

    def _of_size(self, connection: Connection, size: int) -> str:
        if size not in self._made:
            names = [f"p{number}" for number in range(size * self._width)]
            parameters: Parameters = [bindparam(name) for name in names]
            rows = [parameters[start : start + self._width] for start in range(0, len(parameters), self._width)]
            compiled = self._build(rows).compile(dialect=connection.dialect)
            if not isinstance(compiled, SQLCompiler) or compiled.positiontup != names:
                raise TypeError(f"not a statement with its parameters in order: {compiled}")
            self._made[size] = str(compiled)
        return self._made[size]


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    while left := len(rows) - start:
        size = min(_LARGEST, 1 << (left.bit_length() - 1))
        yield rows[start : start + size]
        start += size
